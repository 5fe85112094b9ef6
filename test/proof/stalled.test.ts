/** An archive whose bytes do not come costs itself alone: the disk or the server that it lies on does not answer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { identifyArchives } from '../../src/catalog/find-archives.js';
import { plan } from '../../src/convert/plan.js';
import { mainThreadExecutor } from '../../src/executors/main-thread.js';
import { StalledError } from '../../src/executors/stall-watch.js';
import { workerThreadsExecutor } from '../../src/executors/worker-threads.js';
import { startFaultyProxy } from '../support/faulty-proxy.js';
import { readOutputs, tempDir } from '../support/files.js';
import { inventoryOf } from '../support/inventories.js';
import { assertSameOutputs, complete, listStaged, makeLargeSource, readRecords, start } from '../support/runs.js';
import { BUCKET, environment, flagsFor, NO_MOTO, putFolder, startMoto } from '../support/s3-servers.js';
import { endStalls, NO_FUSE, stall } from '../support/stalling-file.js';

/** The archive that stalls, after its first 256 KiB: a plain one, of more than 1 MB. */
const STALLED = 'PAIR02USDT';
const ANSWERED_BYTES = 256 * 1024;
const ERROR =
  /no byte of it could be read for 1s \(the stall timeout\): the disk or server that it lies on does not answer/;
/** Nobody can end a process that waits for a disk, but by a signal that cannot be caught. */
const KILLED = { status: null, signal: 'SIGKILL' };

/** Archives, what becomes of them, and the path of the one that is to stall. */
async function prepare(t: TestContext) {
  t.after(endStalls);
  const dir = tempDir(t);
  const [source, whole] = [path.join(dir, 'source'), path.join(dir, 'whole')];
  await makeLargeSource(source, 6);
  assert.equal((await complete(['--source-dir', source, '--output-dir', whole])).status, 0);
  const stalled = path.join(source, '0500', STALLED, `2025-01-15_${STALLED}_ob500.data`);
  return { dir, source, stalled, expected: readOutputs(whole) };
}

function withoutStalled(outputs: Map<string, string>): Map<string, string> {
  return new Map([...outputs].filter(([name]) => !name.includes(STALLED)));
}

for (const workers of [1, 2]) {
  const name = `${workers} worker(s)`;
  test(`a disk that stops answering, ${name}: one ERROR, the others are made`, { skip: NO_FUSE }, async (t) => {
    const { dir, source, stalled, expected } = await prepare(t);
    const out = path.join(dir, 'out');
    const args = ['--source-dir', source, '--output-dir', out, '--workers', `${workers}`];
    const disk = await stall(stalled, ANSWERED_BYTES);
    const { status, signal, stdout } = await complete([...args, '--stall-timeout', '1s']);
    assert.match(stdout, /Errors: 1\n/);
    assert.match(stdout, ERROR);
    assert.deepEqual({ status, signal }, KILLED);
    assertSameOutputs(readOutputs(out), withoutStalled(expected));
    const failed = readRecords(out).filter((record) => record?.['status'] === 'failed');
    assert.deepEqual(
      failed.map((record) => [record?.['pair'], record?.['failureKind']]),
      [[STALLED, 'storage']],
    );

    disk.goOn();
    assert.equal((await complete(args)).status, 0);
    assertSameOutputs(readOutputs(out), expected);
  });

  test(`Ctrl+C while a disk does not answer, ${name}: the run ends, and leaves nothing`, {
    skip: NO_FUSE,
  }, async (t) => {
    const { dir, source, stalled, expected } = await prepare(t);
    const out = path.join(dir, 'out');
    const disk = await stall(stalled, ANSWERED_BYTES);
    const { child, ended } = start(['--source-dir', source, '--output-dir', out, '--workers', `${workers}`]);
    await disk.waitedFor;
    child.kill('SIGINT');
    const { status, signal, stdout } = await ended;
    assert.match(stdout, /Processing stopped by SIGINT/);
    assert.deepEqual({ status, signal }, KILLED);
    assert.deepEqual(listStaged(out), []);
    for (const [output, text] of readOutputs(out)) assert.ok(text === expected.get(output), `${output} is whole`);
  });
}

test('a process that stands still meanwhile gives nothing up', { skip: NO_FUSE }, async (t) => {
  const { dir, source, stalled, expected } = await prepare(t);
  const out = path.join(dir, 'out');
  const disk = await stall(stalled, ANSWERED_BYTES);
  const { child, ended } = start([
    '--source-dir',
    source,
    '--output-dir',
    out,
    '--workers',
    '2',
    '--stall-timeout',
    '2s',
  ]);
  await disk.waitedFor;
  child.kill('SIGSTOP');
  await setTimeout(3000);
  child.kill('SIGCONT');
  disk.goOn();
  const { status, stdout } = await ended;
  assert.equal(status, 0, stdout);
  assertSameOutputs(readOutputs(out), expected);
});

const EXECUTORS = {
  'this thread': mainThreadExecutor,
  'a thread of its own': ({ stallTimeoutMs }: { stallTimeoutMs: number }) =>
    workerThreadsExecutor({ slots: 1, stallTimeoutMs }),
};

for (const [where, makeExecutor] of Object.entries(EXECUTORS)) {
  test(`a read in ${where} that comes back too late makes nothing`, { skip: NO_FUSE }, async (t) => {
    const { dir, stalled, expected } = await prepare(t);
    const out = path.join(dir, 'late');
    const [entry] = plan(inventoryOf(await identifyArchives([stalled])), { outputDir: out });
    assert.ok(entry?.action === 'convert');
    const disk = await stall(stalled, ANSWERED_BYTES);
    const executor = makeExecutor({ stallTimeoutMs: 200 });
    await assert.rejects(executor.run(entry.job, { onRead: () => {} }), StalledError);
    disk.goOn();
    // Node ends this file only when no thread waits any more: then the late read has come back.
    const next = await executor.run(entry.job, { onRead: () => {} });
    assert.equal(next.status, 'done');
    await executor.close();
    const outputs = new Map([...readOutputs(out)].filter(([name]) => !name.endsWith('.part')));
    assertSameOutputs(outputs, new Map([...expected].filter(([name]) => name.includes(STALLED))));
    assert.equal(readRecords(out).length, 1, 'the late one has recorded nothing');
  });
}

test('an object whose bytes do not come: one ERROR, the others are made', { skip: NO_MOTO }, async (t) => {
  const { dir, source, expected } = await prepare(t);
  const server = await startMoto();
  const proxy = await startFaultyProxy(server.endpoint);
  t.after(async () => {
    await proxy.close();
    await server.close();
  });
  await putFolder(server, source, 'source');
  proxy.fault = ({ url, headers }) =>
    url.includes(STALLED) && headers['range'] !== undefined
      ? { cutAfterBytes: 1000, followedBy: 'silence' }
      : undefined;
  for (const workers of ['1', '2']) {
    const out = path.join(dir, `out${workers}`);
    const args = ['--source-dir', `s3://${BUCKET}/source`, '--output-dir', out, '--workers', workers];
    const { status, stdout } = await complete([...args, '--stall-timeout', '1s', ...flagsFor(proxy)], {
      env: environment(),
    });
    assert.match(stdout, ERROR);
    assert.equal(status, 1);
    assertSameOutputs(readOutputs(out), withoutStalled(expected));
  }
});

test('a pipe given as an archive is refused in words', {
  skip: process.platform === 'win32' && 'made for POSIX',
}, async (t) => {
  const dir = tempDir(t);
  const pipe = path.join(dir, '2025-01-15_TESTUSDT_ob2.data');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const { status, stdout } = await complete([pipe, '--output-dir', path.join(dir, 'out')]);
  assert.match(stdout, /ERROR .*not a regular file/);
  assert.equal(status, 1);
  assert.deepEqual(fs.readdirSync(dir), [path.basename(pipe)]);
});

test('--stall-timeout that is no time is wrong usage', async () => {
  for (const given of ['10', '-1s', '2d', 'soon', '0s']) {
    const { status, stderr } = await complete(['--stall-timeout', given]);
    assert.equal(status, 2);
    assert.match(stderr, /--stall-timeout.*Expected a time such as 30s, 10m or 1h/s);
  }
});
