import assert from 'node:assert/strict';
import { type BookBatch, type RowBatch, stateOf } from '../../src/base/rows.js';
import type { BookRequest, Engine, EngineEvent } from '../../src/book/engine.js';
import type { TestRow } from './oracle.js';

export interface Driven {
  rows: TestRow[];
  /** What else the engine says at each row. */
  states: object[];
  badLines: Extract<EngineEvent, { kind: 'bad-line' }>[];
}

/** What `drive` needs of rows. */
export function booksOf(depth: number): BookRequest[] {
  return [{ depth, cells: 'padded', levels: true }];
}

/** Runs an engine with {@link booksOf} over chunks, and gathers its answers. */
export function drive(engine: Engine, chunks: Uint8Array[]): Driven {
  const driven: Driven = { rows: [], states: [], badLines: [] };
  const rest = [...chunks];
  for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
    if (event.kind === 'needs-bytes') {
      const chunk = rest.shift();
      if (chunk) engine.push(chunk);
      else engine.end();
    } else if (event.kind === 'rows') {
      takeRows(event.rows, driven);
    } else {
      driven.badLines.push(event);
    }
  }
  return driven;
}

/** Gathers the rows of a batch: the cells of its first book, and all that there is in the states. */
export function takeRows(batch: RowBatch, driven: Driven): void {
  const books = batch.books.map(rowsOfBook);
  for (let row = 0; row < batch.length; row++) {
    const state = stateOf(batch, row);
    const ofRow = books.map((rows) => rows[row] as BookRow);
    driven.rows.push({ boundaryMs: state.boundaryMs, isFilled: state.isFilled, cells: ofRow[0]?.cells ?? '' });
    const metrics = batch.metrics.map((column) => column[row]);
    driven.states.push({ ...state, books: ofRow, metrics });
  }
}

interface BookRow {
  depth: number;
  counts: [bids: number, asks: number];
  /** Of a book with cells. */
  cells?: string;
  /** Empty in a book without levels: bid prices, bid quantities, ask prices, ask quantities. */
  numbers: number[][];
}

function rowsOfBook(book: BookBatch): BookRow[] {
  let [cellsAt, bidsAt, asksAt] = [0, 0, 0];
  const { depth, bidCounts, askCounts, cells, cellEnds, bidPrices, bidQuantities, askPrices, askQuantities } = book;
  const rows = Array.from(bidCounts, (bids, row) => {
    const asks = askCounts[row] as number;
    const [cellsEnd, bidsEnd, asksEnd] = [cellEnds[row] ?? cellsAt, bidsAt + bids, asksAt + asks];
    const text = Buffer.from(cells.subarray(cellsAt, cellsEnd)).toString('latin1');
    const numbers = [
      [...bidPrices.subarray(bidsAt, bidsEnd)],
      [...bidQuantities.subarray(bidsAt, bidsEnd)],
      [...askPrices.subarray(asksAt, asksEnd)],
      [...askQuantities.subarray(asksAt, asksEnd)],
    ];
    [cellsAt, bidsAt, asksAt] = [cellsEnd, bidsEnd, asksEnd];
    const counts: [number, number] = [bids, asks];
    return { depth, counts, ...(cellEnds.length > 0 && { cells: text }), numbers };
  });
  assert.equal(cellsAt, cells.length, 'no cells are left over');
  assert.ok(bidPrices.length === 0 || bidPrices.length === bidsAt, 'no levels are left over');
  assert.ok(askQuantities.length === 0 || askQuantities.length === asksAt, 'no levels are left over');
  return rows;
}

/** Cuts bytes at the given offsets. The pieces share no memory, as chunks of a real archive may not. */
export function cut(bytes: Uint8Array, offsets: number[]): Uint8Array[] {
  const bounds = [0, ...[...offsets].sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => Buffer.from(bytes.subarray(bounds[index], end)));
}
