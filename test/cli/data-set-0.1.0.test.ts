/** A data set that version 0.1.0 made (`test/fixtures/data-set-0.1.0/`) is read, kept and extended. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/files.js';
import { complete, listFiles, readRecords } from '../support/runs.js';

const FIXTURE = fileURLToPath(new URL('../../../test/fixtures/data-set-0.1.0/', import.meta.url));
const HOW = ['--interval', '4h', '--depths', '3', '--workers', '1'];
const book = (pair: string, date: string, format: string) => `0003/${pair}/${date}_${pair}_ob3_4h.${format}`;
const metrics = (date: string) => `metrics/AAAUSDT/${date}_AAAUSDT_4h.csv`;
const OLD_DATES = ['2025-01-14', '2025-01-15'];

/** A copy of the data set, whose archives have the times that the records tell. */
function copyDataSet(t: TestContext) {
  const folder = tempDir(t);
  fs.cpSync(FIXTURE, folder, { recursive: true });
  const out = path.join(folder, 'snapshots');
  for (const record of readRecords(out)) {
    const { archive, archiveMtimeMs } = record as { archive: string; archiveMtimeMs: number };
    fs.utimesSync(path.join(folder, archive), new Date(), new Date(archiveMtimeMs));
  }
  const run = (command: string[], ...args: string[]) =>
    complete([...command, '--output-dir', 'snapshots', ...args], { cwd: folder });
  const convert = (...args: string[]) => run([], '--source-dir', 'archives', ...HOW, ...args);
  const read = (name: string) => fs.readFileSync(path.join(out, name));
  const written = (name: string) => fs.readFileSync(path.join(FIXTURE, 'snapshots', name));
  /** Files that are not as version 0.1.0 left them, the records left out. */
  const changed = () =>
    listFiles(out)
      .map((file) => path.relative(out, file))
      .filter((name) => name !== 'conversions.jsonl')
      .filter((name) => !fs.existsSync(path.join(FIXTURE, 'snapshots', name)) || !read(name).equals(written(name)));
  return { folder, run, convert, read, changed };
}

test('what has not changed is kept, and a new day is added beside it', async (t) => {
  const { convert, changed, run, read } = copyDataSet(t);
  const { status, stdout, stderr } = await convert('--symbols', 'AAAUSDT');
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  assert.equal(stdout.match(/ SKIPPED /g)?.length, 2, stdout);
  assert.match(stdout, /DONE +AAAUSDT +2025-01-16_AAAUSDT_ob500\.data\.zip +\[3\] → 6 snapshots ✓\n/);
  assert.deepEqual(changed(), [book('AAAUSDT', '2025-01-16', 'csv')]);

  const joined = await run(
    ['join', '--symbols', 'AAAUSDT', '--interval', '4h'],
    '--format',
    'csv',
    '--output',
    'all.csv',
  );
  assert.equal(joined.status, 0, joined.stderr);
  assert.match(joined.stdout, /^Joined 3 days .*: 18 rows\nMissing: nothing.*\nNot compared .*: 2 days, .*\n/);
  const [header, ...rows] = read('../all.csv').toString().trimEnd().split('\r\n');
  const days = [...OLD_DATES, '2025-01-16'].map((date) =>
    read(book('AAAUSDT', date, 'csv'))
      .toString()
      .trimEnd()
      .split('\r\n'),
  );
  assert.deepEqual([header, rows], [days[0]?.[0], days.flatMap(([, ...day]) => day)]);
});

test('what the current version writes otherwise is made again, and each line says so', async (t) => {
  const { convert, changed, read } = copyDataSet(t);
  const parquet = await convert('--symbols', 'AAAUSDT', '--to', '2025-01-15', '--format', 'csv,parquet');
  assert.equal(parquet.status, 0, parquet.stderr);
  assert.equal(parquet.stdout.match(/✓ \(was stale: format version 1 → 2\)\n/g)?.length, 2, parquet.stdout);
  const quality = await convert('--symbols', 'BBBUSDT', '--quality');
  assert.match(quality.stdout, /BBBUSDT.*✓ \(was stale: format version 1 → 2\)\n/);
  const older = await convert('--symbols', 'AAAUSDT', '--to', '2025-01-15', '--metrics');
  assert.equal(older.stdout.match(/✓ \(was stale: format version 1 → 2\)\n/g)?.length, 2, older.stdout);
  const qualityCsv = book('BBBUSDT', '2025-01-15', 'csv');
  const parquets = OLD_DATES.map((date) => book('AAAUSDT', date, 'parquet'));
  assert.deepEqual(changed(), [...parquets, qualityCsv, ...OLD_DATES.map(metrics)]);
  assert.match(
    read(qualityCsv).toString(),
    /^timestamp,book_ts,age_ms,is_filled,is_suspect,is_crossed,is_thin,is_partial,bid/,
  );
  // Once is enough.
  for (const args of [
    ['--symbols', 'AAAUSDT', '--to', '2025-01-15', '--format', 'csv,parquet'],
    ['--symbols', 'BBBUSDT', '--quality'],
  ]) {
    const { stdout } = await convert(...args);
    assert.match(stdout, /^Successfully processed: 0$/m, stdout);
  }
});

test('a forgotten --quality is refused, as with records of now', async (t) => {
  const { convert, changed } = copyDataSet(t);
  const { status, stderr } = await convert('--symbols', 'BBBUSDT');
  assert.equal(status, 2);
  assert.match(
    stderr,
    /Nothing was converted: 1 output .*\n.*\n {2}1 made with --quality, and not without --quality, such as /,
  );
  assert.deepEqual(changed(), []);
});

test('a day of other columns does not get beside older ones, nor is joined with them, without a word', async (t) => {
  const { convert, run } = copyDataSet(t);
  const newDay = ['--symbols', 'AAAUSDT', '--from', '2025-01-16', '--format', 'parquet'];
  const refused = await convert(...newDay);
  assert.equal(refused.status, 2);
  assert.match(
    refused.stderr,
    /2 made with the columns of format version 1, and not 2, such as .*2025-01-14.*parquet\n/,
  );
  assert.equal((await convert(...newDay, '--on-stale', 'keep')).status, 0);
  const join = (...args: string[]) =>
    run(
      ['join', '--symbols', 'AAAUSDT', '--interval', '4h'],
      '--format',
      'parquet',
      '--output',
      'all.parquet',
      ...args,
    );
  const mixed = await join();
  assert.equal(mixed.status, 1);
  assert.match(
    mixed.stderr,
    /2025-01-16.* has other columns than .*2025-01-14.*: column 2 is symbol .*, there it is bid_price/,
  );
  assert.match((await join('--to', '2025-01-15')).stdout, /^Joined 2 days/);
  await convert('--symbols', 'AAAUSDT', '--format', 'parquet');
  const { status, stdout } = await join('--overwrite');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^Joined 3 days .*\nMissing: nothing.*\nWritten/);
});

test('status and verify tell of it as it is', async (t) => {
  const { run, convert, folder } = copyDataSet(t);
  const status = await run(['status', '--source-dir', 'archives']);
  assert.equal(status.status, 0, status.stderr);
  const table = status.stdout.split('\n').map((row) => row.trim().replaceAll(/ +/g, ' '));
  for (const row of [
    'AAAUSDT ob3 4h csv 2025-01 2 0 1 0 1 0 12 0 0 16',
    'AAAUSDT ob3 4h parquet 2025-01 0 2 1 0 1 0 12 0 0 16',
    'AAAUSDT metrics 4h csv 2025-01 0 2 1 0 1 0 12 0 0 16',
    'BBBUSDT ob3 4h csv 2025-01 0 1 0 0 0 0 6 0 0',
  ]) {
    assert.ok(table.includes(row), `${row}\n${status.stdout}`);
  }
  assert.match(
    status.stdout,
    /^Failed:\n {2}2025-01-15_CCCUSDT_ob200\.data\.zip: not a zip file: .* \(since 2026-11-28\)$/m,
  );

  const verify = () => run(['verify']);
  const old = await verify();
  assert.equal(old.status, 0, old.stdout);
  assert.match(
    old.stdout,
    /^Outputs as they were written: 0\n.*without a recorded SHA-256 \(version 0\.1\): 7\nDamaged: 0\n/m,
  );
  // Its size is recorded.
  const file = path.join(folder, 'snapshots', book('AAAUSDT', '2025-01-14', 'csv'));
  fs.appendFileSync(file, 'x');
  assert.match(
    (await verify()).stdout,
    /^DAMAGED {2}\S+2025-01-14_AAAUSDT_ob3_4h\.csv: it has \d+ bytes, and \d+ were written$/m,
  );
  const { stdout } = await convert('--symbols', 'AAAUSDT', '--to', '2025-01-14');
  assert.match(stdout, /✓ \(was stale: /);
  // What was made again is known to the byte, also of the same size.
  const bytes = fs.readFileSync(file);
  bytes.write('9', bytes.length - 3);
  fs.writeFileSync(file, bytes);
  assert.match(
    (await verify()).stdout,
    /^DAMAGED {2}\S+2025-01-14_AAAUSDT_ob3_4h\.csv: its content is not what was written$/m,
  );
});
