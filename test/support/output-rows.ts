import fc from 'fast-check';
import type { BookRow } from '../../src/base/rows.js';
import type { ByteSink } from '../../src/output/book-writer.js';

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

/** The row as an engine gives it: levels beyond `depth` are cut off, missing ones are empty cells. */
export function bookRow({ boundaryMs, ageMs, flags, ...levels }: TestRow, depth: number): BookRow {
  const [bids, asks] = [levels.bids.slice(0, depth), levels.asks.slice(0, depth)];
  const cellsOf = (side: Level[]) => Array.from({ length: depth }, (_, i) => side[i] ?? ['', '']).flat();
  const numbers = (side: Level[], at: 0 | 1) => Float64Array.from(side, (level) => Number(level[at]));
  const [isFilled, isSuspect, isCrossed, isPartial] = flags;
  return {
    boundaryMs,
    bookTsMs: boundaryMs - ageMs,
    isFilled,
    isSuspect,
    isCrossed,
    isPartial,
    isThin: Math.min(bids.length, asks.length) < depth,
    cells: Buffer.from([...cellsOf(bids), ...cellsOf(asks)].join(',')),
    levels: {
      bidPrices: numbers(bids, 0),
      bidQuantities: numbers(bids, 1),
      askPrices: numbers(asks, 0),
      askQuantities: numbers(asks, 1),
    },
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
