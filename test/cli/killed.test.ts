import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { randomNumbers } from '../support/disturbances.js';
import { readOutputs, tempDir } from '../support/files.js';
import { complete, listFiles, listStaged, makeLargeSource, readRecords, start, until } from '../support/runs.js';

const ARCHIVES = 40;
/** Twenty take half a minute. */
const [KILLS_BESIDE, KILLS_IN_TEMP] = process.env['CI_LONG'] === '1' ? [20, 20] : [5, 2];
const SEED = Number(process.env['BOOKGRID_TEST_SEED'] ?? Date.now() % 1_000_000);
const POLL_MS = 40;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-killed-'));
const source = path.join(root, 'source');
/** What an unbroken run gives, and how long it takes. */
let whole: Map<string, string>;
let wholeMs: number;

before(async () => {
  await makeLargeSource(source, ARCHIVES);
  const out = path.join(root, 'unbroken');
  const startMs = performance.now();
  const { status, stdout } = await complete(['--source-dir', source, '--output-dir', out]);
  wholeMs = performance.now() - startMs;
  assert.equal(status, 0, stdout);
  whole = readOutputs(out);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

/** Asserts of every output now to be seen that it is whole, and returns how many there are. */
function assertVisibleAreWhole(out: string, when: string): number {
  const files = listFiles(out).filter((file) => file.endsWith('.csv'));
  for (const file of files) {
    const name = path.relative(out, file).split(path.sep).join('/');
    assert.ok(fs.readFileSync(file, 'latin1') === whole.get(name), `${when}: ${name} is whole`);
  }
  return files.length;
}

interface KilledRun {
  args: string[];
  out: string;
  /** Where to look for staged files. */
  staging: string;
  /** How long after its first staged file the run is killed. */
  killAfterMs: number;
}

/** Starts a run, watches its outputs, kills it; `false` when it was done before. */
async function runAndKill(t: TestContext, { args, out, staging, killAfterMs }: KilledRun): Promise<boolean> {
  const inherited = new Set(listStaged(staging));
  const { child, ended, printed } = start(args);
  let isOver = false;
  const watched = (async () => {
    while (!isOver) {
      assertVisibleAreWhole(out, 'during a run');
      await setTimeout(POLL_MS);
    }
  })();
  await printed(/Found \d+ archive files/);
  await until(
    () => isOver || child.exitCode !== null || listStaged(staging).some((file) => !inherited.has(file)),
    'it works',
  );
  const isSwept = listStaged(staging).every((file) => !inherited.has(file));
  await setTimeout(killAfterMs);
  child.kill('SIGKILL');
  const { signal, status } = await ended;
  isOver = true;
  await watched;

  const staged = listStaged(staging);
  const visible = assertVisibleAreWhole(out, 'after a kill');
  t.diagnostic(
    `killed after ${killAfterMs.toFixed(0)} ms: ${visible} outputs, ${staged.length} leftovers, was ${signal ?? status}`,
  );
  assert.ok(isSwept, `a run that has begun its work has swept the ${inherited.size} leftovers of the run before`);
  return signal === 'SIGKILL';
}

for (const [staging, kills] of [
  ['beside the outputs', KILLS_BESIDE],
  ['in --temp-dir', KILLS_IN_TEMP],
] as const) {
  test(`a run killed ${kills} times, staging ${staging}, ends as an unbroken one`, async (t) => {
    const seed = SEED + staging.length;
    t.diagnostic(`BOOKGRID_TEST_SEED=${SEED}`);
    const random = randomNumbers(seed);
    const out = tempDir(t);
    const temp = staging === 'in --temp-dir' ? tempDir(t) : undefined;
    const base = ['--source-dir', source, '--output-dir', out, ...(temp ? ['--temp-dir', temp] : [])];
    let leftovers = 0;
    let overwrite: string[] = [];
    for (let killed = 0; killed < kills; ) {
      const killAfterMs = (random.next().value * 1.2 * wholeMs) / kills;
      const args = [...base, ...overwrite, '--workers', `${1 + (killed % 2)}`];
      const isKilled = await runAndKill(t, { args, out, staging: temp ?? out, killAfterMs });
      if (isKilled && killed === 0)
        fs.appendFileSync(path.join(out, 'conversions.jsonl'), '{"archive":"cut off in the midd');
      if (isKilled) killed++;
      // With nothing left to make, the same outputs are made again: they must not be harmed either.
      else overwrite = ['--overwrite'];
      leftovers += listStaged(temp ?? out).length;
    }
    assert.ok(leftovers > 0, 'some kill came in the middle of an output');

    const { status, stdout, stderr } = await complete(base);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
    assert.deepEqual(listStaged(out), []);
    if (temp) assert.deepEqual(listFiles(temp), []);
    assert.equal(assertVisibleAreWhole(out, 'at the end'), whole.size);
    assertRecords(out, kills);
  });
}

/** Whole lines of JSON, apart from the last line of a killed run, which the next run's first line does not join. */
function assertRecords(out: string, kills: number): void {
  const records = readRecords(out);
  const damaged = records.filter((record) => record === undefined);
  assert.ok(damaged.length >= 1, 'the line that the test has cut off stands by itself');
  assert.ok(damaged.length <= 1 + kills, `${damaged.length} lines are no JSON`);
  assert.ok(records.every((record) => record === undefined || record['status'] === 'done'));
  // A kill between an output's appearance and its record loses the record, of as many as are converted at a time.
  const archives = new Set(records.flatMap((record) => record?.['archive'] ?? []));
  assert.ok(archives.size >= ARCHIVES - 2 * kills && archives.size <= ARCHIVES, `records of ${archives.size} archives`);
}
