import { setImmediate } from 'node:timers/promises';
import { DamagedDataError } from '../archive/archive-error.js';
import { readArchive } from '../archive/open-archive.js';
import type { Engine, EngineCounts } from '../book/engine.js';
import { AsOfGrid, type Grid, PythonGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import { AtomicFile, outputExists } from '../output/atomic-file.js';
import { CsvWriter } from '../output/csv.js';
import { type Arena, acquireArena, releaseArena } from './arena.js';
import type { Job, PlannedOutput } from './plan.js';

/** What became of a job: plain JSON, whichever thread or machine it ran on. */
export type JobResult = {
  seconds: number;
} /** `isReinflated`: the kernel's inflater found the data damaged, and Node's zlib was asked. */ & (
  | { status: 'done'; outputs: PlannedOutput[]; counts: EngineCounts; isReinflated: boolean }
  /** Another run has made the outputs since the plan was made. */
  | { status: 'skipped' }
  | { status: 'failed'; error: string; counts?: EngineCounts; isReinflated?: boolean }
);

export interface JobHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead: (bytes: number) => void;
  /** Ends the job at its next pause, without a trace of its outputs. */
  signal?: AbortSignal;
}

/** Short enough that a signal or a line of progress is not seen to wait; an event loop's turn is not free. */
const MS_BETWEEN_PAUSES = 20;

/**
 * Converts one archive into its outputs: reads, keeps the book, writes rows, and only when everything has been found
 * right lets the outputs appear. An archive that the kernel's inflater finds damaged is converted once more with Node's
 * zlib, which has the last word.
 *
 * @returns the result, also when the archive or the disk is at fault.
 * @throws only when aborted.
 */
export async function runJob(job: Job, hooks: JobHooks): Promise<JobResult> {
  const startMs = performance.now();
  let outputs: PlannedOutput[];
  try {
    outputs = job.outputs.filter(({ path }) => job.overwrite || !outputExists(path));
  } catch (error) {
    return { status: 'failed', error: describe(error, job), seconds: 0 };
  }
  if (outputs.length === 0) return { status: 'skipped', seconds: 0 };
  const todo = { ...job, outputs };
  let outcome = await attempt(todo, hooks);
  const isReinflated = job.inflater === 'kernel' && outcome.error instanceof DamagedDataError;
  // What is read a second time is no progress.
  if (isReinflated) outcome = await attempt({ ...todo, inflater: 'node' }, { ...hooks, onRead() {} });
  const { counts, error } = outcome;
  const seconds = Math.round(performance.now() - startMs) / 1000;
  if (error !== undefined) return { status: 'failed', error: describe(error, job), counts, isReinflated, seconds };
  return { status: 'done', outputs, counts, isReinflated, seconds };
}

/** @throws only when aborted. */
async function attempt(job: Job, hooks: JobHooks): Promise<{ counts: EngineCounts; error?: unknown }> {
  const arena = acquireArena();
  const engine = createEngine(job, arena);
  try {
    await convert(job, engine, arena, hooks);
    const { counts } = engine;
    releaseArena(arena);
    return { counts };
  } catch (error) {
    hooks.signal?.throwIfAborted();
    return { counts: engine.counts, error };
  }
}

function createEngine({ archive, options }: Job, arena: Arena): Engine {
  const { intervalMs, onGap, compat } = options;
  const isPython = compat === 'python';
  const dayMs = archive.isDayFile ? Date.parse(`${archive.date}T00:00:00Z`) : undefined;
  const grid: Grid = isPython ? new PythonGrid() : new AsOfGrid({ intervalMs, dayMs, onGap });
  return new KernelEngine({ grid, keepZeros: isPython, kernel: arena.kernel });
}

async function convert(job: Job, engine: Engine, arena: Arena, hooks: JobHooks): Promise<void> {
  const files: AtomicFile[] = [];
  try {
    const writers = job.outputs.map(({ path, depth }) => {
      const file = new AtomicFile(path, job.tempDir);
      files.push(file);
      return { depth, csv: new CsvWriter(file, { depth, formattedTimestamp: job.options.formattedTimestamp }) };
    });
    await pump(job, engine, arena, hooks, (boundaryMs) => {
      for (const { depth, csv } of writers) csv.writeRow(boundaryMs, engine.row(depth));
    });
    checkOutcome(job, engine.counts);
    for (const { csv } of writers) csv.flush();
    for (const file of files) file.commit();
  } catch (error) {
    discard(files, error);
    throw error;
  }
}

/** Removes what was begun. When that fails too, the error says so, after what was wrong in the first place. */
function discard(files: AtomicFile[], cause: unknown): void {
  for (const file of files) {
    try {
      file.discard();
    } catch (error) {
      if (cause instanceof Error)
        cause.message += `; an unfinished output could not be removed (${(error as Error).message})`;
    }
  }
}

/** Drives the engine: feeds it chunks and passes its rows on, until the archive ends. */
async function pump(job: Job, engine: Engine, arena: Arena, hooks: JobHooks, onRow: (boundaryMs: number) => void) {
  const pause = pauses(hooks.signal);
  const chunks = readArchive(job.archive.path, {
    onRead: hooks.onRead,
    inflater: job.inflater,
    inflateKernel: arena.inflater,
  });
  try {
    for (;;) {
      const event = engine.next();
      switch (event.kind) {
        case 'needs-bytes': {
          await pause();
          const chunk = await chunks.next();
          if (chunk.done) engine.end();
          else engine.push(chunk.value);
          break;
        }
        case 'boundary':
          onRow(event.boundaryMs);
          await pause();
          break;
        case 'bad-line':
          if (isPassedOver(event, job)) break;
          await readToEnd(chunks, pause);
          throw new Error(`line ${event.lineNumber}: ${event.reason}`);
        case 'end':
          return;
      }
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** Damage to the archive itself is the better explanation of a bad line, and shows at the end at the latest. */
async function readToEnd(chunks: AsyncIterable<unknown>, pause: () => Promise<void> | undefined): Promise<void> {
  for await (const _ of chunks) await pause();
}

/** Makes a function that lets signals and messages of the thread be heard, when it has not for some time. */
function pauses(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let lastMs = performance.now();
  const pause = async () => {
    await setImmediate();
    lastMs = performance.now();
    signal?.throwIfAborted();
  };
  return () => (performance.now() - lastMs > MS_BETWEEN_PAUSES ? pause() : undefined);
}

/** The Python scripts passed over lines that are not JSON, and failed at JSON that is no message. */
function isPassedOver({ isJson }: { isJson: boolean }, { options }: Job): boolean {
  return options.onBadLine === 'skip' || (options.compat === 'python' && !isJson);
}

/** An output without rows would look like a converted day. */
function checkOutcome({ archive, options }: Job, { messages, snapshots, rows }: EngineCounts): void {
  if (messages === 0) throw new Error('no message in it');
  if (snapshots === 0) throw new Error(`no snapshot among its ${messages} messages, so there is no book to start from`);
  if (rows === 0 && options.compat !== 'python') {
    throw new Error(`none of its ${messages} messages is of ${archive.date}, the day in its name`);
  }
}

function describe(error: unknown, { archive }: Job): string {
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `disk full: free some space and run the same command again (${message})`;
  if (code === 'EACCES' || code === 'EPERM') return `no permission (${message})`;
  if (code === 'ENOENT' && path === archive.path) return `the file is not there any more (${message})`;
  return message;
}
