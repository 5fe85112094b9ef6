import type { BookObserver, Levels, RowState } from '../base/rows.js';
import type { ExpectedContents } from './contents.js';
import type { Grid } from './grid.js';
import type { Market } from './message.js';

/** What the engine answers when it is asked to go on. */
export type EngineEvent =
  /** Give it the next chunk by `push`, or say `end` when there is none. */
  | { kind: 'needs-bytes' }
  /** A row is due: ask for it by `row` and `levels`, at every depth wanted, before going on. */
  | ({ kind: 'boundary' } & RowState)
  /** A line cannot be read and has been passed over. Whether that is an error is the caller's decision. */
  | { kind: 'bad-line'; lineNumber: number; reason: string; isJson: boolean }
  | { kind: 'end' };

/** Counts of what was seen, none of them estimated. */
export interface EngineCounts {
  /** The market whose archives are written like the first message; `undefined` when it is like none. */
  market: Market | undefined;
  /** Lines that were messages, early deltas included. */
  messages: number;
  /** Messages of type snapshot. */
  snapshots: number;
  /** Levels in all messages, early deltas excluded. */
  updates: number;
  /** Deltas before the first snapshot, which have no book to change and are dropped. */
  earlyDeltas: number;
  /** Messages with a `ts` before an earlier message's, early deltas left out. Applied where they stand. */
  outOfOrderMessages: number;
  /** Deltas whose `u` is not that of the message before plus one: messages are missing. Early deltas are left out. */
  updateIdBreaks: number;
  /** Lines passed over. */
  badLines: number;
  rows: number;
  /** Rows of intervals in which no message came. */
  filledRows: number;
  /** Boundaries without a row, because no message came in their interval (`--on-gap skip`). */
  skippedBoundaries: number;
  /** Rows whose best bid is at or above the best ask. */
  crossedRows: number;
  /** Rows of a book that messages may be missing from: an update id was missed, or a line passed over, since the last snapshot. */
  suspectRows: number;
  /** `ts` of the first and the last message in file order; absent when there is none. */
  firstTsMs: number | undefined;
  lastTsMs: number | undefined;
}

/**
 * Turns the bytes of an archive into rows, without any I/O of its own (sans-I/O): `next` says what has to be done, and
 * every chunking of the same bytes gives the same events.
 */
export interface Engine {
  readonly counts: Readonly<EngineCounts>;
  /** Hands over the next chunk; its memory must stay as it is until the engine needs bytes again. */
  push(chunk: Uint8Array): void;
  end(): void;
  /**
   * @throws RangeError when the archive as a whole cannot be right: its first message is not of what is expected, a `ts`
   * is too far ahead (see {@link Grid}), or the book outgrows MAX_LEVELS_PER_SIDE (kernel/layout.ts), which only forged
   * input does. The size is looked at now and then, so the line it names is where that was found.
   */
  next(): EngineEvent;
  /** The book now, as the cells of a CSV row (ASCII): `bid_price_1,bid_qty_1,…`. Valid until `next` is called. */
  row(depth: number): Uint8Array;
  /** The best `depth` levels now, as numbers. Valid until `levels` or `next` is called. */
  levels(depth: number): Levels;
  /** Whether a side has fewer levels than `depth`. */
  isThin(depth: number): boolean;
}

export interface EngineOptions {
  grid: Grid;
  /** Leaves levels of quantity zero from a snapshot in the book, as the Python scripts did. */
  keepZeros: boolean;
  /** What the messages must be of; `undefined`: anything. A message of something else in the middle is a bad line. */
  expected?: ExpectedContents | undefined;
  /** Hears of the book after every message, before the rows that hold the message. Costs time when there is one. */
  observer?: BookObserver | undefined;
}

/** Tells an observer of the book after a message, of which `levels` are the best {@link OBSERVED_LEVELS}. */
export function tellObserver(observer: BookObserver, tsMs: number, levels: Levels, updates: number): void {
  const { bidPrices, askPrices, bidQuantities, askQuantities } = levels;
  const best = (prices: Float64Array) => prices[0] ?? Number.NaN;
  const sum = (quantities: Float64Array) => quantities.reduce((total, quantity) => total + quantity, 0);
  observer.observe(tsMs, best(bidPrices), best(askPrices), sum(bidQuantities), sum(askQuantities), updates);
}
