/** Days that were compressed in different ways, since the runtime has changed: they are joined, and one data set. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { HAS_ZSTD } from '../../src/output/compression.js';
import { runCli } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { makeArchive } from '../support/runs.js';

const skip = HAS_ZSTD ? false : `Node.js ${process.versions.node} has no zstd`;

test('a day as snappy and one as zstd are kept by auto, and joined into one file', { skip }, async (t) => {
  const dir = tempDir(t);
  const out = path.join(dir, 'out');
  const source = path.join(dir, 'source');
  const market = { messageIntervalMs: 30_000, durationMs: 86_405_000 };
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await runCli(args);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const convert = (...args: string[]) => run(...args, '--output-dir', out, '--format', 'parquet', '--depths', '5');
  for (const [date, compression] of [
    ['2025-01-14', 'snappy'],
    ['2025-01-15', 'zstd'],
  ] as const) {
    await convert(
      await makeArchive(source, { pair: 'AAAUSDT', date, depth: 200, market }),
      '--compression',
      compression,
      '--on-stale',
      'keep',
    );
  }
  assert.match(await convert('--source-dir', source), /SKIPPED/);
  const records = fs.readFileSync(path.join(out, 'conversions.jsonl'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    records.map((record) => JSON.parse(record).outputs[0].shape.compression),
    ['snappy', 'zstd'],
  );

  const joined = path.join(dir, 'joined.parquet');
  await run('join', '--symbol', 'AAAUSDT', '--format', 'parquet', '--output-dir', out, '--output', joined);
  const connection = await (await DuckDBInstance.create()).connect();
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS();
  assert.deepEqual(await ask(`SELECT DISTINCT compression FROM parquet_metadata('${joined}') ORDER BY 1`), [
    ['SNAPPY'],
    ['ZSTD'],
  ]);
  // Not sums, which come out differently when the threads of DuckDB add in another order.
  const rows = "string_agg(timestamp::VARCHAR || bid_price::VARCHAR || ask_qty::VARCHAR, ' ' ORDER BY timestamp)";
  const content = `count(*)::INTEGER, md5(${rows})`;
  assert.deepEqual(
    await ask(`SELECT ${content} FROM '${joined}'`),
    await ask(`SELECT ${content} FROM '${path.join(out, '0005', 'AAAUSDT', '*.parquet')}'`),
  );
});
