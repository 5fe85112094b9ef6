import { DamagedDataError } from '../archive/archive-error.js';
import { formatInterval, midnightMs } from '../base/time.js';
import { VERSION } from '../base/version.js';
import type { Engine, EngineCounts } from '../book/engine.js';
import { AsOfGrid, type Grid, PythonGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import type { MetricsOptions, MetricsSampler } from '../metrics/sampler.js';
import type { BookWriter, TableWriter } from '../output/book-writer.js';
import { createBookWriter, createTableWriter, DoesNotFitDecimalError } from '../output/create-writer.js';
import { AtomicFile, outputExists } from '../storage/atomic-file.js';
import { type Arena, acquireArena, releaseArena } from '../wasm/arena.js';
import { BookRows } from './book-rows.js';
import type { Job, PlannedOutput } from './plan.js';
import { readRows } from './read-rows.js';

/** What became of a job: plain JSON, whichever thread or machine it ran on. */
export type JobResult = {
  seconds: number;
} /** `isReinflated`: the kernel's inflater found the data damaged, and Node's zlib was asked. */ & (
  | { status: 'done'; outputs: PlannedOutput[]; counts: EngineCounts; isReinflated: boolean }
  /** Another run has made the outputs since the plan was made. */
  | { status: 'skipped' }
  | { status: 'failed'; error: string; counts?: EngineCounts; isReinflated?: boolean }
);

/** How a job tells how far it is, and is told to stop. */
export interface JobHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead: (bytes: number) => void;
  /** Ends the job at its next pause, without a trace of its outputs. */
  signal?: AbortSignal;
}

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
    outputs = job.outputs.filter(({ path, stale }) => job.overwrite || stale !== undefined || !outputExists(path));
  } catch (error) {
    return { status: 'failed', error: describe(error, job), seconds: 0 };
  }
  if (outputs.length === 0) return { status: 'skipped', seconds: 0 };
  let todo = { ...job, outputs };
  let outcome = await attempt(todo, hooks);
  // What is read once more is no progress.
  const again = { ...hooks, onRead() {} };
  let exactAs: 'decimal' | 'text' = 'decimal';
  let isReinflated = false;
  for (;;) {
    if (outcome.error instanceof DoesNotFitDecimalError && exactAs === 'decimal') exactAs = 'text';
    else if (outcome.error instanceof DamagedDataError && todo.inflater === 'kernel') {
      todo = { ...todo, inflater: 'node' };
      isReinflated = true;
    } else break;
    outcome = await attempt(todo, again, exactAs);
  }
  const { counts, error } = outcome;
  const seconds = Math.round(performance.now() - startMs) / 1000;
  if (error !== undefined) return { status: 'failed', error: describe(error, job), counts, isReinflated, seconds };
  return { status: 'done', outputs, counts, isReinflated, seconds };
}

/**
 * @param exactAs what exact numbers are written as, where they are wanted.
 * @throws only when aborted.
 */
async function attempt(
  job: Job,
  hooks: JobHooks,
  exactAs: 'decimal' | 'text' = 'decimal',
): Promise<{ counts: EngineCounts; error?: unknown }> {
  const { intervalMs, impacts, compat } = job.options;
  const hasMetrics = job.outputs.some(({ kind }) => kind === 'metrics');
  const sampler = hasMetrics ? await createSampler({ intervalMs, impacts }) : undefined;
  const arena = acquireArena();
  const engine = new KernelEngine({
    grid: createGrid(job),
    keepZeros: compat === 'python',
    observer: sampler,
    kernel: arena.kernel,
  });
  try {
    await convert(job, { engine, arena, sampler, exactAs }, hooks);
    const { counts } = engine;
    releaseArena(arena);
    return { counts };
  } catch (error) {
    hooks.signal?.throwIfAborted();
    return { counts: engine.counts, error };
  }
}

/** Loaded only when it is needed. */
async function createSampler(options: MetricsOptions): Promise<MetricsSampler> {
  const { MetricsSampler } = await import('../metrics/sampler.js');
  return new MetricsSampler(options);
}

function createGrid({ archive, options: { intervalMs, onGap, compat } }: Job): Grid {
  const dayMs = archive.isDayFile ? midnightMs(archive.date) : undefined;
  return compat === 'python' ? new PythonGrid() : new AsOfGrid({ intervalMs, dayMs, onGap });
}

/** What one attempt works with. */
interface Tools {
  engine: Engine;
  arena: Arena;
  sampler: MetricsSampler | undefined;
  exactAs: 'decimal' | 'text';
}

async function convert(job: Job, tools: Tools, hooks: JobHooks): Promise<void> {
  const { engine, arena, sampler, exactAs } = tools;
  const files: AtomicFile[] = [];
  const rows = new BookRows(engine, depthsOf(job));
  const descriptions: Record<string, string>[] = [];
  const describeFile = (more = {}) => {
    const description = { ...metadata(job), ...more };
    descriptions.push(description);
    return description;
  };
  try {
    const books: { depth: number; writer: BookWriter }[] = [];
    const tables: TableWriter[] = [];
    for (const output of job.outputs) {
      const { format, path } = output;
      const file = new AtomicFile(path, job.tempDir);
      files.push(file);
      if (output.kind === 'book') {
        const { formattedTimestamp, quality, layout, decimals } = job.options;
        const { depth } = output;
        const fileMetadata = describeFile({ depth: String(depth) });
        const bookFormat = { format, depth, formattedTimestamp, quality, layout, decimals: decimals && exactAs };
        books.push({ depth, writer: await createBookWriter(file, { ...bookFormat, metadata: fileMetadata }) });
      } else {
        const { columns } = sampler as MetricsSampler;
        tables.push(await createTableWriter(file, { format, columns, metadata: describeFile() }));
      }
    }
    const states = readRows(job.archive.path, {
      engine,
      onRead: hooks.onRead,
      inflater: job.inflater,
      inflateKernel: arena.inflater,
      isPassedOver: (line) => isPassedOver(line, job),
      day: job.options.compat === 'python' ? undefined : job.archive.date,
      signal: hooks.signal,
    });
    for await (const state of states) {
      rows.turn(state);
      for (const { depth, writer } of books) writer.write(rows.at(depth));
      if (!sampler) continue;
      const values = sampler.row(state.boundaryMs, rows.at(WHOLE_BOOK).levels);
      for (const table of tables) table.write(state.boundaryMs, values);
    }
    const { market } = engine.counts;
    if (market) for (const description of descriptions) description['market'] = market;
    for (const { writer } of books) writer.finish();
    for (const table of tables) table.finish();
    for (const file of files) file.commit();
  } catch (error) {
    discard(files, error);
    throw error;
  }
}

/** The depth of a row that has all levels. */
const WHOLE_BOOK = Number.POSITIVE_INFINITY;

function depthsOf({ outputs }: Job): number[] {
  return outputs.map((output) => (output.kind === 'book' ? output.depth : WHOLE_BOOK));
}

/** What a reader of an output wants to know of it. */
function metadata({ archive, options }: Job): Record<string, string> {
  const { intervalMs, onGap, compat } = options;
  return {
    symbol: archive.pair,
    date: archive.date,
    source: archive.fileName,
    source_depth: String(archive.sourceDepth),
    interval: formatInterval(intervalMs),
    sampling:
      compat === 'python'
        ? 'as the Python scripts: after the first message of a later minute'
        : 'as of the timestamp: every message with ts up to it, none after',
    on_gap: onGap,
    version: VERSION,
  };
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

/** The Python scripts passed over lines that are not JSON, and failed at JSON that is no message. */
function isPassedOver({ isJson }: { isJson: boolean }, { options }: Job): boolean {
  return options.onBadLine === 'skip' || (options.compat === 'python' && !isJson);
}

function describe(error: unknown, { archive }: Job): string {
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `disk full: free some space and run the same command again (${message})`;
  if (code === 'EACCES' || code === 'EPERM') return `no permission (${message})`;
  if (code === 'ENOENT' && path === archive.path) return `the file is not there any more (${message})`;
  return message;
}
