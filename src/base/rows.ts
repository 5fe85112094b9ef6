/** What a row is, for those who make them and those who write them. */

/** The best levels of both sides as numbers, best first; as long as there are levels. */
export interface Levels {
  /** In the quote currency. */
  bidPrices: Float64Array;
  /** In the base currency, or in contracts. */
  bidQuantities: Float64Array;
  askPrices: Float64Array;
  askQuantities: Float64Array;
}

/** Views of the best `depth` levels. */
export function bestLevels(levels: Levels, depth: number): Levels {
  return {
    bidPrices: levels.bidPrices.subarray(0, depth),
    bidQuantities: levels.bidQuantities.subarray(0, depth),
    askPrices: levels.askPrices.subarray(0, depth),
    askQuantities: levels.askQuantities.subarray(0, depth),
  };
}

/** The best levels of both sides in the archive's own text, best first; as long as there are levels. */
export interface TextLevels {
  bids: readonly (readonly [price: string, quantity: string])[];
  asks: readonly (readonly [price: string, quantity: string])[];
}

/** What is known of a row beside its levels. Times are ms since the epoch, UTC. */
export interface RowState {
  /** The row's label: it holds every message with `ts` up to it, and none after. */
  boundaryMs: number;
  /** `ts` of the last message in it, in file order. */
  bookTsMs: number;
  /** No message came in the interval that the boundary closes. */
  isFilled: boolean;
  /** An update id was missed, or a line passed over, since the last snapshot: the book may be wrong. */
  isSuspect: boolean;
  /** The best bid is at or above the best ask. */
  isCrossed: boolean;
  /** The end of the file closed the interval, before the boundary. */
  isPartial: boolean;
}

/** The flags of a row, as bits of {@link RowBatch.flags}; {@link RowState} says what they mean. */
export const ROW_FLAG = { isFilled: 1, isSuspect: 2, isCrossed: 4, isPartial: 8 } as const;

/** Packs the flags of a row into these bits. */
export function flagsOf({ isFilled, isSuspect, isCrossed, isPartial }: Pick<RowState, keyof typeof ROW_FLAG>): number {
  return (
    (isFilled ? ROW_FLAG.isFilled : 0) |
    (isSuspect ? ROW_FLAG.isSuspect : 0) |
    (isCrossed ? ROW_FLAG.isCrossed : 0) |
    (isPartial ? ROW_FLAG.isPartial : 0)
  );
}

/**
 * Rows in the order of time, in columns of `length` entries each. It is the engine's memory: all of it holds until the
 * engine goes on.
 */
export interface RowBatch {
  readonly length: number;
  /** Label of each row, ms since the epoch, UTC. */
  readonly boundaryMs: Float64Array;
  /** `ts` of the last message in each row. */
  readonly bookTsMs: Float64Array;
  /** The bits of {@link ROW_FLAG}. */
  readonly flags: Uint8Array;
  /** The rows at each of the depths that were asked for, in the order in which they were. */
  readonly books: readonly BookBatch[];
  /** A column for each of `metricsColumns`, in their order, NaN where there is no value; none unless asked for. */
  readonly metrics: readonly Float64Array[];
}

/** The levels of a batch of rows at one depth. What was not asked for has no entries. */
export interface BookBatch extends Levels {
  /** Levels a side that a row has at most. */
  readonly depth: number;
  /** How many levels each row has. */
  readonly bidCounts: Int32Array;
  readonly askCounts: Int32Array;
  /**
   * The cells of CSV rows, one row after the other with nothing between, in the archive's own text:
   * `bid_price_1,bid_qty_1,…,ask_price_1,ask_qty_1,…`, empty where a level is missing.
   */
  readonly cells: Uint8Array;
  /** Where the cells of each row end in `cells`; exclusive. */
  readonly cellEnds: Int32Array;
  // From Levels: the levels of the first row, as many as it has, then those of the second.
}

/** What is known of one row of a batch. */
export function stateOf({ boundaryMs, bookTsMs, flags }: RowBatch, row: number): RowState {
  const bits = flags[row] ?? 0;
  return {
    boundaryMs: boundaryMs[row] ?? 0,
    bookTsMs: bookTsMs[row] ?? 0,
    isFilled: (bits & ROW_FLAG.isFilled) !== 0,
    isSuspect: (bits & ROW_FLAG.isSuspect) !== 0,
    isCrossed: (bits & ROW_FLAG.isCrossed) !== 0,
    isPartial: (bits & ROW_FLAG.isPartial) !== 0,
  };
}
