import path from 'node:path';
import { sweepStaged } from '../storage/staging.js';
import type { Executor } from './executor.js';
import type { JobResult } from './job.js';
import { outputsOf, type PlanEntry } from './plan.js';

/** What became of one archive of the plan. */
export interface Outcome {
  entry: PlanEntry;
  result: JobResult;
}

/** How a run is watched and stopped. */
export interface RunHooks {
  /** Hears of each archive as soon as it is decided. */
  onOutcome: (outcome: Outcome) => void;
  /** Hears of every stretch of an archive that has been read, in bytes. */
  onRead: (bytes: number) => void;
  /** Stops the run: nothing new is begun, what is unfinished is removed. */
  signal: AbortSignal;
  /** Where outputs are staged when not beside their place: swept of the leftovers of dead runs like every output folder. */
  tempDir?: string | undefined;
}

type ConvertEntry = Extract<PlanEntry, { action: 'convert' }>;

/**
 * Carries a plan out, the largest archive first, so that the end is not one long straggler. In the end the executor is
 * closed, and unfinished outputs of this process in the plan's folders are removed: another run of the same process must
 * not write there meanwhile.
 *
 * @throws what a hook throws, when everything has ended. An archive that fails is an outcome, and so is none after a stop.
 */
export async function run(entries: PlanEntry[], executor: Executor, hooks: RunHooks): Promise<void> {
  for (const entry of entries) if (entry.action !== 'convert') hooks.onOutcome({ entry, result: settle(entry) });
  const queue = entries
    .filter((entry) => entry.action === 'convert')
    .sort((a, b) => b.job.archive.sizeBytes - a.job.archive.sizeBytes);
  const folders = stagingFolders(entries, hooks.tempDir);
  for (const folder of folders) sweepStaged(folder);

  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    void executor.close();
  };
  hooks.signal.addEventListener('abort', stop);
  if (hooks.signal.aborted) stop();
  const slots = Array.from({ length: executor.slots }, () =>
    work(queue, executor, { ...hooks, signal: stopping.signal }).catch((error: unknown) => {
      stop(); // one slot's hook has thrown: the others must not go on behind the caller's back
      throw error;
    }),
  );
  try {
    await Promise.all(slots);
  } finally {
    await Promise.allSettled(slots);
    hooks.signal.removeEventListener('abort', stop);
    await executor.close();
    for (const folder of folders) sweepStaged(folder, { ownToo: true });
  }
}

/** One slot's work: the next job, until there is none or the run is stopped. */
async function work(queue: ConvertEntry[], executor: Executor, { onOutcome, onRead, signal }: RunHooks): Promise<void> {
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
      if (signal.aborted) return;
      result = { status: 'failed', error: (error as Error).message, seconds: (performance.now() - startMs) / 1000 };
    }
    // Whatever was not read, of a failed archive or beside the member, is done with too.
    onRead(job.archive.sizeBytes - readBytes);
    onOutcome({ entry, result });
  }
}

/** What the plan has already settled. */
function settle(entry: Exclude<PlanEntry, ConvertEntry>): JobResult {
  if (entry.action === 'skip') return { status: 'skipped', seconds: 0 };
  return { status: 'failed', error: entry.problem, seconds: 0 };
}

/** The folders in which unfinished outputs may lie. */
function stagingFolders(entries: PlanEntry[], tempDir: string | undefined): Set<string> {
  const folders = entries.flatMap(outputsOf).map((output) => path.dirname(output.path));
  return new Set(tempDir === undefined ? folders : [...folders, tempDir]);
}
