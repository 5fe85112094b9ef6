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

/** A row of one depth. What is not asked for costs nothing; all of it holds until the next row. */
export interface BookRow extends RowState {
  /** A side has fewer levels than the row has room for. */
  readonly isThin: boolean;
  /** The levels as cells of a CSV row, in the archive's own text: `bid_price_1,bid_qty_1,…,ask_price_1,ask_qty_1,…`. */
  readonly cells: Uint8Array;
  readonly levels: Levels;
}

/** Hears of the book after every message, for what is measured between the rows. */
export interface BookObserver {
  /**
   * @param tsMs the latest `ts` so far: never before an earlier one.
   * @param bid best bid and best ask; NaN when the side is empty.
   * @param bidQuantity sum of the quantities of the five best levels, fewer when there are no five.
   * @param updates levels in the message.
   */
  observe(tsMs: number, bid: number, ask: number, bidQuantity: number, askQuantity: number, updates: number): void;
}

/** Levels a side that {@link BookObserver} hears the quantity of. */
export const OBSERVED_LEVELS = 5;
