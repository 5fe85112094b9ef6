/** `--partition hive` with real runs; what comes out is read by DuckDB and by Python's csv as they read such folders. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, mock, type TestContext, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { convertArchive } from '../../src/index.js';
import { readOutputs, tempDir } from '../support/files.js';
import {
  assertSameOutputs,
  complete,
  ENDLESS_OPTIONS,
  listFiles,
  listStaged,
  MADE_ROWS,
  makeArchive,
  makeEndless,
  readRecords,
  start,
  until,
} from '../support/runs.js';
import { unprivileged } from '../support/unprivileged.js';

const DATES = ['2025-01-15', '2025-01-16'];
/** All kinds of characters that a symbol may have: nothing in a path is escaped. */
const PAIRS = ['AAAUSDT', '1000BBB_C-26SEP25'];
const WHAT = ['--depths', '5', '--format', 'csv,csv.gz,parquet', '--metrics'];
const HIVE = ['--partition', 'hive'];

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-hive-'));
const source = path.join(root, 'source');
const plain = path.join(root, 'plain');
const hive = path.join(root, 'hive');

before(async () => {
  for (const [seed, pair] of PAIRS.entries()) {
    for (const date of DATES) await makeArchive(source, { pair, date, depth: 200, market: { seed } });
  }
  await makeArchive(path.join(source, 'spot'), {
    pair: 'AAAUSDT',
    date: '2025-01-15',
    depth: 200,
    market: { seed: 9 },
  });
  await convert(plain, WHAT);
  await convert(hive, [...WHAT, ...HIVE]);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

async function convert(out: string, args: string[], sourceDir = source): Promise<string> {
  const { status, stdout, stderr } = await complete(['--source-dir', sourceDir, '--output-dir', out, ...args]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  return stdout;
}

/** `0005/AAAUSDT/2025-01-15_…` → `0005/symbol=AAAUSDT/date=2025-01-15/2025-01-15_…` */
function inHive(place: string): string {
  return place.replace(/([^/]+)\/(\d{4}-\d{2}-\d{2})_([^/]*)$/, 'symbol=$1/date=$2/$2_$3');
}

/** Copies a made output folder, to be gone on with. */
function copyOf(t: TestContext, outputDir: string): string {
  const copy = path.join(tempDir(t), 'out');
  fs.cpSync(outputDir, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

function listFolders(dir: string): string[] {
  const entries = fs.readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
}

function assertNoEmptyFolder(dir: string): void {
  assert.deepEqual(
    listFolders(dir).filter((folder) => fs.readdirSync(folder).length === 0),
    [],
  );
}

async function assertVerifies(out: string): Promise<void> {
  const { status, stdout } = await complete(['verify', '--output-dir', out]);
  assert.equal(status, 0, stdout);
}

async function ask(sql: string): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run("SET TimeZone = 'UTC'");
  return (await connection.runAndReadAll(sql)).getRowsJson();
}

test('the same files lie in folders named symbol= and date=, and text has the same bytes', async () => {
  const [ofPlain, ofHive] = [readOutputs(plain), readOutputs(hive)];
  assert.equal(ofPlain.size, 5 * 2 * 3);
  assert.deepEqual([...ofHive.keys()].sort(), [...ofPlain.keys()].map(inHive).sort());
  assert.ok(ofHive.has('spot/0005/symbol=AAAUSDT/date=2025-01-15/2025-01-15_AAAUSDT_ob5_1m.csv'));
  assert.ok(ofHive.has('metrics/symbol=1000BBB_C-26SEP25/date=2025-01-16/2025-01-16_1000BBB_C-26SEP25_1m.parquet'));
  for (const [place, bytes] of ofPlain) {
    const isSame = ofHive.get(inHive(place)) === bytes;
    assert.equal(isSame, !place.endsWith('.parquet'), place);
  }
});

test('a second run has nothing to do; verify, checksums and status know the folders', async (t) => {
  const out = copyOf(t, hive);
  assert.match(await convert(out, [...WHAT, ...HIVE]), /Skipped \(already exist\): 5\n/);
  await assertVerifies(out);
  const sums = path.join(out, 'SHA256SUMS');
  assert.equal((await complete(['verify', '--output-dir', out, '--checksums', sums])).status, 0);
  const places = fs.readFileSync(sums, 'utf8').trimEnd().split('\n');
  const named = places.map((line) => line.slice(66)).sort();
  fs.rmSync(sums);
  assert.deepEqual(named, [...readOutputs(out).keys()].sort());
  const status = await complete(['status', '--source-dir', source, '--output-dir', out]);
  assert.match(status.stdout, /^ +AAAUSDT +ob5 1m csv hive +2025-01 +2 +0 +0 /m);
  assert.match(status.stdout, /^spot +AAAUSDT +metrics 1m parquet hive +2025-01 +1 +0 +0 /m);
  // What is gone is missed under its place, and by its symbol and day.
  fs.rmSync(path.join(out, '0005/symbol=AAAUSDT/date=2025-01-16'), { recursive: true });
  const chosen = ['--symbols', 'AAAUSDT', '--from', '2025-01-16', '--market', 'none'];
  const verified = await complete(['verify', '--output-dir', out, ...chosen]);
  assert.equal(verified.status, 1);
  assert.equal(verified.stdout.match(/^MISSING .*0005\/symbol=AAAUSDT\/date=2025-01-16\/2025/gm)?.length, 3);
  const others = await complete(['verify', '--output-dir', out, '--to', '2025-01-15']);
  assert.equal(others.status, 0, others.stdout);
});

test('records name outputs by their place, with the option', () => {
  for (const record of readRecords(hive)) {
    const { outputs } = record as unknown as { outputs: { path: string; shape: { partition: string } }[] };
    for (const { path: place, shape } of outputs) {
      assert.match(place, /^(spot\/)?(0005|metrics)\/symbol=[^/]+\/date=[^/]+\/[^/]+$/);
      assert.equal(shape.partition, 'hive');
    }
  }
});

test('DuckDB takes symbol and date from the folders, and has the values of the CSV', async () => {
  for (const kind of ['0005', 'metrics', 'spot/0005']) {
    const files = `read_parquet('${hive}/${kind}/**/*.parquet', hive_partitioning = true)`;
    const columns = (await ask(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${files})`)).map(String);
    assert.equal(columns.filter((column) => column === 'symbol,VARCHAR').length, 1);
    assert.equal(columns.filter((column) => column === 'date,DATE').length, 1);
    const name = kind === 'metrics' ? 'mid' : 'bid_price[1]';
    const csvName = kind === 'metrics' ? 'mid' : 'bid_price_1';
    const rows = await ask(`SELECT epoch_ms(timestamp), symbol, date, ${name}::DOUBLE FROM ${files} ORDER BY 2, 1`);
    const text = `read_csv('${hive}/${kind}/**/*.csv', hive_partitioning = true)`;
    assert.deepEqual(rows, await ask(`SELECT timestamp, symbol, date, ${csvName}::DOUBLE FROM ${text} ORDER BY 2, 1`));
    assert.equal(rows.length, (kind.startsWith('spot') ? 1 : PAIRS.length * DATES.length) * MADE_ROWS);
  }
});

test('a filter on symbol and date reads one file, as Parquet and as CSV', async () => {
  const where = `WHERE symbol = '${PAIRS[1]}' AND date = '${DATES[1]}'`;
  for (const files of [`read_parquet('${hive}/0005/**/*.parquet'`, `read_csv('${hive}/0005/**/*.csv'`]) {
    const from = `FROM ${files}, hive_partitioning = true, filename = true) ${where}`;
    const plan = String(await ask(`EXPLAIN ANALYZE SELECT max(timestamp) ${from}`));
    assert.match(plan, /Scanning Files: 1\/4/);
    const rows = await ask(`SELECT DISTINCT filename, symbol, date ${from}`);
    const name = `${DATES[1]}_${PAIRS[1]}_ob5_1m`;
    assert.equal(rows.length, 1);
    assert.match(String(rows[0]?.[0]), new RegExp(`/symbol=${PAIRS[1]}/date=${DATES[1]}/${name}\\.(parquet|csv)$`));
  }
});

const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

test('Python’s csv reads the days of a symbol in the order of their folders', { skip: noPython }, () => {
  const script = [
    'import csv, json, pathlib, sys',
    'files = sorted(pathlib.Path(sys.argv[1]).glob("0005/symbol=AAAUSDT/date=*/*_1m.csv"))',
    'print(json.dumps([[f.parent.name[5:], *row] for f in files for row in list(csv.reader(open(f, newline="")))[1:]]))',
  ].join('\n');
  const { stdout, stderr } = spawnSync('python3', ['-c', script, hive], { encoding: 'utf8' });
  assert.equal(stderr, '');
  const expected = DATES.flatMap((date) =>
    fs
      .readFileSync(path.join(plain, `0005/AAAUSDT/${date}_AAAUSDT_ob5_1m.csv`), 'utf8')
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((row) => [date, ...row.split(',')]),
  );
  assert.deepEqual(JSON.parse(stdout), expected);
});

for (const [what, made, args, from, to] of [
  [
    'a data set without a partition, and then --partition hive',
    plain,
    HIVE,
    'without --partition',
    'with --partition hive',
  ],
  ['a data set of --partition hive, and then without it', hive, [], 'with --partition hive', 'without --partition'],
] as const) {
  test(`${what}: refused, kept, or made again without leaving two`, async (t) => {
    const out = copyOf(t, made);
    const other = made === plain ? hive : plain;
    const [before, wanted] = [readOutputs(out), readOutputs(other)];
    const line = ['--source-dir', source, '--output-dir', out, ...WHAT, ...args];
    const refused = await complete(line);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /Nothing was converted: 30 outputs here were made in another way/);
    assert.match(refused.stderr, new RegExp(`30 made ${from}, and not ${to}, such as `));
    assert.match(refused.stderr, new RegExp(`go on as before: ${from}\n`));
    assertSameOutputs(readOutputs(out), before);

    assert.match(await convert(out, [...WHAT, ...args, '--on-stale', 'keep']), /Skipped \(already exist\): 5\n/);
    assertSameOutputs(readOutputs(out), before);

    const planned = await complete([...line, '--on-stale', 'remake', '--dry-run']);
    assert.equal(planned.stdout.match(/\(stale: partition [^;]*; removes [^)]*\)/g)?.length, 30);
    assertSameOutputs(readOutputs(out), before);

    assert.match(await convert(out, [...WHAT, ...args, '--on-stale', 'remake']), /Successfully processed: 5\n/);
    assertSameOutputs(readOutputs(out), wanted);
    assertNoEmptyFolder(out);
    await assertVerifies(out);
    assert.match(await convert(out, [...WHAT, ...args]), /Skipped \(already exist\): 5\n/);

    // And back: a place that was left is known again.
    await convert(out, [...WHAT, ...(args.length > 0 ? [] : HIVE), '--overwrite', '--on-stale', 'keep']);
    assertSameOutputs(readOutputs(out), before);
    assertNoEmptyFolder(out);
    await assertVerifies(out);
  });
}

test('days of another partition beside new ones stop a run, also those without a record or an archive', async (t) => {
  const out = copyOf(t, plain);
  fs.rmSync(path.join(out, 'conversions.jsonl'));
  const [sourceDir, day3] = [tempDir(t), '2025-01-17'];
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: day3, depth: 200 });
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--depths', '5', ...HIVE];
  const refused = await complete(args);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /2 made without --partition, and not with --partition hive/);
  // Kept, when told so: then both lie there, and status tells them apart.
  assert.equal((await complete([...args, '--on-stale', 'keep'])).status, 0);
  const status = await complete(['status', '--output-dir', out, '--source-dir', sourceDir, '--symbols', 'AAAUSDT']);
  assert.match(status.stdout, /AAAUSDT +ob5 1m csv +2025-01 +2 /);
  assert.match(status.stdout, /AAAUSDT +ob5 1m csv hive +2025-01 +1 /);
});

/** The first archive of the data sets. */
function makeFirstDay(sourceDir: string): Promise<string> {
  return makeArchive(sourceDir, { pair: 'AAAUSDT', date: DATES[0] ?? '', depth: 200, market: { seed: 0 } });
}

test('what has been changed since the plan is not removed', async (t) => {
  const out = copyOf(t, plain);
  const sourceDir = tempDir(t);
  const archive = await makeFirstDay(sourceDir);
  const old = path.join(out, `0005/AAAUSDT/${DATES[0]}_AAAUSDT_ob5_1m.csv`);
  let isChanged = false;
  const result = await convertArchive(archive, {
    outputDir: out,
    depths: [5],
    partition: 'hive',
    onStale: 'remake',
    onRead: () => {
      if (!isChanged) fs.appendFileSync(old, 'mine\r\n');
      isChanged = true;
    },
  });
  assert.ok(result.status === 'done');
  assert.equal(path.relative(out, result.outputs[0]?.path ?? ''), inHive(path.relative(out, old)));
  assert.ok(fs.readFileSync(old, 'utf8').endsWith('mine\r\n'));
});

test('an old file that another run removes at the same instant is no error', async (t) => {
  const [sourceDir, out] = [tempDir(t), copyOf(t, plain)];
  const archive = await makeFirstDay(sourceDir);
  const old = path.join(out, `0005/AAAUSDT/${DATES[0]}_AAAUSDT_ob5_1m.csv`);
  const { rmSync } = fs;
  const mocked = mock.method(fs, 'rmSync', (...args: Parameters<typeof rmSync>) => {
    if (args[0] === old) rmSync(old);
    rmSync(...args);
  });
  t.after(() => mocked.mock.restore());
  const result = await convertArchive(archive, { outputDir: out, depths: [5], partition: 'hive', onStale: 'remake' });
  assert.equal(result.status, 'done');
  assert.ok(!fs.existsSync(old));
});

test('an old file that cannot be removed is an error that says so; the next run asks again', async (t) => {
  const user = unprivileged(t);
  if (!user) return;
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: DATES[0] ?? '', depth: 200 });
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--depths', '5'];
  for (const dir of [sourceDir, out]) fs.chmodSync(dir, 0o777);
  assert.equal((await complete(args, user)).status, 0);
  fs.chmodSync(path.join(out, '0005/AAAUSDT'), 0o555);
  const failed = await complete([...args, ...HIVE, '--on-stale', 'remake'], user);
  assert.equal(failed.status, 1);
  assert.match(
    failed.stdout,
    /ERROR .* is made, and .*0005\/AAAUSDT\/2025.*csv could not be removed: remove it \(EACCES/,
  );
  assert.equal(readOutputs(out).size, 2);
  const refused = await complete([...args, ...HIVE], user);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /1 made without --partition, and not with --partition hive/);
  fs.chmodSync(path.join(out, '0005/AAAUSDT'), 0o755);
  assert.equal((await complete([...args, ...HIVE, '--on-stale', 'remake'], user)).status, 0);
  assert.deepEqual([...readOutputs(out).keys()], [inHive(`0005/AAAUSDT/${DATES[0]}_AAAUSDT_ob5_1m.csv`)]);
});

test('an archive that fails leaves no folder of its day, with and without --temp-dir', async (t) => {
  const sourceDir = tempDir(t);
  const archive = await makeArchive(sourceDir, { pair: 'BADUSDT', depth: 200 });
  fs.truncateSync(archive, Math.floor(fs.statSync(archive).size / 2));
  const text = path.join(sourceDir, '0200/TEXTUSDT/2025-01-15_TEXTUSDT_ob200.data');
  fs.mkdirSync(path.dirname(text), { recursive: true });
  fs.writeFileSync(text, 'no message\n');
  for (const temp of [[], ['--temp-dir', tempDir(t)]]) {
    const out = tempDir(t);
    const { status, stdout } = await complete(['--source-dir', sourceDir, '--output-dir', out, ...HIVE, ...temp]);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /Errors: 2\n/);
    assert.deepEqual(
      listFolders(out).filter((folder) => path.basename(folder).startsWith('date=')),
      [],
    );
    assert.deepEqual(listStaged(out), []);
  }
});

test('a killed run leaves hidden files in no folder of a day, which no glob reads and the next run sweeps', async (t) => {
  const [sourceDir, out] = [tempDir(t), copyOf(t, hive)];
  const archive = await makeEndless(sourceDir);
  const args = [archive, '--output-dir', out, '--depths', '5', '--format', 'parquet', ...HIVE, ...ENDLESS_OPTIONS];
  const { child, ended } = start(args);
  await until(() => listStaged(out).length > 0, 'it writes');
  child.kill('SIGKILL');
  await ended;
  const [left = ''] = listStaged(out);
  assert.match(left, /0005\/symbol=TESTUSDT\/\.2025-01-15_TESTUSDT_ob5_100ms\.parquet\..*\.part$/);
  const [[count] = []] = await ask(
    `SELECT count(*)::INTEGER FROM read_parquet('${out}/0005/**/*.parquet', hive_partitioning = true)`,
  );
  assert.equal(count, PAIRS.length * DATES.length * MADE_ROWS);

  const again = start(args);
  await until(() => listStaged(out).length > 0 && !fs.existsSync(left), 'the next run has swept');
  again.child.kill('SIGINT');
  await again.ended;
  assert.deepEqual(listStaged(out), []);
  assert.deepEqual(
    listFiles(out).filter((file) => file.includes('TESTUSDT')),
    [],
  );
});

test('join reads the folders; Parquet has no column symbol, as its days', async (t) => {
  const join = (outputDir: string, cwd: string, ...args: string[]) =>
    complete(['join', '--symbols', 'AAAUSDT', '--market', 'none', '--output-dir', outputDir, ...args], { cwd });
  for (const what of [
    ['--format', 'csv'],
    ['--format', 'csv.gz'],
    ['--metrics', '--format', 'csv'],
  ]) {
    const [ofPlain, ofHive] = [tempDir(t), tempDir(t)];
    for (const [out, cwd] of [[plain, ofPlain] as const, [hive, ofHive] as const]) {
      const { status, stdout, stderr } = await join(out, cwd, ...what);
      assert.equal(status, 0, stdout + stderr);
    }
    assertSameOutputs(readOutputs(ofHive), readOutputs(ofPlain));
  }
  const cwd = tempDir(t);
  assert.equal((await join(hive, cwd, '--format', 'parquet')).status, 0);
  const [file = ''] = listFiles(cwd);
  assert.deepEqual(await ask(`SELECT count(*)::INTEGER FROM '${file}'`), [[DATES.length * MADE_ROWS]]);
  const columns = (await ask(`SELECT column_name FROM (DESCRIBE SELECT * FROM '${file}')`)).flat();
  assert.ok(!columns.includes('symbol'));
  const keys = await ask(`SELECT decode(value) FROM parquet_kv_metadata('${file}') WHERE decode(key) = 'symbol'`);
  assert.deepEqual(keys, [['AAAUSDT']]);

  // A day that lies in both is not joined twice.
  const both = copyOf(t, plain);
  fs.cpSync(hive, both, { recursive: true });
  const twice = await join(both, tempDir(t), '--format', 'csv');
  assert.notEqual(twice.status, 0);
  assert.match(twice.stdout + twice.stderr, /are both of 2025-01-15\. Leave one of them out/);
});

test('a file in the folder of another day, or below other names, is no output', async (t) => {
  const out = tempDir(t);
  const name = '2025-01-15_AAAUSDT_ob5_1m.csv';
  for (const folder of [
    'symbol=AAAUSDT/date=2025-01-16',
    'symbol=AAAUSDT',
    'symbol=AAAUSDT/date=2025-02-30',
    'symbol=BBBUSDT/date=2025-01-15',
    'symbol=/date=2025-01-15',
    'AAAUSDT/date=2025-01-15',
    'date=2025-01-15',
  ]) {
    fs.mkdirSync(path.join(out, '0005', folder), { recursive: true });
    fs.writeFileSync(path.join(out, '0005', folder, name), 'timestamp\r\n');
  }
  const { status, stderr } = await complete(['verify', '--output-dir', out]);
  assert.equal(status, 2);
  assert.match(stderr, /No output found/);
});
