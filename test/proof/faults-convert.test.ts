/** Faults in the middle of an archive: what an error says when several things go wrong, and calls that do less than asked. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { identifyArchives } from '../../src/catalog/find-archives.js';
import { type Job, plan } from '../../src/convert/plan.js';
import { type JobResult, runJob } from '../../src/convert/recorded-job.js';
import { appendLine } from '../../src/storage/log-file.js';
import { type Asked, type Disturbance, disturbCalls } from '../support/faults-calls.js';
import { hiddenBelow, visibleBelow } from '../support/faults-ledger.js';
import { tempDir } from '../support/files.js';
import { inventoryOf } from '../support/inventories.js';
import { makeArchive, readRecords } from '../support/runs.js';

async function makeJob(source: string, outputDir: string): Promise<Job> {
  const [entry] = plan(inventoryOf(await identifyArchives([source])), { intervalMs: 4_000, outputDir });
  assert.ok(entry?.action === 'convert');
  return entry.job;
}

async function runDisturbed(
  job: Job,
  folder: string,
  decide: (asked: Asked) => Disturbance | undefined,
): Promise<JobResult> {
  const restore = disturbCalls(folder, decide);
  try {
    return await runJob(job);
  } finally {
    restore();
  }
}

/** What cleans up after a failure must not hide the failure, nor stop at the first thing it cannot clean. */
for (const call of ['close', 'unlink'] as const) {
  test(`an archive's own error is told, and the rest cleaned up, though ${call} fails on the way`, async (t) => {
    const folder = tempDir(t);
    const archive = await makeArchive(path.join(folder, 'source'), { pair: 'TESTUSDT' });
    const bytes = fs.readFileSync(archive);
    // The text's CRC-32 in the zip's directory, which is found wrong after the last row (APPNOTE.TXT 4.3.12).
    const directory = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    bytes.writeUInt32LE((bytes.readUInt32LE(directory + 16) ^ 1) >>> 0, directory + 16);
    fs.writeFileSync(archive, bytes);
    const out = path.join(folder, 'out');
    const job = await makeJob(archive, out);
    let tried = 0;
    for (let nth = 1, isHit = true; isHit; nth++) {
      for (const output of job.outputs) fs.mkdirSync(path.dirname(output.path), { recursive: true });
      let calls = 0;
      const result = await runDisturbed(job, folder, (asked) =>
        asked.call === call && path.extname(asked.path) !== '' && ++calls === nth ? { fails: 'EIO' } : undefined,
      );
      isHit = calls >= nth;
      if (isHit) tried++;
      assert.ok(result.status === 'failed');
      assert.match(result.error, /CRC-32/, `${call} ${nth}`);
      assert.ok(hiddenBelow(out).length <= (call === 'unlink' && isHit ? 1 : 0), `${call} ${nth}: ${hiddenBelow(out)}`);
      fs.rmSync(out, { recursive: true });
    }
    assert.ok(tried >= 2, 'each output was removed');
  });
}

test('writes and reads that do less than asked change nothing', async (t) => {
  const folder = tempDir(t);
  // Its outputs are larger than what is gathered before it is written, so that there are several writes.
  const archive = await makeArchive(path.join(folder, 'source'), {
    pair: 'TESTUSDT',
    market: { durationMs: 1_300_000 },
  });
  const [whole, out] = [path.join(folder, 'whole'), path.join(folder, 'out')];
  assert.equal((await runJob(await makeJob(archive, whole))).status, 'done');
  let calls = 0;
  const result = await runDisturbed(await makeJob(archive, out), folder, ({ call }) => {
    if (call !== 'write' && call !== 'read') return undefined;
    calls++;
    return { atMostBytes: call === 'write' ? 100_001 : 1_001 };
  });
  assert.equal(result.status, 'done');
  assert.ok(calls > 20);
  const [expected, made] = [visibleBelow(whole), visibleBelow(out)];
  assert.equal(expected.size, 2);
  assert.deepEqual([...made.keys()], [...expected.keys()]);
  for (const [name, bytes] of expected) assert.ok(bytes.length > 270_000 && made.get(name)?.equals(bytes), name);
});

test('a record of which the disk takes only a part does not damage the next', (t) => {
  const folder = tempDir(t);
  const file = path.join(folder, 'conversions.jsonl');
  let writes = 0;
  const restore = disturbCalls(folder, ({ call }) => {
    if (call !== 'write') return undefined;
    writes++;
    return writes === 1 ? { atMostBytes: 9 } : writes === 2 ? { fails: 'ENOSPC' } : undefined;
  });
  try {
    assert.throws(() => appendLine(file, JSON.stringify({ archive: 'number 1' })), { code: 'ENOSPC' });
    appendLine(file, JSON.stringify({ archive: 'number 2' }));
  } finally {
    restore();
  }
  assert.equal(fs.readFileSync(file).length, 9 + '\n{"archive":"number 2"}\n'.length);
  assert.deepEqual(readRecords(folder).at(-1), { archive: 'number 2' });
});
