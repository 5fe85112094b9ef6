/** A job and its archive, which may be another one when its turn comes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { type TestContext, test } from 'node:test';
import { identifyArchives } from '../../src/catalog/find-archives.js';
import { takeInventory } from '../../src/catalog/inventory.js';
import { type Job, type PlanEntry, plan } from '../../src/convert/plan.js';
import { runJob } from '../../src/convert/recorded-job.js';
import { readOutputs, tempDir } from '../support/files.js';
import { makeArchive, readRecords } from '../support/runs.js';

async function setUp(t: TestContext) {
  const [source, outputDir] = [tempDir(t), tempDir(t)];
  const archive = await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
  const other = await makeArchive(tempDir(t), { pair: 'AAAUSDT', depth: 200, market: { durationMs: 600_000 } });
  const replace = () => fs.renameSync(other, archive);
  const planNow = async (): Promise<PlanEntry> => {
    const [entry] = plan(await takeInventory(await identifyArchives([archive]), outputDir), { outputDir });
    assert.ok(entry);
    return entry;
  };
  const entry = await planNow();
  assert.equal(entry.action, 'convert');
  return { archive, outputDir, replace, planNow, job: (entry as Extract<PlanEntry, { action: 'convert' }>).job as Job };
}

test('an archive that was replaced since the plan: its record tells of what was read', async (t) => {
  const { archive, outputDir, replace, planNow, job } = await setUp(t);
  replace();
  assert.equal((await runJob(job)).status, 'done');
  const { size, mtimeMs } = fs.statSync(archive);
  const [record] = readRecords(outputDir);
  assert.notEqual(size, job.archive.sizeBytes);
  assert.equal(record?.['archiveBytes'], size);
  assert.equal(record['archiveMtimeMs'], Math.round(mtimeMs));
  assert.equal((await planNow()).action, 'skip', 'the output is of the archive that is there');
});

test('an archive that is replaced while it is read: nothing of it appears, and it may be tried again', async (t) => {
  const { outputDir, replace, job } = await setUp(t);
  let isReplaced = false;
  const onRead = () => {
    if (!isReplaced) replace();
    isReplaced = true;
  };
  const result = await runJob(job, { onRead });
  assert.ok(result.status === 'failed');
  assert.equal(result.kind, 'storage');
  assert.match(result.error, /AAAUSDT_ob200\.data\.zip was replaced while it was being read: run again$/);
  assert.deepEqual(readOutputs(outputDir), new Map());
  assert.equal((await runJob(job)).status, 'done');
});

test('an archive that is removed when it has been read is converted', async (t) => {
  const { archive, job } = await setUp(t);
  assert.equal((await runJob(job, { onRead: () => fs.rmSync(archive, { force: true }) })).status, 'done');
});
