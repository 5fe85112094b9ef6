import type { Levels } from '../base/rows.js';
import type { FlagName } from '../view/book-columns.js';

/** One row to be looked at: the best levels of both sides at a time. It is a copy, and may be kept. */
export interface LadderRow extends Levels {
  /** The row's label, ms since the epoch, UTC: what it holds is as of then. */
  timeMs: number;
  /** Of an archive: the last message in the row. */
  message?: MessagePlace;
  /** What is known of the row; what is not there is not known. */
  flags: Partial<Record<FlagName, boolean>>;
}

/** Where in its archive a message is. */
export interface MessagePlace {
  /** Counted from 1, in the order of the file. */
  number: number;
  tsMs: number;
  /** Lines before it that could not be read, and were passed over. */
  badLinesBefore: number;
}

/** A file as a sequence of rows in the order of time, that can be entered at any time. */
export interface RowSource {
  /** What one step is: `a row`, `a message`, or an interval such as `1s`. */
  readonly step: string;
  /** To go back, so much of the file is read again at a time: some thousand rows. */
  readonly lookBackMs: number;
  /**
   * Begins with the latest row at or before a time, or with the first when none is, and goes on to the end.
   *
   * @param fromMs may be infinite: Infinity begins with the last row.
   */
  readFrom(fromMs: number): AsyncGenerator<LadderRow, void, undefined>;
}

/** Prices and distances of the best levels. */
export interface BestPrices {
  bid: number | undefined;
  ask: number | undefined;
  mid: number | undefined;
  spread: number | undefined;
  /** Parts of mid, in 1/10,000. */
  spreadBps: number | undefined;
}

/** What is derived of the best level of each side; `undefined` where a side that it needs is empty. */
export function bestPrices({ bidPrices: [bid], askPrices: [ask] }: Levels): BestPrices {
  if (bid === undefined || ask === undefined)
    return { bid, ask, mid: undefined, spread: undefined, spreadBps: undefined };
  const mid = (bid + ask) / 2;
  return { bid, ask, mid, spread: ask - bid, spreadBps: mid === 0 ? undefined : ((ask - bid) / mid) * 1e4 };
}
