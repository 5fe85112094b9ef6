import { DamagedDataError } from '../archive/archive-error.js';
import type { Inflater } from '../archive/read-options.js';
import { formatInterval, midnightMs } from '../base/time.js';
import { VERSION } from '../base/version.js';
import type { Engine, EngineCounts } from '../book/engine.js';
import { AsOfGrid, type Grid, PythonGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import { stagingFolderOf } from '../catalog/output-name.js';
import type { MetricsOptions, MetricsSampler } from '../metrics/sampler.js';
import type { BookWriter, TableWriter } from '../output/book-writer.js';
import { createBookWriter, createTableWriter, DoesNotFitDecimalError } from '../output/create-writer.js';
import { openStorage } from '../storage/open-storage.js';
import { newRunId } from '../storage/staging.js';
import type { StagedFile, StoredIdentity } from '../storage/storage.js';
import { type Arena, acquireArena, releaseArena } from '../wasm/arena.js';
import { BookRows } from './book-rows.js';
import type { Job, PlannedOutput } from './plan.js';
import { readRows } from './read-rows.js';

/** How a job tells how far it is, and is told to stop. */
export interface JobHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Ends the job at its next pause, without a trace of its outputs. */
  signal?: AbortSignal | undefined;
  /** The run that the job belongs to, whose name unfinished files bear. Default: a run of its own. */
  runId?: string;
}

/** What came of an archive, before anybody sees it. */
export type Converted = Attempt & {
  /** The kernel's inflater found the data damaged, and Node's zlib was asked. */
  isReinflated: boolean;
};

type Attempt = { counts: EngineCounts } /** Whole, right and durable: to be published or discarded. */ & (
  | { staged: StagedOutput[] }
  /** Nothing is left of what was begun. */
  | { error: unknown }
);

/** An output that only has to be published. */
export interface StagedOutput {
  output: PlannedOutput;
  file: StagedFile;
  version: StoredIdentity;
}

/**
 * Converts one archive into staged outputs: reads, keeps the book, writes rows, and sees that everything is right. An
 * archive that the kernel's inflater finds damaged is converted once more with Node's zlib, which has the last word.
 *
 * @returns the outcome, also when the archive or the disk is at fault.
 * @throws the signal's reason when it is aborted.
 */
export async function convertJob(job: Job, hooks: JobHooks): Promise<Converted> {
  const { runId = newRunId() } = hooks;
  let settings: Settings = { runId, inflater: job.inflater, exactAs: 'decimal' };
  let outcome = await attempt(job, settings, hooks);
  // What is read once more is no progress.
  const again = { signal: hooks.signal };
  while ('error' in outcome) {
    if (outcome.error instanceof DoesNotFitDecimalError && settings.exactAs === 'decimal') {
      settings = { ...settings, exactAs: 'text' };
    } else if (outcome.error instanceof DamagedDataError && settings.inflater === 'kernel') {
      settings = { ...settings, inflater: 'node' };
    } else break;
    outcome = await attempt(job, settings, again);
  }
  return { ...outcome, isReinflated: settings.inflater !== job.inflater };
}

/** What attempts of one job differ in. */
interface Settings {
  runId: string;
  inflater: Inflater;
  /** What exact numbers are written as, where they are wanted. */
  exactAs: 'decimal' | 'text';
}

async function attempt(job: Job, settings: Settings, hooks: JobHooks): Promise<Attempt> {
  const { intervalMs, impacts, compat } = job.options;
  const hasMetrics = job.outputs.some(({ kind }) => kind === 'metrics');
  const sampler = hasMetrics ? await createSampler({ intervalMs, impacts }) : undefined;
  const arena = acquireArena();
  const engine = new KernelEngine({
    grid: createGrid(job),
    keepZeros: compat === 'python',
    expected: compat === 'python' ? undefined : { symbol: job.archive.pair, depth: job.archive.sourceDepth },
    observer: sampler,
    kernel: arena.kernel,
  });
  try {
    const staged = await convert(job, settings, { engine, arena, sampler }, hooks);
    const { counts } = engine;
    releaseArena(arena);
    return { counts, staged };
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
}

async function convert(job: Job, settings: Settings, tools: Tools, hooks: JobHooks): Promise<StagedOutput[]> {
  const { engine, arena, sampler } = tools;
  const staged: { output: PlannedOutput; file: StagedFile }[] = [];
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
    const { formattedTimestamp, partition } = job.options;
    // Readers take it from the folders, and some refuse a file that has it, too.
    const symbol = partition === 'hive' ? undefined : job.archive.pair;
    const common = { symbol, formattedTimestamp };
    for (const output of job.outputs) {
      const { format, path } = output;
      const staging = { runId: settings.runId, tempDir: job.tempDir, stagingDir: stagingFolderOf(output) };
      const file = openStorage(path).stage(path, staging);
      staged.push({ output, file });
      if (output.kind === 'book') {
        const { quality, layout } = job.options;
        const { depth } = output;
        const decimals = job.options.decimals && settings.exactAs;
        const fileMetadata = describeFile({ depth: String(depth) });
        const bookFormat = { ...common, format, depth, quality, layout, decimals };
        books.push({ depth, writer: await createBookWriter(file, { ...bookFormat, metadata: fileMetadata }) });
      } else {
        const { columns } = sampler as MetricsSampler;
        tables.push(await createTableWriter(file, { ...common, format, columns, metadata: describeFile() }));
      }
    }
    const states = readRows(job.archive.path, {
      engine,
      onRead: hooks.onRead ?? (() => {}),
      inflater: settings.inflater,
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
    for (const description of descriptions) describeMarket(description, job, engine.counts);
    for (const { writer } of books) writer.finish();
    for (const table of tables) table.finish();
    return staged.map(({ output, file }) => ({ output, file, version: file.flush() }));
  } catch (error) {
    discardAll(
      staged.map(({ file }) => file),
      error,
    );
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

/** What a folder tells is more than what the form of the messages does, which is known when the first one has been read. */
function describeMarket(
  description: Record<string, string>,
  { archive: { market } }: Job,
  { market: messageForm }: EngineCounts,
): void {
  if (market) description['market'] = market;
  else if (messageForm) description['market'] = messageForm;
  if (market && messageForm) description['message_form'] = messageForm;
}

/** Removes what was begun. When that fails too, the error says so, after what was wrong in the first place. */
export function discardAll(files: StagedFile[], cause: unknown): void {
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
