import { ArchiveError } from '../archive/archive-error.js';
import { type BookBatch, type RowBatch, stateOf } from '../base/rows.js';
import { formatInterval } from '../base/time.js';
import type { Grid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import { parseArchiveName } from '../catalog/archive-name.js';
import { readRows } from '../convert/read-rows.js';
import { nameOf } from '../storage/paths.js';
import { acquireArena, releaseArena } from '../wasm/arena.js';
import { MessageGrid, StepGrid } from './archive-grids.js';
import type { LadderRow, RowSource } from './ladder-row.js';

export interface ArchiveRowsOptions {
  /** Levels a side that a row keeps, at most. */
  levels: number;
  /** Distance of the rows, and a moment at which there is one; absent: a row after every message. */
  steps?: { stepMs: number; anchorMs: number } | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The book of an archive after every message, or at equal steps of time. Lines that cannot be read are passed over, counted,
 * and make the rows after them suspect. What comes after the last row that is asked for is not read, so that it is not
 * known whether the archive is whole.
 *
 * @throws ArchiveError, from the sequences, when the archive is damaged or has no book; a system error when it cannot be read.
 */
export function archiveRows(path: string, { levels, steps, signal }: ArchiveRowsOptions): RowSource {
  const readFrom = (fromMs: number) => {
    const grid = steps ? new StepGrid({ ...steps, fromMs }) : new MessageGrid(fromMs);
    return generate(path, { grid, hasEqualSteps: steps !== undefined, levels, signal });
  };
  const [step, lookBackMs] = steps ? [formatInterval(steps.stepMs), 1000 * steps.stepMs] : ['a message', 5 * 60_000];
  return { step, lookBackMs, readFrom };
}

interface Reading {
  grid: Grid;
  /** Whether rows stand for intervals, which can be without a message. */
  hasEqualSteps: boolean;
  levels: number;
  signal: AbortSignal | undefined;
}

async function* generate(
  path: string,
  { grid, hasEqualSteps, levels, signal }: Reading,
): AsyncGenerator<LadderRow, void, undefined> {
  const arena = acquireArena();
  const name = parseArchiveName(nameOf(path));
  const expected = name && { symbol: name.pair, depth: name.sourceDepth };
  // A row a batch: the engine stands just behind its last message, so that it can tell which one that is.
  const books = [
    { depth: levels, levels: true },
    ...(name && name.sourceDepth !== levels ? [{ depth: name.sourceDepth }] : []),
  ];
  const engine = new KernelEngine({ grid, books, maxRows: 1, keepZeros: false, expected, kernel: arena.kernel });
  let hasFailed = false;
  try {
    const rows = readRows(path, {
      engine,
      inflateKernel: arena.inflater,
      isPassedOver: () => true,
      day: undefined,
      signal,
    });
    for await (const row of rows) {
      const source = name && row.books.find(({ depth }) => depth === name.sourceDepth);
      const thin = source && { thin: isThin(source) };
      const filled = hasEqualSteps && { filled: stateOf(row, 0).isFilled };
      yield copyRow(row, engine, { ...thin, ...filled });
    }
  } catch (error) {
    hasFailed = true;
    throw error instanceof ArchiveError ? new ArchiveError(`${path}: ${error.message}`, { cause: error }) : error;
  } finally {
    if (!hasFailed) releaseArena(arena);
  }
}

/** Whether a side of the one row has fewer levels than the source should have. */
function isThin({ depth, bidCounts: [bids = 0], askCounts: [asks = 0] }: BookBatch): boolean {
  return Math.min(bids, asks) < depth;
}

/** @param batch of one row, whose first book is what is copied. */
function copyRow(batch: RowBatch, engine: KernelEngine, flags: LadderRow['flags']): LadderRow {
  const [book] = batch.books;
  const { boundaryMs, bookTsMs, isSuspect: suspect, isCrossed: crossed, isPartial: partial } = stateOf(batch, 0);
  return {
    timeMs: boundaryMs,
    message: { number: engine.messagesInBook, tsMs: bookTsMs, badLinesBefore: engine.counts.badLines },
    flags: { suspect, crossed, partial, ...flags },
    bidPrices: Float64Array.from(book?.bidPrices ?? []),
    bidQuantities: Float64Array.from(book?.bidQuantities ?? []),
    askPrices: Float64Array.from(book?.askPrices ?? []),
    askQuantities: Float64Array.from(book?.askQuantities ?? []),
  };
}
