/**
 * Every call to the file system that a command makes fails in turn, with every error that it may fail with. Whatever
 * fails: an error names the cause, what is visible is whole and known, and the next run makes the rest.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { ArchiveServer } from '../support/archive-server.js';
import { CALLS, type Call } from '../support/faults-calls.js';
import { checkAfterFault } from '../support/faults-check.js';
import { causeOf, DISTURBANCES, type Fault, openBelow, runDisturbed } from '../support/faults-in-turn.js';
import {
  downloading,
  type Prepared,
  placeIn,
  prepare,
  publishDays,
  type Scenario,
  TELLING,
  WRITING,
} from '../support/faults-scenarios.js';
import { tempDir } from '../support/files.js';
import { FIXTURE_CSV } from '../support/fixtures.js';
import { logProof } from '../support/proof-log.js';

const IS_LONG = process.env['CI_LONG'] === '1';

/** Runs with a fault, then without, and asserts what must hold after each; tells whether there was such a call. */
async function experiment(scenario: Ready, fault: Fault, problems: Error[]): Promise<boolean> {
  const folder = placeIn(scenario.root);
  fs.rmSync(folder, { recursive: true, force: true });
  scenario.copyTo(folder);
  const { result, calls } = await runDisturbed(scenario.argv(folder), folder, fault, (asked) => {
    // A rename is one within a file system only (rename(2)).
    const isFromTemp = asked.call === 'rename' && asked.path.startsWith(path.join(folder, 'temp'));
    return scenario.isTempElsewhere && isFromTemp ? { fails: 'EXDEV' } : undefined;
  });
  const { call, nth, andAfter, disturbance } = fault;
  const tried = `${scenario.name}: ${call} ${nth}${andAfter ? ' and after' : ''} ${JSON.stringify(disturbance)}`;
  try {
    assert.deepEqual(openBelow(folder), [], `${tried}: files are still open`);
    await checkAfterFault(scenario, { folder, tried, result, cause: causeOf(fault, calls) });
  } catch (error) {
    problems.push(error as Error);
  }
  return calls >= nth;
}

type Ready = Prepared & { root: string };

/** Of the calls of costly commands one of so many is disturbed in the short form. */
const STRIDE = 5;

/** After so many problems of one kind it is known. */
const MOST_TOLD = 3;

/** Disturbs one kind of call in each way, the first, the second … until a run makes no more of them. */
async function disturbEach(scenario: Ready, call: Call): Promise<{ count: number; problems: Error[] }> {
  const problems: Error[] = [];
  let count = 0;
  const stride = IS_LONG || !scenario.isCostly ? 1 : STRIDE;
  for (const disturbance of DISTURBANCES[call].slice(0, IS_LONG ? undefined : 1)) {
    for (const andAfter of IS_LONG ? [false, true] : [false]) {
      for (let nth = 1; problems.length < MOST_TOLD; nth += stride) {
        const isHit = await experiment(scenario, { call, nth, andAfter, disturbance }, problems);
        if (!isHit) break;
        count++;
      }
    }
  }
  return { count, problems };
}

const publisher = new ArchiveServer();
before(() => publisher.listen());
after(() => publisher.close());

for (const scenario of [...WRITING, ...TELLING]) test(titleOf(scenario), (t) => disturbAll(t, scenario));

for (const which of [0, 1]) {
  test(`download, ${['as it is', 'converted and removed'][which]}: each call fails in turn`, async (t) => {
    await publishDays(publisher, tempDir(t));
    await disturbAll(t, downloading(publisher, publisher.url)[which] as Scenario);
  });
}

function titleOf({ name }: Scenario): string {
  return `${name}: each call fails in turn`;
}

async function disturbAll(t: TestContext, scenario: Scenario): Promise<void> {
  const root = tempDir(t);
  const ready = { ...(await prepare(scenario, root)), root };
  const found: string[] = [];
  let total = 0;
  for (const call of CALLS) {
    const { count, problems } = await disturbEach(ready, call);
    if (count > 0) logProof({ proof: 'faults', command: scenario.name, call, count, found: problems.length });
    found.push(...problems.map(({ message }) => message));
    total += count;
  }
  assert.ok(total > 0, 'no call was disturbed');
  assert.ok(found.length === 0, found.join('\n\n'));
}

test('the fixtures give the rows that were worked out by hand', async (t) => {
  const { after: golden } = await prepare(WRITING[0] as Scenario, tempDir(t));
  const outputs = [...golden].filter(([name]) => name.startsWith('out/'));
  assert.equal(outputs.length, 3);
  for (const [name, bytes] of outputs) assert.equal(bytes.toString(), FIXTURE_CSV, name);
});
