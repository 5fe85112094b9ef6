/** `bookgrid join` with real runs; what it joins is read by other programs: Python's csv and gzip, DuckDB. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { JoinError, joinDays } from '../../src/index.js';
import { createTableWriter } from '../../src/output/create-writer.js';
import { MAGIC } from '../../src/output/parquet/footer.js';
import { tempDir } from '../support/files.js';
import { metricsBatch } from '../support/output-rows.js';
import { NO_PEAK_MEMORY, runCliMeasured } from '../support/peak-memory.js';
import { complete, listFiles, listStaged, makeArchive, start, until } from '../support/runs.js';

const DATES = ['2025-01-14', '2025-01-15', '2025-01-16', '2025-01-17'];
const FORMATS = ['csv', 'csv.gz', 'parquet'] as const;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-join-'));
const source = path.join(root, 'source');
const days = path.join(root, 'days');

before(async () => {
  for (const [seed, date] of DATES.entries()) {
    const market = { seed, messageIntervalMs: 30_000, durationMs: 86_405_000 };
    await makeArchive(source, { pair: 'AAAUSDT', date, depth: 200, market });
  }
  await convert(days, ['--format', FORMATS.join(), '--metrics']);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

async function convert(out: string, args: string[]): Promise<void> {
  const folders = ['--source-dir', source, '--output-dir', out];
  const { status, stdout, stderr } = await complete([...folders, '--depths', '5', '--workers', '2', ...args]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
}

/** Runs join in a folder of its own. */
async function join(t: TestContext, args: string[], { outputDir = days, cwd = tempDir(t) } = {}) {
  const line = ['join', '--symbols', 'AAAUSDT', '--output-dir', outputDir, ...args];
  return { ...(await complete(line, { cwd })), cwd, files: listFiles(cwd).map((file) => path.relative(cwd, file)) };
}

/** Joins what must be whole, and returns the joined file. */
async function joined(t: TestContext, args: string[], outputDir = days): Promise<string> {
  const { status, stderr, stdout, files, cwd } = await join(t, args, { outputDir });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  assert.match(stdout, /^Missing: nothing, every boundary has its row$/m);
  const [file = ''] = files;
  assert.deepEqual(files, [file]);
  return path.join(cwd, file);
}

const nameOf = (date: string, format: string) => `${date}_AAAUSDT_ob5_1m.${format}`;
const dayPath = (date: string, format: string, out = days) => path.join(out, '0005/AAAUSDT', nameOf(date, format));

/** A copy of the days of one format, to be changed. */
function copyDays(t: TestContext, format: string, dates = DATES): string {
  const out = tempDir(t);
  for (const date of dates) {
    fs.mkdirSync(path.dirname(dayPath(date, format, out)), { recursive: true });
    fs.copyFileSync(dayPath(date, format), dayPath(date, format, out));
  }
  return out;
}

/** Changes the lines of a day's CSV file, of which the first is the header. */
function editLines(out: string, date: string, edit: (lines: string[]) => string[]): void {
  const file = dayPath(date, 'csv', out);
  fs.writeFileSync(file, edit(fs.readFileSync(file, 'utf8').split('\r\n')).join('\r\n'));
}

/** Asserts that joining fails with a message and leaves no file. */
async function assertFails(t: TestContext, args: string[], outputDir: string, status: number, message: RegExp) {
  const result = await join(t, args, { outputDir });
  assert.deepEqual({ status: result.status, stdout: result.stdout }, { status, stdout: '' }, result.stderr);
  assert.match(result.stderr, message);
  assert.deepEqual(result.files, []);
}

const PYTHON_JOIN = `
import csv, gzip, sys
out, *files = sys.argv[1:]
opener = gzip.open if files[0].endswith('.gz') else open
with open(out, 'w', newline='') as f:
    writer = csv.writer(f)
    for i, name in enumerate(files):
        with opener(name, 'rt', newline='') as day:
            rows = list(csv.reader(day))
        writer.writerows(rows if i == 0 else rows[1:])
`;

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

for (const options of [[], ['--include-formatted-timestamp'], ['--quality']]) {
  test(`csv, csv.gz ${options.join(' ')}: as Python's csv joins them`, { skip: noPython }, async (t) => {
    const out = tempDir(t);
    await convert(out, ['--format', 'csv,csv.gz', ...options]);
    const file = await joined(t, ['--format', 'csv'], out);
    const zipped = await joined(t, ['--format', 'csv.gz'], out);
    assert.equal(path.basename(file), 'AAAUSDT_2025-01-14_2025-01-17_ob5_1m.csv');
    const expected = path.join(tempDir(t), 'expected.csv');
    for (const format of ['csv', 'csv.gz']) {
      const files = DATES.map((date) => dayPath(date, format, out));
      assert.equal(spawnSync('python3', ['-c', PYTHON_JOIN, expected, ...files]).status, 0);
      assert.ok(fs.readFileSync(file).equals(fs.readFileSync(expected)));
    }
    const check = 'import gzip,sys; sys.exit(gzip.open(sys.argv[1]).read() != open(sys.argv[2], "rb").read())';
    assert.equal(spawnSync('python3', ['-c', check, zipped, expected]).status, 0);
    // The same days are the same bytes, and one member: its header comes once.
    const again = fs.readFileSync(await joined(t, ['--format', 'csv.gz'], out));
    assert.ok(fs.readFileSync(zipped).equals(again));
    assert.equal(again.indexOf(again.subarray(0, 10), 1), -1);
  });
}

/** Asks DuckDB; values as JSON has them. */
async function ask(query: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll(query);
  return reader.getRowObjectsJson();
}

for (const options of ['--layout lists', '--layout wide --quality', '--layout long', '--layout lists --decimals']) {
  test(`parquet ${options}: the rows of the days, in their order, as DuckDB reads them`, async (t) => {
    const out = tempDir(t);
    await convert(out, ['--format', 'parquet', ...options.split(' ')]);
    const file = await joined(t, [], out);
    const list = DATES.map((date) => `'${dayPath(date, 'parquet', out)}'`).join();
    const numbered = (files: string) => `SELECT row_number() OVER () AS number, * FROM read_parquet([${files}])`;
    const [a, b] = [numbered(`'${file}'`), numbered(list)];
    const difference = `(${a} EXCEPT ALL ${b}) UNION ALL (${b} EXCEPT ALL ${a})`;
    const [counts] = await ask(
      `SELECT (SELECT count(*) FROM (${difference})) AS differences, count(*) AS rows, count(DISTINCT timestamp) AS boundaries FROM (${a})`,
    );
    const rows = options.includes('long') ? 4 * 1440 * 10 : 4 * 1440;
    assert.deepEqual(counts, { differences: '0', rows: `${rows}`, boundaries: '5760' });
    // The row groups' own ranges lead to the right rows.
    const [later] = await ask(
      `SELECT count(DISTINCT timestamp) AS n FROM '${file}' WHERE timestamp > TIMESTAMPTZ '2025-01-17 12:00:00+00'`,
    );
    assert.deepEqual(later, { n: '720' });
    const pairs = await ask(`SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata('${file}')`);
    const metadata = new Map(pairs.map(({ k, v }) => [k, v]));
    const known = ['symbol', 'depth', 'interval', 'first_day', 'last_day', 'files'].map((key) => metadata.get(key));
    assert.deepEqual(known, ['AAAUSDT', '5', '1m', '2025-01-14', '2025-01-17', '4']);
    assert.equal(metadata.has('date'), false, 'what differs from day to day is left out');
  });
}

test('a forged file takes neither minutes nor memory: a number of a megabyte in a footer, text without a line end', async (t) => {
  const parquet = copyDays(t, 'parquet');
  const number = Buffer.concat([Buffer.from([0x16]), Buffer.alloc(800_000, 0x80), Buffer.from([1, 0])]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(number.length);
  fs.writeFileSync(dayPath('2025-01-16', 'parquet', parquet), Buffer.concat([MAGIC, number, length, MAGIC]));
  await assertFails(t, [], parquet, 1, /2025-01-16_\S+: its footer is damaged \(.*Make it again/);
  const csv = copyDays(t, 'csv.gz');
  fs.writeFileSync(dayPath('2025-01-16', 'csv.gz', csv), gzipSync(Buffer.alloc(100e6)));
  await assertFails(t, [], csv, 1, /2025-01-16_\S+: no line end within 8388608 bytes\. Make it again/);
});

test('--metrics joins metrics, in every format', async (t) => {
  for (const format of FORMATS) {
    const file = await joined(t, ['--metrics', '--format', format]);
    assert.equal(path.basename(file), `AAAUSDT_2025-01-14_2025-01-17_1m.${format}`);
  }
});

/** Copies of days alone, without their records. */
const NOT_COMPARED = 'Not compared with what was written: 3 days, whose SHA-256 no record tells\n';

for (const format of FORMATS) {
  test(`${format}: a missing day is told, and the file written; with --strict it is not`, async (t) => {
    const out = copyDays(t, format, ['2025-01-14', '2025-01-16', '2025-01-17']);
    const { status, stdout, stderr, files } = await join(t, [], { outputDir: out });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: 'Missing: 2025-01-15, the whole day\n' });
    const name = `AAAUSDT_2025-01-14_2025-01-17_ob5_1m.${format}`;
    assert.equal(
      stdout,
      'Joined 3 days of AAAUSDT, 2025-01-14 to 2025-01-17: 4320 rows\n' +
        `Missing: 1440 rows in 1 place, 1 whole day\n${NOT_COMPARED}Written: ${name}\n`,
    );
    assert.deepEqual(files, [name]);
    const strict = await join(t, ['--strict'], { outputDir: out });
    assert.deepEqual({ status: strict.status, files: strict.files }, { status: 1, files: [] });
    assert.match(strict.stderr, /^Missing: 2025-01-15, the whole day\n$/);
    assert.equal(
      strict.stdout,
      'Checked 3 days of AAAUSDT, 2025-01-14 to 2025-01-17: 4320 rows\n' +
        `Missing: 1440 rows in 1 place, 1 whole day\n${NOT_COMPARED}Not written, because of --strict\n`,
    );
  });

  test(`${format}: a day under the name of the next is an error that names it`, async (t) => {
    const out = copyDays(t, format);
    fs.copyFileSync(dayPath('2025-01-15', format), dayPath('2025-01-16', format, out));
    const message =
      /2025-01-16_AAAUSDT_ob5_1m\S+: row 1 \(1736899260000, 2025-01-15T00:01:00\.000Z\) is not of 2025-01-16/;
    await assertFails(t, [], out, 1, message);
  });

  test(`${format}: a file cut short is an error that names it`, async (t) => {
    const out = copyDays(t, format);
    const file = dayPath('2025-01-16', format, out);
    fs.truncateSync(file, fs.statSync(file).size - 1);
    await assertFails(
      t,
      [],
      out,
      1,
      /^bookgrid: \S+2025-01-16_AAAUSDT_ob5_1m\S+: .*Make it again.*Nothing was written/,
    );
    fs.truncateSync(file, 0);
    await assertFails(t, [], out, 1, /^bookgrid: \S+2025-01-16_AAAUSDT_ob5_1m\S+: .*Make it again/);
  });

  test(`${format}: a day with other columns is an error that says which`, async (t) => {
    const out = copyDays(t, format, DATES.slice(0, 2));
    const other = tempDir(t);
    await convert(other, ['--format', format, '--quality', '--from', '2025-01-16', '--to', '2025-01-16']);
    fs.copyFileSync(dayPath('2025-01-16', format, other), dayPath('2025-01-16', format, out));
    const at = format === 'parquet' ? 3 : 2; // Parquet's second is the symbol
    const message = new RegExp(
      `2025-01-16_\\S+ has other columns than \\S+2025-01-14_\\S+: column ${at} is book_ts.*, there it is bid_price`,
    );
    await assertFails(t, [], out, 1, message);
  });
}

test('--from and --to: only those days, and what is missing at both ends', async (t) => {
  const { status, stdout, stderr, files } = await join(t, [
    '--format',
    'csv',
    '--from',
    '2025-01-10',
    '--to',
    '2025-01-15',
  ]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: 'Missing: 2025-01-10 to 2025-01-13, 4 whole days\n' });
  assert.match(stdout, /^Joined 2 days of AAAUSDT, 2025-01-10 to 2025-01-15: 2880 rows\n/);
  assert.deepEqual(files, ['AAAUSDT_2025-01-10_2025-01-15_ob5_1m.csv']);
  for (const [given, said] of [
    ['--from 2025-02-01', 'from 2025-02-01 on'],
    ['--to 2025-01-01', 'up to 2025-01-01'],
    ['--from 2025-02-01 --to 2025-02-02', 'from 2025-02-01 to 2025-02-02'],
  ] as const) {
    const message = new RegExp(`No day ${said} among .*, which are of 2025-01-14 to 2025-01-17\\.\\n`);
    await assertFails(t, ['--format', 'csv', ...given.split(' ')], days, 2, message);
  }
});

test('rows missing in the middle are told, the first 20 stretches and how many more', async (t) => {
  const out = copyDays(t, 'csv');
  editLines(out, '2025-01-15', (lines) => lines.filter((_, index) => index !== 600 && index !== 601));
  const one = await join(t, [], { outputDir: out });
  assert.equal(one.status, 0);
  assert.equal(one.stderr, 'Missing: 2025-01-15T10:00:00.000Z to 2025-01-15T10:01:00.000Z, 2 boundaries\n');
  editLines(out, '2025-01-16', (lines) => lines.filter((_, index) => index === 0 || index % 50 !== 0 || index > 1440));
  const many = await join(t, [], { outputDir: out });
  assert.match(many.stderr, /^(Missing: 2025\S+.*\n){20}Missing: 9 more, after these\n$/);
  assert.match(many.stdout, /^Missing: 30 rows in 29 places, 0 whole days$/m);
});

const DAMAGES: [what: string, edit: (lines: string[]) => string[], message: RegExp][] = [
  ['a row twice', (lines) => lines.toSpliced(700, 0, lines[699] ?? ''), /row 700 .* is there twice/],
  [
    'rows in the wrong order',
    (lines) => lines.toSpliced(700, 0, lines[600] ?? ''),
    /row 700 .* comes after 2025-01-15T/,
  ],
  ['a row between boundaries', (lines) => lines.with(9, '1736899800001,1'), /row 9 .* is no boundary of 1m/],
  ['a cell that is no timestamp', (lines) => lines.with(9, '2025-01-15,1'), /row 9 \(line 10\) has "2025-01-15" for a/],
  ['an empty line', (lines) => lines.with(9, ''), /row 9 \(line 10\) has "" for a timestamp/],
  ['no header', (lines) => lines.slice(1), /its first line begins with "1736899260000,/],
  [
    'a column less',
    (lines) => lines.with(0, lines[0]?.replace(/,[^,]*$/, '') ?? ''),
    /column 21 is not there, there it is ask_qty_5/,
  ],
];

for (const [what, edit, message] of DAMAGES) {
  test(`${what} is an error that names file and row`, async (t) => {
    const out = copyDays(t, 'csv');
    editLines(out, '2025-01-15', edit);
    await assertFails(t, [], out, 1, message);
    await assertFails(t, [], out, 1, /^bookgrid: \S+2025-01-15_AAAUSDT_ob5_1m\.csv/);
  });
}

/** Changes a byte of a file, and keeps its size and time: what a disk does, not a hand. */
function rot(file: string, at: number): void {
  const { atime, mtime } = fs.statSync(file);
  const bytes = fs.readFileSync(file);
  bytes[at] = (bytes[at] as number) ^ 1;
  fs.writeFileSync(file, bytes);
  fs.utimesSync(file, atime, mtime);
}

for (const format of FORMATS) {
  test(`${format}: a day with one changed byte, wherever, is refused by name, and made again as said`, async (t) => {
    const out = copyDays(t, format);
    fs.copyFileSync(path.join(days, 'conversions.jsonl'), path.join(out, 'conversions.jsonl'));
    const args = ['--format', format];
    const { stdout, files, cwd } = await join(t, args, { outputDir: out });
    assert.doesNotMatch(stdout, /Not compared/);
    const whole = fs.readFileSync(path.join(cwd, files[0] ?? ''));

    const file = dayPath('2025-01-15', format, out);
    const day = fs.readFileSync(file);
    let byContent = 0;
    const places = Array.from({ length: 7 }, (_, index) => Math.floor((day.length * (index + 1)) / 8));
    // The fifth byte is a time in the head of gzip data, which has a checksum of its own for all else.
    for (const at of [4, ...places]) {
      rot(file, at);
      const result = await join(t, args, { outputDir: out });
      assert.deepEqual([result.status, result.files], [1, []], result.stderr);
      assert.ok(result.stderr.startsWith(`bookgrid: ${file}: `), result.stderr);
      const isByContent = result.stderr.includes('its content is not what was written');
      const advice = isByContent
        ? 'Remove it, and run bookgrid convert again'
        : 'Make it again with bookgrid convert --overwrite';
      assert.ok(result.stderr.includes(`${advice}. Nothing was written for `), result.stderr);
      if (isByContent) byContent++;
      fs.writeFileSync(file, day);
    }
    assert.ok(byContent > 0, 'some bytes change nothing that is looked at');
    // A file of the same bytes is the same file, whatever its time.
    const again = await join(t, args, { outputDir: out });
    assert.ok(fs.readFileSync(path.join(again.cwd, again.files[0] ?? '')).equals(whole));

    rot(file, Math.floor(day.length / 2));
    fs.rmSync(file);
    await convert(out, ['--format', format]);
    assert.ok(fs.readFileSync(file).equals(day));
    assert.equal((await join(t, args, { outputDir: out })).status, 0);
  });
}

test('days without a record are joined, and it is said that they were not compared', async (t) => {
  const out = copyDays(t, 'parquet');
  rot(dayPath('2025-01-15', 'parquet', out), 30_000);
  const { status, stdout } = await join(t, [], { outputDir: out });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^Not compared with what was written: 4 days, whose SHA-256 no record tells$/m);
});

test('a day made with --compat python is refused: its rows mean something else', async (t) => {
  const out = tempDir(t);
  await convert(out, ['--compat', 'python']);
  await assertFails(t, [], out, 1, /row 1 .* is not of 2025-01-14, .*--compat python/);
});

test('a day without rows is a missing day', async (t) => {
  const out = copyDays(t, 'csv');
  editLines(out, '2025-01-14', ([header = '']) => [header, '']);
  const { status, stderr } = await join(t, [], { outputDir: out });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: 'Missing: 2025-01-14, the whole day\n' });
});

test('what is not there or not clear is said with what there is; exit status 2', async (t) => {
  const both = copyDays(t, 'csv');
  fs.mkdirSync(path.join(both, '0002/AAAUSDT'), { recursive: true });
  fs.writeFileSync(path.join(both, '0002/AAAUSDT/2025-01-14_AAAUSDT_ob2_1m.csv'), '');
  const empty = tempDir(t);
  await assertFails(t, [], days, 2, /of format csv and csv\.gz and parquet\. Say which with --format\./);
  await assertFails(t, [], both, 2, /of depth 2 and 5\. Say which with --depths\./);
  await assertFails(t, ['--depths', '200'], days, 2, /There are no book files .* of depth 200, only of 5\./);
  await assertFails(t, ['--interval', '1s'], days, 2, /of interval 1s, only of 1m\./);
  await assertFails(t, ['--symbols', 'aaausd'], days, 2, /No book files of AAAUSD below .*, only of AAAUSDT\./);
  await assertFails(t, [], empty, 2, /No book files found below .*--output-dir DIR or BOOKGRID_OUTPUT_DIR\./);
  await assertFails(t, [], path.join(empty, 'nowhere'), 2, /No such folder/);
  await assertFails(t, ['--metrics', '--depths', '5'], days, 2, /leave --depths or --metrics out/);
  await assertFails(t, ['--from', '2025-01-16', '--to', '2025-01-15'], days, 2, /is after --to/);
  await assertFails(t, ['--format', 'xml'], days, 2, /Expected some of csv, csv\.gz, parquet/);
  await assertFails(t, ['--symbols', 'AAAUSDT,BBBUSDT', '--output', 'a.csv'], days, 2, /ask for 2: leave --output out/);
  await assertFails(t, ['--depths', '2,5', '--output', 'a.csv'], days, 2, /ask for 2: leave --output out/);
  await assertFails(t, ['BBBUSDT'], days, 2, /too many arguments\. .* takes options only, such as --symbols BBBUSDT\./);
});

test('--output: beside the days; not one of them, not over another file, not of another kind', async (t) => {
  const out = copyDays(t, 'csv');
  const folder = path.dirname(dayPath('2025-01-14', 'csv', out));
  const output = path.join(folder, 'all.csv');
  const args = ['--output', output];
  assert.equal((await join(t, args, { outputDir: out })).status, 0);
  const whole = fs.readFileSync(output);
  assert.equal(listFiles(folder).length, 5, 'nothing else is left there');
  await assertFails(t, args, out, 2, /all\.csv exists\. Write it again with --overwrite/);
  fs.writeFileSync(output, 'old');
  assert.equal((await join(t, [...args, '--overwrite'], { outputDir: out })).status, 0);
  assert.ok(fs.readFileSync(output).equals(whole), 'the joined file is not taken for a day');
  const day = dayPath('2025-01-15', 'csv', out);
  await assertFails(t, ['--output', day, '--overwrite'], out, 2, /is one of the days to join/);
  await assertFails(t, ['--output', 'a.parquet'], out, 2, /must end in \.csv/);
  await assertFails(t, ['--output', ''], out, 2, /must end in \.csv/);
});

/** Days of two symbols and two depths, of which one file is damaged. */
async function makeSeveral(t: TestContext): Promise<string> {
  const [from, out] = [tempDir(t), tempDir(t)];
  for (const pair of ['AAAUSDT', 'BBBUSDT']) {
    for (const date of DATES.slice(0, 2)) {
      const market = { seed: 1, messageIntervalMs: 30_000, durationMs: 86_405_000 };
      await makeArchive(from, { pair, date, depth: 200, market });
    }
  }
  const { status } = await complete(['--source-dir', from, '--output-dir', out, '--depths', '2,5', '--workers', '2']);
  assert.equal(status, 0);
  return out;
}

const joinedName = (pair: string, depth: number) => `${pair}_2025-01-14_2025-01-15_ob${depth}_1m.csv`;
const SEVERAL = ['--symbols', 'aaausdt,BBBUSDT', '--depths', '2,5'];

test('several symbols and depths: a file each, as each alone would be', async (t) => {
  const out = await makeSeveral(t);
  const { status, stdout, stderr, files, cwd } = await join(t, SEVERAL, { outputDir: out });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const expected = ['AAAUSDT', 'BBBUSDT'].flatMap((pair) => [2, 5].map((depth) => joinedName(pair, depth)));
  assert.deepEqual(files, expected);
  assert.deepEqual(stdout.match(/(?<=^Written: ).*$/gm), expected);
  for (const pair of ['AAAUSDT', 'BBBUSDT']) {
    // The names that the options had before are good still.
    const alone = await join(t, ['--depth', '5'], { outputDir: out });
    assert.deepEqual([alone.status, alone.files], [0, [joinedName('AAAUSDT', 5)]]);
    const old = tempDir(t);
    await complete(['join', '--symbol', pair, '--depth', '2', '--output-dir', out], { cwd: old });
    const name = joinedName(pair, 2);
    assert.ok(fs.readFileSync(path.join(cwd, name)).equals(fs.readFileSync(path.join(old, name))));
  }
});

test('one of several that cannot be made does not keep the others from being made; exit status 1', async (t) => {
  const out = await makeSeveral(t);
  const damaged = path.join(out, '0005/BBBUSDT/2025-01-15_BBBUSDT_ob5_1m.csv');
  fs.truncateSync(damaged, fs.statSync(damaged).size - 1);
  fs.rmSync(path.join(out, '0002/BBBUSDT'), { recursive: true });
  const { status, stderr, files } = await join(t, SEVERAL, { outputDir: out });
  assert.equal(status, 1);
  assert.deepEqual(files, [joinedName('AAAUSDT', 2), joinedName('AAAUSDT', 5)]);
  const [first = '', second = '', ...more] = stderr.split('\n');
  assert.match(first, /^bookgrid: There are no book files of BBBUSDT .* of depth 2, only of 5\.$/);
  assert.match(second, /^bookgrid: \S+2025-01-15_BBBUSDT_ob5_1m\.csv: .*Nothing was written for BBBUSDT_\S+\.$/);
  assert.deepEqual(more, ['']);

  const json = await join(t, [...SEVERAL, '--json'], { outputDir: out });
  assert.deepEqual({ status: json.status, stderr: json.stderr }, { status: 1, stderr: '' });
  const lines = json.stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ event, symbol, depth, isWritten }) => [event, symbol, depth, isWritten]),
    [
      ['join', 'AAAUSDT', 2, true],
      ['join', 'AAAUSDT', 5, true],
      ['join', 'BBBUSDT', 2, false],
      ['join', 'BBBUSDT', 5, false],
    ],
  );
  assert.match(String(lines[2]?.['error']), /no book files of BBBUSDT/);
  assert.match(String(lines[3]?.['error']), /2025-01-15_BBBUSDT_ob5_1m\.csv/);

  const none = await join(t, ['--symbols', 'CCCUSDT,DDDUSDT'], { outputDir: out });
  assert.deepEqual({ status: none.status, stdout: none.stdout }, { status: 2, stdout: '' });
  assert.match(none.stderr, /^bookgrid: No book files of CCCUSDT .*\nNo book files of DDDUSDT .*\n$/);
});

test('of several files, it is said in which one rows are missing', async (t) => {
  const out = await makeSeveral(t);
  const args = [...SEVERAL, '--to', '2025-01-16'];
  const { status, stderr } = await join(t, args, { outputDir: out });
  assert.equal(status, 0);
  assert.equal(
    stderr.match(/^Missing in \S+_2025-01-14_2025-01-16_ob\d_1m\.csv: 2025-01-16, the whole day$/gm)?.length,
    4,
  );
});

test('--json: an object that says what was joined and what is missing, and nothing for people', async (t) => {
  const args = ['--format', 'csv', '--to', '2025-01-18', '--json'];
  const { status, stdout, stderr } = await join(t, args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const midnightMs = Date.UTC(2025, 0, 18);
  const expected = {
    event: 'join',
    symbol: 'AAAUSDT',
    from: '2025-01-14',
    to: '2025-01-18',
    depth: 5,
    interval: '1m',
    format: 'csv',
    files: 4,
    rows: 5760,
    missing: {
      boundaries: 1440,
      days: 1,
      ranges: 1,
      firstRanges: [{ firstMs: midnightMs + 60_000, lastMs: midnightMs + 86_400_000, boundaries: 1440, days: 1 }],
    },
    unchecked: 0,
    output: 'AAAUSDT_2025-01-14_2025-01-18_ob5_1m.csv',
    isWritten: true,
  };
  assert.equal(stdout.indexOf('\n'), stdout.length - 1, 'one line');
  assert.deepEqual(JSON.parse(stdout), expected);
  const strict = await join(t, [...args, '--strict']);
  assert.deepEqual(
    { status: strict.status, stderr: strict.stderr, files: strict.files },
    { status: 1, stderr: '', files: [] },
  );
  assert.deepEqual(JSON.parse(strict.stdout), {
    ...expected,
    isWritten: false,
    error: 'rows are missing, and --strict was given',
  });
});

test('an error leaves an older file as it was', async (t) => {
  const out = copyDays(t, 'csv');
  editLines(out, '2025-01-17', (lines) => lines.with(1000, 'x'));
  const output = path.join(tempDir(t), 'all.csv');
  fs.writeFileSync(output, 'old');
  await join(t, ['--output', output, '--overwrite'], { outputDir: out });
  assert.equal(fs.readFileSync(output, 'utf8'), 'old');
  assert.deepEqual(listFiles(path.dirname(output)), [output]);
});

const COLUMNS = Array.from({ length: 60 }, (_, index) => `c${index}`);

/** Metrics of many days, about 1 MB each. */
async function makeMetrics(outputDir: string, count: number, format: (typeof FORMATS)[number]): Promise<void> {
  const folder = path.join(outputDir, 'metrics/AAAUSDT');
  fs.mkdirSync(folder, { recursive: true });
  for (let day = 0; day < count; day++) {
    const dayMs = Date.UTC(2025, 0, 1 + day);
    const parts: Buffer[] = [];
    const sink = { write: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)) };
    const writer = await createTableWriter(sink, {
      ...{ format, symbol: 'AAAUSDT', formattedTimestamp: false, compression: 'auto', metadata: {} },
      columns: COLUMNS,
    });
    const minutes = Array.from({ length: 1440 }, (_, i) => dayMs + (i + 1) * 60_000);
    writer.write(
      metricsBatch(
        minutes,
        minutes.map(() => COLUMNS.map(Math.random)),
      ),
    );
    writer.finish();
    const date = new Date(dayMs).toISOString().slice(0, 10);
    fs.writeFileSync(path.join(folder, `${date}_AAAUSDT_1m.${format}`), Buffer.concat(parts));
  }
}

for (const format of FORMATS) {
  test(`${format}: memory does not grow with the days`, { skip: NO_PEAK_MEMORY }, async (t) => {
    const peaks: number[] = [];
    for (const count of [10, 60]) {
      const out = tempDir(t);
      await makeMetrics(out, count, format);
      const args = ['join', '--symbols', 'AAAUSDT', '--metrics', '--output-dir', out];
      const file = path.join(out, `all.${format}`);
      const { status, stdout, stderr, peakBytes } = await runCliMeasured([...args, '--output', file], out);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
      peaks.push(peakBytes);
    }
    const [few = 0, many = 0] = peaks.map((bytes) => Math.round(bytes / 1e6));
    t.diagnostic(`peak of 10 days ${few} MB, of 60 days ${many} MB`);
    // Fifty more days are 80 MB of CSV, 38 MB of gzip; when garbage is collected is worth 15 MB.
    assert.ok(many < few + 30, `the peak was ${few} MB for 10 days, ${many} MB for 60`);
  });
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} leaves nothing`, async (t) => {
    const [out, target] = [tempDir(t), tempDir(t)];
    await makeMetrics(out, 30, 'csv.gz'); // the slowest to write
    const args = ['join', '--symbols', 'AAAUSDT', '--metrics', '--output-dir', out];
    const run = start([...args, '--output', path.join(target, 'all.csv.gz')]);
    await until(() => listStaged(target).length > 0, 'something is staged');
    run.child.kill(signal);
    const result = await run.ended;
    assert.deepEqual(
      { status: result.status, stdout: result.stdout, stderr: result.stderr },
      { status, stdout: '', stderr: `Stopped by ${signal}. Nothing was written.\n` },
    );
    assert.deepEqual(listFiles(target), []);
  });
}

test('as a library: any order, one file a day, stopped by its signal', async (t) => {
  const outputPath = path.join(tempDir(t), 'all.csv');
  const files = DATES.map((date) => ({ date, path: dayPath(date, 'csv') }));
  const options = {
    format: 'csv',
    intervalMs: 60_000,
    from: '2025-01-14',
    to: '2025-01-17',
    outputPath,
    strict: true,
  } as const;
  const { signal } = new AbortController();
  const result = await joinDays(files.toReversed(), options, signal);
  assert.deepEqual([result.rows, result.boundaries, result.isWritten], [5760, 5760, true]);
  const twice = [...files, ...files.slice(1, 2)];
  await assert.rejects(
    joinDays(twice, options, signal),
    (error) => error instanceof JoinError && /both of 2025-01-15/.test(error.message),
  );
  const reason = new Error('enough');
  await assert.rejects(joinDays(files, options, AbortSignal.abort(reason)), reason);
});

test('--help of join, and of bookgrid, which mentions it', async () => {
  const { status, stdout } = await complete(['join', '--help']);
  assert.equal(status, 0);
  for (const flag of [
    '--symbols',
    '--from',
    '--to',
    '--output-dir',
    '--depths',
    '--interval',
    '--format',
    '--metrics',
    '--output',
    '--overwrite',
    '--strict',
    '--json',
  ]) {
    assert.match(stdout, new RegExp(`^  ${flag} `, 'm'));
  }
  assert.doesNotMatch(stdout, /--symbol\b|--depth\b/, 'earlier names are not shown');
  assert.match((await complete(['--help'])).stdout, /bookgrid join --symbols BTCUSDT/);
  const { status: missing, stderr } = await complete(['join']);
  assert.deepEqual([missing, stderr.split('\n')[0]], [2, "bookgrid: required option '--symbols <list>' not specified"]);
});
