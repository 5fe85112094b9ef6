import fc from 'fast-check';
import { type BookBatch, flagsOf, type RowBatch } from '../../src/base/rows.js';
import type { BookWriter, ByteSink } from '../../src/output/book-writer.js';

/** Keeps a copy of everything. */
export class MemorySink implements ByteSink {
  readonly #parts: Buffer[] = [];

  write(bytes: Uint8Array): void {
    this.#parts.push(Buffer.from(bytes));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export type Level = [price: string, quantity: string];

export interface TestRow {
  boundaryMs: number;
  ageMs: number;
  flags: [isFilled: boolean, isSuspect: boolean, isCrossed: boolean, isPartial: boolean];
  bids: Level[];
  asks: Level[];
}

/** A batch of rows at one depth. */
export type TestBatch = RowBatch & { books: readonly [BookBatch] };

/** Rows as an engine gives them, in one batch: levels beyond `depth` are cut off, missing ones are empty cells. */
export function batchOf(testRows: TestRow[], depth: number): TestBatch {
  const rows = testRows.map(({ bids, asks, ...row }) => ({
    ...row,
    bids: bids.slice(0, depth),
    asks: asks.slice(0, depth),
  }));
  const cellsOf = (side: Level[]) => Array.from({ length: depth }, (_, i) => side[i] ?? ['', '']).flat();
  const cells = rows.map(({ bids, asks }) => [...cellsOf(bids), ...cellsOf(asks)].join(','));
  const numbers = (side: 'bids' | 'asks', at: 0 | 1) =>
    Float64Array.from(
      rows.flatMap((row) => row[side]),
      (level) => Number(level[at]),
    );
  let end = 0;
  return {
    length: rows.length,
    boundaryMs: Float64Array.from(rows, ({ boundaryMs }) => boundaryMs),
    bookTsMs: Float64Array.from(rows, ({ boundaryMs, ageMs }) => boundaryMs - ageMs),
    flags: Uint8Array.from(rows, ({ flags: [isFilled, isSuspect, isCrossed, isPartial] }) =>
      flagsOf({ isFilled, isSuspect, isCrossed, isPartial }),
    ),
    books: [
      {
        depth,
        bidCounts: Int32Array.from(rows, ({ bids }) => bids.length),
        askCounts: Int32Array.from(rows, ({ asks }) => asks.length),
        cells: Buffer.from(cells.join('')),
        cellEnds: Int32Array.from(cells, ({ length }) => {
          end += length;
          return end;
        }),
        bidPrices: numbers('bids', 0),
        bidQuantities: numbers('bids', 1),
        askPrices: numbers('asks', 0),
        askQuantities: numbers('asks', 1),
      },
    ],
    metrics: [],
  };
}

/** Writes rows in batches of `size`, and ends. Default: all at once. */
export function writeRows(writer: BookWriter, rows: TestRow[], depth: number, size = Math.max(1, rows.length)): void {
  for (let start = 0; start < rows.length; start += size) {
    const batch = batchOf(rows.slice(start, start + size), depth);
    writer.write(batch, batch.books[0]);
  }
  writer.finish();
}

/** Rows of named numbers in one batch; `timesMs` are their labels. */
export function metricsBatch(timesMs: readonly number[], rows: readonly (readonly number[])[]): RowBatch {
  return {
    length: rows.length,
    boundaryMs: Float64Array.from(timesMs),
    bookTsMs: Float64Array.from(timesMs),
    flags: new Uint8Array(rows.length),
    books: [],
    metrics: Array.from({ length: rows[0]?.length ?? 0 }, (_, at) =>
      Float64Array.from(rows, (row) => row[at] as number),
    ),
  };
}

const digits = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength }) as fc.Arbitrary<string>;

/** Often the same few numbers, in several spellings; up to the most digits that DECIMAL takes. */
const decimal = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('1', '1.0', '0.1', '0.10', '100', '0.000000000000000001') },
  { weight: 1, arbitrary: digits(20) },
  { weight: 1, arbitrary: fc.tuple(digits(20), digits(18)).map((parts) => parts.join('.')) },
);
const side = fc.array(fc.tuple(decimal, decimal), { maxLength: 5 });

/** Rows a minute apart: thin and empty sides, times before 1970 to beyond 2^32 s, silences of months. */
export const testRows: fc.Arbitrary<TestRow[]> = fc
  .tuple(
    fc.constantFrom(0, 1_736_899_200_000, 4_294_967_296_000),
    fc.array(
      fc.record({
        ageMs: fc.constantFrom(0, 1, 60_000, 5_000_000_000),
        flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
        bids: side,
        asks: side,
      }),
      { maxLength: 40, size: 'max' },
    ),
  )
  .map(([startMs, rows]) => rows.map((row, i) => ({ ...row, boundaryMs: startMs + i * 60_000 })));
