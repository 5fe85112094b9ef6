import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { stagedName } from '../../src/storage/staging.js';
import { CLI } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { DAY } from '../support/messages.js';
import { NO_MOUNT, UNSHARE } from '../support/mount.js';
import { assertSameOutputs, complete, listFiles, makeArchive, start, until } from '../support/runs.js';

const HOUR_MS = 3_600_000;
const PAIRS = ['AAAUSDT', 'BBBUSDT', 'CCCUSDT'];

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-temp-dir-'));
const source = path.join(root, 'source');
let whole: Map<string, string>;

before(async () => {
  for (const pair of PAIRS) await makeArchive(source, { pair });
  const out = path.join(root, 'unbroken');
  assert.equal((await complete(['--source-dir', source, '--output-dir', out])).status, 0);
  whole = readOutputs(out);
  assert.equal(whole.size, 2 * PAIRS.length);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

/** A folder on another file system than the outputs', if there is one here. */
function otherFileSystem(): string | undefined {
  const candidate = '/dev/shm';
  const stat = fs.statSync(candidate, { throwIfNoEntry: false });
  return stat?.isDirectory() && stat.dev !== fs.statSync(os.tmpdir()).dev ? candidate : undefined;
}

const elsewhere = otherFileSystem();
const NO_OTHER = elsewhere === undefined && 'NOT CHECKED: /dev/shm is no other file system than that of os.tmpdir()';

for (const [place, parent, skip] of [
  ['on the same file system', os.tmpdir(), false],
  ['on another file system', elsewhere, NO_OTHER],
] as const) {
  for (const workers of [1, 2]) {
    test(`--temp-dir ${place}, workers ${workers}: outputs right, nothing left`, { skip }, async (t) => {
      const out = tempDir(t);
      const parentOfTemp = fs.mkdtempSync(path.join(parent ?? '', 'bookgrid-test-'));
      t.after(() => fs.rmSync(parentOfTemp, { recursive: true, force: true }));
      const temp = path.join(parentOfTemp, 'made', 'when missing');
      const options = ['--temp-dir', temp, '--workers', `${workers}`];
      const { status, stdout, stderr } = await complete(['--source-dir', source, '--output-dir', out, ...options]);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
      assertSameOutputs(readOutputs(out), whole);
      assert.deepEqual(listFiles(temp), []);
      assert.ok(fs.existsSync(temp), 'the folder itself stays');
    });
  }
}

test('unfinished outputs are in --temp-dir and not beside their place', async (t) => {
  const [out, temp, folder] = [tempDir(t), tempDir(t), tempDir(t)];
  const long = await makeArchive(folder, { pair: 'LONGUSDT', market: { durationMs: 3_600_000 } });
  const args = ['--output-dir', out, '--temp-dir', temp, '--interval', '100ms', '--workers', '1'];
  const { child, ended } = start([long, ...args]);
  await until(() => listFiles(temp).length === 2, 'both outputs are begun');
  const visible = listFiles(out);
  child.kill('SIGKILL');
  await ended;
  assert.deepEqual(visible, []);
  assert.ok(listFiles(temp).every((file) => path.basename(file).startsWith('.')));
});

/** As this machine and boot are called in the names of staged files: `HOST-PLACE`. */
const [here = ''] = /[^.-]+-[^.-]+(?=-\d+-\d+\.)/.exec(stagedName('x', 'run')) ?? [];
const [host = ''] = here.split('-');

interface Leftover {
  name: string;
  isSwept: boolean;
  ageMs?: number;
}

/** Files as dead and living runs leave them, and others that are none of ours. */
function leftovers(): Leftover[] {
  const staged = (ownerName: string, count = 0) => `.${DAY}_AAAUSDT_ob200_1m.csv.${ownerName}.run1.0.${count}.part`;
  const deadPid = spawnSync(process.execPath, ['--version']).pid;
  const own = processStart(process.pid);
  return [
    { name: staged(`${here}-${deadPid}-123456`), isSwept: true },
    { name: staged(`${here}-${deadPid}-123456`, 1), isSwept: true },
    // A number given out again: the process of that number began at another time.
    { name: staged(`${here}-${process.pid}-${own + 1}`), isSwept: own > 0 },
    { name: staged(`${here}-${process.pid}-${own}`), isSwept: false },
    { name: staged(`${here}-${process.pid}-0`), isSwept: false },
    { name: staged(`otherhost-0123abcd-${deadPid}-123456`), isSwept: false },
    { name: staged(`otherhost-0123abcd-${deadPid}-123456`, 1), isSwept: false, ageMs: 23 * HOUR_MS },
    { name: staged(`otherhost-0123abcd-${deadPid}-123456`, 2), isSwept: true, ageMs: 25 * HOUR_MS },
    // A container of this host name, in which the same number is another process: it may be alive.
    { name: staged(`${host}-0123abcd-${deadPid}-123456`), isSwept: false },
    { name: staged(`${host}-0123abcd-${deadPid}-123456`, 1), isSwept: true, ageMs: 25 * HOUR_MS },
    // Written before this machine was started, by a machine of its name.
    { name: staged(`${host}-0123abcd-${deadPid}-123456`, 2), isSwept: true, ageMs: os.uptime() * 1000 + HOUR_MS },
    // As version 0.1 called them.
    { name: `.${DAY}_AAAUSDT_ob200_1m.csv.${host}-${deadPid}-123456.0.0.part`, isSwept: false },
    { name: `.${DAY}_AAAUSDT_ob200_1m.csv.${host}-${deadPid}-123456.0.1.part`, isSwept: true, ageMs: 25 * HOUR_MS },
    { name: 'mine.part', isSwept: false, ageMs: 25 * HOUR_MS },
    { name: `.mine.${host}-${deadPid}.part`, isSwept: false, ageMs: 25 * HOUR_MS },
    { name: `${DAY}_AAAUSDT_ob200_1m.csv.${here}-${deadPid}-1.run1.0.0.part`, isSwept: false },
  ];
}

function processStart(pid: number): number {
  if (!fs.existsSync('/proc/self/stat')) return 0;
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

for (const place of ['temp-dir', 'output']) {
  test(`leftovers of dead runs are swept from the ${place} folder, others are not`, async (t) => {
    const [out, temp] = [tempDir(t), tempDir(t)];
    const folder = place === 'temp-dir' ? temp : path.join(out, '0200', 'AAAUSDT');
    fs.mkdirSync(folder, { recursive: true });
    const files = leftovers();
    for (const { name, ageMs = 0 } of files) {
      const file = path.join(folder, name);
      fs.writeFileSync(file, 'timestamp,bid_pri');
      const whenSeconds = (Date.now() - ageMs) / 1000;
      fs.utimesSync(file, whenSeconds, whenSeconds);
    }
    const { status, stderr } = await complete(['--source-dir', source, '--output-dir', out, '--temp-dir', temp]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const kept = files.filter(({ isSwept }) => !isSwept).map(({ name }) => name);
    const found = fs.readdirSync(folder).filter((name) => name.endsWith('.part'));
    assert.deepEqual(found.sort(), kept.sort());
    const outputs = [...readOutputs(out)].filter(([name]) => !name.endsWith('.part'));
    assertSameOutputs(new Map(outputs), whole);
  });
}

test('a run with nothing left to make sweeps the leftovers of an earlier one too', async (t) => {
  const out = tempDir(t);
  const args = ['--source-dir', source, '--output-dir', out];
  assert.equal((await complete(args)).status, 0);
  const deadPid = spawnSync(process.execPath, ['--version']).pid;
  const leftover = `.${DAY}_AAAUSDT_ob200_1m.csv.${here}-${deadPid}-123456.run1.0.0.part`;
  fs.writeFileSync(path.join(out, '0200', 'AAAUSDT', leftover), 'as --overwrite leaves it when it is killed');
  const { status, stdout } = await complete(args);
  assert.equal(status, 0);
  assert.match(stdout, new RegExp(`Skipped \\(already exist\\): ${PAIRS.length}\n`));
  assertSameOutputs(readOutputs(out), whole);
});

/**
 * A script of the shell: a small file system at $1, where the command after it runs out of room, is made larger, and
 * the same command completes. What was there after each is copied to $2/first and $2/second.
 */
const SMALL_THEN_LARGE = `
small=$1 notes=$2; shift 2
mount -t tmpfs -o size=256k tmpfs "$small" || exit 99
"$@" >"$notes/first.stdout" 2>"$notes/first.stderr"; echo $? >"$notes/first.status"
cp -r "$small" "$notes/first"
mount -o remount,size=64m "$small" || exit 99
"$@" >"$notes/second.stdout" 2>"$notes/second.stderr"; echo $? >"$notes/second.status"
cp -r "$small" "$notes/second"
`;

for (const { small, options } of [
  { small: 'the output folder', options: (dir: string, _other: string) => ['--output-dir', dir] },
  { small: 'the temp folder', options: (dir: string, other: string) => ['--output-dir', other, '--temp-dir', dir] },
  {
    small: 'the output folder, not the temp folder,',
    options: (dir: string, other: string) => ['--output-dir', dir, '--temp-dir', other],
  },
]) {
  test(`${small} is full: an error that says so, and nothing more is begun; with room the run completes`, {
    skip: NO_MOUNT,
  }, async (t) => {
    const [disk, other, notes, sourceDir] = [tempDir(t), tempDir(t), tempDir(t), tempDir(t)];
    const pairs = ['AAAUSDT', 'BBBUSDT'];
    for (const pair of pairs) await makeArchive(sourceDir, { pair });
    // The largest, so that it comes first: 520 rows of 200 levels, most of them empty, take half a megabyte.
    await makeArchive(sourceDir, { pair: 'BIGUSDT', market: { durationMs: 2_600_000 } });
    const args = ['--source-dir', sourceDir, '--interval', '5s', '--workers', '1', '--depths', '200'];
    const unbroken = path.join(notes, 'unbroken');
    assert.equal((await complete([...args, '--output-dir', unbroken, '--symbols', 'BIGUSDT'])).status, 0);

    const command = [process.execPath, CLI, ...args, '--from', DAY, ...options(disk, other)];
    const shell = [...UNSHARE, 'sh', '-c', SMALL_THEN_LARGE, 'sh', disk, notes, ...command];
    const { status, stderr } = spawnSync(shell[0] ?? '', shell.slice(1), { encoding: 'utf8', timeout: 60_000 });
    assert.equal(status, 0, stderr);
    const note = (name: string) => fs.readFileSync(path.join(notes, name), 'utf8');

    assert.equal(note('first.status'), '1\n', note('first.stdout'));
    assert.equal(note('first.stderr'), '');
    assert.match(note('first.stdout'), /ERROR +BIGUSDT .* → disk full: free some space/);
    assert.match(note('first.stdout'), /Processing stopped: the disk is full\.\n/);
    assert.match(
      note('first.stdout'),
      /Successfully processed: 0\nSkipped \(already exist\): 0\nErrors: 1\nLeft: 2\. Free/,
    );
    assert.equal(note('second.status'), '0\n', note('second.stdout'));
    assert.match(note('second.stdout'), /Successfully processed: 3\nSkipped \(already exist\): 0\nErrors: 0\n/);

    const [first, second] = ['first', 'second'].map((name) => listFiles(path.join(notes, name)));
    const staged = [...(first ?? []), ...(second ?? []), ...listFiles(other)].filter((file) => file.endsWith('.part'));
    assert.deepEqual(staged, []);
    assert.ok(!first?.some((file) => file.includes('BIGUSDT')), 'nothing of what did not fit');
    const outputs = readOutputs(options('disk', 'other')[1] === 'disk' ? path.join(notes, 'second') : other);
    const bigName = `0200/BIGUSDT/${DAY}_BIGUSDT_ob200_5s.csv`;
    assert.deepEqual(
      [...outputs.keys()],
      [...pairs.map((pair) => `0200/${pair}/${DAY}_${pair}_ob200_5s.csv`), bigName].sort(),
    );
    assert.ok(outputs.get(bigName) === readOutputs(unbroken).get(bigName), `${bigName} is whole`);
  });
}
