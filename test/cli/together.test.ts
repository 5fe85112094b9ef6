import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findArchives } from '../../src/catalog/find-archives.js';
import { takeInventory } from '../../src/catalog/inventory.js';
import { plan } from '../../src/convert/plan.js';
import { type Outcome, run } from '../../src/convert/run.js';
import { workerThreadsExecutor } from '../../src/executors/worker-threads.js';
import { DEATHS } from '../support/dying-worker.js';
import { readOutputs, tempDir } from '../support/files.js';
import {
  assertSameOutputs,
  complete,
  listStaged,
  MADE_ROWS,
  makeArchive,
  makeLargeSource,
  type Started,
  start,
  until,
} from '../support/runs.js';

const ARCHIVES = 10;
const DYING_WORKER = new URL('../support/dying-worker.js', import.meta.url);

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-together-'));
const source = path.join(root, 'source');
let whole: Map<string, string>;
let wholeLines: string[];

before(async () => {
  await makeLargeSource(source, ARCHIVES);
  const out = path.join(root, 'unbroken');
  const { status, stdout } = await complete(['--source-dir', source, '--output-dir', out, '--workers', '1']);
  assert.equal(status, 0, stdout);
  whole = readOutputs(out);
  wholeLines = archiveLines(stdout);
  assert.equal(wholeLines.length, ARCHIVES);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

function archiveLines(stdout: string): string[] {
  return stdout
    .split('\n')
    .filter((text) => text.startsWith('['))
    .sort();
}

/** Asserts that everything is there and whole, and nothing else but the files `staged`. */
function assertWhole(out: string, staged: string[] = []): void {
  const outputs = readOutputs(out);
  for (const file of staged) outputs.delete(path.relative(out, file).split(path.sep).join('/'));
  assertSameOutputs(outputs, whole);
}

for (const workers of [2, 5, 200]) {
  test(`--workers ${workers} gives the same bytes and the same lines as --workers 1`, async (t) => {
    const out = tempDir(t);
    const args = ['--source-dir', source, '--output-dir', out, '--workers', `${workers}`];
    const { status, stdout, stderr } = await complete(args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, new RegExp(`^Processing with ${workers} parallel workers\n`));
    assert.deepEqual(archiveLines(stdout), wholeLines);
    assertWhole(out);
  });
}

function stagingOptions(t: TestContext, place: string): { args: string[]; staging: string; out: string } {
  const out = tempDir(t);
  const args = ['--source-dir', source, '--output-dir', out];
  if (place === 'beside') return { args, staging: out, out };
  const staging = tempDir(t);
  return { args: [...args, '--temp-dir', staging], staging, out };
}

for (const place of ['beside', 'in a shared --temp-dir']) {
  test(`two runs at the same time, staging ${place}: both succeed`, async (t) => {
    const { args, staging, out } = stagingOptions(t, place);
    const runs = [1, 2].map((workers) => complete([...args, '--workers', `${workers}`]));
    for (const { status, stdout, stderr } of await Promise.all(runs)) {
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
      assert.match(stdout, new RegExp(`Total files: ${ARCHIVES}\n`));
    }
    assertWhole(out);
    assert.deepEqual(listStaged(staging), []);
  });

  test(`a run that stands still keeps its staged files (${place}) through another run, and finishes`, async (t) => {
    const { args, staging, out } = stagingOptions(t, place);
    const still = start([...args, '--workers', '2']);
    t.after(() => still.child.kill('SIGKILL'));
    const staged = await stopWhileStaging(still, staging);

    const other = await complete([...args, '--workers', '2']);
    assert.deepEqual({ status: other.status, stderr: other.stderr }, { status: 0, stderr: '' }, other.stdout);
    assertWhole(out, staged);
    assert.deepEqual(listStaged(staging), staged);

    still.child.kill('SIGCONT');
    const { status, stdout, stderr } = await still.ended;
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
    assert.match(stdout, /Errors: 0\n/);
    assertWhole(out);
    assert.deepEqual(listStaged(staging), []);
  });
}

/** Makes a run stand still while files of its are staged, and returns these. */
async function stopWhileStaging({ child }: Started, staging: string): Promise<string[]> {
  for (;;) {
    await until(() => listStaged(staging).length > 0 || child.exitCode !== null, 'something is staged');
    assert.equal(child.exitCode, null, 'it still runs');
    child.kill('SIGSTOP');
    await until(() => isStopped(child.pid ?? 0), 'it stands still');
    const staged = listStaged(staging);
    if (staged.length > 0) return staged;
    child.kill('SIGCONT'); // they were renamed just before it stopped
  }
}

function isStopped(pid: number): boolean {
  // Elsewhere than on Linux the signal alone has to do.
  if (!fs.existsSync('/proc/self/stat')) return true;
  const states = fs.readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = fs.readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  });
  return states.every((state) => state === 'T');
}

async function runWith(workerUrl: URL, sourceDir: string, outputDir: string, slots = 2): Promise<Outcome[]> {
  const entries = plan(await takeInventory(await findArchives(sourceDir), outputDir), { outputDir });
  const outcomes: Outcome[] = [];
  const ending = await run(entries, workerThreadsExecutor({ slots, workerUrl }), {
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  assert.deepEqual(ending, { kind: 'complete', left: 0 });
  return outcomes;
}

test('a worker that dies fails its archive with the cause; the others go on with new workers', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  // Filling a worker's heap takes seconds.
  const deaths = Object.entries(DEATHS).filter(([pair]) => pair !== 'MEMORY' || process.env['CI_LONG'] === '1');
  const healthy = ['AAAUSDT', 'HHHUSDT', 'MMMUSDT', 'RRRUSDT', 'SSSUSDT', 'TTTUSDT', 'ZZZUSDT'];
  for (const pair of [...deaths.map(([name]) => name), ...healthy]) await makeArchive(sourceDir, { pair });
  for (const slots of [1, 2, 20]) {
    const outputDir = path.join(out, `${slots}`);
    const outcomes = await runWith(DYING_WORKER, sourceDir, outputDir, slots);
    assert.equal(outcomes.length, deaths.length + healthy.length, 'one outcome an archive');
    const results = new Map(outcomes.map(({ entry, result }) => [entry.pair, result]));
    for (const [pair, cause] of deaths) {
      const result = results.get(pair);
      assert.ok(result?.status === 'failed', `${pair} is ${result?.status}`);
      assert.match(result.error, cause);
    }
    for (const pair of healthy) {
      const result = results.get(pair);
      assert.ok(result?.status === 'done', `${pair}: ${JSON.stringify(result)}`);
      assert.equal(result.counts.rows, MADE_ROWS);
    }
    assert.equal(readOutputs(outputDir).size, 2 * healthy.length);
  }
});

test('a worker that dies in the middle of its outputs leaves none of them, when the run has ended', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await makeArchive(sourceDir, { pair: 'MIDDLE' });
  await makeArchive(sourceDir, { pair: 'OTHER' });
  const outcomes = await runWith(DYING_WORKER, sourceDir, out);
  const results = new Map(outcomes.map(({ entry, result }) => [entry.pair, result.status]));
  assert.deepEqual(
    results,
    new Map([
      ['MIDDLE', 'failed'],
      ['OTHER', 'done'],
    ]),
  );
  assert.deepEqual(
    [...readOutputs(out).keys()].map((file) => path.basename(file)),
    ['2025-01-15_OTHER_ob200_1m.csv', '2025-01-15_OTHER_ob500_1m.csv'],
  );
});

test('a worker module that cannot be started fails each archive with the cause', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  for (const pair of ['AAAUSDT', 'BBBUSDT', 'CCCUSDT']) await makeArchive(sourceDir, { pair });
  const outcomes = await runWith(pathToFileURL(path.join(out, 'no-such-worker.js')), sourceDir, out);
  assert.equal(outcomes.length, 3);
  for (const { result } of outcomes) {
    assert.ok(result.status === 'failed');
    assert.match(result.error, /its worker died: .*no-such-worker\.js/);
  }
  assert.deepEqual([...readOutputs(out).keys()], []);
});
