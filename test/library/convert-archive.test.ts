import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ConversionError, convertArchive, UsageError } from 'bookgrid';
import { SAMPLES, writeSample } from '../../src/samples/samples.js';
import { runCli } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { fixture } from '../support/fixtures.js';
import { assertSameOutputs, listFiles, makeEndless, readRecords } from '../support/runs.js';

test('the files are those of the command line, made once', async (t) => {
  for (const { market } of SAMPLES) {
    const archive = await writeSample(tempDir(t), market);
    const [byCli, outputDir] = [tempDir(t), tempDir(t)];
    await runCli([archive, '--output-dir', byCli, '--interval', '1s']);
    let readBytes = 0;
    const onRead = (bytes: number) => {
      readBytes += bytes;
    };
    const result = await convertArchive(archive, { outputDir, intervalMs: 1000, onRead });
    assert.ok(result.status === 'done');
    assert.ok(readBytes > 0.9 * fs.statSync(archive).size);
    assertSameOutputs(readOutputs(outputDir), readOutputs(byCli));
    assert.deepEqual(result.outputs.map((output) => output.path).sort(), listFiles(outputDir).slice(0, -1));
    const [record] = readRecords(outputDir);
    assert.equal(record?.['rows'], result.counts.rows);
    assert.deepEqual(await convertArchive(archive, { outputDir, intervalMs: 1000 }), {
      status: 'skipped',
      reason: 'exists',
    });
    assert.deepEqual(await convertArchive(archive, { outputDir, symbols: ['OTHERUSDT'] }), {
      status: 'skipped',
      reason: 'not asked for',
    });
  }
});

test('a failure is told as the command line does', async (t) => {
  for (const name of ['FLIPPED-BIT', 'LINE-CUT', 'NOT-A-ZIP', 'EMPTY-FILE']) {
    const { path: archive } = fixture('bad', name);
    const [byCli, outputDir] = [tempDir(t), tempDir(t)];
    const { stdout } = await runCli([archive, '--output-dir', byCli]);
    await assert.rejects(convertArchive(archive, { outputDir }), (error) => {
      assert.ok(error instanceof ConversionError);
      assert.equal(error.path, archive);
      assert.equal(error.message, `${archive}: ${error.reason}`);
      assert.ok(stdout.includes(`→ ${error.reason}\n`), stdout);
      return true;
    });
    assert.deepEqual(listFiles(outputDir), [path.join(outputDir, 'conversions.jsonl')]);
  }
});

test('what cannot be begun', async (t) => {
  const outputDir = tempDir(t);
  await assert.rejects(convertArchive('nowhere.zip', { outputDir }), UsageError);
  await assert.rejects(convertArchive('nowhere.zip', { outputDir, intervalMs: 7 }), UsageError);
  assert.deepEqual(listFiles(outputDir), []);
});

test('aborted, it leaves nothing', async (t) => {
  const archive = await makeEndless(tempDir(t));
  const outputDir = tempDir(t);
  await assert.rejects(convertArchive(archive, { outputDir, intervalMs: 100, signal: AbortSignal.timeout(100) }), {
    name: 'TimeoutError',
  });
  await assert.rejects(convertArchive(archive, { outputDir, signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.deepEqual(listFiles(outputDir), []);
});
