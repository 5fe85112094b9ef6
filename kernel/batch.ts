/**
 * Rows in batches. The host says at which depths it wants rows, and in what form (BOOKS); the kernel writes row after row
 * into areas of OUT, and the host takes them all at once:
 *
 *     BOUNDARIES, BOOK_TIMES, ROW_FLAGS   what each row is
 *     METRICS    its metrics, when they are followed (metrics.ts)
 *     LISTS      for each book: where the cells of each row end, and how many bids and asks it has
 *     OUT        for each book: the cells of all rows, one row after the other, and its levels in four columns
 *
 * Books are in the order of their depth, the deepest first: the levels of the others are a part of its.
 */
import { isFollowed } from './interval';
import { ASKS, areCrossed, BIDS, collect } from './ladder';
import {
  ASKS_LIST,
  BIDS_LIST,
  BOOK_ASKS_AT,
  BOOK_BIDS_AT,
  BOOK_BYTES,
  BOOK_CAPACITY,
  BOOK_CELLS_AT,
  BOOK_CELLS_END,
  BOOK_DEPTH,
  BOOK_IS_PADDED,
  BOOK_LEVELS,
  BOOK_TIMES,
  BOOKS,
  BOUNDARIES,
  CELL_ENDS_LIST,
  CELLS_SLACK_BYTES,
  IS_CROSSED,
  LIST_ENTRIES,
  LISTS,
  MAX_BATCH_ROWS,
  MAX_BOOKS,
  OUT,
  OUT_BYTES,
  ROW_FLAGS,
  SLOT_BYTES,
} from './layout';
import { writeMetrics } from './metrics';
import { writeCellsAt } from './rows';
import { writeValuesAt } from './values';

/** Rows in the batch. */
let rows: i32 = 0;
let maxRows: i32 = MAX_BATCH_ROWS;
let books: i32 = 0;
/** The greatest depth; at least 1, since the best levels say whether the book is crossed. */
let deepest: i32 = 1;
/** The row added last has what the host must read. */
let isRowOdd: bool = false;

/** The metrics of the row added last are still to be written, from a book that only the host can read. */
let isMetricsDue: bool = false;

/** Takes over from BOOKS what is wanted, at `count` depths, in batches of at most so many rows; the batch is empty. */
export function setBooks(count: i32, limit: i32): void {
  assert(count >= 0 && count <= MAX_BOOKS && limit > 0 && limit <= MAX_BATCH_ROWS);
  books = count;
  maxRows = limit;
  deepest = count === 0 ? 1 : load<i32>(BOOKS, BOOK_DEPTH);
  rows = 0;
}

export function getRows(): i32 {
  return rows;
}

/** Forgets the rows of the batch. The host has set back where its areas begin. */
export function clearBatch(): void {
  rows = 0;
}

/** Whether the row added last must be completed by the host: it has a NaN for a quantity, or its metrics are due. */
export function isOdd(): bool {
  return isRowOdd;
}

export function isMetricsRowDue(): bool {
  return isMetricsDue;
}

/** Whether the batch has as many rows as it may have. */
export function isFull(): bool {
  return rows === maxRows;
}

/**
 * Adds the book as it is to the batch.
 *
 * @param flags those that the book does not tell.
 * @returns false when there is no room for it: the batch must be taken first.
 */
export function addRow(boundaryMs: f64, bookTsMs: f64, flags: i32): bool {
  if (rows === maxRows) return false;
  const bids = collect(BIDS, deepest);
  const asks = collect(ASKS, deepest);
  if (!hasRoom(bids, asks)) return false;
  const row = <usize>rows;
  store<f64>(BOUNDARIES + (row << 3), boundaryMs);
  store<f64>(BOOK_TIMES + (row << 3), bookTsMs);
  store<u8>(ROW_FLAGS + row, <u8>(flags | (areCrossed(bids, asks) ? IS_CROSSED : 0)));
  isRowOdd = false;
  isMetricsDue = isFollowed() && !writeMetrics(rows, boundaryMs);
  if (isMetricsDue) isRowOdd = true;
  /** The row's levels as numbers, in the deepest book that has any. */
  let levels: usize = 0;
  let book = BOOKS;
  for (let index = 0; index < books; index++, book += BOOK_BYTES) {
    const depth = load<i32>(book, BOOK_DEPTH);
    const bidCount = min(bids, depth);
    const askCount = min(asks, depth);
    store<i32>(listOf(index, BIDS_LIST) + (row << 2), bidCount);
    store<i32>(listOf(index, ASKS_LIST) + (row << 2), askCount);
    if (load<u32>(book, BOOK_CELLS_AT) !== 0) addCells(book, index, bidCount, askCount);
    if (load<u32>(book, BOOK_LEVELS) === 0) continue;
    addLevels(book, levels, bidCount, askCount);
    if (levels === 0) levels = book;
  }
  rows++;
  return true;
}

/** Whether a row of so many levels has room in all areas. */
function hasRoom(bids: i32, asks: i32): bool {
  let book = BOOKS;
  for (let index = 0; index < books; index++, book += BOOK_BYTES) {
    const depth = load<i32>(book, BOOK_DEPTH);
    const bidCount = min(bids, depth);
    const askCount = min(asks, depth);
    const cells = <usize>load<u32>(book, BOOK_CELLS_AT);
    if (cells !== 0) {
      // A level takes less than its slot; one that is missing, two commas.
      const bytes = <usize>(bidCount + askCount) * SLOT_BYTES + <usize>(2 * (2 * depth - bidCount - askCount));
      if (cells + bytes + CELLS_SLACK_BYTES > <usize>load<u32>(book, BOOK_CELLS_END)) return false;
    }
    if (load<u32>(book, BOOK_LEVELS) === 0) continue;
    const capacity = load<i32>(book, BOOK_CAPACITY);
    if (load<i32>(book, BOOK_BIDS_AT) + bidCount > capacity) return false;
    if (load<i32>(book, BOOK_ASKS_AT) + askCount > capacity) return false;
  }
  return true;
}

function addCells(book: usize, index: i32, bidCount: i32, askCount: i32): void {
  const depth = load<i32>(book, BOOK_IS_PADDED) === 0 ? 0 : load<i32>(book, BOOK_DEPTH);
  const start = <usize>load<u32>(book, BOOK_CELLS_AT);
  let out = writeCellsAt(start, BIDS, bidCount, depth);
  out = writeCellsAt(out, ASKS, askCount, depth);
  if (out > start) out--; // without the comma after the last cell
  assert(out <= <usize>load<u32>(book, BOOK_CELLS_END) && out <= OUT + OUT_BYTES);
  store<u32>(book, <u32>out, BOOK_CELLS_AT);
  const ends = listOf(index, CELL_ENDS_LIST);
  const before = rows === 0 ? 0 : load<i32>(ends + ((<usize>rows - 1) << 2));
  store<i32>(ends + ((<usize>rows) << 2), before + <i32>(out - start));
}

/** @param source a deeper book that has the same row already, or 0. */
function addLevels(book: usize, source: usize, bidCount: i32, askCount: i32): void {
  const bidsAt = load<i32>(book, BOOK_BIDS_AT);
  const asksAt = load<i32>(book, BOOK_ASKS_AT);
  if (source === 0) {
    const isBidOdd = writeValuesAt(columnOf(book, 0, bidsAt), columnOf(book, 1, bidsAt), BIDS, bidCount);
    const isAskOdd = writeValuesAt(columnOf(book, 2, asksAt), columnOf(book, 3, asksAt), ASKS, askCount);
    if (isBidOdd || isAskOdd) isRowOdd = true;
  } else {
    // Where the row stands there, whose place has been moved past it already.
    const bidsFrom = load<i32>(source, BOOK_BIDS_AT) - lastCountOf(source, BIDS_LIST);
    const asksFrom = load<i32>(source, BOOK_ASKS_AT) - lastCountOf(source, ASKS_LIST);
    const bidBytes = (<usize>bidCount) << 3;
    const askBytes = (<usize>askCount) << 3;
    memory.copy(columnOf(book, 0, bidsAt), columnOf(source, 0, bidsFrom), bidBytes);
    memory.copy(columnOf(book, 1, bidsAt), columnOf(source, 1, bidsFrom), bidBytes);
    memory.copy(columnOf(book, 2, asksAt), columnOf(source, 2, asksFrom), askBytes);
    memory.copy(columnOf(book, 3, asksAt), columnOf(source, 3, asksFrom), askBytes);
  }
  store<i32>(book, bidsAt + bidCount, BOOK_BIDS_AT);
  store<i32>(book, asksAt + askCount, BOOK_ASKS_AT);
}

/** How many levels the row that is being added has in a book. */
function lastCountOf(book: usize, list: i32): i32 {
  return load<i32>(listOf(<i32>((book - BOOKS) / BOOK_BYTES), list) + ((<usize>rows) << 2));
}

/** The address of a level in one of a book's four columns. */
function columnOf(book: usize, column: i32, at: i32): usize {
  const capacity = load<i32>(book, BOOK_CAPACITY);
  assert(at >= 0 && at <= capacity);
  return <usize>load<u32>(book, BOOK_LEVELS) + ((<usize>(column * capacity + at)) << 3);
}

/** The address of a list: {@link CELL_ENDS_LIST} and the others. */
function listOf(book: i32, list: i32): usize {
  return LISTS + ((<usize>((3 * book + list) * LIST_ENTRIES)) << 2);
}
