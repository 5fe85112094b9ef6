/**
 * The machine loses its power at any step of a command, and the file system keeps of what was not synced what it likes.
 * Each state that this may leave is rebuilt: what is visible in it is whole and known, and the next run makes the rest.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { ArchiveServer } from '../support/archive-server.js';
import { NO_STRACE, type Step, trace } from '../support/crash-log.js';
import { checkOrder } from '../support/crash-rules.js';
import { type CrashState, crashStates, readState, writeState } from '../support/crash-states.js';
import { runUndisturbed } from '../support/faults-commands.js';
import { assertIs, assertRecorded, assertWhole } from '../support/faults-ledger.js';
import {
  downloading,
  outOf,
  type Prepared,
  placeIn,
  prepare,
  publishDays,
  type Scenario,
  WRITING,
} from '../support/faults-scenarios.js';
import { tempDir } from '../support/files.js';
import { logProof } from '../support/proof-log.js';

const IS_LONG = process.env['CI_LONG'] === '1';
/** Of each command, where not all are: evenly spread over them. */
const MOST_STATES = 60;
/** After so many problems it is known that there is one. */
const MOST_TOLD = 3;

const publisher = new ArchiveServer();
before(() => publisher.listen());
after(() => publisher.close());

for (const scenario of WRITING) {
  test(titleOf(scenario), { skip: NO_STRACE }, (t) => crashAll(t, scenario));
}

for (const which of [0, 1]) {
  test(`download, ${['as it is', 'converted and removed'][which]}: whatever a crash leaves is whole and known`, {
    skip: NO_STRACE,
  }, async (t) => {
    await publishDays(publisher, tempDir(t));
    await crashAll(t, downloading(publisher, publisher.url)[which] as Scenario);
  });
}

function titleOf({ name }: Scenario): string {
  return `${name}: whatever a crash leaves is whole and known, and the next run makes the rest`;
}

async function crashAll(t: TestContext, scenario: Scenario): Promise<void> {
  const root = tempDir(t);
  const ready = await prepare(scenario, root);
  const folder = ready.copyTo(placeIn(root));
  const start = readState(folder);
  const { result, steps } = await trace(ready.argv(folder), folder, path.join(root, 'log'));
  assert.equal(result.status, 0, result.stdout + result.stderr);
  assertIs(folder, ready.after, 'the traced run');
  const broken = checkRules(scenario.name, steps, folder);
  const all = [...crashStates(start, steps, IS_LONG)];
  const stride = IS_LONG ? 1 : Math.max(1, all.length / MOST_STATES);
  const problems: string[] = [];
  let count = 0;
  for (let at = 0; at < all.length && problems.length < MOST_TOLD; at += stride) {
    count++;
    const problem = await problemOf(ready, folder, all[Math.floor(at)] as CrashState, steps);
    if (problem !== undefined) problems.push(problem);
  }
  logProof({ proof: 'crash-states', command: scenario.name, call: 'any', count, found: problems.length });
  assert.deepEqual([...broken, ...problems], []);
}

/** @returns what is broken. */
function checkRules(command: string, steps: readonly Step[], folder: string): string[] {
  const verdicts = checkOrder(steps, folder, outOf(folder));
  for (const { rule, count, broken } of verdicts) {
    if (count > 0) logProof({ proof: 'syscalls', command, call: rule, count, found: broken.length });
  }
  assert.ok(verdicts.some(({ rule, count }) => rule === 'file synced before its rename' && count > 0));
  return verdicts.flatMap(({ rule, broken }) => broken.map((what) => `not so: ${rule}: ${what}`));
}

/** Rebuilds a state, and tells what is wrong with it, or with what the next run makes of it. */
async function problemOf(
  { before: start, after: golden, between, argv, again = argv }: Prepared,
  folder: string,
  { after: end, lost, state }: CrashState,
  steps: readonly Step[],
): Promise<string | undefined> {
  writeState(folder, state);
  const what = `crash after step ${end} (${describe(steps[end - 1])}), ${lost}`;
  try {
    assertWhole(folder, [start, golden, between?.() ?? start], what);
    assertRecorded(outOf(folder), what);
    const next = await runUndisturbed(again(folder), folder);
    assert.equal(next.status, 0, `${what}: ${next.stdout}${next.stderr}`);
    assertIs(folder, golden, `after the next run: ${what}`);
    const checked = await runUndisturbed(['verify', '--output-dir', outOf(folder)], folder);
    if (checked.status !== 2) assert.equal(checked.status, 0, `${what}: ${checked.stdout}${checked.stderr}`);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function describe(step: Step | undefined): string {
  return step === undefined ? 'none' : `${step.kind} ${step.path}`;
}
