import { DamagedDataError } from '../archive/archive-error.js';
import type { Inflater } from '../archive/read-options.js';
import type { BookBatch } from '../base/rows.js';
import { formatInterval, midnightMs } from '../base/time.js';
import { VERSION } from '../base/version.js';
import { noCounts } from '../book/counts.js';
import type { BookRequest, EngineCounts } from '../book/engine.js';
import { AsOfGrid, type Grid, PythonGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import { metricsColumns } from '../metrics/columns.js';
import type { BookWriter, TableWriter } from '../output/book-writer.js';
import { createBookWriter, createTableWriter, DoesNotFitDecimalError } from '../output/create-writer.js';
import type { FileVersion, StoredIdentity } from '../storage/storage.js';
import { type Arena, acquireArena, releaseArena } from '../wasm/arena.js';
import type { ClaimedOutput } from './claim.js';
import type { Job } from './plan.js';
import { readRows } from './read-rows.js';

/** How the conversion of an archive tells how far it is, and is told to stop. */
export interface ConversionHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Hears that a read of the archive begins, and that it has come back, in turns. */
  onReadTurn?: (() => void) | undefined;
  /** Whether the thread is to be free while the archive is read. Default: it waits, which is faster. */
  readsInBackground?: boolean | undefined;
  /** Ends the job at its next pause, without a trace of its outputs. */
  signal?: AbortSignal | undefined;
}

/** What came of an archive, before anybody sees it. */
export type Converted = Attempt & {
  /** The kernel's inflater found the data damaged, and Node's zlib was asked. */
  isReinflated: boolean;
};

/** `source`: which version of the archive was read; `undefined`: it could not be opened. */
type Attempt = { counts: EngineCounts; source: FileVersion | undefined } & (
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
  const again = { ...hooks, onRead: undefined };
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
  const arena = acquireArena();
  let engine: KernelEngine | undefined;
  let source: FileVersion | undefined;
  const onOpen = (version: FileVersion) => {
    source = version;
  };
  try {
    const files = await openFiles(job, outputs, settings);
    engine = createEngine(job, files, arena);
    await writeRows(job, files, settings, { engine, arena, onOpen, hooks });
    const staged = outputs.map(({ output, file }) => ({ output, file, version: file.flush() }));
    releaseArena(arena);
    return { counts: engine.counts, source, staged };
  } catch (error) {
    hooks.signal?.throwIfAborted();
    return { counts: engine?.counts ?? noCounts(), source, error };
  }
}

function createEngine(job: Job, { books, tables }: OpenFiles, { kernel }: Arena): KernelEngine {
  const isPython = job.options.compat === 'python';
  return new KernelEngine({
    grid: createGrid(job),
    books: requestsOf(books),
    keepZeros: isPython,
    expected: isPython ? undefined : { symbol: job.archive.pair, depth: job.archive.sourceDepth },
    metrics: tables.length > 0 ? job.options : undefined,
    kernel,
  });
}

/** What the writers need of rows, each depth once. */
function requestsOf(books: OpenFiles['books']): BookRequest[] {
  const byDepth = new Map<number, BookRequest>();
  for (const { depth, writer } of books) {
    const request = byDepth.get(depth) ?? { depth };
    if (writer.needs === 'levels') request.levels = true;
    else request.cells = 'padded';
    byDepth.set(depth, request);
  }
  return [...byDepth.values()];
}

function createGrid({ archive, options: { intervalMs, onGap, compat } }: Job): Grid {
  const dayMs = archive.isDayFile ? midnightMs(archive.date) : undefined;
  return compat === 'python' ? new PythonGrid() : new AsOfGrid({ intervalMs, dayMs, onGap });
}

/** Outputs that rows are written to. */
interface OpenFiles {
  books: { depth: number; writer: BookWriter }[];
  tables: TableWriter[];
  /** What each file says of itself, read when it is finished. */
  descriptions: Record<string, string>[];
}

async function openFiles(job: Job, outputs: ClaimedOutput[], settings: Settings): Promise<OpenFiles> {
  const descriptions: Record<string, string>[] = [];
  const describeFile = (more = {}) => {
    const description = { ...metadata(job), ...more };
    descriptions.push(description);
    return description;
  };
  const books: OpenFiles['books'] = [];
  const tables: TableWriter[] = [];
  const { formattedTimestamp, partition, compression } = job.options;
  // Readers take it from the folders, and some refuse a file that has it, too.
  const symbol = partition === 'hive' ? undefined : job.archive.pair;
  const common = { symbol, formattedTimestamp, compression };
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
      const columns = metricsColumns(job.options);
      tables.push(await createTableWriter(file, { ...common, format, columns, metadata: describeFile() }));
    }
  }
  return { books, tables, descriptions };
}

/** What one attempt works with. */
interface Tools {
  engine: KernelEngine;
  arena: Arena;
  onOpen: (version: FileVersion) => void;
  hooks: ConversionHooks;
}

async function writeRows(
  job: Job,
  { books, tables, descriptions }: OpenFiles,
  settings: Settings,
  { engine, arena, onOpen, hooks }: Tools,
): Promise<void> {
  const batches = readRows(job.archive.path, {
    engine,
    onRead: hooks.onRead ?? (() => {}),
    onOpen,
    onReadTurn: hooks.onReadTurn,
    inBackground: hooks.readsInBackground,
    inflater: settings.inflater,
    inflateKernel: arena.inflater,
    isPassedOver: (line) => isPassedOver(line, job),
    day: job.options.compat === 'python' ? undefined : job.archive.date,
    signal: hooks.signal,
  });
  for await (const rows of batches) {
    for (const { depth, writer } of books) {
      const book = rows.books.find((candidate) => candidate.depth === depth);
      writer.write(rows, book as BookBatch);
    }
    for (const table of tables) table.write(rows);
  }
  for (const description of descriptions) describeMarket(description, job, engine.counts);
  for (const { writer } of books) writer.finish();
  for (const table of tables) table.finish();
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
