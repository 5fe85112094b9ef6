import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { readOutputs, tempDir } from '../support/files.js';
import {
  complete,
  ENDLESS_OPTIONS,
  listFiles,
  listStaged,
  makeArchive,
  makeEndless,
  makeLargeSource,
  start,
  until,
} from '../support/runs.js';

const ARCHIVES = 8;
const NO_PROC = !fs.existsSync('/proc/self/status') && 'NOT CHECKED: needs /proc to see a signal arrive';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-stopping-'));
const source = path.join(root, 'source');
/** What an unbroken run gives. */
let whole: Map<string, string>;

before(async () => {
  await makeLargeSource(source, ARCHIVES);
  const out = path.join(root, 'unbroken');
  const { status, stdout } = await complete(['--source-dir', source, '--output-dir', out]);
  assert.equal(status, 0, stdout);
  whole = readOutputs(out);
  assert.equal(
    whole.size,
    ARCHIVES + (ARCHIVES * 3) / 4,
    'one output of each archive, a second of those with 500 levels',
  );
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

/** Asserts that nothing is there but whole outputs, and returns how many. */
function assertAllWhole(out: string): number {
  assert.deepEqual(listStaged(out), []);
  const outputs = readOutputs(out);
  for (const [name, text] of outputs) assert.ok(text === whole.get(name), `${name} is whole`);
  return outputs.size;
}

/** The outputs that the DONE lines promise. */
function promised(stdout: string): string[] {
  return [...stdout.matchAll(/DONE +(\S+) +(\d{4}-\d\d-\d\d)_\S+ +\[([\d,]+)\]/g)].flatMap(([, pair, date, depths]) =>
    (depths ?? '').split(',').map((depth) => `${depth.padStart(4, '0')}/${pair}/${date}_${pair}_ob${depth}_1m.csv`),
  );
}

/** Asserts that the same command, given again, makes what is missing, and that only. */
async function assertResumes(args: string[], out: string): Promise<void> {
  const before = listFiles(out).filter((file) => file.endsWith('.csv'));
  const times = before.map((file) => fs.statSync(file).mtimeMs);
  const { status, stdout, stderr } = await complete(args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.match(stdout, /Processing complete!/);
  assert.equal(assertAllWhole(out), whole.size);
  assert.deepEqual(
    before.map((file) => fs.statSync(file).mtimeMs),
    times,
    'outputs that were there are left alone',
  );
}

const SIGNALS = [
  { signal: 'SIGINT', expected: 130, resumes: true },
  { signal: 'SIGTERM', expected: 143, resumes: true },
  { signal: 'SIGHUP', expected: 129, resumes: false },
] as const;

for (const workers of [1, 2]) {
  for (const { signal, expected, resumes } of SIGNALS) {
    test(`${signal} with ${workers} worker(s): stops, says what is left, leaves whole outputs, is resumed`, async (t) => {
      const out = tempDir(t);
      const args = ['--source-dir', source, '--output-dir', out, '--workers', `${workers}`];
      const { child, ended, printed } = start(args);
      await printed(/ DONE /);
      child.kill(signal);
      const { status, stdout, stderr } = await ended;

      assert.deepEqual({ status, stderr }, { status: expected, stderr: '' });
      const done = stdout.match(/ DONE /g)?.length ?? 0;
      assert.ok(done < ARCHIVES, 'the signal came in time');
      assert.match(
        stdout,
        new RegExp(
          `\n={80}\nProcessing stopped by ${signal}\\.\nTotal files: ${ARCHIVES}\nSuccessfully processed: ${done}\n` +
            `Skipped \\(already exist\\): 0\nErrors: 0\nLeft: ${ARCHIVES - done}\\. Run the same command again to go on[^\n]*\n`,
        ),
      );
      assertAllWhole(out);
      for (const name of promised(stdout)) assert.ok(fs.existsSync(path.join(out, name)), `${name}, reported DONE`);
      if (resumes || process.env['CI_LONG'] === '1') await assertResumes(args, out);
    });
  }
}

test('SIGINT with --json: the summary event says that the run was interrupted, and what is left', async (t) => {
  const out = tempDir(t);
  const { child, ended, printed } = start(['--source-dir', source, '--output-dir', out, '--json']);
  await printed(/"status":"done"/);
  child.kill('SIGINT');
  const { status, stdout } = await ended;
  assert.equal(status, 130);
  const { event, ending, total, done, left } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual({ event, ending, total }, { event: 'summary', ending: 'interrupted', total: ARCHIVES });
  assert.ok(left > 0 && done + left === ARCHIVES, `${done} done, ${left} left`);
});

test('SIGINT with --temp-dir: nothing stays staged there', async (t) => {
  const [out, temp] = [tempDir(t), tempDir(t)];
  const args = ['--source-dir', source, '--output-dir', out, '--temp-dir', temp, '--workers', '2'];
  const { child, ended, printed } = start(args);
  await printed(/ DONE /);
  child.kill('SIGINT');
  assert.equal((await ended).status, 130);
  assert.deepEqual(listFiles(temp), []);
  await assertResumes(args, out);
  assert.deepEqual(listFiles(temp), []);
});

async function startEndless(folder: string, out: string) {
  const run = start([await makeEndless(folder), '--output-dir', out, ...ENDLESS_OPTIONS]);
  await until(() => listStaged(out).length > 0, 'an output is begun');
  return run;
}

/** Whether a signal has been sent to a process and its handler has not been called yet (ShdPnd of proc(5)). */
function isPending(pid: number, signal: NodeJS.Signals): boolean {
  const pending = /^ShdPnd:\s*([0-9a-f]+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${pending}`) >> BigInt(os.constants.signals[signal] - 1)) & 1n) === 1n;
}

/** A run that was ended at once leaves its outputs staged; the next one in the same folder takes them away. */
async function assertNextRunSweeps(folder: string, out: string): Promise<void> {
  assert.deepEqual(
    listFiles(out).filter((file) => !file.endsWith('.part')),
    [],
    'no output',
  );
  const other = await makeArchive(folder, { pair: 'TESTUSDT', date: '2025-01-16' });
  assert.equal((await complete([other, '--output-dir', out])).status, 0);
  assert.deepEqual(listStaged(out), []);
}

test('a second SIGINT ends the run at once, without a summary', { skip: NO_PROC }, async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const { child, ended } = await startEndless(folder, out);
  child.kill('SIGINT');
  await until(() => !isPending(child.pid ?? 0, 'SIGINT'), 'the first SIGINT is received');
  child.kill('SIGINT');
  const { status, signal, stdout, stderr } = await ended;
  assert.deepEqual({ status, signal, stderr }, { status: 130, signal: null, stderr: '' });
  assert.doesNotMatch(stdout, /Total files/);
  await assertNextRunSweeps(folder, out);
});

test('SIGTERM together with SIGINT ends the run at once', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const { child, ended } = await startEndless(folder, out);
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) child.kill(signal);
  const { status, stdout, stderr } = await ended;
  assert.ok(status === 130 || status === 143, `the status of whichever is heard last, not ${status}`);
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, /Total files/);
  await assertNextRunSweeps(folder, out);
});

test('one SIGINT is enough in the middle of the rows of a single message', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const { child, ended } = await startEndless(folder, out);
  child.kill('SIGINT');
  const { status, stdout } = await ended;
  assert.equal(status, 130);
  assert.match(stdout, /Left: 1\. /);
  assert.deepEqual(listFiles(out), []);
});

for (const workers of [1, 2]) {
  test(`a closed stdout (| head -1) with ${workers} worker(s): ends quietly, outputs whole`, async (t) => {
    const out = tempDir(t);
    const args = ['--source-dir', source, '--output-dir', out, '--workers', `${workers}`];
    const { child, ended, printed } = start(args);
    await printed(/Processing with/);
    child.stdout?.destroy();
    const { status, signal, stderr } = await ended;
    assert.deepEqual({ status, signal, stderr }, { status: 141, signal: null, stderr: '' });
    assert.ok(assertAllWhole(out) < whole.size, 'it did not go on to the end for nobody');
    await assertResumes(args, out);
  });
}

test('a closed stdout does not trouble --dry-run, --help or --json', async (t) => {
  const out = tempDir(t);
  for (const args of [['--dry-run'], ['--json'], ['--help']]) {
    const { child, ended } = start(['--source-dir', source, '--output-dir', out, ...args]);
    child.stdout?.destroy();
    const { signal, stderr } = await ended;
    assert.deepEqual({ signal, stderr }, { signal: null, stderr: '' }, args.join(' '));
    assertAllWhole(out);
  }
});
