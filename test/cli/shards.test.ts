/** The parts of a plan, carried out by real runs as several machines would: in any order, again, and killed. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { readOutputs, tempDir } from '../support/files.js';
import {
  assertSameOutputs,
  complete,
  listStaged,
  makeArchive,
  makeLargeSource,
  start,
  until,
} from '../support/runs.js';

test('shards in any order, some again and one killed, make what one run makes, each archive once', async (t) => {
  const [source, out, unbroken] = [tempDir(t), tempDir(t), tempDir(t)];
  await makeLargeSource(source, 24);
  await makeArchive(source, { pair: 'TINYUSDT', depth: 200 });
  assert.equal((await complete(['--source-dir', source, '--output-dir', unbroken])).status, 0);

  const args = (shard: number) => [
    '--source-dir',
    source,
    '--output-dir',
    out,
    '--workers',
    '1',
    '--shard',
    `${shard}/5`,
  ];
  const run = async (shard: number) => {
    const { status, stdout } = await complete(args(shard));
    assert.equal(status, 0, stdout);
    assert.match(stdout, new RegExp(`\nFound 5 archive files to process, shard ${shard} of 5\n`));
    return stdout;
  };
  const killed = start(args(4));
  await until(() => listStaged(out).length > 0, 'an output is staged');
  killed.child.kill('SIGKILL');
  await killed.ended;
  for (const printed of await Promise.all([run(5), run(2)])) assert.match(printed, /Successfully processed: 5\n/);
  assert.match(await run(2), /Skipped \(already exist\): 5\n/);
  await run(4);
  await run(1);
  assert.notEqual(readOutputs(out).size, readOutputs(unbroken).size, 'one shard is missing');
  await run(3);
  assertSameOutputs(readOutputs(out), readOutputs(unbroken));
  for (const printed of [await run(1), await run(4)]) assert.match(printed, /Skipped \(already exist\): 5\n/);
  assert.equal((await complete(['verify', '--output-dir', out])).status, 0);
});

test('a batch system says which shard it is, and a shard can be empty', async (t) => {
  const [source, out] = [tempDir(t), tempDir(t)];
  await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
  const run = (index: string) =>
    complete(['--source-dir', source, '--output-dir', out, '--shard', 'auto/2', '--json'], {
      env: { ...process.env, JOB_COMPLETION_INDEX: index },
    });
  const events = async (index: string) =>
    (await run(index)).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  assert.deepEqual((await events('1')).map(({ event, total, shard }) => ({ event, total, shard }))[0], {
    event: 'start',
    total: 0,
    shard: { number: 2, of: 2 },
  });
  assert.deepEqual(fs.readdirSync(out), []);
  assert.equal((await events('0')).at(-1).done, 1);
  const refused = await run('2');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /JOB_COMPLETION_INDEX=2, which is none of 2 tasks/);
});
