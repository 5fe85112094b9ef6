import { type BookBatch, flagsOf, type RowBatch, type RowState } from '../base/rows.js';
import type { Kernel } from '../wasm/book-kernel.js';
import type { BookRequest } from './engine.js';
import type { KernelBook } from './kernel-book.js';
import type { KernelMetrics } from './kernel-metrics.js';

/** What a batch takes at most, unless a single row takes more: it should stay in the cache until it has been written. */
const BATCH_BYTES = 1024 * 1024;

/** What rows are made from. */
interface RowSources {
  kernel: Kernel;
  book: KernelBook;
  /** `undefined` when no metrics are followed. */
  metrics: KernelMetrics | undefined;
}

/** A request, and where the kernel puts what it asks for (kernel/layout.ts, BOOKS). */
interface Place {
  request: BookRequest;
  /** Number of the book in the kernel: there the deepest comes first. */
  index: number;
  cellsStart: number;
  cellsEnd: number;
  levelsStart: number;
  /** Levels a column. */
  capacity: number;
}

/** The host's half of kernel/batch.ts: it divides the kernel's memory, and hands out what the kernel has written there. */
export class KernelBatch {
  readonly #kernel: Kernel;
  readonly #book: KernelBook;
  readonly #metrics: KernelMetrics | undefined;
  /** In the order of the requests. */
  readonly #places: Place[];

  /**
   * @param maxRows rows a batch, at most.
   * @throws RangeError when a row of all that is asked for does not fit into the kernel's memory.
   */
  constructor({ kernel, book, metrics }: RowSources, requests: readonly BookRequest[], maxRows: number) {
    this.#kernel = kernel;
    this.#book = book;
    this.#metrics = metrics;
    const rowLimit = Math.min(maxRows, kernel.MAX_BATCH_ROWS);
    this.#places = placesFor(requests, kernel, rowLimit);
    this.#begin();
    kernel.setBooks(this.#places.length, rowLimit);
  }

  /** Rows in the batch. */
  get length(): number {
    return this.#kernel.getRows();
  }

  get isFull(): boolean {
    return this.#kernel.isFull() !== 0;
  }

  /**
   * Adds the book as it is, all of which the kernel must know.
   *
   * @param flags those that the book does not tell: bits of `ROW_FLAG`.
   * @returns whether there was room for it.
   */
  add(boundaryMs: number, bookTsMs: number, flags: number): boolean {
    if (this.#kernel.addRow(boundaryMs, bookTsMs, flags) === 0) return false;
    if (this.#kernel.isOdd() !== 0) this.completeRow();
    return true;
  }

  /** Reads what the kernel cannot read exactly of the row added last: quantities, and the book for its metrics. */
  completeRow(): void {
    const { length, books, boundaryMs } = this.view();
    for (const { bidCounts, askCounts, bidQuantities, askQuantities } of books) {
      const last = length - 1;
      this.#complete(0, bidQuantities, bidCounts[last] ?? 0);
      this.#complete(1, askQuantities, askCounts[last] ?? 0);
    }
    if (this.#kernel.isMetricsRowDue() !== 0) this.#metrics?.write(length - 1, boundaryMs[length - 1] ?? 0);
  }

  /** The rows that there are. They hold until {@link clear}. */
  view(): RowBatch {
    const kernel = this.#kernel;
    const { buffer } = kernel.memory;
    const length = kernel.getRows();
    return {
      length,
      boundaryMs: new Float64Array(buffer, kernel.BOUNDARIES, length),
      bookTsMs: new Float64Array(buffer, kernel.BOOK_TIMES, length),
      flags: new Uint8Array(buffer, kernel.ROW_FLAGS, length),
      books: this.#places.map((place) => this.#bookOf(place, length)),
      metrics: this.#metrics?.columns(length) ?? [],
    };
  }

  clear(): void {
    this.#kernel.clearBatch();
    this.#begin();
  }

  /** The book as it is as a batch of one row, from kernel and host, while the kernel has none: for one with levels that the kernel does not know. */
  mixedRow({ boundaryMs, bookTsMs, ...flags }: RowState): RowBatch {
    this.#metrics?.write(0, boundaryMs);
    return {
      length: 1,
      boundaryMs: Float64Array.of(boundaryMs),
      bookTsMs: Float64Array.of(bookTsMs),
      flags: Uint8Array.of(flagsOf(flags)),
      books: this.#places.map(({ request }) => this.#mixedBook(request)),
      metrics: this.#metrics?.columns(1) ?? [],
    };
  }

  #mixedBook({ depth, cells, levels }: BookRequest): BookBatch {
    const numbers = this.#book.levels(depth);
    const text = cells ? this.#book.cells(depth, cells === 'padded') : new Uint8Array(0);
    const none = new Float64Array(0);
    return {
      depth,
      bidCounts: Int32Array.of(numbers.bidPrices.length),
      askCounts: Int32Array.of(numbers.askPrices.length),
      cells: text,
      cellEnds: Int32Array.from(cells ? [text.length] : []),
      ...(levels ? numbers : { bidPrices: none, bidQuantities: none, askPrices: none, askQuantities: none }),
    };
  }

  #bookOf({ request, index, cellsStart, levelsStart, capacity }: Place, length: number): BookBatch {
    const kernel = this.#kernel;
    const { buffer } = kernel.memory;
    const list = (number: number) =>
      new Int32Array(buffer, kernel.LISTS + 4 * (3 * index + number) * kernel.LIST_ENTRIES, length);
    const entry = new Int32Array(buffer, kernel.BOOKS + index * kernel.BOOK_BYTES, kernel.BOOK_BYTES / 4);
    const bids = entry[kernel.BOOK_BIDS_AT / 4] ?? 0;
    const asks = entry[kernel.BOOK_ASKS_AT / 4] ?? 0;
    const column = (number: number, levels: number) =>
      new Float64Array(buffer, levelsStart + 8 * number * capacity, levels);
    const cellsEnd = request.cells && length > 0 ? (entry[kernel.BOOK_CELLS_AT / 4] ?? 0) : cellsStart;
    return {
      depth: request.depth,
      bidCounts: list(kernel.BIDS_LIST),
      askCounts: list(kernel.ASKS_LIST),
      cells: new Uint8Array(buffer, cellsStart, cellsEnd - cellsStart),
      cellEnds: request.cells ? list(kernel.CELL_ENDS_LIST) : new Int32Array(0),
      bidPrices: column(0, bids),
      bidQuantities: column(1, bids),
      askPrices: column(2, asks),
      askQuantities: column(3, asks),
    };
  }

  /** @param quantities of all rows, those of the last one at the end. */
  #complete(side: 0 | 1, quantities: Float64Array, count: number): void {
    const from = quantities.length - count;
    for (let at = Math.max(0, from); at < quantities.length; at++) {
      if (Number.isNaN(quantities[at])) quantities[at] = this.#book.quantityAt(side, at - from);
    }
  }

  /** Tells the kernel where the rows of an empty batch go. */
  #begin(): void {
    const kernel = this.#kernel;
    for (const { request, index, cellsStart, cellsEnd, levelsStart, capacity } of this.#places) {
      const entry = new Int32Array(
        kernel.memory.buffer,
        kernel.BOOKS + index * kernel.BOOK_BYTES,
        kernel.BOOK_BYTES / 4,
      );
      entry[kernel.BOOK_DEPTH / 4] = request.depth;
      entry[kernel.BOOK_CELLS_AT / 4] = request.cells ? cellsStart : 0;
      entry[kernel.BOOK_CELLS_END / 4] = cellsEnd;
      entry[kernel.BOOK_IS_PADDED / 4] = request.cells === 'padded' ? 1 : 0;
      entry[kernel.BOOK_LEVELS / 4] = request.levels ? levelsStart : 0;
      entry[kernel.BOOK_CAPACITY / 4] = capacity;
      entry[kernel.BOOK_BIDS_AT / 4] = 0;
      entry[kernel.BOOK_ASKS_AT / 4] = 0;
    }
  }
}

/** Divides the kernel's OUT among the requests, so that all have room for equally many rows. */
function placesFor(requests: readonly BookRequest[], kernel: Kernel, maxRows: number): Place[] {
  const cellBytes = ({ cells, depth }: BookRequest) => (cells ? 2 * depth * kernel.SLOT_BYTES : 0);
  const rowBytes = requests.reduce(
    (sum, request) => sum + cellBytes(request) + (request.levels ? 32 * request.depth : 0),
    0,
  );
  // Each area begins where doubles may, and cells are followed by what may be written behind them.
  const spareBytes = requests.length * (kernel.CELLS_SLACK_BYTES + 16);
  const rows = Math.max(1, Math.min(maxRows, Math.floor((BATCH_BYTES - spareBytes) / Math.max(1, rowBytes))));
  if (requests.length > kernel.MAX_BOOKS || rows * rowBytes + spareBytes > kernel.OUT_BYTES) {
    throw new RangeError(
      `rows of ${requests.length} depths, ${requests.map(({ depth }) => depth).join(', ')}, are more than can be made at once`,
    );
  }
  const deepestFirst = [...requests.keys()].sort((a, b) => depthOf(requests, b) - depthOf(requests, a));
  let at = kernel.OUT;
  return requests.map((request, position) => {
    const cellsStart = at;
    const cellsEnd = cellsStart + rows * cellBytes(request) + (request.cells ? kernel.CELLS_SLACK_BYTES : 0);
    const levelsStart = Math.ceil(cellsEnd / 8) * 8;
    const capacity = request.levels ? rows * request.depth : 0;
    at = levelsStart + 32 * capacity;
    return { request, index: deepestFirst.indexOf(position), cellsStart, cellsEnd, levelsStart, capacity };
  });
}

function depthOf(requests: readonly BookRequest[], position: number): number {
  return requests[position]?.depth ?? 0;
}
