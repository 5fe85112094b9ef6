/** The program on data in S3, as a user runs it: the same bytes as on a disk, whatever the server and the machine do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-s3';
import type { Listing } from '../../src/view/listing.js';
import { type StartedView, startView, waitFor } from '../support/browser.js';
import { type FaultyProxy, s3Error, startFaultyProxy } from '../support/faulty-proxy.js';
import { readOutputs, tempDir } from '../support/files.js';
import { startListedBucket } from '../support/listed-bucket.js';
import { NO_REDIS, startRedis } from '../support/redis.js';
import { assertSameOutputs, complete, makeArchive, makeLargeSource, start, until } from '../support/runs.js';
import {
  BUCKET,
  client,
  environment,
  flagsFor,
  listKeys,
  listUploads,
  NO_MOTO,
  putFolder,
  putObject,
  readObjects,
  type S3Server,
  startMoto,
} from '../support/s3-servers.js';

const inBucket = (...names: string[]) => `s3://${BUCKET}/${names.join('/')}`;

describe('archives and outputs in S3', { skip: NO_MOTO }, () => {
  let server: S3Server;
  let proxy: FaultyProxy;
  before(async () => {
    server = await startMoto();
    proxy = await startFaultyProxy(server.endpoint);
  });
  beforeEach(() => {
    proxy.fault = () => undefined;
    proxy.asked.length = 0;
  });
  after(async () => {
    await proxy.close();
    await server.close();
  });

  const begin = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    start([...args, ...flagsFor(proxy)], { env: { ...environment(), ...more } });
  /** Runs the program to its end, with what it needs to talk to the server. */
  const run = (args: string[], more: NodeJS.ProcessEnv = {}) => begin(args, more).ended;

  /** Archives on a disk and in the bucket, below a prefix of the test's own, and what a local run makes of them. */
  async function prepare(t: TestContext, name: string, count: number, options: string[] = []) {
    const dir = tempDir(t);
    const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
    await makeLargeSource(source, count);
    await putFolder(server, source, `${name}/source`);
    const { status, stderr } = await complete(['--source-dir', source, '--output-dir', out, ...options]);
    assert.equal(status, 0, stderr);
    const args = ['--source-dir', inBucket(name, 'source'), '--output-dir', inBucket(name, 'out'), ...options];
    return { dir, source, out, args, prefix: `${name}/out/`, expected: readOutputs(out) };
  }

  async function outputsIn(prefix: string): Promise<Map<string, string>> {
    const objects = await readObjects(server, prefix);
    const names = [...objects].map(([key, text]): [string, string] => [key.slice(prefix.length), text]);
    return new Map(names.filter(([name]) => !name.startsWith('conversions.jsonl')));
  }

  test('give the same bytes as on a disk, and a second run has nothing to do', async (t) => {
    const options = ['--format', 'csv,parquet', '--metrics', '--workers', '2'];
    const { args, prefix, expected } = await prepare(t, 'same', 6, options);
    const first = await run(args);
    assert.equal(first.status, 0, first.stdout + first.stderr);
    assert.equal(first.stderr, '');
    assertSameOutputs(await outputsIn(prefix), expected);
    assert.equal((await listKeys(server, `${prefix}conversions.jsonl/`)).length, 2, 'an object a worker and run');
    const again = await run(args);
    assert.match(again.stdout, /Skipped \(already exist\): 6\n/);
    assert.equal((await listKeys(server, `${prefix}conversions.jsonl/`)).length, 2);
    assert.deepEqual(await listUploads(server), []);
  });

  test('planning asks for no object one by one', async (t) => {
    const { args } = await prepare(t, 'plan', 3);
    assert.equal((await run(args)).status, 0);
    proxy.asked.length = 0;
    const { stdout } = await run([...args, '--dry-run']);
    assert.match(stdout, /3 archives|SKIP/i);
    assert.deepEqual(
      proxy.asked.filter(({ method }) => method === 'HEAD'),
      [],
    );
  });

  test('an archive that was replaced is converted again; its ETag tells, at the same size', async (t) => {
    const { args, source } = await prepare(t, 'changed', 2, ['--workers', '1']);
    assert.equal((await run(args)).status, 0);
    const archive = path.join('0500', 'PAIR00USDT', '2025-01-15_PAIR00USDT_ob500.data.zip');
    const bytes = fs.readFileSync(path.join(source, archive));
    await putObject(server, `changed/source/${archive}`, bytes);
    assert.match((await run(args)).stdout, /Skipped \(already exist\): 2\n/, 'the same bytes are the same archive');
    bytes[10] = (bytes[10] ?? 0) ^ 1; // the time of the member, which nobody reads
    await putObject(server, `changed/source/${archive}`, bytes);
    const again = await run(args);
    assert.match(again.stdout, /DONE .*PAIR00USDT.*was stale: the archive has changed/);
    assert.match(again.stdout, /Skipped \(already exist\): 1\n/);
  });

  test('after kill -9 at any instant the same command ends in the same bytes, with nothing left', async (t) => {
    // Outputs large enough that they are uploaded in parts.
    const options = ['--interval', '100ms', '--workers', '2'];
    const { args, prefix, expected, dir } = await prepare(t, 'killed', 6, options);
    const temp = path.join(dir, 'temp');
    fs.mkdirSync(temp);
    const isPart = ({ url }: { url: string }) => url.includes('partNumber=');
    for (const parts of [1, 4]) {
      proxy.asked.length = 0;
      const killed = begin(args, { TMPDIR: temp });
      proxy.fault = (asked) => {
        if (isPart(asked) && proxy.asked.filter(isPart).length === parts) killed.child.kill('SIGKILL');
        return undefined;
      };
      const { signal } = await killed.ended;
      assert.equal(signal, 'SIGKILL');
    }
    proxy.fault = () => undefined;
    assert.notDeepEqual(await listUploads(server), [], 'a killed run has left an upload');
    const last = await run(args, { TMPDIR: temp });
    assert.equal(last.status, 0, last.stdout + last.stderr);
    assertSameOutputs(await outputsIn(prefix), expected);
    assert.deepEqual(await listUploads(server), []);
    assert.deepEqual(fs.readdirSync(temp), []);
    assert.match((await run(args)).stdout, /Skipped \(already exist\): 6\n/);
  });

  for (const workers of [1, 2]) {
    test(`while outputs are uploaded the next archive is converted, and no third one (${workers} workers)`, async (t) => {
      const name = `beside-${workers}`;
      const { args, prefix, expected } = await prepare(t, name, 6, ['--workers', String(workers)]);
      const held = holdUploads(prefix);
      const { ended } = begin(args);
      await until(() => readPairs(name).size === 2 * workers, 'each worker reads a second archive');
      await setTimeout(500);
      assert.equal(readPairs(name).size, 2 * workers, 'no worker reads a third one');
      held.letGo();
      const { status, stdout } = await ended;
      assert.equal(status, 0, stdout);
      assertSameOutputs(await outputsIn(prefix), expected);
    });

    test(`a stop while outputs are uploaded: these appear, and no others (${workers} workers)`, async (t) => {
      const name = `stopped-${workers}`;
      const { args, prefix, dir } = await prepare(t, name, 6, ['--workers', String(workers)]);
      const temp = path.join(dir, 'temp');
      fs.mkdirSync(temp);
      const held = holdUploads(prefix);
      const { ended, child } = begin(args, { TMPDIR: temp });
      await until(() => readPairs(name).size === 2 * workers, 'each worker reads a second archive');
      child.kill('SIGINT');
      await setTimeout(500);
      held.letGo();
      const { status, stdout } = await ended;
      assert.equal(status, 130, stdout);
      assert.match(stdout, new RegExp(`Successfully processed: ${held.pairs.size}\\n`));
      const made = [...(await outputsIn(prefix)).keys()].map((key) => pairIn(key));
      assert.deepEqual(new Set(made), held.pairs);
      assert.deepEqual(fs.readdirSync(temp), []);
      proxy.fault = () => undefined;
      assert.match((await run(args)).stdout, new RegExp(`Skipped \\(already exist\\): ${held.pairs.size}\\n`));
    });
  }

  for (const workers of [1, 2]) {
    test(`the same in a queue, and what a stop leaves is handed back (${workers} workers)`, {
      skip: NO_REDIS,
    }, async (t) => {
      const name = `queue-beside-${workers}`;
      const { args, prefix, expected, dir } = await prepare(t, name, 6);
      const temp = path.join(dir, 'temp');
      fs.mkdirSync(temp);
      const queue = ['--queue', (await startRedis(t)).url];
      const submitted = await run(['submit', ...args, ...queue]);
      assert.equal(submitted.status, 0, submitted.stderr);
      const counts = async () => {
        const { total, done, waiting } = JSON.parse((await complete(['watch', '--once', '--json', ...queue])).stdout);
        return { total, done, waiting };
      };
      const held = holdUploads(prefix);
      const work = ['worker', '--workers', String(workers), ...queue];
      const env = { ...environment(), TMPDIR: temp };
      const { ended, child } = start(work, { env });
      await until(() => readPairs(name).size === 2 * workers, 'each worker reads a second archive');
      await setTimeout(500);
      assert.equal(readPairs(name).size, 2 * workers, 'no worker reads a third one');
      assert.deepEqual(await counts(), { total: 6, done: 0, waiting: 6 - 2 * workers }, 'nor takes one');
      const whole = new Set(held.pairs);
      child.kill('SIGTERM');
      await setTimeout(500);
      held.letGo();
      const { status, stdout } = await ended;
      assert.equal(status, 143, stdout);
      assert.deepEqual(await counts(), { total: 6, done: whole.size, waiting: 6 - whole.size }, stdout);
      assert.deepEqual(new Set([...(await outputsIn(prefix)).keys()].map(pairIn)), whole);
      assert.deepEqual(fs.readdirSync(temp), []);
      proxy.fault = () => undefined;
      const rest = await start([...work, '--until-done'], { env }).ended;
      assert.equal(rest.status, 0, rest.stdout);
      assertSameOutputs(await outputsIn(prefix), expected);
    });
  }

  const pairIn = (key: string) => /PAIR\d+USDT/.exec(key)?.[0] ?? '';

  /** The symbols whose archives have been read. */
  function readPairs(name: string): Set<string> {
    const read = proxy.asked.filter(({ method, url }) => method === 'GET' && url.includes(`/${name}/source/`));
    return new Set(read.map(({ url }) => pairIn(url)).filter((pair) => pair !== ''));
  }

  /** Lets no output arrive before it is told to; of which symbols there were some. */
  function holdUploads(prefix: string): { pairs: Set<string>; letGo: () => void } {
    const pairs = new Set<string>();
    let letGo = () => {};
    const isLetGo = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    proxy.fault = ({ method, url }) => {
      if (method !== 'PUT' || !url.includes(`/${prefix}`) || pairIn(url) === '') return undefined;
      pairs.add(pairIn(url));
      return { before: () => isLetGo };
    };
    return { pairs, letGo };
  }

  test('an output whose run was killed before its record is known by the note that it carries', async (t) => {
    const { args, prefix } = await prepare(t, 'notes', 4);
    assert.equal((await run(args)).status, 0);
    const records = await listKeys(server, `${prefix}conversions.jsonl/`);
    const from = client(server);
    for (const Key of records) await from.send(new sdk.DeleteObjectCommand({ Bucket: BUCKET, Key }));
    const again = await run(args);
    assert.match(again.stdout, /Skipped \(already exist\): 4\n/);
    const verified = await run(['verify', '--output-dir', inBucket('notes', 'out')]);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    const refused = await run([...args, '--on-gap', 'skip']);
    assert.match(refused.stderr, /--on-gap/, 'the options of the killed run are known');
  });

  test('a record that is too long for a note is written before its output appears', async (t) => {
    const impacts = Array.from({ length: 104 }, (_, index) => 100_000_000_000 + index).join();
    const { args, prefix, expected } = await prepare(t, 'long', 1, ['--metrics-only', '--impact', impacts]);
    assert.equal((await run(args)).status, 0);
    assertSameOutputs(await outputsIn(prefix), expected);
    const sent = proxy.asked
      .filter(({ method }) => method === 'PUT')
      .map(({ url }) => url.includes('conversions.jsonl'));
    assert.deepEqual(sent, [true, false, true], 'a record, its output, and what the server calls that');
    proxy.asked.length = 0;
    assert.match((await run([...args, '--dry-run'])).stdout, /SKIP/);
    assert.ok(!proxy.asked.some(({ method, url }) => method === 'HEAD' || url.includes('/metrics/2025')));
  });

  test('the server answers 503, resets and slow bodies for a while: the same bytes', async (t) => {
    const { args, prefix, expected } = await prepare(t, 'storm', 4, ['--interval', '100ms', '--workers', '2']);
    proxy.fault = ({ count }) => {
      if (count % 7 === 3) return s3Error(503, 'SlowDown');
      if (count % 11 === 5) return { reset: true };
      if (count % 13 === 6) return { loseAnswer: true };
      if (count % 17 === 8) return { pieceBytes: 100_000, pauseMs: 2 };
      return undefined;
    };
    const { status, stdout, stderr } = await run(args);
    assert.equal(status, 0, stdout + stderr);
    proxy.fault = () => undefined;
    assertSameOutputs(await outputsIn(prefix), expected);
    assert.deepEqual(await listUploads(server), []);
  });

  test('records of several runs, and of a folder that was copied, are read as one', async (t) => {
    const { args, prefix, source, dir } = await prepare(t, 'merged', 4);
    const pairs = ['PAIR00USDT', 'PAIR01USDT', 'PAIR02USDT'];
    for (const pair of pairs) assert.equal((await run([...args, '--symbols', pair])).status, 0);
    // The fourth was made on a disk, and copied with the records of that disk.
    const local = path.join(dir, 'local');
    const made = await complete(['--source-dir', source, '--output-dir', local, '--symbols', 'PAIR03USDT']);
    assert.equal(made.status, 0, made.stderr);
    await putFolder(server, local, 'merged/out');
    assert.equal((await listKeys(server, `${prefix}conversions.jsonl`)).length, 4);
    assert.match((await run(args)).stdout, /Skipped \(already exist\): 4\n/);
    const places = ['--source-dir', inBucket('merged/source'), '--output-dir', inBucket('merged/out')];
    const { stdout } = await run(['status', ...places, '--json']);
    const total = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    assert.equal(total.stale + total.missing + total.unrecorded, 0, stdout);
    assert.ok(total.rows > 0, 'the rows of all records are known');
    const verified = await run(['verify', '--output-dir', inBucket('merged/out')]);
    assert.match(verified.stdout, /All is as it was written\.\n$/);
  });

  test('a queue of jobs in S3: workers are killed, Redis is restarted, the server fails for a while', {
    skip: NO_REDIS,
    timeout: 300_000,
  }, async (t) => {
    const archives = process.env['CI_LONG'] === '1' ? 200 : 12;
    const { args, prefix, expected, dir } = await prepare(t, 'queue', archives, ['--interval', '1s']);
    const temp = path.join(dir, 'temp');
    fs.mkdirSync(temp);
    const redis = await startRedis(t);
    const env = { ...environment(), TMPDIR: temp };
    const options = { env, timeout: 240_000 };
    const queue = ['--queue', redis.url];
    const submitted = await run(['submit', ...args, ...queue]);
    assert.equal(submitted.status, 0, submitted.stderr);
    const settings = redis.command('hvals', 'bookgrid-settings:jobs');
    assert.match(settings, /"s3":/);
    assert.doesNotMatch(settings, /S3RVER/, 'no credentials lie in the queue');
    const work = () => start(['worker', '--workers', '1', ...queue], options);
    const [first, second, third] = [work(), work(), work()];
    await first.printed(/DONE/);
    proxy.fault = ({ count }) => {
      if (count % 7 === 3) return s3Error(503, 'SlowDown');
      if (count % 11 === 5) return { reset: true };
      return count % 17 === 8 ? { pieceBytes: 100_000, pauseMs: 2 } : undefined;
    };
    first.child.kill('SIGKILL');
    await redis.restart();
    second.child.kill('SIGKILL');
    const watched = await complete(['watch', '--json', ...queue], options);
    proxy.fault = () => undefined;
    const { total, done } = JSON.parse(watched.stdout.trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual({ total, done }, { total: archives, done: archives }, watched.stdout);
    third.child.kill('SIGTERM');
    assert.equal((await third.ended).status, 143);
    // Another run finds nothing to do, and ends what the killed ones have begun.
    const again = await run(args, { TMPDIR: temp });
    assert.match(again.stdout, new RegExp(`Skipped \\(already exist\\): ${archives}\n`));
    assertSameOutputs(await outputsIn(prefix), expected);
    assert.deepEqual(await listUploads(server), []);
    assert.deepEqual(fs.readdirSync(temp), []);
  });

  test('a data set that was made on a disk is planned by its listing alone', async (t) => {
    const { args, out } = await prepare(t, 'copied', 3);
    await putFolder(server, out, 'copied/out');
    assert.match((await run(args)).stdout, /Skipped \(already exist\): 3\n/);
    const single = proxy.asked.filter(({ url }) => url.includes('/copied/out/0'));
    assert.deepEqual(single, [], 'no output is asked for, let alone read');
    const verified = await run(['verify', '--output-dir', inBucket('copied', 'out')]);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  });

  test('what cannot be read for now is neither damaged nor an archive’s fault', async (t) => {
    const { args, prefix, expected } = await prepare(t, 'unread', 3);
    assert.equal((await run(args)).status, 0);
    let count = 0;
    proxy.fault = ({ method, url }) =>
      method !== 'PUT' && url.includes('/unread/out/0') && count++ > 0 ? s3Error(403, 'ExpiredToken') : undefined;
    const verified = await run(['verify', '--output-dir', inBucket('unread', 'out')]);
    assert.equal(verified.status, 1);
    assert.match(verified.stdout, /UNREAD {3}s3:\S+: http:\S+ does not accept the credentials \(ExpiredToken\)/);
    assert.match(verified.stdout, /\nDamaged: 0\nNot to be read now, so nothing is known of them: 6\n/);
    proxy.fault = ({ method, url }) =>
      method !== 'PUT' && url.includes('/unread/source/0') ? s3Error(403, 'ExpiredToken') : undefined;
    const checked = await run(['download', '--check', '--source-dir', inBucket('unread', 'source')]);
    assert.equal(checked.status, 1);
    assert.match(
      checked.stdout,
      /^UNREAD {2}s3:[\s\S]*\nDamaged: 0\nNot to be read now, so nothing is known of them: 3\n$/,
    );

    proxy.fault = ({ method, url }) =>
      method === 'GET' && url.includes('/unread/source/0') ? s3Error(412, 'PreconditionFailed') : undefined;
    const replaced = await run([...args, '--overwrite', '--json']);
    assert.equal(replaced.status, 1);
    const events = replaced.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const failed = events.filter(({ status }) => status === 'failed');
    assert.equal(failed.length, 3);
    for (const { failureKind, error } of failed) {
      assert.equal(failureKind, 'storage', 'so that a queue tries it again');
      assert.match(error, /^s3:\S+ .*was replaced while it was being read: run again$/);
    }
    assertSameOutputs(await outputsIn(prefix), expected);
  });

  test('every other command reads what is in S3, and join and plot write there', async (t) => {
    const dir = tempDir(t);
    const source = path.join(dir, 'source');
    for (const date of ['2025-01-15', '2025-01-16']) await makeArchive(source, { pair: 'AAAUSDT', date });
    await putFolder(server, source, 'days/source');
    const places = ['--source-dir', inBucket('days/source'), '--output-dir', inBucket('days/out')];
    assert.equal((await run([...places, '--depths', '200'])).status, 0);
    const local = path.join(dir, 'out');
    assert.equal((await complete(['--source-dir', source, '--output-dir', local, '--depths', '200'])).status, 0);

    const { stdout } = await run(['status', ...places]);
    assert.match(stdout, /^AAAUSDT ob200 1m csv 2025-01 +2 +0 +0 /m);

    const audit = ['--workers', '2', '--format', 'csv'];
    const audited = await run(['audit', inBucket('days/source'), ...audit]);
    const auditedHere = await complete(['audit', source, ...audit]);
    assert.equal(audited.stdout.replaceAll(inBucket('days/source'), source), auditedHere.stdout);
    const quick = await run(['audit', '--quick', inBucket('days/out'), '--format', 'csv']);
    assert.equal(quick.stdout.trimEnd().split('\n').length, 3, quick.stdout + quick.stderr);

    const output = ['0200', 'AAAUSDT', '2025-01-15_AAAUSDT_ob200_1m.csv'];
    const peek = await run(['peek', inBucket('days/out', ...output), '--json']);
    const peekHere = await complete(['peek', path.join(local, ...output), '--json']);
    assert.equal(peek.stdout.replace(inBucket('days/out'), local), peekHere.stdout, peek.stderr);
    for (let time = 0; time < 2; time++) {
      const plot = await run(['plot', inBucket('days/out', ...output), '--output', inBucket('days/picture.svg')]);
      assert.equal(plot.status, 0, plot.stderr);
    }
    assert.match([...(await readObjects(server, 'days/picture.svg')).values()].join(), /<svg/);

    const sums = path.join(dir, 'SHA256SUMS');
    const verified = await run(['verify', '--output-dir', inBucket('days/out'), '--checksums', sums]);
    assert.match(verified.stdout, /Outputs as they were written: 2\n/);
    assert.match(fs.readFileSync(sums, 'utf8'), /^[0-9a-f]{64} {2}0200\/AAAUSDT\/2025-01-15_AAAUSDT_ob200_1m\.csv\n/);

    const [here, there] = [path.join(dir, 'joined.csv'), inBucket('days/joined.csv')];
    assert.equal((await complete(['join', '--symbols', 'AAAUSDT', '--output-dir', local, '--output', here])).status, 0);
    const join = ['join', '--symbols', 'AAAUSDT', '--output-dir', inBucket('days/out'), '--output'];
    const joined = await run([...join, there]);
    assert.equal(joined.status, 0, joined.stdout + joined.stderr);
    const [text] = (await readObjects(server, 'days/joined.csv')).values();
    assert.ok(text === fs.readFileSync(here, 'latin1'));
    assert.match((await run([...join, there])).stderr, /joined\.csv exists\. Write it again with --overwrite/);
    const day = inBucket('days/out/0200/AAAUSDT/2025-01-15_AAAUSDT_ob200_1m.csv');
    assert.match((await run([...join, day, '--overwrite'])).stderr, /is one of the days to join/);

    await putObject(server, 'days/out/0200/AAAUSDT/2025-01-15_AAAUSDT_ob200_1m.csv', 'edited');
    const edited = await run(['verify', '--output-dir', inBucket('days/out')]);
    assert.equal(edited.status, 1);
    assert.match(edited.stdout, /^DAMAGED .*2025-01-15.*: it has 6 bytes/m);
  });

  test('view shows what is in a bucket as what is on a disk, and what comes while it runs', async (t) => {
    const dir = tempDir(t);
    const [source, local] = [path.join(dir, 'source'), path.join(dir, 'out')];
    for (const date of ['2025-01-15', '2025-01-16']) await makeArchive(source, { pair: 'AAAUSDT', date });
    await putFolder(server, source, 'viewed/source');
    const how = ['--format', 'csv,csv.gz,parquet', '--metrics', '--depths', '200', '--interval', '1s'];
    const convert = (date: string) =>
      run([
        ...['--source-dir', inBucket('viewed/source'), '--output-dir', inBucket('viewed/out'), ...how],
        ...['--from', date, '--to', date],
      ]);
    const made = await convert('2025-01-15');
    assert.equal(made.status, 0, made.stdout + made.stderr);
    assert.equal((await complete(['--source-dir', source, '--output-dir', local, ...how])).status, 0);
    // Beside the folder, and named like an output of it: it must not be shown.
    await putObject(server, 'viewed/out2/0200/BBBUSDT/2025-01-15_BBBUSDT_ob200_1s.csv', 'secret');
    const inS3 = await startView([inBucket('viewed/out'), ...flagsFor(proxy)], { env: environment() });
    t.after(inS3.stop);
    const onDisk = await startView([local]);
    t.after(onDisk.stop);
    const ask = async (view: StartedView, target: string) => {
      const answer = await fetch(view.url + target);
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()).toString('latin1') };
    };
    const listing = async (view: StartedView) => JSON.parse((await ask(view, 'listing')).bytes) as Listing;
    /** What is listed but for the version, which is an ETag here and a time there. */
    const rowsOf = ({ series }: Listing) =>
      series.map(({ days, ...rest }) => ({ ...rest, days: days.map(([day, , ...counts]) => [day, ...counts]) }));
    const ofDay = (date: string, { series, ...rest }: Listing): Listing => ({
      ...rest,
      series: series.map(({ days, ...of }) => ({ ...of, days: days.filter(([day]) => day === date) })),
    });
    const found = await listing(inS3);
    assert.equal(found.series.length, 6);
    assert.deepEqual(rowsOf(found), rowsOf(ofDay('2025-01-15', await listing(onDisk))));
    const { version } = JSON.parse((await ask(inS3, 'version')).bytes);
    assert.equal(version, found.version);

    const fromMs = Date.parse('2025-01-15T00:01:00Z');
    for (const { id, kind } of found.series) {
      const file = `series=${encodeURIComponent(id)}&day=2025-01-15`;
      const targets =
        kind === 'metrics'
          ? [`metric-names?${file}`, `metrics?${file}&columns=mid_price,spread`]
          : [`book?${file}`, `book?${file}&from=${fromMs}&to=${fromMs + 20_000}&depth=3`, `rows?${file}`];
      for (const target of targets) {
        const answers = [await ask(inS3, target), await ask(onDisk, target)];
        assert.ok(answers[0]?.status === 200 && answers[0].bytes.length > 100, `${target}: ${answers[0]?.status}`);
        assert.ok(answers[0].bytes === answers[1]?.bytes, target);
      }
    }
    const foreign = `book?series=${encodeURIComponent('/BBBUSDT/ob200/1s/csv')}&day=2025-01-15`;
    assert.equal((await ask(inS3, foreign)).status, 404);

    proxy.asked.length = 0;
    await ask(inS3, 'version');
    assert.ok(proxy.asked.length < 4, 'a look for changes does not list all');
    assert.equal((await convert('2025-01-16')).status, 0);
    await waitFor(async () => (await listing(inS3)).series[0]?.days.length === 2);
    assert.deepEqual(rowsOf(await listing(inS3)), rowsOf(await listing(onDisk)));

    const one = inBucket('viewed/out/0200/AAAUSDT/2025-01-15_AAAUSDT_ob200_1s.csv');
    const alone = await startView([one, ...flagsFor(proxy)], { env: environment() });
    t.after(alone.stop);
    const [series] = (await listing(alone)).series;
    const csv = `series=${encodeURIComponent(series?.id ?? '')}&day=2025-01-15`;
    assert.deepEqual(await ask(alone, `rows?${csv}`), {
      status: 200,
      bytes: fs.readFileSync(path.join(local, '0200', 'AAAUSDT', path.basename(one)), 'latin1'),
    });
    await putObject(server, one.slice(inBucket('').length), 'edited\r\n');
    assert.equal((await ask(alone, `rows?${csv}`)).bytes, 'edited\r\n', 'what is there now, and no part of what was');

    for (const [where, message] of [
      [inBucket('viewed/none'), /No such file or folder: s3:\/\//],
      ['s3://no-such-bucket/x', /No such file or folder: s3:\/\/no-such-bucket/],
      [inBucket('viewed/source/0500/AAAUSDT/2025-01-15_AAAUSDT_ob500.data.zip'), /is no output by its name/],
    ] as const) {
      const refused = await run(['view', where]);
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, message);
    }
  });

  test('a single archive, from S3 to a folder and from a folder to S3', async (t) => {
    const { source, dir, out } = await prepare(t, 'single', 1);
    const name = '0500/PAIR00USDT/2025-01-15_PAIR00USDT_ob500.data.zip';
    const mixed = path.join(dir, 'mixed');
    const down = await run([inBucket('single/source', name), '--output-dir', mixed]);
    assert.equal(down.status, 0, down.stdout + down.stderr);
    assertSameOutputs(readOutputs(mixed), readOutputs(out));
    const up = await run([path.join(source, name), '--output-dir', inBucket('single/out')]);
    assert.equal(up.status, 0, up.stdout + up.stderr);
    assertSameOutputs(await outputsIn('single/out/'), readOutputs(out));
  });

  test('what is wrong is said with bucket and key, and credentials nowhere', async (t) => {
    const dir = tempDir(t);
    const env = { AWS_ACCESS_KEY_ID: 'AKIAQQQQQQQQQQQQQQQQ', AWS_SECRET_ACCESS_KEY: 'secret-of-nobody' };
    const convert = (source: string) => run(['--source-dir', source, '--output-dir', path.join(dir, 'out')], env);
    const cases: [string, () => Promise<{ status: number | null; stdout: string; stderr: string }>, RegExp][] = [
      ['no bucket', () => convert('s3://no-such-bucket/x'), /No such bucket: no-such-bucket/],
      ['no folder', () => convert(inBucket('nowhere')), /No such folder: s3:\/\/archives-of-tests\/nowhere\n/],
      ['no name', () => convert('s3:///x'), /names no bucket: expected s3:\/\/BUCKET\/PREFIX/],
      ['no object', () => run([inBucket('2025-01-15_A_ob200.data.zip'), '--output-dir', dir], env), /No such file/],
    ];
    for (const [what, go, message] of cases) {
      const { status, stdout, stderr } = await go();
      assert.equal(status, 2, what);
      assert.match(stderr, message, what);
      assert.doesNotMatch(stdout + stderr, /AKIAQ|secret-of|\n {4}at /, what);
    }
    proxy.fault = () => s3Error(403, 'SignatureDoesNotMatch', '<AWSAccessKeyId>AKIAQQQQQQQQQQQQQQQQ</AWSAccessKeyId>');
    const denied = await convert(inBucket('same/source'));
    assert.equal(denied.status, 2);
    assert.match(denied.stderr, /does not accept the credentials \(SignatureDoesNotMatch\)/);
    assert.doesNotMatch(denied.stdout + denied.stderr, /AKIAQ|secret-of|\n {4}at /);
    const userInfo = await run(['status', '--s3-endpoint', 'http://key:secret-of@127.0.0.1:1']);
    assert.equal(userInfo.status, 2);
    assert.doesNotMatch(userInfo.stderr, /secret-of/);
  });

  for (const workers of ['1', '2']) {
    test(`records that cannot be written at the end are told after the summary (${workers} workers)`, async (t) => {
      const { args, prefix, expected } = await prepare(t, `unrecorded-${workers}`, 3, ['--workers', workers]);
      proxy.fault = ({ method, url }) =>
        method === 'PUT' && url.includes('conversions.jsonl') ? s3Error(403, 'AccessDenied') : undefined;
      const { status, stdout, stderr } = await run([...args, '--json']);
      assert.equal(status, 1);
      const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      assert.deepEqual([summary.event, summary.done, summary.left], ['summary', 3, 0]);
      assert.match(stderr, /^bookgrid: .*conversions\.jsonl\S*: access denied\. Give these credentials s3:PutObject/);
      proxy.fault = () => undefined;
      assertSameOutputs(await outputsIn(prefix), expected);
      assert.match((await run(args)).stdout, /Skipped \(already exist\): 3\n/, 'outputs carry their records');
    });
  }

  test('the SDK is loaded where there is an address of S3, and nowhere else', async (t) => {
    const { args, source, dir } = await prepare(t, 'loaded', 1);
    const told = path.join(dir, 'told');
    const hook = path.join(dir, 'hook.cjs');
    const isSdk = 'Object.keys(require.cache).some((file) => file.includes("client-s3"))';
    fs.writeFileSync(
      hook,
      `process.on('exit', () => require('fs').appendFileSync(${JSON.stringify(told)}, ${isSdk} + '\\n'))`,
    );
    const env = { ...environment(), NODE_OPTIONS: `--require ${JSON.stringify(hook)}` };
    const loaded = async (line: string[]) => {
      fs.rmSync(told, { force: true });
      const { status, stderr } = await complete(line, { env });
      assert.equal(status, 0, stderr);
      return fs.readFileSync(told, 'utf8').includes('true');
    };
    const out = path.join(dir, 'local');
    for (const workers of ['1', '2']) {
      assert.ok(!(await loaded(['--source-dir', source, '--output-dir', out, '--overwrite', '--workers', workers])));
    }
    for (const command of ['status', 'verify']) assert.ok(!(await loaded([command, '--output-dir', out])), command);
    assert.ok(await loaded([...args, ...flagsFor(server)]));
  });

  test('where uploads cannot be noted nothing is uploaded, and it is said what to do', async (t) => {
    const { args, prefix } = await prepare(t, 'unnoted', 1);
    const { status, stderr } = await run(args, { TMPDIR: path.join(tempDir(t), 'missing') });
    assert.equal(status, 2);
    assert.match(
      stderr,
      /Cannot write to .*: uploads are noted in \S+missing, which fails \(ENOENT.*\): set TMPDIR to /,
    );
    assert.deepEqual(await listKeys(server, prefix), []);
    assert.deepEqual(await listUploads(server), []);
  });
});

/** Of heap: enough for the program and the SDK, and far too little for an object a key. */
const HEAP_MB = 64;
const SYMBOLS = process.env['CI_LONG'] === '1' ? 100 : 15;
const READER_RESTS_MS = SYMBOLS * 150;

test(`${SYMBOLS * 2000} archives, as many outputs and records, are planned in ${HEAP_MB} MB of heap`, async (t) => {
  const bucket = await startListedBucket(SYMBOLS, 2000);
  t.after(() => bucket.close());
  const env = { ...environment(), NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
  const plan = async (...args: string[]) => {
    bucket.requests = 0;
    const places = ['--source-dir', bucket.source, ...args, ...flagsFor(bucket)];
    const { child, ended } = start(places, { env, timeout: 1_200_000 });
    // Who reads stops for a while, as a pager does: what is printed must not gather in memory.
    child.stdout?.once('data', () => {
      child.stdout?.pause();
      setTimeout(READER_RESTS_MS).then(() => child.stdout?.resume());
    });
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 0, `${args.join(' ')}: ${stderr.slice(0, 2000)}`);
    return stdout.trimEnd().split('\n');
  };
  const archives = SYMBOLS * 2000;
  // Two pages a symbol in the source folder and in the output folder, some for the folders above, two for the records.
  const maxRequests = 4 * SYMBOLS + 20;
  const none = ['--output-dir', bucket.source.replace(/source$/, 'none'), '--dry-run'];
  assert.equal((await plan(...none)).at(-2)?.split(',')[1], ` ${archives} to convert`);
  assert.ok(bucket.requests < maxRequests, `${bucket.requests} requests`);
  const shard = (await plan(...none, '--shard', '3/16')).filter((line) => line.includes('CONVERT'));
  assert.ok(Math.abs(shard.length - archives / 16) <= 1, `${shard.length} archives of a shard`);
  const made = ['--output-dir', bucket.made, '--depths', '200', '--dry-run'];
  assert.match((await plan(...made)).at(-1) ?? '', new RegExp(`0 to convert, ${archives} to skip`));
  // The records are read.
  assert.ok(bucket.requests < maxRequests + 4 * SYMBOLS, `${bucket.requests} requests`);
});
