import { type BookBatch, flagsOf, type RowBatch, type RowState } from '../base/rows.js';
import type { BookRequest } from './engine.js';
import type { ReferenceBook } from './reference-book.js';

/** Gathers rows of the simple book, as plainly as it can be done. */
export class ReferenceBatch {
  readonly #requests: readonly BookRequest[];
  #rows: { state: RowState; books: BookRow[]; metrics: Float64Array | undefined }[] = [];

  constructor(requests: readonly BookRequest[]) {
    this.#requests = requests;
  }

  get length(): number {
    return this.#rows.length;
  }

  /** @param metrics of the row, when they are followed. */
  add(state: RowState, book: ReferenceBook, metrics: Float64Array | undefined): void {
    this.#rows.push({ state, books: this.#requests.map((request) => rowOf(book, request)), metrics });
  }

  /** The rows that there are; the batch is empty then. */
  take(): RowBatch {
    const rows = this.#rows;
    this.#rows = [];
    const states = rows.map(({ state }) => state);
    return {
      length: rows.length,
      boundaryMs: Float64Array.from(states, ({ boundaryMs }) => boundaryMs),
      bookTsMs: Float64Array.from(states, ({ bookTsMs }) => bookTsMs),
      flags: Uint8Array.from(states, flagsOf),
      books: this.#requests.map((request, index) =>
        batchOf(
          request,
          rows.map(({ books }) => books[index] as BookRow),
        ),
      ),
      metrics: Array.from(rows[0]?.metrics ?? [], (_, column) =>
        Float64Array.from(rows, (row) => row.metrics?.[column] ?? Number.NaN),
      ),
    };
  }
}

/** One row at one depth. */
interface BookRow {
  bidCount: number;
  askCount: number;
  cells: string;
  bidPrices: number[];
  bidQuantities: number[];
  askPrices: number[];
  askQuantities: number[];
}

function rowOf(book: ReferenceBook, { depth, cells, levels }: BookRequest): BookRow {
  const { bidPrices, bidQuantities, askPrices, askQuantities } = book.levels(depth);
  const [bidCount, askCount] = [bidPrices.length, askPrices.length];
  const padded = cells ? book.row(depth) : '';
  const counts = { bidCount, askCount, cells: cells === 'bare' ? withoutEmpty(padded) : padded };
  if (!levels) return { ...counts, bidPrices: [], bidQuantities: [], askPrices: [], askQuantities: [] };
  return {
    ...counts,
    bidPrices: [...bidPrices],
    bidQuantities: [...bidQuantities],
    askPrices: [...askPrices],
    askQuantities: [...askQuantities],
  };
}

function withoutEmpty(cells: string): string {
  return cells
    .split(',')
    .filter((cell) => cell !== '')
    .join(',');
}

function batchOf({ depth, cells }: BookRequest, rows: BookRow[]): BookBatch {
  let end = 0;
  return {
    depth,
    bidCounts: Int32Array.from(rows, ({ bidCount }) => bidCount),
    askCounts: Int32Array.from(rows, ({ askCount }) => askCount),
    cells: Buffer.from(rows.map((row) => row.cells).join(''), 'latin1'),
    cellEnds: Int32Array.from(cells ? rows : [], (row) => {
      end += row.cells.length;
      return end;
    }),
    bidPrices: Float64Array.from(rows.flatMap(({ bidPrices }) => bidPrices)),
    bidQuantities: Float64Array.from(rows.flatMap(({ bidQuantities }) => bidQuantities)),
    askPrices: Float64Array.from(rows.flatMap(({ askPrices }) => askPrices)),
    askQuantities: Float64Array.from(rows.flatMap(({ askQuantities }) => askQuantities)),
  };
}
