/** A queue with a real Redis server and real worker processes: submit, worker, watch, retry. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseRedisAddress } from '../../src/executors/queue/address.js';
import { ArchiveQueue, type QueueCounts } from '../../src/executors/queue/archive-queue.js';
import { readOutputs, tempDir } from '../support/files.js';
import { NO_REDIS, startRedis } from '../support/redis.js';
import {
  assertSameOutputs,
  complete,
  ENDLESS_OPTIONS,
  listStaged,
  makeArchive,
  makeEndless,
  makeLargeSource,
  readRecords,
  start,
  until,
} from '../support/runs.js';

/** Longer than a lock lives, with all the time that workers may take to notice. */
const LONG = { timeout: 180_000 };

const SETTINGS = 'bookgrid-settings:jobs';

/** Folders, a queue and the commands on them. */
async function setUp(t: TestContext, options: string[] = []) {
  const redis = await startRedis(t);
  const [source, out] = [tempDir(t), tempDir(t)];
  const queue = ['--queue', redis.url];
  const run = async (args: string[], expectedStatus = 0) => {
    const { status, stdout, stderr } = await complete([...args, ...queue], LONG);
    assert.equal(status, expectedStatus, `${stdout}${stderr}`);
    return stdout + stderr;
  };
  const submit = (more: string[] = [], expectedStatus = 0) =>
    run(['submit', '--source-dir', source, '--output-dir', out, ...options, ...more], expectedStatus);
  const look = async (expectedStatus = 0) =>
    JSON.parse((await run(['watch', '--once', '--json'], expectedStatus)).split('\n')[0] ?? '');
  const work = (more: string[] = [], expectedStatus = 0) =>
    run(['worker', '--until-done', '--workers', '1', ...more], expectedStatus);
  return { redis, source, out, queue, run, submit, look, work };
}

function assertCounts(view: Record<string, unknown>, expected: Record<string, number>): void {
  const { total, done, waiting, active, delayed, failed } = view;
  assert.deepEqual(
    { total, done, waiting, active, delayed, failed },
    { waiting: 0, active: 0, delayed: 0, failed: 0, ...expected },
  );
}

describe('a queue', { skip: NO_REDIS }, () => {
  test('makes what a run of one machine makes, and nothing twice', async (t) => {
    const { redis, source, out, submit, look, work } = await setUp(t);
    await makeLargeSource(source, 6);
    assert.match(
      await submit(),
      /^6 jobs submitted to queue jobs at 127\.0\.0\.1:\d+, database 0: of 6 archives, 0 were/,
    );
    assert.match(await submit(), /^0 jobs submitted .*, 6 were in it before, 0 need nothing/);
    assertCounts(await look(), { total: 6, done: 0, waiting: 6 });
    const printed = await work();
    for (let number = 1; number <= 6; number++) assert.ok(printed.includes(`[${number}] DONE `), printed);
    assert.match(printed, /No job is left in the queue\.\n$/);
    assertCounts(await look(), { total: 6, done: 6 });
    assert.match(await submit(), /^0 jobs submitted .*, 0 were in it before, 6 need nothing/);

    const local = tempDir(t);
    assert.equal((await complete(['--source-dir', source, '--output-dir', local])).status, 0);
    assertSameOutputs(readOutputs(out), readOutputs(local));
    assert.equal(
      redis.command('--scan', '--pattern', 'bookgrid:jobs:a*'),
      '',
      'finished jobs leave nothing but their names',
    );
  });

  test('machines that die, and a server that loses power, cost no archive', LONG, async (t) => {
    const { redis, source, out, queue, submit, look, run } = await setUp(t);
    await makeLargeSource(source, 60);
    await submit();
    const workers = [1, 2, 3].map(() => start(['worker', '--workers', '1', ...queue], LONG));
    const [first, second, third] = workers as [(typeof workers)[0], (typeof workers)[0], (typeof workers)[0]];
    await first.printed(/DONE/);
    first.child.kill('SIGKILL');
    await second.printed(/DONE/);
    await redis.restart();
    const more = start(['worker', '--workers', '1', ...queue], LONG);
    second.child.kill('SIGKILL');
    // What died with its machine is given to another when its lock has expired.
    const watched = await run(['watch', '--json']);
    assertCounts(JSON.parse(watched.trimEnd().split('\n').at(-1) ?? ''), { total: 60, done: 60 });
    assertCounts(await look(), { total: 60, done: 60 });
    for (const { child, ended } of [third, more]) {
      child.kill('SIGTERM');
      assert.equal((await ended).status, 143);
    }
    assert.match((await third.ended).stderr, /cannot be reached; trying again\n(.*\n)*.* is back\n/);
    const local = tempDir(t);
    assert.equal((await complete(['--source-dir', source, '--output-dir', local])).status, 0);
    assert.equal((await complete(['--source-dir', source, '--output-dir', out])).status, 0); // sweeps what the dead staged
    assert.deepEqual(listStaged(out), []);
    assertSameOutputs(readOutputs(out), readOutputs(local));
    assert.equal((await complete(['verify', '--output-dir', out])).status, 0);
  });

  test('what cannot be read fails once and is kept with its error; retry takes it up again', async (t) => {
    const { source, submit, look, run, work, out } = await setUp(t);
    await makeArchive(source, { pair: 'GOODUSDT', depth: 200 });
    const bad = await makeArchive(source, { pair: 'BADUSDT', depth: 200 });
    const whole = fs.readFileSync(bad);
    const { atime, mtime } = fs.statSync(bad);
    fs.truncateSync(bad, whole.length - 30);
    await submit();
    assert.match(
      await work([], 1),
      /ERROR {4}BADUSDT .*truncated[\s\S]*No job is left in the queue but such as have failed \(bookgrid watch\)\.\n$/,
    );
    assertCounts(await look(1), { total: 2, done: 1, failed: 1 });
    const watched = await run(['watch'], 1);
    assert.match(watched, /^1\/2 done, 1 failed · 100 %\n/);
    assert.match(watched, /\nFailed \(bookgrid retry tries them again\):\n {2}\S+BADUSDT\S+: truncated: /);
    assert.equal(readRecords(out).filter((record) => record?.['status'] === 'failed').length, 1, 'it was tried once');

    fs.writeFileSync(bad, whole);
    fs.utimesSync(bad, atime, mtime);
    assert.match(await run(['retry']), /^1 failed jobs of queue jobs will be tried again\.\n$/);
    await work();
    assertCounts(await look(), { total: 2, done: 2 });
  });

  test('a failed job can be given up, which leaves the queue to others', async (t) => {
    const { source, submit, look, run, work } = await setUp(t);
    fs.truncateSync(await makeArchive(source, { pair: 'BADUSDT', depth: 200 }), 100);
    await submit();
    await work([], 1);
    const other = ['--on-gap', 'skip', '--output-dir', tempDir(t)];
    assert.match(await submit(other, 2), /remove the 1 that have failed \(bookgrid retry --drop\), or give/);
    assert.match(await run(['retry', '--drop']), /^1 failed jobs of queue jobs are removed\.\n$/);
    assert.match(await submit(other), /^1 jobs submitted /);
    assertCounts(await look(), { total: 1, done: 0, waiting: 1 });
  });

  test('what is tried again is tried as often as a new job, and what waits for that at once', LONG, async (t) => {
    const { redis, source, out, submit, look, run, queue } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    fs.writeFileSync(path.join(out, '0200'), 'in the place of a folder');
    const [key = ''] = redis.command('--scan', '--pattern', 'bookgrid:jobs:a*').split('\n');
    // As if it had been tried, and its machine had died, as often as may be but once.
    redis.command('hset', key, 'atm', '4', 'stc', '4');
    const failing = await complete(['worker', '--until-done', ...queue], LONG);
    assert.equal(failing.status, 1, failing.stdout);
    assertCounts(await look(1), { total: 1, done: 0, failed: 1 });
    assert.match(await run(['retry', '--failed']), /^1 failed jobs of queue jobs will be tried again\.\n$/);
    const again = start(['worker', '--until-done', ...queue], LONG);
    await again.printed(/ERROR .* \(try 1 of 5, to be tried again\)\n/);
    assert.equal(redis.command('hget', key, 'stc'), '');
    fs.rmSync(path.join(out, '0200'));
    await until(
      async () => (await complete(['watch', '--once', '--json', ...queue])).stdout.includes('"delayed":1'),
      'it waits',
    );
    assert.match(await run(['retry']), /^0 failed jobs .*, and 1 that waited for another try are tried now\.\n$/);
    const { status, stdout } = await again.ended;
    assert.equal(status, 0);
    assert.match(stdout, /\[2\] DONE .*\(try 2\)\n/);
  });

  test('who works on a queue is seen, and not who works on another', LONG, async (t) => {
    const { redis, source, submit, queue } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    const other = ['--queue', redis.url.replace(/0$/, '1')];
    const workers = [queue, queue, other].map((which) => start(['worker', '--workers', '3', ...which], LONG));
    await Promise.race(workers.slice(0, 2).map((worker) => worker.printed(/DONE/)));
    await until(async () => {
      const { stdout } = await complete(['watch', '--once', '--json', ...queue]);
      const { machines } = JSON.parse(stdout);
      return JSON.stringify(machines) === JSON.stringify([{ host: os.hostname(), workers: 6 }]);
    }, 'two workers of three are seen');
    const { stdout } = await complete(['watch', '--once', ...queue]);
    assert.match(stdout, /\n6 workers: \S+ \(6\)\n$/);
    for (const { child, ended } of workers) {
      child.kill('SIGTERM');
      assert.equal((await ended).status, 143);
    }
  });

  test('counts add up at every moment, whatever is added, finished and killed meanwhile', LONG, async (t) => {
    const { redis, source, out, submit, queue, look } = await setUp(t);
    await makeLargeSource(source, 40);
    fs.truncateSync(await makeArchive(source, { pair: 'BADUSDT', depth: 200 }), 100);
    await submit();
    const [first, second] = [0, 1].map(() => start(['worker', '--workers', '1', ...queue], LONG));
    const archiveQueue = await ArchiveQueue.open(parseRedisAddress(redis.url, undefined), 'jobs', {});
    t.after(() => archiveQueue.close());
    const seen: QueueCounts[] = [];
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        seen.push(await archiveQueue.counts());
        await setTimeout(5);
      }
    })();
    await first?.printed(/DONE/);
    await Promise.all([submit(), submit()]); // adds what has been finished since it was planned, if anything
    first?.child.kill('SIGKILL');
    await until(async () => {
      const { total, done, failed } = await archiveQueue.counts();
      return done + failed === total;
    }, 'all is done');
    isOver = true;
    await watching;
    second?.child.kill('SIGTERM');
    await second?.ended;
    let before = { total: 41, done: 0 };
    for (const { total, done } of seen) {
      assert.ok(total >= before.total, 'no job gets lost');
      assert.ok(done >= before.done, 'what is done stays done');
      before = { total, done };
    }
    assert.ok(seen.length > 100);
    const { total } = before;
    assertCounts(await look(1), { total, done: total - 1, failed: 1 });
    const pairs = new Set([...readOutputs(out).keys()].map((name) => /PAIR\d+USDT/.exec(name)?.[0]));
    assert.equal(pairs.size, 40);
  });

  test(
    'a server whose memory is full is told once, with what to do, and work goes on when it has room',
    LONG,
    async (t) => {
      const { redis, source, submit, queue, look } = await setUp(t);
      await makeLargeSource(source, 3);
      await submit();
      redis.command('config', 'set', 'maxmemory', '1');
      const full = await complete(['submit', '--source-dir', source, '--output-dir', tempDir(t), ...queue], LONG);
      assert.equal(full.status, 1);
      assert.match(
        full.stderr,
        /^bookgrid: The server of the queue refuses: OOM .* \(its memory is full: raise its maxmemory/,
      );
      const worker = start(['worker', '--until-done', ...queue], LONG);
      await setTimeout(5000);
      redis.command('config', 'set', 'maxmemory', '0');
      const { status, stderr } = await worker.ended;
      assert.equal(status, 0, stderr);
      assert.match(stderr, /OOM .* \(its memory is full/);
      assert.ok(stderr.split('\n').length < 6, stderr);
      assertCounts(await look(), { total: 3, done: 3 });
    },
  );

  test('a server that accepts and does not answer is told, and Ctrl+C does not wait for it', LONG, async (t) => {
    const { redis, source, submit, queue } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    const watching = start(['watch', ...queue], LONG);
    await watching.printed(/waiting/);
    const pid = Number(/process_id:(\d+)/.exec(redis.command('info', 'server'))?.[1]);
    process.kill(pid, 'SIGSTOP');
    t.after(() => process.kill(pid, 'SIGCONT'));
    const silent = complete(['watch', '--once', ...queue], LONG);
    const waiting = ['worker', 'retry', 'watch'].map((command) => start([command, ...queue], LONG));
    await setTimeout(2000);
    for (const { child, ended } of waiting) {
      child.kill('SIGINT');
      const { status, stderr } = await ended;
      assert.deepEqual({ status, stderr }, { status: 130, stderr: '' });
    }
    const { status, stderr } = await silent;
    assert.equal(status, 1);
    assert.match(stderr, /^bookgrid: Cannot use the queue at \S+, database 0: it has not answered for 10 s\n$/);
    await setTimeout(15_000);
    process.kill(pid, 'SIGCONT');
    await setTimeout(1000);
    watching.child.kill('SIGINT');
    assert.match((await watching.ended).stderr, /does not answer; waiting for it\nbookgrid: .* answers again\n$/);
  });

  test('a database that is not there is an error, and not the first one', async (t) => {
    const { redis, source } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    const places = ['--source-dir', source, '--output-dir', tempDir(t)];
    const { status, stderr } = await complete(['submit', ...places, '--queue', redis.url.replace(/0$/, '99')]);
    assert.equal(status, 1);
    assert.match(stderr, /^bookgrid: Cannot use the queue at \S+, database 99: ERR DB index is out of range\n$/);
    assert.equal(redis.command('dbsize'), '0');
  });

  test('what a disk is to blame for is tried again later', LONG, async (t) => {
    const { source, out, submit, look, queue } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    fs.writeFileSync(path.join(out, '0200'), 'in the place of a folder');
    const worker = start(['worker', '--until-done', ...queue], LONG);
    await worker.printed(/ERROR .*AAAUSDT .*\n/);
    fs.rmSync(path.join(out, '0200'));
    const { status, stdout } = await worker.ended;
    assert.equal(status, 0);
    assert.match(stdout, /\[2\] DONE .*\(try 2\)\n/);
    assertCounts(await look(), { total: 1, done: 1 });
  });

  test('a worker that is stopped hands back what it has not finished', async (t) => {
    const { source, out, submit, look, queue } = await setUp(t, ENDLESS_OPTIONS.slice(0, 2));
    await makeEndless(path.join(source, '0200/AAAUSDT'));
    await submit();
    const worker = start(['worker', ...queue]);
    await until(() => listStaged(out).length > 0, 'an output is staged');
    worker.child.kill('SIGTERM');
    assert.equal((await worker.ended).status, 143);
    assertCounts(await look(), { total: 1, done: 0, waiting: 1 });
    assert.deepEqual(listStaged(out), [], 'nor leaves it behind, which on a full disk would take what room there is');
  });

  test('what a dead worker has left is swept by the next one that works in the folder', LONG, async (t) => {
    const { source, out, submit, queue, work } = await setUp(t, [...ENDLESS_OPTIONS.slice(0, 2), '--depths', '5']);
    const endless = await makeEndless(path.join(source, '0200/AAAUSDT'));
    await submit();
    const worker = start(['worker', ...queue]);
    await until(() => listStaged(out).length > 0, 'an output is staged');
    worker.child.kill('SIGKILL');
    await worker.ended;
    assert.equal(listStaged(out).length, 1);
    // Its job would last for ever: an archive that cannot be read is given up at once.
    fs.writeFileSync(endless, '');
    await makeArchive(source, { pair: 'TESTUSDT', date: '2025-01-16', depth: 200 });
    await submit();
    await work([], 1);
    assert.deepEqual(listStaged(out), []);
  });

  test('jobs with other options do not get into the same queue', async (t) => {
    const { source, submit, run, look, work } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    assert.match(
      await submit(['--on-gap', 'skip'], 2),
      /holds 1 jobs that were submitted otherwise \(onGap fill, now skip\)/,
    );
    await submit(['--on-gap', 'skip', '--output-dir', tempDir(t), '--queue-name', 'other']);
    assertCounts(await look(), { total: 1, done: 0, waiting: 1 });
    await work();
    await run(['worker', '--until-done', '--queue-name', 'other']);
    // An empty queue takes others.
    await submit(['--on-gap', 'skip', '--output-dir', tempDir(t)]);
    assertCounts(await look(), { total: 1, done: 0, waiting: 1 });
  });

  test('of two submissions in the same moment each is worked on with its own options', async (t) => {
    const { redis, source, out, submit, work } = await setUp(t);
    const skipped = tempDir(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    const other = ['--on-gap', 'skip', '--metrics', '--output-dir', skipped];
    await submit([...other, '--queue-name', 'other']);
    await submit();
    // As if the other had found the queue empty, too, and settled it last.
    const id = redis.command('HGET', 'bookgrid-settings:other', 'current');
    redis.command('HSET', SETTINGS, id, redis.command('HGET', 'bookgrid-settings:other', id), 'current', id);
    await submit(other);
    await work();
    const shapes = [out, skipped].map((folder) => {
      const [record = {}] = readRecords(folder);
      const outputs = record['outputs'] as { kind: string; shape: { onGap: string } }[];
      return outputs.map(({ kind, shape }) => `${kind} ${shape.onGap}`);
    });
    assert.deepEqual(shapes, [['book fill'], ['book skip', 'metrics skip']]);
  });

  test('while the server is away, Ctrl+C ends whoever waits for it', LONG, async (t) => {
    const { redis, source, out, submit, queue } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    fs.writeFileSync(path.join(out, '0200'), 'in the place of a folder'); // so that the job is tried again later
    const worker = start(['worker', '--until-done', ...queue], LONG);
    await worker.printed(/ERROR .*AAAUSDT .*\n/);
    const watching = start(['watch', ...queue], LONG);
    await watching.printed(/1 to be tried again/);
    redis.stop();
    await setTimeout(1500);
    for (const { child, ended } of [worker, watching]) {
      child.kill('SIGINT');
      assert.equal((await ended).status, 130);
    }
  });

  test('a worker of another version than the submitter’s refuses, and says what to do', async (t) => {
    const { redis, source, submit, work, look } = await setUp(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    await submit();
    const id = redis.command('HGET', SETTINGS, 'current');
    const settings = JSON.parse(redis.command('HGET', SETTINGS, id));
    redis.command('HSET', SETTINGS, id, JSON.stringify({ ...settings, version: '9.9.9' }));
    assert.match(
      await work([], 2),
      /submitted by bookgrid 9\.9\.9, and this is .* Install bookgrid 9\.9\.9 here, or submit/,
    );
    assertCounts(await look(), { total: 1, done: 0, waiting: 1 });
  });

  test('the password comes from the environment and is never printed', async (t) => {
    const redis = await startRedis(t, { password: 'geheim-4711' });
    const source = tempDir(t);
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    const submit = async (url: string, password?: string) => {
      const env = { ...process.env, ...(password !== undefined && { BOOKGRID_REDIS_PASSWORD: password }) };
      const args = ['submit', '--queue', url, '--source-dir', source, '--output-dir', tempDir(t)];
      const { status, stdout, stderr } = await complete(args, { env });
      assert.doesNotMatch(stdout + stderr, /geheim|falsch/);
      return { status, text: stdout + stderr };
    };
    assert.equal((await submit(redis.url, 'geheim-4711')).status, 0);
    const wrong = await submit(redis.url, 'falsch');
    assert.equal(wrong.status, 1);
    assert.match(wrong.text, /^bookgrid: Cannot use the queue at 127\.0\.0\.1:\d+, database 0: .*(WRONGPASS|NOAUTH)/);
    assert.equal((await submit(redis.url)).status, 1);
    const inUrl = await submit(redis.url.replace('//', '//user:geheim-4711@'), undefined);
    assert.equal(inUrl.status, 2);
    assert.match(inUrl.text, /must not hold a password, .* BOOKGRID_REDIS_PASSWORD/);
  });

  test('rediss:// encrypts, and asks for a certificate that this machine trusts', async (t) => {
    const redis = await startRedis(t, { password: 'geheim-4711', isEncrypted: true });
    const [source, out] = [tempDir(t), tempDir(t)];
    await makeArchive(source, { pair: 'AAAUSDT', depth: 200 });
    const env: NodeJS.ProcessEnv = { ...process.env, BOOKGRID_REDIS_PASSWORD: 'geheim-4711' };
    delete env['NODE_EXTRA_CA_CERTS'];
    const submit = ['submit', '--queue', redis.url, '--source-dir', source, '--output-dir', out];
    const refused = await complete(submit, { env });
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /^bookgrid: Cannot use the queue at \S+, database 0: .*certificate.*: set NODE_EXTRA_CA_CERTS to .*\n$/,
    );
    env['NODE_EXTRA_CA_CERTS'] = redis.caFile;
    assert.equal((await complete(submit, { env })).status, 0);
    const worked = await complete(['worker', '--until-done', '--queue', redis.url], { env });
    assert.match(worked.stdout, /\[1\] DONE /, worked.stderr);
    assert.equal(worked.status, 0);
    const plain = await complete(['watch', '--once', '--queue', redis.url.replace('rediss', 'redis')], { env });
    assert.equal(plain.status, 1);
    assert.match(plain.stderr, /^bookgrid: Cannot use the queue at .*\n$/);
  });
});

test('a queue that is not there, or not named, is told in one line', async () => {
  const none = await complete(['watch', '--queue', 'redis://127.0.0.1:1/0']);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /^bookgrid: Cannot use the queue at 127\.0\.0\.1:1, database 0: .*ECONNREFUSED.*\n$/);
  for (const [args, message] of [
    [['worker'], /^bookgrid: Say where the queue is: --queue redis:/],
    [['submit', '--queue', 'http://x/'], /^bookgrid: --queue takes redis:\/\/HOST:PORT\/DATABASE/],
    [['watch', '--queue', 'redis://127.0.0.1/x'], /^bookgrid: --queue takes redis:/],
    [['retry', '--queue', 'redis://127.0.0.1/0', '--queue-name', 'a b'], /Expected up to 64 letters/],
    [['watch', '--queue', 'redis://127.0.0.1?db=3'], /^bookgrid: --queue takes no \?db=3: the database stands after/],
    [['watch', '--queue', 'redis://100%@127.0.0.1/0'], /^bookgrid: --queue has a user that is not encoded .* % as %25/],
  ] as const) {
    const { status, stderr } = await complete([...args]);
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
});
