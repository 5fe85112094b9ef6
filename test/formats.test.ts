/** Whole archives in every format, read by programs that others wrote: each says exactly what the CSV says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetReadObjects } from 'hyparquet';
import { findOutputs } from '../src/catalog/find-outputs.js';
import { runJob } from '../src/convert/recorded-job.js';
import { identifyArchives, plan, takeInventory } from '../src/index.js';
import type { Layout } from '../src/output/book-writer.js';
import { DECOMPRESSORS } from '../src/output/compression.js';
import { FORMAT_NAMES, FORMATS } from '../src/output/formats.js';
import { SAMPLES, type Sample, writeSample } from '../src/samples/samples.js';
import { runCli } from './support/cli.js';
import { tempDir } from './support/files.js';

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/source', import.meta.url));

/** A row of the CSV: bids, then asks, as texts. */
interface Row {
  timestamp: number;
  sides: [price: string, quantity: string][][];
}

function readCsv(text: string): Row[] {
  return text
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((line) => {
      const [timestamp = '', ...cells] = line.split(',');
      const levels = Array.from(
        { length: cells.length / 2 },
        (_, i) => [cells[2 * i], cells[2 * i + 1]] as [string, string],
      );
      const sides = [levels.slice(0, levels.length / 2), levels.slice(levels.length / 2)];
      return { timestamp: Number(timestamp), sides: sides.map((side) => side.filter(([price]) => price !== '')) };
    });
}

/** What a Parquet file must hold, its numbers made of the CSV's text. */
function expected<V>(
  rows: Row[],
  symbol: string,
  layout: Layout,
  depth: number,
  value: (text: string) => V,
): Record<string, unknown>[] {
  return rows.flatMap(({ timestamp, sides }): Record<string, unknown>[] => {
    const [bids = [], asks = []] = sides;
    const column = (side: [string, string][], part: 0 | 1) => side.map((level) => value(level[part]));
    if (layout === 'lists') {
      const lists = {
        bid_price: column(bids, 0),
        bid_qty: column(bids, 1),
        ask_price: column(asks, 0),
        ask_qty: column(asks, 1),
      };
      return [{ timestamp, symbol, ...lists }];
    }
    const named = [
      ['bid', bids],
      ['ask', asks],
    ] as const;
    if (layout === 'long') {
      return named.flatMap(([side, levels]) =>
        levels.map(([price, qty], i) => ({
          timestamp,
          symbol,
          side,
          level: i + 1,
          price: value(price),
          qty: value(qty),
        })),
      );
    }
    const cells = named.flatMap(([side, levels]) =>
      Array.from({ length: depth }, (_, i) => [
        [`${side}_price_${i + 1}`, levels[i] ? value(levels[i][0]) : null],
        [`${side}_qty_${i + 1}`, levels[i] ? value(levels[i][1]) : null],
      ]).flat(),
    );
    return [{ timestamp, symbol, ...Object.fromEntries(cells) }];
  });
}

async function readParquet(file: string): Promise<Record<string, unknown>[]> {
  const bytes = fs.readFileSync(file);
  const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer, compressors: DECOMPRESSORS });
  return rows.map((row) => ({ ...row, timestamp: (row['timestamp'] as Date).getTime() }));
}

/** Lists of exact decimals, as text without needless zeros. */
async function readDecimals(file: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const lists = ['bid_price', 'bid_qty', 'ask_price', 'ask_qty'].map((name) => `${name}::VARCHAR[] AS ${name}`);
  const sql = `SELECT epoch_ms(timestamp)::DOUBLE AS timestamp, symbol, ${lists.join(', ')} FROM '${file}'`;
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map((text) => plain(String(text))) : value,
      ]),
    ),
  );
}

/** One spelling of a number: no zeros that say nothing. */
function plain(text: string): string {
  const [integer = '', fraction = ''] = text.split('.');
  const rest = fraction.replace(/0+$/, '');
  return `${BigInt(integer)}${rest === '' ? '' : `.${rest}`}`;
}

/** Of a file in the folder of its symbol. */
function symbolOf(file: string): string {
  return path.basename(path.dirname(file));
}

async function assertSameInEveryFormat(sourceDir: string, out: string): Promise<void> {
  const run = async (...args: string[]) => {
    const { status, stderr } = await runCli(['--source-dir', sourceDir, '--output-dir', out, ...args]);
    assert.equal(status, 0, stderr);
  };
  await run('--format', 'csv,csv.gz,parquet', '--depths', '7,200,500');
  const files = fs.readdirSync(out, { recursive: true, encoding: 'utf8' });
  const books = files
    .filter((name) => name.endsWith('.csv'))
    .map((name) => path.join(out, name.slice(0, -'.csv'.length)));
  assert.ok(books.length > 0);
  for (const layout of ['lists', 'wide', 'long'] as const) {
    if (layout !== 'lists')
      await run('--format', 'parquet', '--depths', '7,200,500', '--layout', layout, '--on-stale', 'remake');
    for (const book of books) {
      const depth = Number(/_ob(\d+)_/.exec(book)?.[1]);
      const rows = readCsv(fs.readFileSync(`${book}.csv`, 'latin1'));
      assert.deepEqual(
        await readParquet(`${book}.parquet`),
        expected(rows, symbolOf(book), layout, depth, Number),
        `${book} ${layout}`,
      );
    }
  }
  await run('--format', 'parquet', '--depths', '7,200,500', '--decimals', '--on-stale', 'remake');
  for (const book of books) {
    const rows = readCsv(fs.readFileSync(`${book}.csv`, 'latin1'));
    assert.deepEqual(
      await readDecimals(`${book}.parquet`),
      expected(rows, symbolOf(book), 'lists', 0, plain),
      `${book} decimals`,
    );
    assert.ok(gunzipSync(fs.readFileSync(`${book}.csv.gz`)).equals(fs.readFileSync(`${book}.csv`)));
  }
}

describe('Parquet and csv.gz hold what the CSV holds', () => {
  test('of the samples', async (t) => {
    const dir = tempDir(t);
    for (const { market } of SAMPLES) await writeSample(path.join(dir, 'source'), market);
    await assertSameInEveryFormat(path.join(dir, 'source'), path.join(dir, 'out'));
  });

  const skip = fs.existsSync(FIXTURES) ? false : `the fixtures are not there: ${FIXTURES}`;
  test('of the fixtures', { skip }, async (t) => assertSameInEveryFormat(FIXTURES, tempDir(t)));
});

describe('every format of the table', () => {
  const [{ market }] = SAMPLES as [Sample];
  const { symbol, date } = market;

  for (const format of FORMAT_NAMES) {
    test(`${format}: is written, found again, known by its record, and joined`, async (t) => {
      const dir = tempDir(t);
      const archive = await writeSample(dir, market);
      const out = path.join(dir, 'out');
      const convert = [archive, '--output-dir', out, '--depths', '5', '--format', format, '--metrics'];
      const first = await runCli(convert);
      assert.equal(first.status, 0, first.stderr);
      const { outputs: found } = await findOutputs(out);
      assert.deepEqual(found.map((output) => [output.kind, output.format]).sort(), [
        ['book', format],
        ['metrics', format],
      ]);
      for (const output of found) assert.ok(output.path.endsWith(FORMATS[format].suffix), output.path);
      assert.match((await runCli(convert)).stdout, /SKIPPED/);

      for (const kind of [[], ['--metrics']]) {
        const joined = path.join(dir, `joined${kind}${FORMATS[format].suffix}`);
        const days = ['--symbol', symbol, '--from', date, '--to', date, '--output-dir', out, '--output', joined];
        const { status, stderr } = await runCli(['join', ...days, ...kind, '--format', format]);
        assert.equal(status, 0, stderr);
        assert.ok(fs.statSync(joined).size > 0);
      }
    });
  }

  test('no other is taken', async (t) => {
    for (const command of [[], ['join', '--symbol', symbol]]) {
      const { status, stderr } = await runCli([...command, '--format', 'tsv', '--output-dir', tempDir(t)]);
      assert.equal(status, 2);
      assert.ok(stderr.includes(`Expected some of ${FORMAT_NAMES.join(', ')}.`), stderr);
    }
  });
});

test('one pass: however many outputs are made, the archive is read once', async (t) => {
  const dir = tempDir(t);
  const [sample] = SAMPLES;
  assert.ok(sample);
  const archive = await writeSample(dir, sample.market);
  const options = {
    outputDir: path.join(dir, 'out'),
    depths: [1, 2, 3, 50, 200],
    formats: ['csv', 'parquet'],
    quality: true,
    metrics: true,
  } as const;
  const [entry] = plan(await takeInventory(await identifyArchives([archive]), options.outputDir), options);
  assert.ok(entry?.action === 'convert');
  let readBytes = 0;
  const result = await runJob(entry.job, {
    onRead: (bytes) => {
      readBytes += bytes;
    },
  });
  assert.ok(result.status === 'done');
  assert.equal(result.outputs.length, 12);
  const outputDir = path.join(dir, 'alone');
  const [alone] = plan(await takeInventory(await identifyArchives([archive]), outputDir), { outputDir, depths: [1] });
  assert.ok(alone?.action === 'convert');
  let aloneBytes = 0;
  const single = await runJob(alone.job, {
    onRead: (bytes) => {
      aloneBytes += bytes;
    },
  });
  assert.ok(single.status === 'done');
  assert.equal(readBytes, aloneBytes);
  assert.ok(readBytes > 0 && readBytes <= fs.statSync(archive).size);
  assert.equal(result.counts.messages, single.counts.messages);
  assert.equal(result.counts.updates, single.counts.updates);
});

test('with --quality, the flags of the CSV are columns that add up: DuckDB counts what the record counted', async (t) => {
  const dir = tempDir(t);
  const [{ market }] = SAMPLES as [Sample];
  const archive = await writeSample(dir, market);
  const out = path.join(dir, 'out');
  const options = ['--output-dir', out, '--depths', '5', '--quality', '--format', 'csv,csv.gz,parquet'];
  const { status, stderr } = await runCli([archive, ...options]);
  assert.equal(status, 0, stderr);
  const record = JSON.parse(fs.readFileSync(path.join(out, 'conversions.jsonl'), 'utf8'));
  assert.ok(record.filledRows > 0, 'the sample has quiet minutes');
  const connection = await (await DuckDBInstance.create()).connect();
  for (const format of ['csv', 'csv.gz', 'parquet']) {
    const file = path.join(out, '0005', '*', `*.${format}`);
    const [row] = (
      await connection.runAndReadAll(
        `SELECT sum(is_filled::INTEGER)::INTEGER, sum(is_suspect::INTEGER)::INTEGER, sum(is_crossed::INTEGER)::INTEGER,
          count(*)::INTEGER FROM '${file}'`,
      )
    ).getRowsJS();
    assert.deepEqual(row, [record.filledRows, record.suspectRows, record.crossedRows, record.rows], format);
  }
  const csv = path.join(out, '0005', '*', '*.csv');
  const [sum] = (await connection.runAndReadAll(`SELECT sum(is_filled)::INTEGER FROM '${csv}'`)).getRowsJS();
  assert.deepEqual(sum, [record.filledRows], 'without a cast, in CSV');
  const types = (await connection.runAndReadAll(`DESCRIBE SELECT COLUMNS('^is_') FROM '${csv}'`)).getRowsJS();
  assert.deepEqual(
    types.map(([name, type]) => [name, type]),
    ['is_filled', 'is_suspect', 'is_crossed', 'is_thin', 'is_partial'].map((name) => [name, 'BIGINT']),
  );
});
