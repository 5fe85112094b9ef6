/**
 * A soak: mixed archives are converted again and again in one process, one in fifty with something injected. What comes out
 * is right each time, the counts add up, and memory does not grow. A few seconds unless BOOKGRID_SOAK_MINUTES says
 * otherwise: `.ci/run` takes three minutes, `.ci/soak`, which a scheduled job starts, sixty.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { randomNumbers } from '../support/disturbances.js';
import { readOutputs, tempDir } from '../support/files.js';
import { logProof } from '../support/proof-log.js';
import { assertSameOutputs, listFiles, listStaged, makeArchive } from '../support/runs.js';
import { type Round, SoakedProcess } from '../support/soaked-process.js';

const MINUTES = Number(process.env['BOOKGRID_SOAK_MINUTES'] ?? 0.1);
const SEED = Number(process.env['BOOKGRID_TEST_SEED'] ?? Date.now() % 1_000_000);
const ARCHIVES = 50;
/** Until then the process is warming up: its memory grows for some ten rounds, and no more. A slow machine takes longer. */
const WARM_UP_MS = 60_000;
const WARM_UP_ROUNDS = 15;
/** What memory may grow by after that. */
const MAX_GROWTH = 1.1;
const ENDINGS = ['.data.zip', '.data.gz', '.data'];

const NEWLINE = 0x0a;

/** What is done to an archive's bytes, and what its error says then. */
const INJECTIONS: readonly [what: string, change: (bytes: Buffer, random: number) => Buffer, error: RegExp][] = [
  [
    'cut short',
    (bytes, random) => bytes.subarray(0, insideOfLine(bytes, 1 + Math.floor(random * (bytes.length - 2)))),
    /./,
  ],
  ['emptied', () => Buffer.alloc(0), /the file is empty/],
  [
    'overwritten in the middle',
    (bytes) => Buffer.from(bytes).fill(0, bytes.length >> 1, (bytes.length >> 1) + 200),
    /./,
  ],
];

/** Plain text that ends where a line does is an archive like any other. */
function insideOfLine(bytes: Buffer, from: number): number {
  let end = from;
  while (bytes[end - 1] === NEWLINE || bytes[end] === NEWLINE) end--;
  return end;
}

/** 0 of none: on a short soak nothing comes after the warming up. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

test(`${MINUTES} minutes of archives, one in fifty damaged`, { timeout: (MINUTES + 5) * 60_000 }, async (t) => {
  t.diagnostic(`BOOKGRID_TEST_SEED=${SEED}`);
  const random = randomNumbers(SEED);
  const dir = tempDir(t);
  const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
  for (let number = 0; number < ARCHIVES; number++) {
    const market = { seed: number, durationMs: 60_000 + 4000 * number, messageIntervalMs: 200 + 20 * number };
    const depth = number % 4 === 3 ? 200 : 500;
    await makeArchive(source, { pair: `P${number}USDT`, depth, ending: ENDINGS[number % 3] ?? '', market });
  }
  const archives = listFiles(source);
  const soaked = new SoakedProcess();
  t.after(() => soaked.end());
  /** Of the process after each conversion of all. */
  const memory: Record<'warm' | 'later', number[]> = { warm: [], later: [] };
  let phase: keyof typeof memory = 'warm';
  const convertAll = async (outputDir: string): Promise<Round['outcomes']> => {
    const { outcomes, ending, residentBytes } = await soaked.convertAll({ source, outputDir });
    assert.deepEqual(ending, { kind: 'complete', left: 0 });
    memory[phase].push(residentBytes);
    return outcomes;
  };
  assert.equal((await convertAll(path.join(dir, 'whole'))).length, ARCHIVES);
  const whole = readOutputs(path.join(dir, 'whole'));

  const startMs = performance.now();
  const counts = { done: 0, failed: 0 };
  let rounds = 0;
  do {
    const file = archives[Math.floor(random.next().value * ARCHIVES)] ?? '';
    const [what, change, error] = INJECTIONS[rounds % INJECTIONS.length] as (typeof INJECTIONS)[number];
    const [bytes, { mtime }] = [fs.readFileSync(file), fs.statSync(file)];
    fs.writeFileSync(file, change(bytes, random.next().value));
    const pair = path.basename(path.dirname(file));
    for (const outcome of await convertAll(out)) {
      if (outcome.error !== undefined) assert.match(outcome.error, error);
      const { status } = outcome;
      assert.equal(status, outcome.pair === pair ? 'failed' : 'done', `${outcome.pair}, when ${pair} was ${what}`);
      counts[status === 'done' ? 'done' : 'failed']++;
    }
    const others = new Map([...whole].filter(([name]) => !name.includes(`/${pair}/`)));
    assertSameOutputs(readOutputs(out), others);
    assert.deepEqual(listStaged(out), []);
    fs.writeFileSync(file, bytes);
    fs.utimesSync(file, mtime, mtime);
    const mended = await convertAll(out);
    assert.equal(mended.filter(({ status }) => status === 'done').length, 1, 'the damaged one alone is left');
    assertSameOutputs(readOutputs(out), whole);
    fs.rmSync(out, { recursive: true });
    rounds++;
    if (rounds >= WARM_UP_ROUNDS && performance.now() - startMs >= WARM_UP_MS) phase = 'later';
  } while (performance.now() - startMs < MINUTES * 60_000);

  assert.deepEqual(counts, { done: rounds * (ARCHIVES - 1), failed: rounds });
  const mega = (bytes: number) => Math.round(bytes / 1e6);
  // What V8 has not given back yet when it is looked at comes and goes, up to a quarter: what grows shows in the median.
  const [before, after] = [median(memory.warm.slice(memory.warm.length >> 1)), median(memory.later)];
  const most = Math.max(...memory.warm, ...memory.later);
  t.diagnostic(
    `${rounds} rounds of ${ARCHIVES}; memory ${mega(before)} MB, later ${mega(after)} MB (medians), at most ${mega(most)} MB`,
  );
  assert.ok(after <= MAX_GROWTH * before, `memory grew from ${before} to ${after} bytes`);
  logProof({ proof: 'soak', command: 'convert', call: 'archives', count: rounds * ARCHIVES, found: 0 });
  if (MINUTES >= 1)
    logProof({ proof: 'soak', command: 'convert', call: 'minutes', count: Math.floor(MINUTES), found: 0 });
});
