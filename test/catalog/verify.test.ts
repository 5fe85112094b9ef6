/** `verify` while other runs are at work on the same folder. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookUpOutputs } from '../../src/catalog/inventory.js';
import { verifyOutputs } from '../../src/catalog/verify.js';
import { tempDir } from '../support/files.js';
import { complete, makeArchive } from '../support/runs.js';

const ways: [what: string, more: string[], outputs: number][] = [
  ['made again', ['--quality', '--on-stale', 'remake'], 2],
  ['made again in other folders', ['--partition', 'hive', '--on-stale', 'remake'], 0],
  ['joined by others', ['--format', 'parquet'], 2],
];
for (const [what, more, outputs] of ways) {
  test(`outputs that are ${what} after they were listed are neither damaged, foreign nor missing`, async (t) => {
    const [sourceDir, outputDir] = [tempDir(t), tempDir(t)];
    await makeArchive(sourceDir, { pair: 'AAAUSDT' });
    const args = ['--source-dir', sourceDir, '--output-dir', outputDir];
    assert.equal((await complete(args)).status, 0);
    const listed = await lookUpOutputs(outputDir);
    const { status, stdout } = await complete([...args, ...more]);
    assert.equal(status, 0, stdout);
    const states: string[] = [];
    for await (const { state } of verifyOutputs(listed, { outputDir })) states.push(state);
    assert.deepEqual(states, Array(outputs).fill('ok'));
  });
}
