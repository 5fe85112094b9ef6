/**
 * Takes jobs from a queue and runs them. BullMQ moves and locks jobs in this thread, which does nothing else, and
 * converting happens in the executor's threads: a busy core never costs a lock. A lock that is not renewed, because its
 * machine died, is given to another worker.
 */
import os from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Job as BullJob, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { aborted, unlessAborted } from '../../base/aborted.js';
import { monotonicMs } from '../../base/clock.js';
import { UsageError } from '../../base/usage-error.js';
import { VERSION } from '../../base/version.js';
import type { Executor } from '../../convert/executor.js';
import type { Job } from '../../convert/plan.js';
import { type FailureKind, type JobResult, recordFailure } from '../../convert/recorded-job.js';
import { stagingFolders } from '../../convert/run.js';
import { sweepFolders } from '../../storage/open-storage.js';
import { StorageError } from '../../storage/storage.js';
import type { RedisAddress } from './address.js';
import {
  ArchiveQueue,
  describeFailedReason,
  describeRefusal,
  KEY_PREFIX,
  MAX_TRIES,
  type QueuedJob,
  type QueueSettings,
  toJob,
} from './archive-queue.js';
import { bullConnection } from './connection.js';

/** A job whose lock was not renewed for so long is given to another worker. */
const LOCK_MS = 15_000;
/** How often workers look for such jobs. */
const LOOK_FOR_STALLED_MS = 5_000;
/** How often to look whether all is done. */
const LOOK_IF_DONE_MS = 1_000;
/** After the server has refused something. */
const REST_MS = 2_000;
/** For jobs to be handed back to a server that may not be there any more. */
const HAND_BACK_MS = 10_000;

/** What fails again, however often it is tried. */
const HOPELESS: readonly FailureKind[] = ['archive', 'refused'];

/** What became of a job that was taken from the queue. */
export interface QueueOutcome {
  job: Job;
  result: Exclude<JobResult, { status: 'taken' }>;
  /** Which try it was, from 1. */
  tries: number;
  /** It failed, and will be tried again. */
  isTriedAgain: boolean;
}

export interface WorkOptions {
  /** Runs the jobs; closed in the end. */
  executor: Executor;
  /** Ends when no job is left in the queue, waiting or running anywhere. Without it, waits for more. */
  untilDone: boolean;
  /** Ends the work: what runs is handed back. */
  signal: AbortSignal;
  onOutcome: (outcome: QueueOutcome) => void;
  /** Hears what somebody should know beside the outcomes. */
  onNote: (note: string) => void;
}

/** Why it ended. `failed`: no job is left but such as have failed. */
export type WorkEnding = 'stopped' | 'done' | 'failed' | 'disk-full';

/**
 * Works on a queue until it is told to stop, or all is done.
 *
 * @throws {@link StorageError} when the server cannot be reached, or refuses.
 * @throws {@link UsageError} when the jobs were submitted by another version.
 */
export async function workOnQueue(
  address: RedisAddress,
  name: string,
  { executor, untilDone, signal, onOutcome, onNote }: WorkOptions,
): Promise<WorkEnding> {
  const queue = await ArchiveQueue.open(address, name, { onChange: onNote, signal });
  const ending = new AbortController();
  let reason: WorkEnding = 'stopped';
  const end = (why: WorkEnding) => {
    if (ending.signal.aborted) return;
    reason = why;
    ending.abort();
  };
  signal.addEventListener('abort', () => end('stopped'));
  if (signal.aborted) end('stopped');
  let failure: unknown;

  /** Folders that were worked in. What dead workers have left in them is removed before. */
  const folders = new Set<string>();
  async function sweepFirst({ outputs, tempDir }: Job): Promise<void> {
    const fresh = [...stagingFolders(outputs, tempDir)].filter((folder) => !folders.has(folder));
    for (const folder of fresh) folders.add(folder);
    await sweepFolders(fresh);
  }

  /** Jobs of which it was told what became of them. */
  const told = new WeakSet<object>();

  async function process(taken: BullJob<QueuedJob>, token = ''): Promise<void> {
    if (ending.signal.aborted) await handBack(taken, token);
    const settings = await queue.settingsOf(taken.data);
    try {
      checkVersion(name, settings);
    } catch (error) {
      failure = error;
      end('stopped');
    }
    if (failure) return handBack(taken, token);
    const job = toJob(taken.data, settings);
    await sweepFirst(job);
    const result = await runJob(job, executor, ending.signal, () => takeOneMore(taken)).finally(() =>
      takeNoMore(taken),
    );
    if (result.status === 'failed' && (result.kind === 'stopped' || result.kind === 'disk-full')) {
      if (result.kind === 'disk-full') {
        told.add(taken);
        onOutcome({ job, result, tries: taken.attemptsMade + 1, isTriedAgain: true });
        end('disk-full'); // another machine may have room
      }
      return handBack(taken, token);
    }
    const tries = taken.attemptsMade + 1;
    told.add(taken);
    const isHopeless = result.status === 'failed' && HOPELESS.includes(result.kind);
    onOutcome({ job, result, tries, isTriedAgain: result.status === 'failed' && !isHopeless && tries < MAX_TRIES });
    if (result.status !== 'failed') return;
    throw isHopeless ? new UnrecoverableError(result.error) : new Error(result.error);
  }

  /** Jobs whose outputs are being uploaded. */
  const uploading = new Set<BullJob>();
  const setConcurrency = () => {
    worker.concurrency = executor.slots + Math.min(uploading.size, executor.slots);
  };
  /** As in a run of one machine: for each slot one job is uploaded while another is converted. */
  function takeOneMore(taken: BullJob): void {
    if (ending.signal.aborted) return;
    uploading.add(taken);
    setConcurrency();
    // BullMQ looks for a job when one has ended, and when it goes on after a pause.
    void worker.pause(true);
    void worker.resume();
  }
  function takeNoMore(taken: BullJob): void {
    uploading.delete(taken);
    setConcurrency();
  }

  let isOver = false;
  const worker = new Worker<QueuedJob>(name, process, {
    connection: bullConnection(address, () => isOver),
    prefix: KEY_PREFIX,
    name: workerName(executor.slots),
    concurrency: executor.slots,
    lockDuration: LOCK_MS,
    stalledInterval: LOOK_FOR_STALLED_MS,
    // A job that has taken so many processes with it is not given to one more.
    maxStalledCount: MAX_TRIES - 1,
    metrics: { maxDataPoints: 1 }, // counts those that are finished
    autorun: false,
  });
  worker.on('error', (error) => {
    if (isOfConnection(error)) return; // of which the queue itself tells
    noteOnce(describeError(error));
    if (error.name === 'ReplyError') rest();
  });
  worker.on('failed', (job, error) => {
    if (job && !told.has(job)) onNote(`${job.name}: ${describeFailedReason(error.message)}`);
  });
  let lastNote = '';
  function noteOnce(note: string): void {
    if (note !== lastNote) onNote(note);
    lastNote = note;
  }
  /** BullMQ asks again at once when it is refused, such as by a server whose memory is full. */
  let isResting = false;
  function rest(): void {
    if (isResting || ending.signal.aborted) return;
    isResting = true;
    void worker.pause(true);
    void setTimeout(REST_MS, undefined, { ref: false }).then(() => {
      isResting = false;
      if (!ending.signal.aborted) void worker.resume();
    });
  }
  worker.on('lockRenewalFailed', (ids) =>
    onNote(`${ids.length} jobs took so long to be renewed that another worker may have begun them too`),
  );
  try {
    const settings = await unlessAborted(queue.settings(), ending.signal);
    if (settings) checkVersion(name, settings);
    const running = ending.signal.aborted ? undefined : worker.run();
    if (untilDone) await untilAllDone(queue, ending.signal).then((areDone) => end(areDone ? 'done' : 'failed'));
    else await aborted(ending.signal);
    const closing = Promise.all([worker.close(), executor.close(), running]);
    await Promise.race([closing, setTimeout(HAND_BACK_MS, undefined, { ref: false })]);
  } finally {
    isOver = true;
    await Promise.race([worker.close(true), setTimeout(1000, undefined, { ref: false })]);
    await executor.close();
    await sweepFolders(folders, executor.runId);
    await queue.close();
  }
  if (failure) throw failure;
  return reason;
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

async function runJob(
  job: Job,
  executor: Executor,
  signal: AbortSignal,
  onConverted: () => void,
): Promise<QueueOutcome['result']> {
  const startMs = monotonicMs();
  // The job's lock is ours: a run that still stages its outputs has lost it.
  const ignoredRuns: string[] = [];
  try {
    for (;;) {
      const result = await executor.run(job, { onRead: () => {}, onConverted, ignoredRuns });
      if (result.status !== 'taken') return result;
      ignoredRuns.push(result.by.runId);
    }
  } catch (error) {
    const kind = signal.aborted ? 'stopped' : error instanceof StorageError ? 'storage' : 'bug';
    const seconds = (monotonicMs() - startMs) / 1000;
    return recordFailure(job, { status: 'failed', kind, error: (error as Error).message, seconds });
  }
}

/** Puts a job that was not finished back, as if it had not been taken. */
async function handBack(taken: BullJob<QueuedJob>, token: string): Promise<never> {
  await taken.moveToWait(token);
  throw new WaitingError();
}

function checkVersion(name: string, settings: QueueSettings): void {
  if (settings.version === VERSION) return;
  throw new UsageError(
    `The jobs of queue ${name} were submitted by bookgrid ${settings.version}, and this is ${VERSION}, which may write other ` +
      `bytes. Install bookgrid ${settings.version} here, or submit with ${VERSION} to another queue by --queue-name.`,
  );
}

/** @returns whether none has failed. */
async function untilAllDone(queue: ArchiveQueue, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const counts = await unlessAborted(queue.counts(), signal);
    if (counts && counts.waiting + counts.active + counts.delayed === 0) return counts.failed === 0;
    await setTimeout(LOOK_IF_DONE_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}

function describeError({ message }: Error): string {
  if (!/^Missing lock for job/.test(message)) return describeRefusal(message);
  return 'a job was given to another worker, since nothing was heard of this one for too long';
}

function isOfConnection(error: Error): boolean {
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].includes(
      (error as NodeJS.ErrnoException).code ?? '',
    ) || /Connection is closed/.test(error.message)
  );
}
