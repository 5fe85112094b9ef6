import type { RowBatch } from '../base/rows.js';
import type { MetricsOptions } from '../metrics/sampler.js';
import type { ExpectedContents } from './contents.js';
import type { Grid } from './grid.js';
import type { Market } from './message.js';

/** What the engine answers when it is asked to go on. */
export type EngineEvent =
  /** Give it the next chunk by `push`, or say `end` when there is none. */
  | { kind: 'needs-bytes' }
  /** Rows, as many as fit: all that are due before what comes next. They hold until `next` is called. */
  | { kind: 'rows'; rows: RowBatch }
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

/** What is wanted of every row at one depth; how many levels it has is always told. */
export interface BookRequest {
  /** Levels a side, at most. */
  depth: number;
  /** The levels as cells of CSV: with empty cells for those that are missing, or without. Absent: no cells. */
  cells?: 'padded' | 'bare' | undefined;
  /** Whether the levels are wanted as numbers. */
  levels?: boolean | undefined;
}

/**
 * Turns the bytes of an archive into rows, without any I/O of its own (sans-I/O): `next` says what has to be done, and
 * every chunking of the same bytes gives the same rows and bad lines in the same order. Rows come in batches, which
 * are full, or end before a bad line, the end, or because more bytes are needed.
 */
export interface Engine {
  readonly counts: Readonly<EngineCounts>;
  /** Hands over the next chunk; its memory must stay as it is until the engine needs bytes again. */
  push(chunk: Uint8Array): void;
  end(): void;
  /**
   * @throws RangeError, after the rows before, when the archive as a whole cannot be right: its first message is not of what
   * is expected, a `ts` is too far ahead (see {@link Grid}), or the book outgrows MAX_LEVELS_PER_SIDE (kernel/layout.ts),
   * which only forged input does. The size is looked at now and then, so the line it names is where that was found.
   */
  next(): EngineEvent;
}

/** An engine will not go on: what it says when the rows before have been given. */
export interface GivesUp {
  kind: 'gives-up';
  error: RangeError;
}

/** @throws what is no RangeError: then nothing is known of the rows before. */
export function givesUp(error: unknown): GivesUp {
  if (error instanceof RangeError) return { kind: 'gives-up', error };
  throw error;
}

export interface EngineOptions {
  grid: Grid;
  /** What is wanted of every row; each depth once. */
  books: readonly BookRequest[];
  /** Rows in a batch, at most. Default: as many as fit. */
  maxRows?: number | undefined;
  /** Leaves levels of quantity zero from a snapshot in the book, as the Python scripts did. */
  keepZeros: boolean;
  /** What the messages must be of; `undefined`: anything. A message of something else in the middle is a bad line. */
  expected?: ExpectedContents | undefined;
  /** Metrics to be followed, of the grid's own interval. Costs time when there are any. */
  metrics?: MetricsOptions | undefined;
}
