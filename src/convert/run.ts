import { openStorage } from '../storage/open-storage.js';
import { folderOf } from '../storage/paths.js';
import type { Executor } from './executor.js';
import { outputsOf, type PlanEntry } from './plan.js';
import { type JobResult, recordFailure } from './recorded-job.js';

/** What became of one archive of the plan. */
export interface Outcome {
  entry: PlanEntry;
  result: JobResult;
}

/** How a run is watched and stopped. */
export interface RunHooks {
  /** Hears of each archive as soon as it is decided. */
  onOutcome?: (outcome: Outcome) => void;
  /** Hears of every stretch of an archive that has been read, in bytes. */
  onRead?: (bytes: number) => void;
  /** Stops the run: nothing new is begun, what is unfinished is removed. */
  signal?: AbortSignal | undefined;
  /** Where outputs are staged when not beside their place: swept of what dead runs left, also when nothing is to be made. */
  tempDir?: string | undefined;
}

/** How a run ended, and how many archives it left undone. */
export type RunEnding =
  | { kind: 'complete'; left: 0 }
  /** `reason` is the signal's. */
  | { kind: 'stopped'; left: number; reason: unknown }
  /** There was no room for an output: nothing more was begun. */
  | { kind: 'disk-full'; left: number };

type ConvertEntry = Extract<PlanEntry, { action: 'convert' }>;

/**
 * Carries a plan out, the largest archive first, so that the end is not one long straggler. In the end the executor is
 * closed, and what it has not finished is removed.
 *
 * @returns how it ended. An archive that fails is an outcome, and so is none after a stop.
 * @throws what a hook throws, when everything has ended.
 */
export async function run(entries: PlanEntry[], executor: Executor, hooks: RunHooks = {}): Promise<RunEnding> {
  const { onOutcome = () => {}, onRead = () => {}, signal, tempDir } = hooks;
  const queue = entries
    .filter((entry) => entry.action === 'convert')
    .sort((a, b) => b.job.archive.sizeBytes - a.job.archive.sizeBytes);
  let left = queue.length;
  for (const entry of entries) if (entry.action !== 'convert') onOutcome({ entry, result: settle(entry) });
  const folders = stagingFolders(entries, tempDir);
  for (const folder of folders) await openStorage(folder).sweep(folder);

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
  const slots = Array.from({ length: executor.slots }, () =>
    work(queue, executor, { onOutcome: decide, onRead, signal: stopping.signal }).catch((error: unknown) => {
      stop(); // one slot's hook has thrown: the others must not go on behind the caller's back
      throw error;
    }),
  );
  try {
    await Promise.all(slots);
  } finally {
    await Promise.allSettled(slots);
    signal?.removeEventListener('abort', stop);
    await executor.close();
    for (const folder of folders) await openStorage(folder).sweep(folder, executor.runId);
  }
  if (isDiskFull) return { kind: 'disk-full', left };
  return left === 0 ? { kind: 'complete', left } : { kind: 'stopped', left, reason: signal?.reason };
}

/** One slot's work: the next job, until there is none or the run is stopped. */
async function work(
  queue: ConvertEntry[],
  executor: Executor,
  { onOutcome, onRead, signal }: Required<Omit<RunHooks, 'signal' | 'tempDir'>> & { signal: AbortSignal },
): Promise<void> {
  for (let entry = queue.shift(); entry && !signal.aborted; entry = queue.shift()) {
    const { job } = entry;
    const startMs = performance.now();
    let readBytes = 0;
    let result: JobResult;
    try {
      result = await executor.run(job, (bytes) => {
        readBytes += bytes;
        onRead(bytes);
      });
    } catch (error) {
      const seconds = (performance.now() - startMs) / 1000;
      const kind = signal.aborted ? 'stopped' : 'bug';
      result = await recordFailure(job, { status: 'failed', kind, error: (error as Error).message, seconds });
    }
    if (result.status === 'failed' && result.kind === 'stopped') return;
    // Whatever was not read, of a failed archive or beside the member, is done with too.
    onRead(job.archive.sizeBytes - readBytes);
    onOutcome({ entry, result });
  }
}

/** What the plan has already settled. */
function settle(entry: Exclude<PlanEntry, ConvertEntry>): JobResult {
  if (entry.action === 'skip') return { status: 'skipped', seconds: 0 };
  return { status: 'failed', kind: 'archive', error: entry.problem, seconds: 0 };
}

/** The folders in which unfinished outputs may lie: also those of dead runs, of archives that are settled now. */
function stagingFolders(entries: PlanEntry[], tempDir: string | undefined): Set<string> {
  const folders = entries.flatMap(outputsOf).map((output) => folderOf(output.path));
  return new Set(tempDir === undefined ? folders : [...folders, tempDir]);
}
