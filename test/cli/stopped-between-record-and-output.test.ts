/**
 * Named after an attack: runs of many tiny archives, which are committing (record, then publish) most of the time, are
 * stopped at random moments. A plain stop left whole outputs without a record, from which on another option or a changed
 * archive was not noticed.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Random } from '../../src/samples/random.js';
import { readOutputs, tempDir } from '../support/files.js';
import { assertSameOutputs, complete, listStaged, makeArchive, readRecords, start } from '../support/runs.js';

const ARCHIVES = 100;
const STOPS = process.env['CI_LONG'] === '1' ? 25 : 6;
const SEED = Number(process.env['BOOKGRID_TEST_SEED'] ?? Date.now() % 1_000_000);

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-stopped-'));
const source = path.join(root, 'source');
/** What an unbroken run gives, and how long it takes to make it. */
let whole: Map<string, string>;
let workMs: number;

before(async () => {
  for (let index = 0; index < ARCHIVES; index++) {
    await makeArchive(source, { pair: `TINY${index}USDT`, market: { durationMs: 65_000 } });
  }
  const out = path.join(root, 'unbroken');
  const { ended, printed } = start(['--source-dir', source, '--output-dir', out, '--workers', '2']);
  await printed(/Found /);
  const startMs = performance.now();
  assert.equal((await ended).status, 0);
  workMs = performance.now() - startMs;
  whole = readOutputs(out);
  assert.equal(whole.size, 2 * ARCHIVES);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

interface Ledger {
  /** Outputs that are there and not what a record says. */
  unrecorded: string[];
  /** Recorded outputs that are not there. */
  missing: string[];
  visible: number;
}

function compareWithRecords(out: string): Ledger {
  const recorded = new Map<string, Set<unknown>>();
  const records = fs.existsSync(path.join(out, 'conversions.jsonl')) ? readRecords(out) : [];
  for (const record of records) {
    for (const { path: place, sha256 } of (record?.['outputs'] ?? []) as { path: string; sha256: string }[]) {
      recorded.set(place, (recorded.get(place) ?? new Set()).add(sha256));
    }
  }
  const visible = [...readOutputs(out)].filter(([name]) => !name.endsWith('.part'));
  const names = new Set(visible.map(([name]) => name));
  const isKnown = ([name, text]: [string, string]) =>
    recorded.get(name)?.has(createHash('sha256').update(Buffer.from(text, 'latin1')).digest('hex'));
  return {
    unrecorded: visible.filter((output) => !isKnown(output)).map(([name]) => name),
    missing: [...recorded.keys()].filter((name) => !names.has(name)),
    visible: visible.length,
  };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  for (const workers of [1, 2]) {
    test(`${signal} at random moments, workers ${workers}: outputs and records are one`, async (t) => {
      t.diagnostic(`BOOKGRID_TEST_SEED=${SEED}`);
      const random = new Random(SEED + workers + signal.length);
      const found: string[] = [];
      let out = tempDir(t);
      for (let stop = 0; stop < STOPS; stop++) {
        out = tempDir(t);
        const args = ['--source-dir', source, '--output-dir', out, '--workers', `${workers}`];
        const { child, ended, printed } = start(args);
        await printed(/Found /);
        await setTimeout((random.bits() / 2 ** 32) * 0.8 * workMs);
        child.kill(signal);
        const result = await ended;
        const { unrecorded, missing, visible } = compareWithRecords(out);
        assert.deepEqual(unrecorded, [], `${result.stdout}: every output is known to its record`);
        found.push(`${visible} outputs, ${missing.length} records without`);
        if (signal === 'SIGKILL') continue;
        assert.deepEqual(missing, [], `${result.stdout}: what a worker was committing it has finished`);
        assert.deepEqual(listStaged(out), []);
        if (result.status === 0) continue; // it was done before
        const count = (pattern: RegExp) => Number(pattern.exec(result.stdout)?.[1]);
        const done = count(/Successfully processed: (\d+)/);
        // Nothing is left when the signal came after the last archive.
        const left = result.stdout.includes('Processing complete!') ? 0 : count(/Left: (\d+)/);
        assert.equal(2 * done, visible, 'what is there was reported');
        assert.equal(done + left, ARCHIVES);
      }
      t.diagnostic(found.join('; '));
      // The last one is resumed: a record without its output is no output.
      assert.equal((await complete(['--source-dir', source, '--output-dir', out])).status, 0);
      assertSameOutputs(readOutputs(out), whole);
      assert.equal((await complete(['verify', '--output-dir', out])).status, 0);
    });
  }
}
