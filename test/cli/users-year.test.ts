/**
 * A year of a data set, played through with one folder: what its user does, and what goes wrong on the way. Every step
 * must say what the user needs to know, and at the end all rows are those of a run that nothing ever happened to.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { CLI } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { NO_MOUNT, UNSHARE } from '../support/mount.js';
import { assertSameOutputs, complete, listFiles, listStaged, makeArchive, start, until } from '../support/runs.js';

/** As a download lays them out: of two markets there is a BTCUSDT. */
const SYMBOLS = [
  ['linear', 'BTCUSDT'],
  ['linear', 'ETHUSDT'],
  ['inverse', 'BTCUSD'],
  ['spot', 'BTCUSDT'],
] as const;
/** All runs but the forgetful one. */
const OPTIONS = ['--quality', '--metrics', '--format', 'csv,parquet', '--depths', '20'];

/** The folders of one user, and the commands in them. */
function moveIn(t: TestContext) {
  const home = tempDir(t);
  const [archives, out] = [path.join(home, 'archives'), path.join(home, 'snapshots')];
  const folders = ['--source-dir', archives, '--output-dir', out];
  const archiveOf = (market: string, pair: string, date: string) =>
    path.join(archives, market, '0200', pair, `${date}_${pair}_ob200.data.zip`);
  const outputOf = (market: string, pair: string, date: string, ending = 'csv') =>
    path.join(out, market, '0020', pair, `${date}_${pair}_ob20_1m.${ending}`);

  /** A month's archives come in: the same days of every symbol. */
  async function download(dates: string[], seed = 1): Promise<void> {
    for (const date of dates) {
      for (const [number, [market, pair]] of SYMBOLS.entries()) {
        const style = market === 'spot' ? 'spot' : 'contract';
        const text = { seed: seed * 1000 + Number(date.slice(5, 7)) * 100 + number, style, depth: 25 } as const;
        await makeArchive(path.join(archives, market), { pair, date, depth: 200, market: text });
      }
    }
  }

  /** Runs a command to its end and returns all that it printed. */
  async function run(args: string[], expectedStatus = 0): Promise<string> {
    const { status, stdout, stderr } = await complete([...args, ...folders]);
    assert.equal(status, expectedStatus, `${stdout}${stderr}`);
    return stdout + stderr;
  }

  const convert = (more: string[] = OPTIONS, expectedStatus = 0) =>
    run(['convert', '--workers', '2', ...more], expectedStatus);
  const verify = async (expectedStatus = 0, more: string[] = []) => {
    const { status, stdout, stderr } = await complete(['verify', '--output-dir', out, ...more]);
    assert.equal(status, expectedStatus, `${stdout}${stderr}`);
    return stdout;
  };
  return { home, archives, out, folders, archiveOf, outputOf, download, run, convert, verify };
}

/** Asserts what the summary of a run counts. */
function assertCounts(printed: string, made: number, skipped: number, errors = 0): void {
  const counts = `Successfully processed: ${made}\nSkipped (already exist): ${skipped}\nErrors: ${errors}\n`;
  assert.ok(printed.includes(counts), `${counts} in:\n${printed}`);
}

/** The line of a run about one archive; it tells symbols of two markets apart only where one of them has such a line. */
function lineOf(printed: string, status: string, archive: string): string {
  const lines = printed.split('\n').filter((line) => line.includes(path.basename(archive)) && line.includes(status));
  assert.equal(lines.length, 1, `one line of ${status} ${archive} in:\n${printed}`);
  return lines[0] ?? '';
}

/**
 * A script of the shell: runs the command after $2 with the data set $1 on a file system with room for 100 KB more, and
 * leaves the data set as it is then in $2.
 */
const ON_A_FULL_DISK = `
out=$1 after=$2; shift 2
disk=$after.disk; mkdir "$disk"
mount -t tmpfs -o size=256m tmpfs "$disk" && cp -a "$out/." "$disk" || exit 99
mount -o remount,size=$(( $(du -sk "$disk" | cut -f 1) + 100 ))k "$disk" && mount --bind "$disk" "$out" || exit 99
"$@"; status=$?
cp -a "$out" "$after" || exit 99
exit $status
`;

test('a year of a data set: everything that happens to it is told, and nothing of it is left in the end', async (t) => {
  const user = moveIn(t);
  const { archives, out, archiveOf, outputOf, download, run, convert, verify } = user;
  const january = ['2025-01-01', '2025-01-02', '2025-01-03'];

  // January: the first run, the same again.
  await download(january);
  assertCounts(await convert(), 12, 0);
  const inJanuary = readOutputs(out);
  assert.equal(inJanuary.size, 12 * 4, 'a book and metrics each, as CSV and Parquet');
  assert.notEqual(
    inJanuary.get('linear/0020/BTCUSDT/2025-01-01_BTCUSDT_ob20_1m.csv'),
    inJanuary.get('spot/0020/BTCUSDT/2025-01-01_BTCUSDT_ob20_1m.csv'),
  );
  assertCounts(await convert(), 0, 12);
  assertSameOutputs(readOutputs(out), inJanuary);

  // February: new days. One old archive was published anew: its day is made again, and no other.
  await download(['2025-02-01']);
  const republished = archiveOf('inverse', 'BTCUSD', '2025-01-02');
  await makeArchive(path.join(archives, 'inverse'), {
    ...{ pair: 'BTCUSD', date: '2025-01-02', depth: 200 },
    market: { seed: 77, style: 'contract', depth: 25 },
  });
  const inFebruary = await convert();
  assertCounts(inFebruary, 5, 11);
  assert.match(lineOf(inFebruary, 'DONE', republished), /\(was stale: the archive has changed\)/);

  // March: the options are forgotten. Nothing is converted, and it says which options and what to add.
  await download(['2025-03-01']);
  const beforeMarch = readOutputs(out);
  const forgotten = await convert(['--depths', '20'], 2);
  assert.match(forgotten, /Nothing was converted: 16 outputs here were made in another way/);
  assert.match(forgotten, /16 made with --quality, and not without --quality/);
  assert.match(forgotten, /go on as before: with --quality/);
  assertSameOutputs(readOutputs(out), beforeMarch);
  assertCounts(await convert(), 4, 16);

  // April: a copy from another disk broke off, and somebody sorted a file in a spreadsheet. Both are made again.
  fs.truncateSync(outputOf('linear', 'ETHUSDT', '2025-01-01'), 1000);
  const edited = outputOf('spot', 'BTCUSDT', '2025-01-03');
  const text = fs.readFileSync(edited, 'latin1');
  fs.writeFileSync(
    edited,
    text.replace(/\d\r\n$/, (end) => (end.startsWith('1') ? '0\r\n' : '1\r\n')),
    'latin1',
  );
  const beforeRepair = await verify(1);
  assert.match(beforeRepair, /DAMAGED {2}\S+ETHUSDT\S+2025-01-01\S+\.csv: it has 1000 bytes, and \d+ were written\n/);
  assert.match(beforeRepair, /DAMAGED {2}\S+BTCUSDT\S+2025-01-03\S+\.csv: its content is not what was written\n/);
  assert.match(beforeRepair, /Damaged: 2\nMissing: 0\nForeign: 0\n/);
  const repaired = await convert();
  assertCounts(repaired, 2, 18);
  assert.match(lineOf(repaired, 'DONE', '2025-01-01_ETHUSDT'), /was stale: /);
  assert.match(lineOf(repaired, 'DONE', '2025-01-03_BTCUSDT_ob200.data.zip'), /was stale: its content is not/);
  await verify();

  // May: the disk is full in the middle of a run. What is there is whole; with room the same command goes on.
  await download(['2025-05-01', '2025-05-02', '2025-05-03']);
  await t.test('the disk is full', { skip: NO_MOUNT }, () => {
    const after = path.join(user.home, 'after');
    const command = [process.execPath, CLI, ...OPTIONS, ...user.folders, '--workers', '1'];
    const shell = [...UNSHARE, 'sh', '-c', ON_A_FULL_DISK, 'sh', out, after, ...command];
    const { status, stdout, stderr } = spawnSync(shell[0] ?? '', shell.slice(1), { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout, /→ disk full: free some space/);
    assert.match(stdout, /Processing stopped: the disk is full\.\n/);
    const [, made, left] = /\nSuccessfully processed: (\d+)\n[\s\S]*\nLeft: (\d+)\. Free/.exec(stdout) ?? [];
    assert.equal(Number(made) + 1 + Number(left), 12, stdout);
    assert.deepEqual(listStaged(after), []);
    fs.rmSync(out, { recursive: true });
    fs.renameSync(after, out);
  });
  await convert();
  assertCounts(await convert(), 0, 32);
  await verify();

  // July: killed without a chance to say a word. Whatever is there is whole.
  await download(['2025-07-01', '2025-07-02', '2025-07-03']);
  const filesBefore = listFiles(out).length;
  const killed = start([...OPTIONS, ...user.folders, '--workers', '2']);
  await until(() => listFiles(out).length > filesBefore + 8, 'some are made');
  killed.child.kill('SIGKILL');
  await killed.ended;
  const afterKill = (await complete(['verify', '--output-dir', out])).stdout;
  assert.match(afterKill, /\nDamaged: 0\nMissing: \d\nForeign: 0\n/);
  await convert();
  assert.deepEqual(listStaged(out), []);
  await verify();

  // September: a download broke off, and a file from elsewhere was put among the outputs. Both are named until mended.
  await download(['2025-09-01', '2025-09-03']);
  const cut = archiveOf('spot', 'BTCUSDT', '2025-09-01');
  const wholeArchive = fs.readFileSync(cut);
  fs.truncateSync(cut, wholeArchive.length - 30);
  const september = await convert(OPTIONS, 1);
  assertCounts(september, 7, 44, 1);
  assert.match(lineOf(september, 'ERROR', cut), /→ truncated: the zip's directory is missing/);
  const foreign = outputOf('spot', 'BTCUSDT', '2025-08-31');
  fs.copyFileSync(outputOf('spot', 'BTCUSDT', '2025-07-03'), foreign);
  const status = await run(['status']);
  assert.match(status, /^spot +BTCUSDT ob20 1m csv +2025-09 +1 +0 +2 +0 +1 +0 .* 01-02$/m);
  assert.match(status, /^spot +BTCUSDT ob20 1m csv +2025-08 +.* 1 .*$/m);
  assert.match(status, /\nFailed:\n.*2025-09-01_BTCUSDT_ob200\.data\.zip: truncated: .* \(since \d{4}-\d\d-\d\d\)\n/);
  assert.ok((await verify(1)).includes(`FOREIGN  ${foreign}\n`));
  fs.rmSync(foreign);
  fs.writeFileSync(cut, wholeArchive);
  assertCounts(await convert(), 1, 51);
  assert.doesNotMatch(await run(['status']), /Failed:/);

  // December: a table for a backtest of each market, as another program reads it; and the data set moves house.
  const joins = path.join(user.home, 'joined');
  fs.mkdirSync(joins);
  const join = (more: string[]) =>
    complete(['join', '--symbols', 'BTCUSDT', '--output-dir', out, ...more], { cwd: joins });
  const vague = await join(['--format', 'parquet']);
  assert.equal(vague.status, 2);
  assert.match(vague.stderr, /--market/);
  for (const market of ['linear', 'spot']) {
    const joined = await join([
      '--format',
      'parquet',
      '--market',
      market,
      '--from',
      '2025-01-01',
      '--to',
      '2025-12-31',
    ]);
    assert.equal(joined.status, 0, joined.stderr);
    const [file = ''] = listFiles(joins);
    assert.deepEqual(await countRows(file), await countRows(path.join(out, market, '0020/BTCUSDT/*.parquet')));
    fs.rmSync(file);
  }
  await verify(0, ['--checksums', path.join(out, 'SHA256SUMS')]);
  const moved = path.join(user.home, 'Datensätze neu');
  fs.cpSync(out, moved, { recursive: true });
  const checked = spawnSync('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: moved, encoding: 'utf8' });
  assert.deepEqual({ status: checked.status, stdout: checked.stdout }, { status: 0, stdout: '' });
  fs.rmSync(path.join(moved, 'SHA256SUMS'));
  fs.renameSync(out, `${out} of old`);
  fs.renameSync(moved, out);
  assertCounts(await convert(), 0, 52);

  // Nothing of all this is left in the rows.
  const atTheEnd = readOutputs(out);
  fs.rmSync(out, { recursive: true });
  assertCounts(await convert(), 52, 0);
  assertSameOutputs(atTheEnd, readOutputs(out));
});

/** Rows, days, and the first and last boundary of Parquet files, as DuckDB reads them. */
async function countRows(glob: string): Promise<unknown> {
  const connection = await (await DuckDBInstance.create()).connect();
  const counts =
    'count(*), count(DISTINCT timestamp), min(timestamp), max(timestamp), max(bid_price[1]), min(ask_qty[20])';
  const reader = await connection.runAndReadAll(`SELECT ${counts} FROM read_parquet('${glob}')`);
  connection.closeSync();
  return reader.getRowsJson();
}
