/**
 * What works on a queue meets faults: each command that it sends to Redis is lost, or its answer, or is refused, and each
 * call to the file system fails. Whatever fails: an error names the cause, no job is lost or doubled, what is visible is
 * whole and known, and the next run does the rest.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { KEY_PREFIX } from '../../src/executors/queue/archive-queue.js';
import type { CliResult } from '../support/cli.js';
import { type Asked, CALLS, type Call, type Disturbance, disturbCalls } from '../support/faults-calls.js';
import { runHere } from '../support/faults-commands.js';
import { DISTURBANCES } from '../support/faults-in-turn.js';
import { assertIs, assertRecorded, assertWhole, bury, filesBelow } from '../support/faults-ledger.js';
import { outOf, WRITING } from '../support/faults-scenarios.js';
import { REFUSAL, type RedisFault, startFaultyRedis } from '../support/faulty-redis.js';
import { tempDir } from '../support/files.js';
import { logProof } from '../support/proof-log.js';
import { NO_REDIS, startRedis } from '../support/redis.js';

const IS_LONG = process.env['CI_LONG'] === '1';
/** Workers wait for locks and connections most of the time. */
const AT_A_TIME = 16;
/** Of the commands and calls one of so many meets a fault in the short form. */
const STRIDE = IS_LONG ? 1 : 7;
/** After so many problems of one kind it is known. */
const MOST_TOLD = 3;
/** A job whose worker has lost it is given to another after some 20 s. */
const LIMIT_MS = 90_000;

const CUT = /closed|reset|ended|EPIPE|cannot be reached/i;
/** What an error or a note says of each. */
const FAULTS: Record<RedisFault, RegExp> = {
  'answer lost': CUT,
  'command lost': CUT,
  refused: new RegExp(REFUSAL),
};

/** Archives, outputs and a queue of an experiment's own. */
interface Place {
  folder: string;
  name: string;
}

interface Scenario {
  command: string;
  /** What all experiments read and none changes; absent: each works in a folder of its own. */
  sharedFolder?: string;
  begin: (place: Place) => Promise<void>;
  /** What is run, but for where the queue is. */
  argv: (place: Place) => string[];
  /** Asserts what must hold after the command has met a fault, and after the next run of it. */
  check: (place: Place, result: CliResult) => Promise<void>;
}

// A worker of BullMQ (version 5) that was told to close while its connection was lost may renew locks for ever: its close comes
// to no end, and it has no other. The program ends its process then, and so does this one.
after(() => {
  setTimeout(2000, undefined, { ref: false }).then(() => process.exit());
});

describe('a queue', { skip: NO_REDIS, timeout: 1_200_000 }, () => {
  test('submit: each command and each call fails in turn', async (t) => {
    const server = await startServer(t);
    const scenario = await submitting(server, tempDir(t));
    await disturbAll(t, server, scenario, [disturbCommands, disturbFiles]);
  });
  test('worker: each command and each call fails in turn', async (t) => {
    const server = await startServer(t);
    const scenario = await working(server, tempDir(t));
    await disturbAll(t, server, scenario, [disturbCommands, disturbFiles]);
  });
  test('retry: each command fails in turn', async (t) => {
    const server = await startServer(t);
    await disturbAll(t, server, await retrying(server, tempDir(t)), [disturbCommands]);
  });
  test('watch: each command fails in turn', async (t) => {
    const server = await startServer(t);
    await disturbAll(t, server, await watching(server, tempDir(t)), [disturbCommands]);
  });
});

async function startServer(t: TestContext): Promise<Server> {
  const { url } = await startRedis(t);
  const server = new Server(Number(new URL(url).port));
  t.after(() => server.redis.disconnect());
  return server;
}

/** The server of one test, and what is known of it. */
class Server {
  readonly redis: Redis;

  constructor(readonly port: number) {
    this.redis = new Redis({ port });
  }

  flags({ name }: Place, port = this.port): string[] {
    return ['--queue', `redis://127.0.0.1:${port}/0`, '--queue-name', name];
  }

  /** The jobs of a queue by their state, each state sorted. */
  async jobs({ name }: Place): Promise<Record<string, string[]>> {
    const key = (state: string) => `${KEY_PREFIX}:${name}:${state}`;
    const lists = ['wait', 'active'].map((state) => this.redis.lrange(key(state), 0, -1));
    const sets = ['prioritized', 'delayed', 'failed'].map((state) => this.redis.zrange(key(state), 0, '-1'));
    const [wait = [], active = [], prioritized = [], delayed = [], failed = []] = await Promise.all([
      ...lists,
      ...sets,
    ]);
    const states = { waiting: [...wait, ...prioritized], active, delayed, failed };
    return Object.fromEntries(Object.entries(states).map(([state, ids]) => [state, ids.sort()]));
  }

  /** Gives a queue all that another has. */
  async copy(from: string, { name }: Place): Promise<void> {
    const keys = await this.redis.keys(`${KEY_PREFIX}:${from}:*`);
    for (const key of [...keys, `${KEY_PREFIX}-settings:${from}`]) {
      await this.redis.copy(key, key.replace(`:${from}`, `:${name}`));
    }
  }

  /** As if so much time had gone by that dead workers have lost their jobs, and those to be tried again later are due. */
  async letTimePass({ name }: Place): Promise<void> {
    const locks = await this.redis.keys(`${KEY_PREFIX}:${name}:*:lock`);
    if (locks.length > 0) await this.redis.del(...locks);
    const queue = new Queue(name, { connection: { port: this.port }, prefix: KEY_PREFIX });
    await queue.promoteJobs();
    await queue.close();
  }
}

const convertLine = (folder: string) => (WRITING[0] as (typeof WRITING)[number]).argv(folder).slice(1);
const putArchives = (folder: string) => (WRITING[0] as (typeof WRITING)[number]).begin(folder);
/** What is said of it to `submit`: where archives and outputs are. */
const ofConvert = (folder: string) => convertLine(folder).filter((word) => word !== '--workers' && word !== '1');

async function succeed(argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runHere(argv);
  assert.equal(status, 0, `${argv[0]}: ${stdout}${stderr}`);
  return stdout;
}

const none = { active: [], delayed: [], failed: [] };

async function submitting(server: Server, root: string): Promise<Scenario> {
  await putArchives(root);
  const argv = () => ['submit', ...ofConvert(root)];
  const unbroken = { folder: root, name: 'unbroken' };
  await succeed([...argv(), ...server.flags(unbroken)]);
  const golden = await server.jobs(unbroken);
  assert.equal(golden['waiting']?.length, 3);
  return {
    command: 'submit',
    sharedFolder: root,
    begin: async () => {},
    argv,
    async check(place, { status, stdout }) {
      const jobs = await server.jobs(place);
      if (status === 0) assert.match(stdout, new RegExp(`^${jobs['waiting']?.length} jobs submitted`));
      for (const id of jobs['waiting'] ?? []) assert.ok(golden['waiting']?.includes(id), 'a job that is none');
      const again = await succeed([...argv(), ...server.flags(place)]);
      assert.deepEqual(await server.jobs(place), golden, 'after submitting again');
      const missing = 3 - (jobs['waiting']?.length ?? 0);
      assert.match(again, new RegExp(`^${missing} jobs submitted .* of 3 archives, ${3 - missing} were in it before`));
      const { total } = JSON.parse(await succeed(['watch', '--once', '--json', ...server.flags(place)]));
      assert.equal(total, 3);
    },
  };
}

async function working(server: Server, root: string): Promise<Scenario> {
  const argv = () => ['worker', '--until-done', '--workers', '1'];
  const begin = async (place: Place) => {
    await putArchives(place.folder);
    await succeed(['submit', ...ofConvert(place.folder), ...server.flags(place)]);
  };
  const unbroken = { folder: path.join(root, 'unbroken'), name: 'unbroken' };
  await begin(unbroken);
  const before = filesBelow(unbroken.folder);
  await succeed([...argv(), ...server.flags(unbroken)]);
  const golden = filesBelow(unbroken.folder);
  assert.equal(golden.size, before.size + 3);
  return {
    command: 'worker',
    begin,
    argv,
    async check(place, { status, stdout, stderr }) {
      const { folder } = place;
      const what = `${status} ${stdout}${stderr}`;
      assertWhole(folder, [golden], what);
      if (fs.existsSync(outOf(folder))) assertRecorded(outOf(folder), what);
      bury(folder);
      await server.letTimePass(place);
      await succeed([...argv(), ...server.flags(place)]);
      assertIs(folder, golden, `after the next run: ${what}`);
      const view = JSON.parse(await succeed(['watch', '--once', '--json', ...server.flags(place)]));
      assert.deepEqual({ total: view.total, done: view.done }, { total: 3, done: 3 });
      await succeed(['verify', '--output-dir', outOf(folder)]);
    },
  };
}

/** A queue, to be copied, in which all jobs have failed because of their archives. */
async function failAll(server: Server, root: string): Promise<Record<string, string[]>> {
  const place = { folder: root, name: 'failed' };
  await putArchives(root);
  for (const name of fs.readdirSync(path.join(root, 'source'), { recursive: true, encoding: 'utf8' })) {
    const file = path.join(root, 'source', name);
    if (fs.statSync(file).isFile()) fs.writeFileSync(file, 'no archive');
  }
  await succeed(['submit', ...ofConvert(root), ...server.flags(place)]);
  for (let failed = 0; failed < 3; failed++) {
    await runHere(['worker', '--until-done', ...server.flags(place)]); // ends at each failure
  }
  const jobs = await server.jobs(place);
  assert.equal(jobs['failed']?.length, 3);
  return jobs;
}

async function retrying(server: Server, root: string): Promise<Scenario> {
  const { failed: ids = [] } = await failAll(server, root);
  return {
    command: 'retry',
    begin: (place) => server.copy('failed', place),
    argv: () => ['retry'],
    async check(place, { status, stdout }) {
      const { waiting = [], failed = [] } = await server.jobs(place);
      assert.deepEqual([...waiting, ...failed].sort(), ids, 'each once');
      if (status === 0) assert.match(stdout, /^3 failed jobs/);
      await succeed(['retry', ...server.flags(place)]);
      assert.deepEqual(await server.jobs(place), { ...none, waiting: ids }, 'after the next run');
    },
  };
}

async function watching(server: Server, root: string): Promise<Scenario> {
  const jobs = await failAll(server, root);
  const argv = () => ['watch', '--once'];
  const golden = await runHere([...argv(), ...server.flags({ folder: root, name: 'failed' })]);
  assert.match(golden.stdout, /^0\/3 done, 3 failed/);
  return {
    command: 'watch',
    begin: (place) => server.copy('failed', place),
    argv,
    async check(place, { status, stdout, stderr }) {
      assert.equal(status, 1, 'jobs have failed, or an error is told of');
      assert.ok(golden.stdout.startsWith(stdout), stdout);
      if (stdout !== golden.stdout) assert.match(stderr, /^bookgrid: .*queue/m);
      assert.deepEqual(await server.jobs(place), jobs, 'nothing is changed');
    },
  };
}

interface Trial {
  server: Server;
  scenario: Scenario;
  root: string;
}

/** Runs the experiments of a kind. @returns what was wrong. */
type Disturber = (trial: Trial) => Promise<string[]>;

async function disturbAll(t: TestContext, server: Server, scenario: Scenario, ways: Disturber[]): Promise<void> {
  const problems: string[] = [];
  for (const disturb of ways) problems.push(...(await disturb({ server, scenario, root: tempDir(t) })));
  assert.ok(problems.length === 0, problems.join('\n\n'));
}

async function disturbCommands(trial: Trial): Promise<string[]> {
  const { command } = trial.scenario;
  const found: string[] = [];
  for (const fault of Object.keys(FAULTS) as RedisFault[]) {
    const lose = (nth: number) => loseCommand(trial, fault, nth);
    const { count, problems } = await inTurn(`${command}: ${fault} at command`, AT_A_TIME, lose);
    assert.ok(count > 0, 'no command was disturbed');
    logProof({ proof: 'faults', command, call: `command of Redis: ${fault}`, count, found: problems.length });
    found.push(...problems);
  }
  return found;
}

/** @returns whether there was such a command. */
async function loseCommand({ server, scenario, root }: Trial, fault: RedisFault, nth: number): Promise<boolean> {
  const place = placeOf(root, `${fault.replace(' ', '-')}-${nth}`);
  await scenario.begin(place);
  const proxy = await startFaultyRedis(server.port);
  let count = 0;
  proxy.fault = (isWrite) => {
    if (fault === 'refused' && !isWrite) return undefined;
    count++;
    return count === nth ? fault : undefined;
  };
  try {
    const result = await inTime(runHere([...scenario.argv(place), ...server.flags(place, proxy.port)]));
    const printed = result.stdout + result.stderr;
    if (result.stdout === '') assert.match(printed, FAULTS[fault]);
    await scenario.check(place, result).catch((error: Error) => {
      throw new Error(`${error.message}\n${printed}`, { cause: error });
    });
  } finally {
    await proxy.close();
  }
  fs.rmSync(place.folder, { recursive: true });
  return count >= nth;
}

function placeOf(root: string, name: string): Place {
  const folder = path.join(root, name);
  fs.mkdirSync(folder);
  return { folder, name };
}

async function inTime(run: Promise<CliResult>): Promise<CliResult> {
  const late = setTimeout(LIMIT_MS, 'late' as const, { ref: false });
  const result = await Promise.race([run, late]);
  if (result === 'late') throw new Error(`has not ended after ${LIMIT_MS} ms`);
  return result;
}

async function disturbFiles({ server, scenario, root }: Trial): Promise<string[]> {
  const { command, sharedFolder } = scenario;
  /** What is meant for the calls of each experiment, by its folder. */
  const meant = new Map<string, (asked: Asked) => Disturbance | undefined>();
  const restore = disturbCalls(sharedFolder ?? root, (asked) => {
    for (const [folder, decide] of meant) if (asked.path.startsWith(folder)) return decide(asked);
    return undefined;
  });

  /** @returns whether there was such a call. */
  async function failCall(call: Call, nth: number, disturbance: Disturbance): Promise<boolean> {
    const place = placeOf(root, `${call}-${nth}-`);
    await scenario.begin(place);
    const folder = sharedFolder ?? place.folder;
    let calls = 0;
    meant.set(folder, (asked) => (asked.call === call && ++calls === nth ? disturbance : undefined));
    const result = await inTime(runHere([...scenario.argv(place), ...server.flags(place)]));
    meant.delete(folder);
    const printed = result.stdout + result.stderr;
    if (result.status !== 0 && 'fails' in disturbance) {
      assert.ok(printed.includes(disturbance.fails) || /disk is full/.test(printed), `not told of: ${printed}`);
    }
    await scenario.check(place, result);
    fs.rmSync(place.folder, { recursive: true });
    return calls >= nth;
  }

  const found: string[] = [];
  try {
    for (const call of CALLS) {
      const [disturbance] = DISTURBANCES[call];
      assert.ok(disturbance);
      const fail = (nth: number) => failCall(call, nth, disturbance);
      const { count, problems } = await inTurn(`${command}: ${call}`, sharedFolder === undefined ? AT_A_TIME : 1, fail);
      if (count > 0) logProof({ proof: 'faults', command, call, count, found: problems.length });
      found.push(...problems);
    }
  } finally {
    restore();
  }
  return found;
}

/** Tries the first, some of those that follow, or all, until there are no more. */
async function inTurn(
  what: string,
  lanes: number,
  tryOne: (nth: number) => Promise<boolean>,
): Promise<{ count: number; problems: string[] }> {
  const problems: string[] = [];
  let count = 0;
  let next = 1;
  let isOver = false;
  const lane = async () => {
    while (!isOver && problems.length < MOST_TOLD) {
      const nth = next;
      next += STRIDE;
      const isHit = await tryOne(nth).catch((error: Error) => {
        problems.push(`${what} ${nth}: ${error.message}`);
        return true;
      });
      if (isHit) count++;
      else isOver = true;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { count, problems };
}
