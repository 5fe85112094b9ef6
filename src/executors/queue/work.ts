/**
 * Takes jobs from a queue and runs them. BullMQ moves and locks jobs in this thread, which does nothing else, and
 * converting happens in the executor's threads: a busy core never costs a lock. A lock that is not renewed, because its
 * machine died, is given to another worker.
 */
import { setTimeout } from 'node:timers/promises';
import { type Job as BullJob, UnrecoverableError, WaitingError } from 'bullmq';
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
import { ArchiveQueue, MAX_TRIES, type QueuedJob, type QueueSettings, toJob } from './archive-queue.js';
import { JobTaker } from './job-taker.js';

/** How often to look whether all is done. */
const LOOK_IF_DONE_MS = 1_000;
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
    const result = await runJob(job, executor, ending.signal, () => {
      if (!ending.signal.aborted) taker.takeOneMore(taken);
    }).finally(() => taker.takeNoMore(taken));
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

  const taker = new JobTaker(address, name, { slots: executor.slots, process, isTold: (job) => told.has(job), onNote });
  try {
    const settings = await unlessAborted(queue.settings(), ending.signal);
    if (settings) checkVersion(name, settings);
    const running = ending.signal.aborted ? undefined : taker.run();
    if (untilDone) await untilAllDone(queue, ending.signal).then((areDone) => end(areDone ? 'done' : 'failed'));
    else await aborted(ending.signal);
    const closing = Promise.all([taker.close(), executor.close(), running]);
    await Promise.race([closing, setTimeout(HAND_BACK_MS, undefined, { ref: false })]);
  } finally {
    await taker.end();
    await executor.close();
    await sweepFolders(folders, executor.runId);
    await queue.close();
  }
  if (failure) throw failure;
  return reason;
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
