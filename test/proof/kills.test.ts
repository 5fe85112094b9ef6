/**
 * Kills at random moments, from the start of a process to its last rename. After each, what is there is whole and known,
 * and the same command makes the rest: the right bytes, and nothing else. `test/cli/killed.test.ts` looks on while large
 * archives are converted; this is about many kills of every command that writes.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type ArchiveServer, startServer } from '../support/archive-server.js';
import { killAt, pauseAt, randomNumbers } from '../support/disturbances.js';
import { readOutputs, readTree, tempDir } from '../support/files.js';
import { logProof } from '../support/proof-log.js';
import { NO_REDIS, startRedis } from '../support/redis.js';
import { assertSameOutputs, complete, listFiles, makeArchive } from '../support/runs.js';

/** 1,000 in all take some minutes on two cores. */
const KILLS =
  process.env['CI_LONG'] === '1'
    ? { convert: 480, join: 200, download: 200, submit: 60, worker: 100, pauses: 60 }
    : { convert: 7, join: 4, download: 4, submit: 2, worker: 3, pauses: 2 };
const SEED = Number(process.env['BOOKGRID_TEST_SEED'] ?? Date.now() % 1_000_000);
const AT_A_TIME = os.availableParallelism();

const PAIRS = ['AAAUSDT', 'BBBUSDT', 'CCCUSDT', 'DDDUSDT', 'EEEUSDT', 'FFFUSDT'];
const DATES = ['2025-01-15', '2025-01-16'];
const ENDINGS = ['.data.zip', '.data.gz', '.data'];

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-kills-'));
const source = path.join(root, 'source');
const days = path.join(root, 'days');
/** What unbroken runs give. */
let outputs: Map<string, string>;

before(async () => {
  for (const [seed, pair] of PAIRS.entries()) {
    const market = { seed, durationMs: 200_000 };
    await makeArchive(source, { pair, ending: ENDINGS[seed % 3] ?? '', market });
  }
  await makeArchive(source, { pair: 'AAAUSDT', date: DATES[1] ?? '', market: { seed: 9 } });
  assert.equal((await complete(convertLine(days))).status, 0);
  outputs = readOutputs(days);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

function convertLine(out: string, more: string[] = []): string[] {
  return ['--source-dir', source, '--output-dir', out, '--format', 'csv,parquet', '--metrics', ...more];
}

/** Tries that are counted, several at a time. */
interface Tries {
  command: string;
  call: string;
  count: number;
  /** How long an undisturbed run takes. */
  wholeMs: number;
  /** One try. @returns whether the run was disturbed before it had ended. */
  tryOnce: (afterMs: number, number: number) => Promise<boolean>;
  atATime?: number;
}

async function repeat(t: TestContext, { command, call, count, wholeMs, tryOnce, atATime = AT_A_TIME }: Tries) {
  t.diagnostic(`BOOKGRID_TEST_SEED=${SEED}, an undisturbed run takes ${wholeMs.toFixed(0)} ms`);
  const random = randomNumbers(SEED + command.length);
  let disturbed = 0;
  let begun = 0;
  const lane = async () => {
    while (disturbed < count) {
      const afterMs = random.next().value * 1.1 * wholeMs;
      const number = begun++;
      try {
        if (await tryOnce(afterMs, number)) disturbed++;
      } catch (error) {
        logProof({ proof: 'kills', command, call, count: disturbed + 1, found: 1 });
        throw new Error(`${command}, ${call} ${afterMs.toFixed(0)} ms after its start (BOOKGRID_TEST_SEED=${SEED})`, {
          cause: error,
        });
      }
      assert.ok(begun < 10 * count + 50, 'nearly every run ends before it is disturbed');
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, count) }, lane));
  logProof({ proof: 'kills', command, call, count: disturbed, found: 0 });
}

async function timed(run: () => Promise<{ status: number | null; stderr: string }>): Promise<number> {
  const startMs = performance.now();
  const { status, stderr } = await run();
  assert.equal(status, 0, stderr);
  return performance.now() - startMs;
}

/** Asserts of what is to be seen that it is whole, and that a record tells of each file with its SHA-256. */
function assertWholeAndKnown(out: string): void {
  const visible = [...(fs.existsSync(out) ? readOutputs(out) : [])].filter(
    ([name]) => !path.basename(name).startsWith('.'),
  );
  const known = new Set<string>();
  const records = path.join(out, 'conversions.jsonl');
  const lines = fs.existsSync(records) ? fs.readFileSync(records, 'utf8').split('\n') : [];
  // The last one may be cut off. An empty one comes where two workers write at the same moment, and says nothing.
  for (const line of lines.slice(0, -1).filter(Boolean)) {
    for (const output of (JSON.parse(line) as { outputs: { path: string; sha256: string }[] }).outputs) {
      known.add(`${output.path} ${output.sha256}`);
    }
  }
  for (const [name, text] of visible) {
    assert.ok(text === outputs.get(name), `${name} is whole`);
    const sha256 = createHash('sha256').update(text, 'latin1').digest('hex');
    assert.ok(known.has(`${name} ${sha256}`), `a record tells of ${name}`);
  }
}

async function assertMakesTheRest(args: string[], out: string, expected: Map<string, string>): Promise<void> {
  const { status, stdout, stderr } = await complete(args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  assertSameOutputs(readOutputs(out), expected);
}

test(`convert, killed ${KILLS.convert} times`, async (t) => {
  const folder = tempDir(t);
  const wholeMs = await timed(() => complete(convertLine(path.join(folder, 'first'))));
  const tryOnce = async (afterMs: number, number: number) => {
    const out = path.join(folder, `${number}`);
    const workers = ['--workers', `${1 + (number % 2)}`];
    const isKilled = await killAt({ args: convertLine(out, workers), afterMs });
    assertWholeAndKnown(out);
    await assertMakesTheRest(convertLine(out, workers), out, outputs);
    fs.rmSync(out, { recursive: true });
    return isKilled;
  };
  await repeat(t, { command: 'convert', call: 'SIGKILL', count: KILLS.convert, wholeMs, tryOnce });
});

test(`convert, standing still ${KILLS.pauses} times`, async (t) => {
  const folder = tempDir(t);
  const wholeMs = await timed(() => complete(convertLine(path.join(folder, 'first'))));
  const tryOnce = async (afterMs: number, number: number) => {
    const out = path.join(folder, `${number}`);
    const { status, stdout } = await pauseAt({ args: convertLine(out, ['--workers', '2']), afterMs });
    assert.equal(status, 0, stdout);
    assertSameOutputs(readOutputs(out), outputs);
    fs.rmSync(out, { recursive: true });
    return true;
  };
  await repeat(t, { command: 'convert', call: 'SIGSTOP, SIGCONT', count: KILLS.pauses, wholeMs, tryOnce });
});

test(`join, killed ${KILLS.join} times`, async (t) => {
  const folder = tempDir(t);
  const line = (out: string, format: string) =>
    ['join', '--symbols', 'AAAUSDT', '--depths', '500', '--output-dir', days].concat(
      ...['--format', format, '--output', path.join(out, `joined.${format}`)],
    );
  const whole = new Map<string, Map<string, string>>();
  let wholeMs = 0;
  for (const format of ['csv', 'parquet']) {
    const out = path.join(folder, format);
    fs.mkdirSync(out);
    wholeMs = await timed(() => complete(line(out, format)));
    whole.set(format, readTree(out));
  }
  const tryOnce = async (afterMs: number, number: number) => {
    const format = number % 2 === 0 ? 'csv' : 'parquet';
    const expected = whole.get(format) as Map<string, string>;
    const out = path.join(folder, `${number}`);
    fs.mkdirSync(out);
    const isKilled = await killAt({ args: line(out, format), afterMs });
    for (const [name, text] of readTree(out)) {
      if (!name.startsWith('.')) assert.ok(text === expected.get(name), `${name} is whole`);
    }
    // It does not write over what is there, which is whole: whoever wants it anew removes it.
    for (const name of expected.keys()) fs.rmSync(path.join(out, name), { force: true });
    const { status, stderr } = await complete(line(out, format));
    assert.equal(status, 0, stderr);
    assert.deepEqual([...readTree(out).keys()], [...expected.keys()]);
    assertSameOutputs(readTree(out), expected);
    fs.rmSync(out, { recursive: true });
    return isKilled;
  };
  await repeat(t, { command: 'join', call: 'SIGKILL', count: KILLS.join, wholeMs, tryOnce });
});

/** Whether it is, or lies in, what is not finished. */
function isHidden(name: string): boolean {
  return name.split(path.sep).some((step) => step.startsWith('.'));
}

/** Publishes all archives of a day. */
function publishAll(server: ArchiveServer): Map<string, string> {
  const published = new Map<string, string>();
  for (const file of listFiles(source).filter((name) => name.endsWith('.zip') && name.includes(DATES[0] ?? ''))) {
    const [pair = '', name = ''] = file.split(path.sep).slice(-2);
    server.publish(`/orderbook/linear/${pair}/${name}`, fs.readFileSync(file));
    published.set(name, fs.readFileSync(file, 'latin1'));
  }
  return published;
}

test(`download, killed ${KILLS.download} times`, async (t) => {
  const folder = tempDir(t);
  const server = await startServer(t);
  const expected = publishAll(server);
  const symbols = PAIRS.filter((_, index) => index % 3 === 0).join();
  server.throttle = { bytes: 4096, everyMs: 2 };
  const line = (sourceDir: string) =>
    [
      'download',
      '--symbols',
      symbols,
      '--from',
      DATES[0] ?? '',
      '--to',
      DATES[0] ?? '',
      '--source-dir',
      sourceDir,
    ].concat(...['--base-url', server.url, '--list-url', 'none']);
  const byName = (dir: string) =>
    new Map([...(fs.existsSync(dir) ? readTree(dir) : [])].map(([name, text]) => [path.basename(name), text]));
  const wholeMs = await timed(() => complete(line(path.join(folder, 'first'))));
  assertSameOutputs(byName(path.join(folder, 'first')), expected);
  const tryOnce = async (afterMs: number, number: number) => {
    const sourceDir = path.join(folder, `${number}`);
    const isKilled = await killAt({ args: line(sourceDir), afterMs });
    for (const file of listFiles(sourceDir).filter((name) => !isHidden(path.relative(sourceDir, name)))) {
      assert.ok(fs.readFileSync(file, 'latin1') === expected.get(path.basename(file)), `${file} is whole`);
    }
    const { status, stdout } = await complete(line(sourceDir));
    assert.equal(status, 0, stdout);
    assertSameOutputs(byName(sourceDir), expected);
    fs.rmSync(sourceDir, { recursive: true });
    return isKilled;
  };
  await repeat(t, { command: 'download', call: 'SIGKILL', count: KILLS.download, wholeMs, tryOnce });
});

/** Queues of their own on one server. */
const queueOf = (url: string, number: number | string) => ['--queue', url, '--queue-name', `kills-${number}`];

/** What a queue holds. */
async function countJobs(queue: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await complete(['watch', '--once', '--json', ...queue]);
  return JSON.parse(stdout.split('\n')[0] ?? '') as Record<string, unknown>;
}

test(`submit, killed ${KILLS.submit} times`, { skip: NO_REDIS }, async (t) => {
  const folder = tempDir(t);
  const redis = await startRedis(t);
  const line = (number: number | string) => [
    'submit',
    ...convertLine(path.join(folder, 'out')),
    ...queueOf(redis.url, number),
  ];
  const wholeMs = await timed(() => complete(line('first')));
  const archives = PAIRS.length + 1;
  const tryOnce = async (afterMs: number, number: number) => {
    const isKilled = await killAt({ args: line(number), afterMs });
    const { status, stderr } = await complete(line(number));
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const { total, waiting, failed } = await countJobs(queueOf(redis.url, number));
    assert.deepEqual({ total, waiting, failed }, { total: archives, waiting: archives, failed: 0 }, 'each once');
    return isKilled;
  };
  await repeat(t, { command: 'submit', call: 'SIGKILL', count: KILLS.submit, wholeMs, tryOnce });
});

/** Kills of workers on one queue, one after the other: what a dead one had begun is given to another after 15 s. */
const KILLS_A_QUEUE = Math.min(5, KILLS.worker);

test(`worker, killed ${KILLS.worker} times`, { skip: NO_REDIS, timeout: 600_000 }, async (t) => {
  const folder = tempDir(t);
  const redis = await startRedis(t);
  const submit = (out: string, queue: string[]) => complete(['submit', ...convertLine(out), ...queue]);
  const worker = (queue: string[]) => ['worker', '--until-done', '--workers', '1', ...queue];
  const first = queueOf(redis.url, 'first');
  await submit(path.join(folder, 'first'), first);
  const wholeMs = await timed(() => complete(worker(first)));
  const count = Math.ceil(KILLS.worker / KILLS_A_QUEUE);
  let kills = 0;
  const tryOnce = async (afterMs: number, number: number) => {
    const [out, queue] = [path.join(folder, `${number}`), queueOf(redis.url, number)];
    await submit(out, queue);
    const random = randomNumbers(SEED + number);
    for (let kill = 0; kill < KILLS_A_QUEUE; kill++) {
      const killMs = kill === 0 ? afterMs : random.next().value * wholeMs;
      if (await killAt({ args: worker(queue), afterMs: killMs })) kills++;
      assertWholeAndKnown(out);
    }
    const { status, stdout } = await complete(worker(queue), { timeout: 120_000 });
    assert.equal(status, 0, stdout);
    const { done, failed } = await countJobs(queue);
    assert.deepEqual({ done, failed }, { done: PAIRS.length + 1, failed: 0 });
    // A run sweeps what the dead workers of a queue have left in folders that nobody works in any more.
    await assertMakesTheRest(convertLine(out), out, outputs);
    fs.rmSync(out, { recursive: true });
    return true;
  };
  // They wait most of the time.
  await repeat(t, { command: 'worker', call: 'queues of killed workers', count, wholeMs, tryOnce, atATime: 4 });
  logProof({ proof: 'kills', command: 'worker', call: 'SIGKILL', count: kills, found: 0 });
});
