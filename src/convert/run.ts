import { monotonicMs } from '../base/clock.js';
import { UsageError } from '../base/usage-error.js';
import { type Output, stagingFolderOf } from '../catalog/output-name.js';
import { sweepFolders } from '../storage/open-storage.js';
import { StorageError, type Writer } from '../storage/storage.js';
import type { Executor } from './executor.js';
import { type ConvertEntry, JobQueue, ORDERS, type Order, type QueuedJob } from './job-queue.js';
import { outputsOf, type PlanEntries, type PlanEntry } from './plan.js';
import { type JobResult, recordFailure } from './recorded-job.js';

/** What became of one archive of the plan. */
export interface Outcome {
  entry: PlanEntry;
  result: Exclude<JobResult, { status: 'taken' }>;
}

/** How a run goes on, is watched and stopped. */
export interface RunHooks {
  /** Which archives come first. Default: `largest`, so that the end is not one long straggler. */
  order?: Order;
  /** Hears of each archive as soon as it is decided. */
  onOutcome?: (outcome: Outcome) => void;
  /** Hears of every stretch of an archive that has been read, in bytes. */
  onRead?: (bytes: number) => void;
  /** Hears once of each other run that is making an archive of this one's. What it makes is left to it. */
  onOtherRun?: (run: Pick<Writer, 'runId' | 'host' | 'pid'>) => void;
  /** Hears, once, when nothing is left to do but to wait for archives that other runs are making, and how many these are. */
  onWait?: (archives: number) => void;
  /** Stops the run: nothing new is begun, what is unfinished is removed. */
  signal?: AbortSignal | undefined;
  /** Where outputs are staged when not beside their place: swept of what dead runs left, also when nothing is to be made. */
  tempDir?: string | undefined;
}

/** How a run ended, and how many archives it left undone. */
export type RunEnding = (
  | { kind: 'complete'; left: 0 }
  /** `reason` is the signal's. */
  | { kind: 'stopped'; left: number; reason: unknown }
  /** There was no room for an output: nothing more was begun. */
  | { kind: 'disk-full'; left: number }
) & {
  /** Why the last records could not be written. In S3, where that can be, outputs are known by what they carry. */
  unrecorded?: Error;
};

/**
 * Carries a plan out. In the end the executor is closed, and what it has not finished is removed.
 *
 * What another living run is making is left to it. This one takes the other archives first, and waits in the end for
 * what is still being made. It is `skipped` when it is there, and made here when the other run has failed at it, has died,
 * or has written nothing for a minute.
 *
 * @returns how it ended. An archive that fails is an outcome, and so is none after a stop.
 * @throws {@link UsageError} when there is no such order; what a hook throws, when everything has ended.
 */
export async function run(entries: PlanEntries, executor: Executor, hooks: RunHooks = {}): Promise<RunEnding> {
  const { order = 'largest', onOutcome = () => {}, onRead = () => {}, signal, tempDir } = hooks;
  const { onOtherRun = () => {}, onWait = () => {} } = hooks;
  if (!ORDERS.includes(order)) throw new UsageError(`order is ${order}. It must be ${ORDERS.join(' or ')}.`);
  const queue = new JobQueue(entries, order, onWait);
  let left = queue.length;
  const otherRuns = new Set<string>();
  const noteOther = ({ runId, host, pid }: Writer) => {
    if (!otherRuns.has(runId)) onOtherRun({ runId, host, pid });
    otherRuns.add(runId);
  };
  for (const entry of entries) if (entry.action !== 'convert') onOutcome({ entry, result: settle(entry) });
  // Also those of archives that are settled now: a dead run may have left something there.
  const folders = stagingFolders(allOutputs(entries), tempDir);
  await sweepFolders(folders);

  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    executor.close().catch(() => {}); // it is closed once more in the end
  };
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  let isDiskFull = false;
  const decide = (outcome: Outcome) => {
    left--;
    onOutcome(outcome);
    if (outcome.result.status !== 'failed' || outcome.result.kind !== 'disk-full') return;
    isDiskFull = true;
    stop(); // whatever is tried next fails alike
  };
  const hooksOfSlots = { onOutcome: decide, onRead, noteOther, signal: stopping.signal, onThrown: stop };
  const slots = Array.from({ length: executor.slots }, () => work(queue, executor, hooksOfSlots));
  let unrecorded: Error | undefined;
  try {
    await Promise.all(slots);
  } finally {
    await Promise.allSettled(slots);
    signal?.removeEventListener('abort', stop);
    await executor.close().catch((error: Error) => {
      unrecorded = error;
    });
    await sweepFolders(folders, executor.runId);
  }
  const more = unrecorded && { unrecorded };
  if (isDiskFull) return { kind: 'disk-full', left, ...more };
  if (left === 0) return { kind: 'complete', left, ...more };
  return { kind: 'stopped', left, reason: signal?.reason, ...more };
}

/** What a slot tells, and when it ends. */
interface SlotHooks {
  onOutcome: (outcome: Outcome) => void;
  onRead: (bytes: number) => void;
  noteOther: (writer: Writer) => void;
  /** A hook has thrown: the other slots must not go on behind the caller's back. */
  onThrown: () => void;
  signal: AbortSignal;
}

/**
 * One slot's work: the next job, until there is none or the run is stopped. It is begun while the outputs of the one before
 * are still being published, and not while those of an earlier one are: they need memory, and room where they are staged.
 */
async function work(queue: JobQueue, executor: Executor, hooks: SlotHooks): Promise<void> {
  let before: Promise<unknown> = Promise.resolve();
  for (let next = await queue.next(hooks.signal); next; next = await queue.next(hooks.signal)) {
    const { converted, ended } = begin(next, queue, executor, hooks);
    await Promise.race([converted, ended]);
    await before;
    before = ended;
  }
  await before;
}

/** A job that has begun: when its outputs are only to be published, and when all is done and told. */
interface Begun {
  converted: Promise<void>;
  ended: Promise<void>;
}

function begin(next: QueuedJob, queue: JobQueue, executor: Executor, hooks: SlotHooks): Begun {
  let onConverted = () => {};
  const converted = new Promise<void>((resolve) => {
    onConverted = resolve;
  });
  const ended = carryOut(next, queue, executor, { ...hooks, onConverted });
  ended.catch(hooks.onThrown); // whoever awaits it hears of it, too, if later
  return { converted, ended };
}

async function carryOut(
  { entry, ignoredRuns }: QueuedJob,
  queue: JobQueue,
  executor: Executor,
  { onOutcome, onRead, noteOther, onConverted, signal }: SlotHooks & { onConverted: () => void },
): Promise<void> {
  const { job } = entry;
  const startMs = monotonicMs();
  let readBytes = 0;
  const countRead = (bytes: number) => {
    readBytes += bytes;
    onRead(bytes);
  };
  let result: JobResult;
  try {
    result = await executor.run(job, { onRead: countRead, onConverted, ignoredRuns });
  } catch (error) {
    const seconds = (monotonicMs() - startMs) / 1000;
    const kind = signal.aborted ? 'stopped' : error instanceof StorageError ? 'storage' : 'bug';
    result = await recordFailure(job, { status: 'failed', kind, error: (error as Error).message, seconds });
  }
  if (result.status === 'taken') {
    noteOther(result.by);
    queue.defer(entry, result.by);
    return;
  }
  if (result.status === 'failed' && result.kind === 'stopped') return;
  // Whatever was not read, of a failed archive or beside the member, is done with too.
  onRead(job.archive.sizeBytes - readBytes);
  onOutcome({ entry, result });
}

/** What the plan has already settled. */
function settle(entry: Exclude<PlanEntry, ConvertEntry>): Outcome['result'] {
  if (entry.action === 'skip') return { status: 'skipped', seconds: 0 };
  return { status: 'failed', kind: 'archive', error: entry.problem, seconds: 0 };
}

/** The folders in which unfinished outputs may lie, which are to be swept before and after they are made. */
export function stagingFolders(outputs: Iterable<Output>, tempDir: string | undefined): Set<string> {
  const folders = new Set<string>();
  for (const output of outputs) folders.add(stagingFolderOf(output));
  return tempDir === undefined ? folders : folders.add(tempDir);
}

function* allOutputs(entries: Iterable<PlanEntry>): Generator<Output> {
  for (const entry of entries) yield* outputsOf(entry);
}
