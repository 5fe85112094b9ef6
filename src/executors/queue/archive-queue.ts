/**
 * A queue of jobs in Redis, which any number of machines work on. Jobs, locks and tries are BullMQ's, and so is the count of
 * finished jobs, which are removed. Beside them lies what it does not keep: which version and options jobs have.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { DAY_MS, midnightMs } from '../../base/time.js';
import { UsageError } from '../../base/usage-error.js';
import { VERSION } from '../../base/version.js';
import type { Order } from '../../convert/job-queue.js';
import type { Job } from '../../convert/plan.js';
import { StorageError } from '../../storage/storage.js';
import type { RedisAddress } from './address.js';
import { bullConnection, type ConnectHooks, connect } from './connection.js';
import { describeFailedReason, told } from './errors.js';

/** Before all keys, so that other programs can use the same database. */
export const KEY_PREFIX = 'bookgrid';

/** A job that another try may help is tried so often in all; one that takes its process down as well. */
export const MAX_TRIES = 5;

/** Before the second try; twice as long before each further one. */
const FIRST_WAIT_MS = 5000;

/** Failed jobs are kept with their errors until somebody says `retry`. */
const JOB_OPTIONS = {
  attempts: MAX_TRIES,
  backoff: { type: 'exponential', delay: FIRST_WAIT_MS },
  removeOnComplete: true,
  removeOnFail: false,
  stackTraceLimit: 0,
} as const;

/** What lies in the queue for one archive. What jobs have in common lies beside them, once. */
export interface QueuedJob extends Omit<Job, keyof Common> {
  /** Which settings it was submitted with. */
  settingsId: string;
}

/** What all jobs of a submission have in common. */
type Common = Pick<Job, 'options' | 'outputDir' | 'tempDir' | 's3' | 'overwrite' | 'inflater'>;

/** What is settled by the first job of a queue, for all that come while it is not empty. */
export interface QueueSettings extends Common {
  /** Of the program that submitted the jobs. */
  version: string;
}

/** How many jobs there are of each kind. */
export interface QueueCounts {
  /** Those of all kinds below. */
  total: number;
  /** Finished, and not in the queue any more, since it was last empty and given other settings. */
  done: number;
  waiting: number;
  active: number;
  /** Waiting for another try. */
  delayed: number;
  failed: number;
}

/** Where BullMQ counts jobs that are finished, in the step that removes them. */
const FINISHED = 'metrics:completed';
/** How BullMQ calls, in a job, how often its worker was not heard of any more. */
const STALLED_COUNT = 'stc';
/**
 * All counts of one instant: a job that moves meanwhile would be counted twice, or not at all. By a script, since a server whose
 * memory is full takes no transaction.
 */
const COUNT = `
return {
  redis.call('LLEN', KEYS[1]),
  redis.call('ZCARD', KEYS[2]),
  redis.call('LLEN', KEYS[3]),
  redis.call('ZCARD', KEYS[4]),
  redis.call('ZCARD', KEYS[5]),
  tonumber(redis.call('HGET', KEYS[6], 'count') or 0)
}`;
/** Failed jobs that are looked up in one go. */
const AT_A_TIME = 1000;

/** Beside all settings that jobs were submitted with, by their ids: the id of the last ones. */
const CURRENT = 'current';

/** For a server that may not be there any more. */
const CLOSE_MS = 1000;

type BullQueue = Queue<QueuedJob, unknown, string, QueuedJob, unknown, string>;

/** One queue. */
export class ArchiveQueue {
  readonly name: string;
  readonly #queue: BullQueue;
  readonly #redis: Redis;
  readonly #db: number;
  readonly #endConnections: () => void;
  /** Those that were asked for, by their ids. */
  readonly #settings = new Map<string, QueueSettings>();

  private constructor(
    { name, db }: { name: string; db: number },
    queue: BullQueue,
    redis: Redis,
    endConnections: () => void,
  ) {
    this.name = name;
    this.#db = db;
    this.#queue = queue;
    this.#redis = redis;
    this.#endConnections = endConnections;
  }

  /**
   * Opens a queue; one that is not there yet is empty.
   *
   * @throws {@link StorageError} when the server cannot be reached, or refuses; the signal's reason.
   */
  static async open(address: RedisAddress, name: string, hooks: ConnectHooks): Promise<ArchiveQueue> {
    const redis = await connect(address, hooks);
    let isOver = false;
    const queue = new Queue<QueuedJob, unknown, string, QueuedJob, unknown, string>(name, {
      connection: bullConnection(address, () => isOver),
      prefix: KEY_PREFIX,
    });
    queue.on('error', () => {}); // told by the other connection
    return new ArchiveQueue({ name, db: address.db }, queue, redis, () => {
      isOver = true;
    });
  }

  /**
   * Adds jobs that are not in the queue: one that waits, runs or has failed is not added again.
   *
   * @param order which of all jobs of the queue are begun first.
   * @returns how many were added.
   * @throws {@link UsageError} when the queue holds jobs with other options, or of another version.
   * @throws {@link StorageError} when the server refuses, as all that follows does when its memory is full.
   */
  add(jobs: Job[], order: Order): Promise<number> {
    return told(this.#add(jobs, order));
  }

  async #add(jobs: Job[], order: Order): Promise<number> {
    const [first] = jobs;
    if (!first) return 0;
    const settingsId = await this.#settle(settingsOf(first));
    const entries = jobs.map((job) => ({
      name: job.archive.fileName,
      data: { ...withoutCommon(job), settingsId },
      opts: { ...JOB_OPTIONS, jobId: idOf(job), priority: priorityOf(job, order) },
    }));
    const pipeline = this.#redis.pipeline();
    for (const { opts } of entries) pipeline.exists(this.#queue.toKey(opts.jobId));
    const answers = (await pipeline.exec()) ?? [];
    for (const [refusal] of answers) if (refusal) throw refusal;
    const known = answers.filter(([, exists]) => exists === 1).length;
    await this.#queue.addBulk(entries);
    return jobs.length - known;
  }

  /** What the jobs that come now have in common; `undefined`: none was ever added. */
  async settings(): Promise<QueueSettings | undefined> {
    const id = await told(this.#redis.hget(this.#key('settings'), CURRENT));
    return id === null ? undefined : this.settingsOf({ settingsId: id });
  }

  /** What a job of the queue has in common with others. */
  async settingsOf({ settingsId }: Pick<QueuedJob, 'settingsId'>): Promise<QueueSettings> {
    const known = this.#settings.get(settingsId);
    if (known) return known;
    const text = await told(this.#redis.hget(this.#key('settings'), settingsId));
    if (text === null) throw new StorageError(`The queue ${this.name} has lost the options of a job: submit it again`);
    const settings = JSON.parse(text) as QueueSettings;
    this.#settings.set(settingsId, settings);
    return settings;
  }

  counts(): Promise<QueueCounts> {
    return told(this.#counts());
  }

  async #counts(): Promise<QueueCounts> {
    const key = (name: string) => this.#queue.toKey(name);
    const keys = ['wait', 'prioritized', 'active', 'delayed', 'failed', FINISHED].map(key);
    const numbers = (await this.#redis.eval(COUNT, keys.length, ...keys)) as number[];
    const [wait = 0, prioritized = 0, active = 0, delayed = 0, failed = 0, done = 0] = numbers;
    const waiting = wait + prioritized;
    return { total: done + waiting + active + delayed + failed, done, waiting, active, delayed, failed };
  }

  /** The names of the workers that are connected now to this database, see `workerName`. */
  async workers(): Promise<string[]> {
    const clients = await told(this.#queue.getWorkers());
    // What BullMQ calls `name` is the queue's.
    return clients.flatMap(({ rawname = '', db }) => (db === String(this.#db) ? [rawname] : []));
  }

  /** Archives that failed for good, with their errors: the last ones. */
  async failures(atMost: number): Promise<{ archive: string; error: string }[]> {
    const jobs = await told(this.#queue.getFailed(0, atMost - 1));
    return jobs.map(({ data, name, failedReason = '' }) => ({
      archive: data?.archive?.path ?? name, // whatever lies there
      error: describeFailedReason(failedReason),
    }));
  }

  /** Lets failed jobs be tried again, as often as new ones. Returns how many. */
  async retryFailed(): Promise<number> {
    const { failed } = await this.counts(); // not those that fail meanwhile
    let retried = 0;
    while (retried < failed) {
      const jobs = await told(this.#queue.getFailed(0, Math.min(failed - retried, AT_A_TIME) - 1));
      if (jobs.length === 0) break;
      for (const job of jobs) {
        await told(this.#redis.hdel(this.#queue.toKey(String(job.id)), STALLED_COUNT));
        await told(job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })).catch(requireMoved);
        retried++;
      }
    }
    return retried;
  }

  /** Lets jobs that wait for another try have it now. Returns how many. */
  async promoteDelayed(): Promise<number> {
    const { delayed } = await this.counts();
    await told(this.#queue.promoteJobs());
    return delayed;
  }

  /** Removes failed jobs. Returns how many. */
  async dropFailed(): Promise<number> {
    const dropped = await told(this.#queue.clean(0, 0, 'failed'));
    return dropped.length;
  }

  /** Waits for the server, which may not be there any more, for a second at most. */
  async close(): Promise<void> {
    this.#endConnections();
    await Promise.race([this.#queue.close(), setTimeout(CLOSE_MS, undefined, { ref: false })]);
    this.#redis.disconnect();
  }

  /**
   * Sees to it that jobs of other options do not lie in one queue. Of two submissions that find it empty in the same moment
   * neither sees the other: so each job says with which settings it was submitted.
   *
   * @returns the settings' id.
   */
  async #settle(wanted: QueueSettings): Promise<string> {
    const text = JSON.stringify(wanted);
    const id = createHash('sha256').update(text).digest('base64url').slice(0, 16);
    const key = this.#key('settings');
    await this.#redis.hset(key, id, text);
    if ((await this.#redis.hsetnx(key, CURRENT, id)) === 1) return id;
    const found = (await this.#redis.hget(key, CURRENT)) ?? '';
    if (found === id) return id;
    const { total, done, failed } = await this.counts();
    if (total === done) {
      await this.#redis.multi().hset(key, CURRENT, id).del(this.#queue.toKey(FINISHED)).exec();
      return id;
    }
    const differ = differences(await this.settingsOf({ settingsId: found }), wanted);
    const dropped = failed > 0 ? `, remove the ${failed} that have failed (bookgrid retry --drop)` : '';
    throw new UsageError(
      `The queue ${this.name} holds ${total - done} jobs that were submitted otherwise (${differ}). Wait until they are ` +
        `done${dropped}, or give these another queue by --queue-name.`,
    );
  }

  #key(what: string): string {
    return `${KEY_PREFIX}-${what}:${this.name}`;
  }
}

/** A job that is not there any more, or not failed, was moved by this request before its answer was lost, or by somebody else. */
function requireMoved(error: Error): void {
  if (!/not in the failed state|Missing key for job/.test(error.message)) throw error;
}

/** Puts a job together from what lies in the queue. */
export function toJob({ settingsId: _id, ...queued }: QueuedJob, { version: _, ...common }: QueueSettings): Job {
  return { ...queued, ...common };
}

function settingsOf({ options, outputDir, tempDir, s3, overwrite, inflater }: Job): QueueSettings {
  const places = { outputDir, ...(tempDir !== undefined && { tempDir }), ...(s3 && { s3 }) };
  return { version: VERSION, options, ...places, overwrite, inflater };
}

function withoutCommon({
  options: _,
  outputDir: _o,
  tempDir: _t,
  s3: _s,
  overwrite: _w,
  inflater: _i,
  ...own
}: Job): Omit<QueuedJob, 'settingsId'> {
  return own;
}

/** Of the same archive as it is now, for the same outputs with the same options there is one job. */
function idOf({ archive, outputs, options }: Job): string {
  const { path, sizeBytes, mtimeMs, etag } = archive;
  const identity = JSON.stringify([path, sizeBytes, etag ?? mtimeMs, outputs.map((output) => output.path), options]);
  return `a${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}`;
}

const MAX_PRIORITY = 2_097_151; // of BullMQ; jobs of the smallest number come first

/** Jobs may come in any order, and of several submitters: each says by itself when its turn is. */
function priorityOf({ archive: { sizeBytes, date } }: Job, order: Order): number {
  const day = Math.floor(midnightMs(date) / DAY_MS);
  const place = order === 'oldest' ? day : MAX_PRIORITY - (order === 'newest' ? day : Math.floor(sizeBytes / 1024));
  return Math.max(1, Math.min(place, MAX_PRIORITY));
}

/** `onGap fill, now skip`. */
function differences(found: object, wanted: object): string {
  const flat = (settings: object): [string, string][] =>
    Object.entries(settings).flatMap(([name, value]): [string, string][] =>
      typeof value === 'object' && !Array.isArray(value) ? flat(value as object) : [[name, String(value)]],
    );
  const now = new Map(flat(wanted));
  const before = new Map(flat(found));
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((name) => before.get(name) !== now.get(name))
    .map((name) => `${name} ${before.get(name) ?? 'not given'}, now ${now.get(name) ?? 'not given'}`)
    .join('; ');
}
