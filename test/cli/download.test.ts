/** `bookgrid download` as a user runs it, against a publisher with every fault. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { ArchiveServer, type Fault, listAnswer } from '../support/archive-server.js';
import type { CliResult } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { assertSameOutputs, complete, listFiles, listStaged, start, until } from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-download-'));
/** Everything that is published, as a source folder. */
const mirror = path.join(root, 'mirror');
const server = new ArchiveServer();
const SYMBOLS = ['1000DUSDT', 'AAAUSDT', 'BBBUSDT', 'CCC-26SEP25', 'EEEUSDT', 'FFFUSDT'];
const DAYS = Array.from({ length: 10 }, (_, index) => `2025-08-${16 + index}`);

before(async () => {
  await server.listen();
  for (const [seed, pair] of SYMBOLS.entries()) {
    for (const date of DAYS) {
      await server.publishMade(mirror, 'linear', {
        pair,
        date,
        depth: date > '2025-08-20' ? 200 : 500,
        market: { seed },
      });
    }
  }
});

after(async () => {
  await server.close();
  fs.rmSync(root, { recursive: true, force: true });
});

beforeEach(() => {
  server.faults.clear();
  server.sentBytes.clear();
  server.requests.length = 0;
  server.throttle = undefined;
  server.isPaused = false;
  server.list = undefined;
});

const line = (sourceDir: string, ...more: string[]) => [
  ...['download', '--source-dir', sourceDir, '--base-url', server.url, '--list-url', 'none'],
  ...['--symbols', SYMBOLS.join(), '--from', '2025-08-16', '--to', '2025-08-25', ...more],
];

/** The archives below a folder, as paths from there. */
function archivesIn(folder: string): string[] {
  return listFiles(folder).map((file) => path.relative(folder, file));
}

function assertWhole(sourceDir: string): number {
  const names = archivesIn(sourceDir);
  for (const name of names) {
    const isSame = fs.readFileSync(path.join(sourceDir, name)).equals(fs.readFileSync(path.join(mirror, name)));
    assert.ok(isSame, `${name} is whole`);
  }
  return names.length;
}

function assertWell({ status, stdout, stderr }: CliResult, expected = 0): void {
  assert.deepEqual({ status, stderr }, { status: expected, stderr: '' }, stdout);
}

test('all files, in their places, with a line each; the second run fetches nothing', async (t) => {
  const sourceDir = path.join(tempDir(t), 'archives');
  const run = await complete(line(sourceDir));
  assertWell(run);
  assert.equal(assertWhole(sourceDir), 60);
  assert.match(run.stdout, /^Wanted: 60 archives, 0 there, 60 to fetch; [\d.]+ GB are free\n\n/);
  assert.equal(run.stdout.match(/^\[\d+\/60\] FETCHED /gm)?.length, 60);
  assert.match(
    run.stdout,
    /^\[31\/60\] FETCHED {2}CCC-26SEP25 linear\/2025-08-16_CCC-26SEP25_ob500\.data\.zip +\d+ kB in \d+\.\d s$/m,
  );
  assert.match(
    run.stdout,
    /\n={80}\nDownload complete!\nArchives wanted: 60\nFetched: 60 \([\d.]+ [kM]B\)\nAlready there: 0\nNot published: 0\nErrors: 0\nTime elapsed: [\d.]+ seconds \([\d.]+ minutes\)\n={80}\n$/,
  );
  const requests = server.requests.length;
  const again = await complete(line(sourceDir));
  assertWell(again);
  assert.equal(again.stdout.match(/^\[\d+\/60\] THERE /gm)?.length, 60);
  assert.equal(server.requests.length, requests);
});

/** What happens on the way to 60 files. The last kinds do not get better. */
const FAULTS: Fault[][] = [
  [],
  [{ cutAfter: 700 }, { cutAfter: 1500 }],
  [{ cutAfter: 333 }, 'ignores-range'],
  [{ status: 403, body: '<html>Access Denied</html>' }],
  [{ status: 429, headers: { 'retry-after': '1' } }],
  [{ status: 500 }, { status: 503, headers: { 'retry-after': '0' } }],
  [{ promises: 1234 }],
  [{ cutAfter: 900 }, 'other-tag'],
  ['corrupt'],
  [{ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Busy</html>' }],
  ['stalls'],
  ['trickles'],
  ['silent'],
  [{ cutAfter: 900 }, { status: 416, headers: { 'content-range': 'bytes */3' } }],
  ['chunked'],
  [{ cutAfter: 500 }, 'wrong-range'],
];
const NO_END: [fault: Fault, message: RegExp][] = [
  [{ status: 403 }, /status 403 \(given up after 4 tries\)/],
  ['corrupt', /what came is not whole or not what was asked for: damaged: /],
  [{ status: 200, body: '<html>No</html>' }, /begins with "<html>No/],
];

test('60 files with every fault there is: whole, or named; nothing else is left', async (t) => {
  const sourceDir = tempDir(t);
  const paths = [...server.files.keys()].filter((name) => name.startsWith('/orderbook/linear/'));
  paths.forEach((name, index) => {
    server.faults.set(name, [...(FAULTS[index % FAULTS.length] ?? [])]);
  });
  const bad = [paths[5], paths[25], paths[59]] as string[];
  bad.forEach((name, index) => {
    server.faults.set(
      name,
      Array.from({ length: 20 }, () => NO_END[index]?.[0] as Fault),
    );
  });
  const absent = [paths[11], paths[12]] as string[];
  const kept = new Map(absent.map((name) => [name, server.files.get(name)]));
  for (const name of absent) server.files.delete(name);
  t.after(() => {
    for (const [name, file] of kept) if (file) server.files.set(name, file);
  });

  const run = await complete(line(sourceDir, '--tries', '4', '--timeout', '2', '--connections', '5'), {
    timeout: 240_000,
  });
  assertWell(run, 1);
  const count = (word: string) => run.stdout.match(new RegExp(`^\\[\\d+/60\\] ${word} `, 'gm'))?.length ?? 0;
  assert.deepEqual([count('FETCHED'), count('ABSENT'), count('ERROR')], [55, 2, 3], run.stdout);
  assert.equal(assertWhole(sourceDir), 55);
  const summary = run.stdout.slice(run.stdout.indexOf('='.repeat(80)));
  for (const [index, name] of bad.entries()) {
    const fileName = path.basename(name).replace(/_ob\d+\.data\.zip$/, '');
    const [, message] = NO_END[index] as [Fault, RegExp];
    const [named = ''] = summary.match(new RegExp(`^  linear/${fileName}.*$`, 'm')) ?? [];
    assert.match(named, message);
  }
  assert.ok(server.mostAtATime <= 5);

  server.faults.clear();
  const again = await complete(line(sourceDir));
  assertWell(again);
  assert.equal(assertWhole(sourceDir), 58, 'the same command mends what can be mended');
});

/** Archives of some MB, so that a kill lands in the middle of one. */
async function publishLarge(t: TestContext): Promise<{ symbols: string[]; bytes: number }> {
  const symbols = ['LARGE1USDT', 'LARGE2USDT', 'LARGE3USDT', 'LARGE4USDT'];
  const folder = tempDir(t);
  let bytes = 0;
  for (const [seed, pair] of symbols.entries()) {
    const market = { depth: 500, durationMs: 400_000, messageIntervalMs: 100, seed };
    const name = await server.publishMade(folder, 'linear', { pair, date: '2025-08-16', isStored: true, market });
    const file = server.files.get(name);
    bytes += file?.bytes.length ?? 0;
    fs.mkdirSync(path.join(mirror, 'linear/0500', pair), { recursive: true });
    fs.writeFileSync(path.join(mirror, 'linear/0500', pair, path.basename(name)), file?.bytes ?? '');
  }
  return { symbols, bytes };
}

/** Bytes of archives below a folder, whole or partial. */
function bytesIn(folder: string): number {
  const files = listFiles(folder).filter((file) => file.endsWith('.zip'));
  return files.reduce((sum, file) => sum + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

test('killed ten times, then run to its end: what had come is not fetched again', async (t) => {
  const { symbols, bytes } = await publishLarge(t);
  const sourceDir = tempDir(t);
  const args = ['download', '--source-dir', sourceDir, '--base-url', server.url, '--list-url', 'none'];
  const all = [...args, '--symbols', symbols.join(), '--from', '2025-08-16', '--to', '2025-08-16'];
  server.throttle = { bytes: 16 * 1024, everyMs: 5 };
  let midFile = 0;
  for (let kills = 0; kills < 10; kills++) {
    const enough = ((kills + 1) * bytes) / 12;
    const { child, ended } = start(all);
    await until(() => server.totalSent >= enough || child.exitCode !== null, 'enough has come');
    // What is on its way when a process dies is lost, whoever wrote the process: here it may arrive first.
    server.isPaused = true;
    await until(() => bytesIn(sourceDir) === server.totalSent, 'what was sent has arrived');
    child.kill('SIGKILL');
    const { signal } = await ended;
    server.isPaused = false;
    assert.equal(signal, 'SIGKILL');
    if (listFiles(sourceDir).some((file) => file.includes('.resume'))) midFile++;
    const names = archivesIn(sourceDir).filter((name) => !name.includes('.resume'));
    for (const name of names) {
      assert.ok(fs.readFileSync(path.join(sourceDir, name)).equals(fs.readFileSync(path.join(mirror, name))));
    }
    await until(() => server.open.size === 0, 'the server has noticed');
  }
  assert.ok(midFile >= 8, `${midFile} kills came in the middle of a file`);
  server.throttle = undefined;
  assertWell(await complete(all));
  assert.equal(assertWhole(sourceDir), symbols.length);
  const twice = server.totalSent - bytes;
  t.diagnostic(`${bytes} bytes, ${twice} of them twice: ${((100 * twice) / bytes).toFixed(2)} %`);
  assert.ok(twice <= 0.03 * bytes, `${twice} of ${bytes} bytes were fetched twice`);
  assert.ok(server.requests.some(({ headers }) => headers.range !== undefined && headers['if-range'] !== undefined));
});

test('Ctrl+C: what has come is kept, says so, and is gone on with', async (t) => {
  const { symbols, bytes } = await publishLarge(t);
  const sourceDir = tempDir(t);
  const args = ['download', '--source-dir', sourceDir, '--base-url', server.url, '--list-url', 'none'];
  const all = [...args, '--symbols', symbols.join(), '--from', '2025-08-16', '--to', '2025-08-16'];
  server.throttle = { bytes: 16 * 1024, everyMs: 5 };
  const { child, ended } = start(all);
  await until(() => server.totalSent > bytes / 3, 'some has come');
  child.kill('SIGINT');
  const { status, stdout, stderr } = await ended;
  assert.deepEqual({ status, stderr }, { status: 130, stderr: '' });
  assert.match(stdout, /Download stopped by SIGINT\.\n/);
  const onItsWay = server.totalSent - bytesIn(sourceDir);
  assert.match(stdout, /Left: \d\. What has come of them is kept: run the same command again to go on from here\.\n/);
  server.throttle = undefined;
  assertWell(await complete(all));
  assert.equal(assertWhole(sourceDir), symbols.length);
  assert.equal(server.totalSent - bytes, onItsWay, 'nothing that had been written was fetched again');
});

test('two runs at a time share the work, and each ends when all is there', async (t) => {
  const sourceDir = tempDir(t);
  server.throttle = { bytes: 1000, everyMs: 5 };
  const both = await Promise.all([complete(line(sourceDir)), complete(line(sourceDir))]);
  const fetched = both.map((run) => {
    assertWell(run);
    const [, count, there] = /\nFetched: (\d+) .*\nAlready there: (\d+)\n/.exec(run.stdout) ?? [];
    assert.equal(Number(count) + Number(there), 60, run.stdout);
    return Number(count);
  });
  assert.equal(assertWhole(sourceDir), 60);
  // Of two that ask for a file in the same instant, neither sees the other: on a busy machine some more than a tenth. Two
  // that did not share would ask 120 times.
  assert.ok(server.requests.length <= 80 && Math.min(...fetched) > 0, `${fetched}: ${server.requests.length} requests`);
});

test('--convert: the same bytes as converting afterwards, by the same lines', async (t) => {
  const [sourceDir, out, afterwards] = [tempDir(t), tempDir(t), tempDir(t)];
  const options = ['--interval', '30s', '--depths', '3,200', '--format', 'csv,parquet', '--metrics'];
  const run = await complete(line(sourceDir, '--convert', ...options, '--output-dir', out, '--workers', '2'));
  assertWell(run);
  assert.equal(assertWhole(sourceDir), 60);
  assert.equal(run.stdout.match(/^\[\d+\/60\] FETCHED /gm)?.length, 60);
  assert.match(
    run.stdout,
    /^\[60\/60\] DONE {5}FFFUSDT {4}linear\/2025-08-25_FFFUSDT_ob200\.data\.zip +\[3,200,metrics\] → \d+ snapshots ✓$/m,
  );
  assert.match(run.stdout, /Processing complete!\nTotal files: 60\nSuccessfully processed: 60\n/);
  const converted = await complete(['--source-dir', sourceDir, '--output-dir', afterwards, ...options]);
  assertWell(converted);
  assertSameOutputs(readOutputs(out), readOutputs(afterwards));
  const lines = (text: string) =>
    (text.match(/^\[\d+\/60\] DONE .*$/gm) ?? []).map((text) => text.replace(/^\[\d+/, '')).sort();
  assert.deepEqual(lines(run.stdout), lines(converted.stdout));

  const again = await complete(line(sourceDir, '--convert', ...options, '--output-dir', out));
  assertWell(again);
  assert.match(again.stdout, /Successfully processed: 0\nSkipped \(already exist\): 60\n/);
});

test('--convert: none is converted before it is whole; one that fails costs itself alone', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const name = '/orderbook/linear/AAAUSDT/2025-08-17_AAAUSDT_ob500.data.zip';
  server.faults.set(name, ['corrupt', 'corrupt', 'corrupt', 'corrupt', 'corrupt']);
  const run = await complete(line(sourceDir, '--convert', '--output-dir', out));
  assertWell(run, 1);
  assert.match(run.stdout, /^\[12\/60\] ERROR {4}AAAUSDT .*not whole/m);
  assert.equal([...readOutputs(out).keys()].filter((output) => output.includes('2025-08-17_AAAUSDT')).length, 0);
  assert.match(run.stdout, /Successfully processed: 59\n/);
});

test('Ctrl+C with --convert: nothing unfinished is left of outputs, and both are gone on with', async (t) => {
  const { symbols } = await publishLarge(t);
  const [sourceDir, out, whole] = [tempDir(t), tempDir(t), tempDir(t)];
  const all = (to: string) => [
    ...[
      'download',
      '--source-dir',
      sourceDir,
      '--base-url',
      server.url,
      '--list-url',
      'none',
      '--symbols',
      symbols.join(),
    ],
    ...[
      '--from',
      '2025-08-16',
      '--to',
      '2025-08-16',
      '--convert',
      '--output-dir',
      to,
      '--interval',
      '100ms',
      '--workers',
      '2',
    ],
  ];
  const { child, ended } = start(all(out));
  await until(() => listStaged(out).length > 0, 'something is converted');
  child.kill('SIGINT');
  const { status, stdout, stderr } = await ended;
  assert.deepEqual({ status, stderr }, { status: 130, stderr: '' });
  assert.match(stdout, /Processing stopped by SIGINT\.\n/);
  assert.deepEqual(listStaged(out), []);
  assertWell(await complete(all(out)));
  assert.equal(assertWhole(sourceDir), symbols.length);
  assertWell(await complete(all(whole)));
  assertSameOutputs(readOutputs(out), readOutputs(whole));
});

test('--delete-after: archives are gone, outputs are there; the second run fetches and converts nothing', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const all = line(sourceDir, '--convert', '--delete-after', '--output-dir', out, '--depths', '200');
  assertWell(await complete(all));
  assert.deepEqual(archivesIn(sourceDir), []);
  assert.equal(readOutputs(out).size, 60);
  const requests = server.requests.length;
  const again = await complete(all);
  assertWell(again);
  assert.equal(server.requests.length, requests, 'nobody was asked for anything');
  assert.match(again.stdout, /Converted before, and removed: 60\n/);
  assert.match(again.stdout, /Total files: 0\nSuccessfully processed: 0\n/);
  const without = await complete(line(sourceDir, '--convert', '--output-dir', out, '--depths', '200'));
  assertWell(without);
  assert.equal(server.requests.length, requests, 'nor without --delete-after');

  // One output is damaged: its archive is fetched again, and only that.
  const damaged = path.join(out, 'linear/0200/BBBUSDT/2025-08-22_BBBUSDT_ob200_1m.csv');
  const bytes = fs.readFileSync(damaged);
  fs.truncateSync(damaged, 100);
  assertWell(await complete(all));
  assert.equal(server.requests.length, requests + 1);
  assert.ok(fs.readFileSync(damaged).equals(bytes));
  assert.deepEqual(archivesIn(sourceDir), []);
});

test('--delete-after never removes an archive whose outputs no record knows, or that failed', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const days = ['--symbols', 'AAAUSDT', '--from', '2025-08-24', '--to', '2025-08-25'];
  const one = line(sourceDir, ...days, '--convert', '--delete-after', '--output-dir', out);
  assertWell(await complete(line(sourceDir, ...days, '--convert', '--output-dir', out)));
  fs.rmSync(path.join(out, 'conversions.jsonl'));
  const run = await complete(one);
  assertWell(run);
  assert.equal(archivesIn(sourceDir).length, 2, run.stdout);
});

test('--delete-after never removes an archive that lies elsewhere than downloads go', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const elsewhere = path.join(sourceDir, 'mine/linear/2025-08-24_AAAUSDT_ob200.data.zip');
  fs.mkdirSync(path.dirname(elsewhere), { recursive: true });
  fs.copyFileSync(path.join(mirror, 'linear/0200/AAAUSDT/2025-08-24_AAAUSDT_ob200.data.zip'), elsewhere);
  const days = ['--symbols', 'AAAUSDT', '--from', '2025-08-24', '--to', '2025-08-25'];
  const run = await complete(line(sourceDir, ...days, '--convert', '--delete-after', '--output-dir', out));
  assertWell(run);
  assert.equal(readOutputs(out).size, 2);
  assert.deepEqual(archivesIn(sourceDir), ['mine/linear/2025-08-24_AAAUSDT_ob200.data.zip']);
});

test('other options than those of what is there: refused before anything is fetched', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const first = line(sourceDir, '--symbols', 'AAAUSDT', '--convert', '--delete-after', '--output-dir', out);
  assertWell(await complete(first));
  const requests = server.requests.length;
  const { status, stderr } = await complete(line(sourceDir, '--convert', '--output-dir', out, '--on-gap', 'skip'));
  assert.equal(status, 2);
  assert.match(stderr, /Nothing was converted: .*made in another way/);
  assert.match(stderr, /made with --on-gap fill, and not with --on-gap skip/);
  assert.equal(server.requests.length, requests);
});

test('--dry-run: files, addresses and bytes as far as they are told; nothing is fetched', async (t) => {
  const sourceDir = tempDir(t);
  server.list = (query) => ({
    body:
      query.get('symbols') === 'AAAUSDT'
        ? listAnswer(
            DAYS.map((date) => ({
              market: 'linear',
              pair: 'AAAUSDT',
              date,
              depth: date > '2025-08-20' ? 200 : 500,
              bytes: 5_000_000,
            })),
          )
        : listAnswer([]),
  });
  const args = line(sourceDir, '--dry-run', '--symbols', 'AAAUSDT,BBBUSDT', '--list-url', server.listUrl);
  const { status, stdout, stderr } = await complete(args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  assert.equal(
    lines[0],
    `[1] FETCH    ${server.url}/orderbook/linear/AAAUSDT/2025-08-16_AAAUSDT_ob500.data.zip, 5.0 MB`,
  );
  assert.equal(lines[10], `[11] FETCH    ${server.url}/orderbook/linear/BBBUSDT/2025-08-16_BBBUSDT_ob500.data.zip`);
  assert.match(
    lines[20] ?? '',
    /^Dry run: wanted: 20 archives, 0 there, 20 to fetch, at least 50 MB \(the size of 10 is not known\); [\d.]+ GB are free$/,
  );
  assert.deepEqual(listFiles(sourceDir), []);
});

test('a disk that is too small is found before the first file', async (t) => {
  server.list = () => ({
    body: listAnswer(
      DAYS.map((date) => ({ market: 'linear', pair: 'AAAUSDT', date, depth: 500, bytes: 900_000_000_000_000 })),
    ),
  });
  const args = line(tempDir(t), '--symbols', 'AAAUSDT', '--list-url', server.listUrl);
  const { status, stdout, stderr } = await complete(args);
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
  assert.match(
    stderr,
    /not enough room for the archives below .*: 9000 TB are to be fetched, [\d.]+ GB are free\. .*--delete-after/,
  );
});

test('--check: reads what is there, names what is damaged, asks nobody', async (t) => {
  const sourceDir = tempDir(t);
  const one = line(sourceDir, '--symbols', 'AAAUSDT');
  assertWell(await complete(one));
  const requests = server.requests.length;
  const well = await complete(['download', '--check', '--source-dir', sourceDir]);
  assertWell(well);
  assert.equal(well.stdout, 'Archives that are whole: 10\nDamaged: 0\n');
  const file = path.join(sourceDir, 'linear/0200/AAAUSDT/2025-08-22_AAAUSDT_ob200.data.zip');
  const bytes = fs.readFileSync(file);
  bytes.fill(0x55, 800, 820);
  fs.writeFileSync(file, bytes);
  const ill = await complete(['download', '--check', '--source-dir', sourceDir, '--market', 'linear']);
  assertWell(ill, 1);
  assert.match(
    ill.stdout,
    /^DAMAGED .*2025-08-22_AAAUSDT_ob200\.data\.zip: damaged: .*\nArchives that are whole: 9\nDamaged: 1 /,
  );
  assert.equal(server.requests.length, requests);
  const other = await complete(['download', '--check', '--source-dir', sourceDir, '--symbols', 'NONEUSDT']);
  assert.equal(other.status, 2);
});

test('nothing published of it: said, with exit status 2', async (t) => {
  const run = await complete(line(tempDir(t), '--symbols', 'NONEUSDT', '--from', '2025-08-20', '--to', '2025-08-21'));
  assert.equal(run.status, 2);
  assert.match(run.stderr, /Nothing is published of NONEUSDT in linear from 2025-08-20 to 2025-08-21/);
  assert.equal(server.requests.length, 4, 'both depths of both days');
});

test('days that cannot be had are left out, and told', async (t) => {
  const days = ['--symbols', 'AAAUSDT', '--from', '2022-12-30', '--to', '2023-01-18'];
  const early = await complete(line(tempDir(t), ...days));
  assert.match(
    early.stderr,
    /Note: of linear, nothing is published before 2023-01-18: 19 days left out, from 2022-12-30 on\./,
  );
  const late = await complete(line(tempDir(t), '--symbols', 'AAAUSDT', '--from', '2099-01-01', '--to', '2099-01-02'));
  assert.equal(late.status, 2);
  assert.match(late.stderr, /Note: 2 days left out that have not ended/);
});

test('archives in no folder of a market are told of, and not taken for those', async (t) => {
  const sourceDir = tempDir(t);
  const name = '2025-08-16_AAAUSDT_ob500.data.zip';
  fs.copyFileSync(path.join(mirror, 'linear/0500/AAAUSDT', name), path.join(sourceDir, name));
  const run = await complete(line(sourceDir, '--symbols', 'AAAUSDT', '--to', '2025-08-16'));
  assert.equal(run.status, 0);
  assert.match(
    run.stderr,
    /Note: 1 archive with the same name lies in no folder of a market, such as .*: not taken for linear/,
  );
  assert.match(run.stdout, /Fetched: 1 /);
});

const WRONG: [args: string[], message: RegExp][] = [
  [['--market', 'option'], /option.* is invalid\. Archives of options .* out of scope/],
  [['--market', 'futures'], /Expected one of linear, inverse, spot/],
  [['--connections', '6'], /Expected connections from 1 to 5/],
  [['--base-url', 'ftp://x'], /Expected an address such as https/],
  [['--interval', '1s'], /unknown option '--interval'/],
  [['--convert', '--intervall', '1s'], /unknown option '--intervall'/],
  [['--convert', '--shard', '1/2'], /--shard is for bookgrid convert/],
  [['--convert', '--test'], /--test/],
  [['--delete-after'], /add --convert/],
  [['--check', '--convert'], /--check reads what is there and does nothing else/],
  [['--from', '2025-09-01'], /--from 2025-09-01 is after --to 2025-08-25/],
  [['EXTRA'], /takes options only, such as --symbols EXTRA/],
];

for (const [args, message] of WRONG) {
  test(`wrong: ${args.join(' ')}`, async (t) => {
    const { status, stdout, stderr } = await complete(line(tempDir(t), ...args));
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, stderr);
    assert.match(stderr, message);
    assert.equal(server.requests.length, 0);
  });
}

test('without symbols or days: what to say', async () => {
  const { status, stderr } = await complete(['download']);
  assert.equal(status, 2);
  assert.match(stderr, /--symbols BTCUSDT,ETHUSDT --from 2025-08-01 --to 2025-08-31/);
});

/** A proxy that tunnels, as companies have them. */
async function startProxy(t: TestContext): Promise<{ url: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = net.createServer((client) => {
    client.once('data', (data) => {
      const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+) /.exec(data.toString('latin1')) ?? [];
      tunnels.push(`${host}:${port}`);
      const target = net.connect(Number(port), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      target.pipe(client).pipe(target);
      target.on('error', () => client.destroy());
    });
    client.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  return { url: `http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`, tunnels };
}

test('the proxy of the environment is used, but for what NO_PROXY names', async (t) => {
  const { url, tunnels } = await startProxy(t);
  const port = new URL(server.url).port;
  const args = line(tempDir(t), '--symbols', 'AAAUSDT', '--base-url', `http://archives.invalid:${port}`);
  const env = { ...process.env, HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: '' };
  assertWell(await complete(args, { env }));
  assert.ok(tunnels.length > 0 && tunnels.every((tunnel) => tunnel === `archives.invalid:${port}`));
  tunnels.length = 0;
  const direct = line(tempDir(t), '--symbols', 'AAAUSDT');
  assertWell(await complete(direct, { env: { ...env, NO_PROXY: '127.0.0.1' } }));
  assert.deepEqual(tunnels, []);
});
