import { growTo, instantiate, type Memory, type Variable } from './memory.js';

/** What kernel/index.ts exports; addresses and sizes are in bytes of `memory`. */
export interface Kernel {
  readonly memory: Memory;
  readonly MEMORY_BYTES: number;
  readonly LADDER_TICKS: number;
  readonly SLOT_BYTES: number;
  readonly MAX_PRICE_BYTES: number;
  readonly MAX_EXACT_DIGITS: number;
  readonly MAX_LEVELS_PER_SIDE: number;
  readonly PIECE_BYTES: number;
  readonly HISTORY_BYTES: number;
  readonly PART1: number;
  readonly PART2: number;
  readonly MIN_PART_BYTES: number;
  readonly MAX_PART_BYTES: number;
  /** Numbers of the sides. */
  readonly BIDS: number;
  readonly ASKS: number;
  /** What `run` answers. */
  readonly AT_MESSAGE: number;
  readonly FOREIGN_LINE: number;
  readonly LOG_FULL: number;
  readonly NEEDS_ROOM: number;
  readonly AT_ODD_ROW: number;
  /** Where rows are, and what is said of the books that they are of: see KernelBatch. */
  readonly MAX_BATCH_ROWS: number;
  readonly MAX_BOOKS: number;
  readonly BOOKS: number;
  readonly BOOK_BYTES: number;
  readonly BOOK_DEPTH: number;
  readonly BOOK_CELLS_AT: number;
  readonly BOOK_CELLS_END: number;
  readonly BOOK_IS_PADDED: number;
  readonly BOOK_LEVELS: number;
  readonly BOOK_CAPACITY: number;
  readonly BOOK_BIDS_AT: number;
  readonly BOOK_ASKS_AT: number;
  readonly CELLS_SLACK_BYTES: number;
  readonly LISTS: number;
  readonly LIST_ENTRIES: number;
  readonly CELL_ENDS_LIST: number;
  readonly BIDS_LIST: number;
  readonly ASKS_LIST: number;
  readonly BOUNDARIES: number;
  readonly BOOK_TIMES: number;
  readonly ROW_FLAGS: number;
  readonly OUT: number;
  readonly OUT_BYTES: number;
  readonly BOOK_UNHEARD: number;
  readonly ROW: number;
  /** Column c of row r of metrics is the f64 at METRICS + (c × METRIC_STRIDE_ROWS + r) × 8. */
  readonly METRICS: number;
  readonly METRIC_STRIDE_ROWS: number;
  readonly MAX_METRICS: number;
  readonly CHOICES: number;
  readonly cursor: Variable;
  readonly textEnd: Variable;
  readonly lineBytes: Variable;
  readonly lines: Variable;
  readonly updates: Variable;
  readonly outOfOrder: Variable;
  reset(): void;
  run(limitMs: number): number;
  applyMessage(): void;
  addText(bytes: number): void;
  adoptText(at: number, bytes: number): void;
  makeRoom(): number;
  dropText(): void;
  countLine(): void;
  passLine(): void;
  setTemplate(bytes1: number, bytes2: number): void;
  setPrevious(tsMs: number, latestTsMs: number, updateId: number): void;
  getMessages(): number;
  getMessageTs(): number;
  getBreaks(): number;
  getPreviousTs(): number;
  getLatestTs(): number;
  getPreviousU(): number;
  prepareFormats(decimals: number): void;
  prepareValues(decimals: number): void;
  setMetrics(
    intervalMs: number,
    heardLevels: number,
    imbalances: number,
    vwaps: number,
    bands: number,
    impacts: number,
  ): void;
  setStrays(has: boolean): void;
  getUnheardUpdates(): number;
  hearBook(
    tsMs: number,
    bid: number,
    bidQuantity: number,
    ask: number,
    askQuantity: number,
    bidSum: number,
    askSum: number,
    updates: number,
  ): void;
  writeMetrics(row: number, boundaryMs: number): number;
  writeMetricsOf(row: number, boundaryMs: number, bidCount: number, askCount: number): void;
  pricesOf(side: number): number;
  quantitiesOf(side: number): number;
  writeValues(side: number, count: number): void;
  clear(baseTick: number): void;
  place(side: number, tick: number): void;
  mark(side: number, tick: number): void;
  remove(side: number, tick: number): void;
  isMarked(side: number, tick: number): number;
  poolSlot(): number;
  settle(): number;
  settledLevels(side: number): number;
  collect(side: number, depth: number): number;
  isCrossed(): number;
  tickAt(side: number, index: number): number;
  textAt(side: number, index: number): number;
  writeCells(side: number, from: number, to: number): number;
  setBooks(count: number, maxRows: number): void;
  addRow(boundaryMs: number, bookTsMs: number, flags: number): number;
  getRows(): number;
  clearBatch(): void;
  isFull(): number;
  isOdd(): number;
  isMetricsRowDue(): number;
  setGrid(nextMs: number, intervalMs: number, lastMs: number, maxJumpMs: number, fills: number, isFilled: number): void;
  clearGrid(): void;
  setKnownBreaks(breaks: number): void;
  getNextBoundary(): number;
  getIsNextFilled(): number;
  getSkipped(): number;
}

/**
 * A kernel in a memory that has no other.
 *
 * @param fileName of the module, which lies beside this one.
 */
export function loadKernel(memory: Memory, fileName = 'book.wasm'): Kernel {
  const kernel = instantiate<Omit<Kernel, 'memory'>>(new URL(fileName, import.meta.url), memory);
  growTo(memory, kernel.MEMORY_BYTES);
  return { ...kernel, memory };
}
