import { DamagedDataError } from '../archive/archive-error.js';
import type { Inflater } from '../archive/read-options.js';
import { formatInterval, midnightMs } from '../base/time.js';
import { VERSION } from '../base/version.js';
import type { Engine, EngineCounts } from '../book/engine.js';
import { AsOfGrid, type Grid, PythonGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import type { MetricsOptions, MetricsSampler } from '../metrics/sampler.js';
import type { BookWriter, TableWriter } from '../output/book-writer.js';
import { createBookWriter, createTableWriter, DoesNotFitDecimalError } from '../output/create-writer.js';
import type { StoredIdentity } from '../storage/storage.js';
import { type Arena, acquireArena, releaseArena } from '../wasm/arena.js';
import { BookRows } from './book-rows.js';
import type { ClaimedOutput } from './claim.js';
import type { Job } from './plan.js';
import { readRows } from './read-rows.js';

/** How the conversion of an archive tells how far it is, and is told to stop. */
export interface ConversionHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Ends the job at its next pause, without a trace of its outputs. */
  signal?: AbortSignal | undefined;
}

/** What came of an archive, before anybody sees it. */
export type Converted = Attempt & {
  /** The kernel's inflater found the data damaged, and Node's zlib was asked. */
  isReinflated: boolean;
};

type Attempt = { counts: EngineCounts } & (
  | { staged: StagedOutput[] }
  /** What was written is worth nothing. */
  | { error: unknown }
);

/** An output that is whole, right and durable, and only has to be published. */
export interface StagedOutput extends ClaimedOutput {
  version: StoredIdentity;
}

/**
 * Converts one archive into staged outputs: reads, keeps the book, writes rows, and sees that everything is right. An
 * archive that the kernel's inflater finds damaged is converted once more with Node's zlib, which has the last word.
 *
 * @param outputs those to be made, begun and still empty. The caller publishes or discards them.
 * @returns the outcome, also when the archive or the disk is at fault.
 * @throws the signal's reason when it is aborted.
 */
export async function convertJob(job: Job, outputs: ClaimedOutput[], hooks: ConversionHooks): Promise<Converted> {
  let settings: Settings = { inflater: job.inflater, exactAs: 'decimal' };
  let outcome = await attempt(job, outputs, settings, hooks);
  // What is read once more is no progress.
  const again = { signal: hooks.signal };
  while ('error' in outcome) {
    if (outcome.error instanceof DoesNotFitDecimalError && settings.exactAs === 'decimal') {
      settings = { ...settings, exactAs: 'text' };
    } else if (outcome.error instanceof DamagedDataError && settings.inflater === 'kernel') {
      settings = { ...settings, inflater: 'node' };
    } else break;
    for (const { file } of outputs) file.restart();
    outcome = await attempt(job, outputs, settings, again);
  }
  return { ...outcome, isReinflated: settings.inflater !== job.inflater };
}

/** What attempts of one job differ in. */
interface Settings {
  inflater: Inflater;
  /** What exact numbers are written as, where they are wanted. */
  exactAs: 'decimal' | 'text';
}

async function attempt(
  job: Job,
  outputs: ClaimedOutput[],
  settings: Settings,
  hooks: ConversionHooks,
): Promise<Attempt> {
  const { intervalMs, impacts, compat } = job.options;
  const hasMetrics = outputs.some(({ output }) => output.kind === 'metrics');
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
    const staged = await convert(job, outputs, settings, { engine, arena, sampler, hooks });
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
  hooks: ConversionHooks;
}

async function convert(
  job: Job,
  outputs: ClaimedOutput[],
  settings: Settings,
  { engine, arena, sampler, hooks }: Tools,
): Promise<StagedOutput[]> {
  const rows = new BookRows(engine, depthsOf(outputs));
  const descriptions: Record<string, string>[] = [];
  const describeFile = (more = {}) => {
    const description = { ...metadata(job), ...more };
    descriptions.push(description);
    return description;
  };
  const books: { depth: number; writer: BookWriter }[] = [];
  const tables: TableWriter[] = [];
  const { formattedTimestamp, partition } = job.options;
  // Readers take it from the folders, and some refuse a file that has it, too.
  const symbol = partition === 'hive' ? undefined : job.archive.pair;
  const common = { symbol, formattedTimestamp };
  for (const { output, file } of outputs) {
    const { format } = output;
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
  return outputs.map(({ output, file }) => ({ output, file, version: file.flush() }));
}

/** The depth of a row that has all levels. */
const WHOLE_BOOK = Number.POSITIVE_INFINITY;

function depthsOf(outputs: ClaimedOutput[]): number[] {
  return outputs.map(({ output }) => (output.kind === 'book' ? output.depth : WHOLE_BOOK));
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

/** The Python scripts passed over lines that are not JSON, and failed at JSON that is no message. */
function isPassedOver({ isJson }: { isJson: boolean }, { options }: Job): boolean {
  return options.onBadLine === 'skip' || (options.compat === 'python' && !isJson);
}
