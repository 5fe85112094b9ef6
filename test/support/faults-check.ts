/** What must hold after a command has met a fault, and after the next run of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { CliResult } from './cli.js';
import { runUndisturbed } from './faults-commands.js';
import { assertIs, assertRecorded, assertWhole, bury } from './faults-ledger.js';
import { outOf, type Prepared } from './faults-scenarios.js';

/** How a full disk is told of in plain words. */
const DISK_FULL = /disk is full/;

/** A run that may have met a fault. */
export interface Met {
  folder: string;
  /** What was tried, for messages. */
  tried: string;
  result: CliResult;
  /** What an error has to name; `undefined`: there is to be none. */
  cause: string | undefined;
}

/** Asserts all of it; runs the command again. */
export async function checkAfterFault(
  {
    before: start,
    after: golden,
    argv,
    again = argv,
    refusesTwice,
    between,
    isAnswer,
    report,
    stdout: answer,
  }: Prepared,
  { folder, tried, result, cause }: Met,
): Promise<void> {
  const reported = report === undefined ? undefined : readIfThere(path.join(folder, report));
  const printed = `${result.stdout}${result.stderr}${reported ?? ''}`;
  const what = `${tried}\n${printed}`;
  const isTold = cause !== undefined && (printed.includes(cause) || (cause === 'ENOSPC' && DISK_FULL.test(printed)));
  const isDone = result.status === 0;
  if (!isDone) assert.ok(isTold, `fails, and ${cause ?? 'nothing'} is the cause: ${what}`);
  assertWhole(folder, [start, golden, between?.() ?? start], what, isDone ? undefined : report);
  if (fs.existsSync(outOf(folder))) assertRecorded(outOf(folder), what);
  for (const [name, bytes] of isDone ? golden : []) {
    assert.ok(readIfThere(path.join(folder, name))?.equals(bytes), `said to be done, and ${name} is not: ${what}`);
  }
  if (isAnswer) {
    // What could not be looked at may be left out, if that is said.
    if (isDone && !isTold) assert.equal(result.stdout, answer, what);
    assertIs(folder, start, what);
    return;
  }
  await assertVerified(folder, what);
  bury(folder);
  const next = await runUndisturbed((isDone ? argv : again)(folder), folder);
  const expected = isDone && refusesTwice ? 2 : 0;
  assert.equal(next.status, expected, `the next run: ${next.stdout}${next.stderr}\nafter ${what}`);
  assertIs(folder, golden, `after the next run: ${what}`);
  await assertVerified(folder, what, { isWell: true });
}

function readIfThere(file: string): Buffer | undefined {
  return fs.existsSync(file) ? fs.readFileSync(file) : undefined;
}

/** What the program itself says of its outputs. */
async function assertVerified(folder: string, what: string, { isWell = false } = {}): Promise<void> {
  if (!fs.existsSync(outOf(folder))) return;
  const { status, stdout, stderr } = await runUndisturbed(['verify', '--output-dir', outOf(folder), '--json'], folder);
  if (isWell) assert.equal(status, 0, `${what}\n${stdout}${stderr}`);
  if (status === 2) return; // nothing is there
  const { damaged, foreign } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  assert.deepEqual({ damaged, foreign }, { damaged: 0, foreign: 0 }, `${what}\n${stdout}`);
}
