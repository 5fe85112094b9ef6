/** BullMQ's worker as it is used here: how many jobs it takes at a time, when it rests, and what it tells of itself. */
import os from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Job as BullJob, Worker } from 'bullmq';
import type { RedisAddress } from './address.js';
import { KEY_PREFIX, MAX_TRIES, type QueuedJob } from './archive-queue.js';
import { bullConnection } from './connection.js';
import { describeFailedReason, describeWorkerError, isOfConnection } from './errors.js';

/** A job whose lock was not renewed for so long is given to another worker. */
const LOCK_MS = 15_000;
/** How often workers look for such jobs. */
const LOOK_FOR_STALLED_MS = 5_000;
/** After the server has refused something. */
const REST_MS = 2_000;
/** For a server that may not be there any more. */
const END_MS = 1_000;

export interface JobTakerOptions {
  /** How many jobs are worked on at a time. */
  slots: number;
  /** Works on a job that was taken, and throws when it fails. */
  process: (job: BullJob<QueuedJob>, token?: string) => Promise<void>;
  /** Whether it was told what became of a job. Of one that fails before anybody works on it BullMQ alone knows. */
  isTold: (job: BullJob<QueuedJob>) => boolean;
  /** Hears of what is wrong with the queue, each thing once. */
  onNote: (note: string) => void;
}

/** Takes jobs from a queue, one for each slot, and one more for each slot whose outputs are being uploaded. */
export class JobTaker {
  readonly #worker: Worker<QueuedJob>;
  readonly #options: JobTakerOptions;
  readonly #uploading = new Set<BullJob<QueuedJob>>();
  #lastNote = '';
  #isResting = false;
  #isOver = false;

  constructor(address: RedisAddress, name: string, options: JobTakerOptions) {
    const { slots, process, isTold, onNote } = options;
    this.#options = options;
    this.#worker = new Worker<QueuedJob>(name, process, {
      connection: bullConnection(address, () => this.#isOver),
      prefix: KEY_PREFIX,
      name: workerName(slots),
      concurrency: slots,
      lockDuration: LOCK_MS,
      stalledInterval: LOOK_FOR_STALLED_MS,
      // A job that has taken so many processes with it is not given to one more.
      maxStalledCount: MAX_TRIES - 1,
      metrics: { maxDataPoints: 1 }, // counts those that are finished
      autorun: false,
    });
    this.#worker.on('error', (error) => {
      if (isOfConnection(error)) return;
      this.#note(describeWorkerError(error));
      if (error.name === 'ReplyError') this.#rest();
    });
    this.#worker.on('failed', (job, error) => {
      if (job && !isTold(job)) onNote(`${job.name}: ${describeFailedReason(error.message)}`);
    });
    this.#worker.on('lockRenewalFailed', (ids) =>
      this.#note(`${ids.length} jobs took so long to be renewed that another worker may have begun them too`),
    );
  }

  /** Takes jobs until it is closed. */
  run(): Promise<void> {
    return this.#worker.run();
  }

  /** A job's outputs are being uploaded: for its slot another one is taken, as in a run of one machine. */
  takeOneMore(job: BullJob<QueuedJob>): void {
    this.#uploading.add(job);
    this.#setConcurrency();
    // BullMQ looks for a job when one has ended, and when it goes on after a pause.
    void this.#worker.pause(true);
    void this.#worker.resume();
  }

  /** A job has ended. */
  takeNoMore(job: BullJob<QueuedJob>): void {
    this.#uploading.delete(job);
    this.#setConcurrency();
  }

  /** Takes no job any more, and waits for those that are worked on. */
  close(): Promise<void> {
    return this.#worker.close();
  }

  /** Waits for nobody. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.race([this.#worker.close(true), setTimeout(END_MS, undefined, { ref: false })]);
  }

  #setConcurrency(): void {
    const { slots } = this.#options;
    this.#worker.concurrency = slots + Math.min(this.#uploading.size, slots);
  }

  #note(note: string): void {
    if (note !== this.#lastNote) this.#options.onNote(note);
    this.#lastNote = note;
  }

  /** BullMQ asks again at once when it is refused, such as by a server whose memory is full. */
  #rest(): void {
    if (this.#isResting || this.#worker.closing) return;
    this.#isResting = true;
    void this.#worker.pause(true);
    void setTimeout(REST_MS, undefined, { ref: false }).then(() => {
      this.#isResting = false;
      if (!this.#worker.closing) void this.#worker.resume();
    });
  }
}

/** Names a worker among all that are connected: host, process, jobs at a time. */
function workerName(slots: number): string {
  return `${os.hostname().replace(/[^\w.-]/g, '_')} ${process.pid} ${slots}`.replaceAll(' ', '|');
}

/** What a worker's name says; `undefined` for a client of another kind. */
export function parseWorkerName(name: string): { host: string; pid: number; slots: number } | undefined {
  const [, host = '', pid, slots] = /([\w.-]+)\|(\d+)\|(\d+)$/.exec(name) ?? [];
  return pid === undefined ? undefined : { host, pid: Number(pid), slots: Number(slots) };
}
