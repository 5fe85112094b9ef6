/** What is known of a message and of the book after it, from the first snapshot on. */
export interface MessageFacts {
  isSnapshot: boolean;
  /** `ts`, ms since the epoch. */
  tsMs: number;
  /** `cts`, likewise; NaN when the line has none. */
  ctsMs: number;
  /** `u`; NaN when the line has none. */
  updateId: number;
  /** Levels in the message. */
  updates: number;
  /** Levels that a delta removes and that were not there; of each the quantity is zero. */
  absentDeletes: number;
  /** Levels of the book after the message. */
  bidLevels: number;
  askLevels: number;
  /** The best bid is at or above the best ask. */
  isCrossed: boolean;
}

/** Hears of every message from the first snapshot on, in file order, and of what all prices and quantities are multiples of. */
export interface BookAuditor {
  /** @param facts hold until the next message. */
  hearMessage(facts: Readonly<MessageFacts>): void;
  /** Prices of levels that were set, since the last call, are multiples of `digits` × 10^-`decimals`, and of no more. */
  hearPriceStep(digits: bigint, decimals: number): void;
  /** The same of their quantities, of those with as many digits as a price may have (decimal.ts). */
  hearQuantityStep(digits: bigint, decimals: number): void;
}
