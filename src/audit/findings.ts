/**
 * What an audit finds in one archive: plain JSON, so that a worker thread can hand it over. Times are ms since the epoch;
 * a `moment` is the latest `ts` so far, which never goes back. docs/audit.md has the definitions.
 */
import type { MarketName } from '../catalog/market.js';

/** Of lists, so many entries are kept; counts are of all. */
export const MAX_LISTED = 100;
/** Of silences, so many. */
export const MAX_SILENCES = 5;

/** Which archive. */
export interface AuditedArchive {
  /** Its path. */
  archive: string;
  market?: MarketName;
  pair: string;
  /** UTC day, `YYYY-MM-DD`. */
  date: string;
  /** Levels a side. */
  sourceDepth: number;
  archiveBytes: number;
}

/** Whether size and CRC-32 are those that the archive itself says; `unchecked`: it says none, as plain text. */
export type Integrity = 'right' | 'unchecked' | 'damaged';

/** Counts that records have too. */
export interface BasicCounts {
  messages: number;
  snapshots: number;
  /** Levels in all messages, early deltas excluded. */
  updates: number;
  /** Deltas before the first snapshot. */
  earlyDeltas: number;
  /** Lines that could not be read. */
  badLines: number;
  outOfOrder: number;
  breaks: number;
  /** `ts` of the first and the last message in file order; null: there is none. */
  firstTsMs: number | null;
  lastTsMs: number | null;
}

export interface Break {
  moment: number;
  /** Messages that are missing; null: `u` went back, so that nobody knows. */
  missing: number | null;
  /** ms until the next snapshot; null: none came. */
  untilSnapshotMs: number | null;
}

export interface SnapshotFound {
  tsMs: number;
  updateId: number | null;
}

export interface UpdateIds {
  /** Deltas whose `u` is not that of the message before plus one. */
  breaks: number;
  /** Of these, those whose `u` is not beyond that of the message before. */
  backward: number;
  /** Messages that are missing at all other breaks. */
  missingMessages: number;
  /** Snapshots after the first whose `u` neither repeats that of the message before nor goes on from it. */
  rebases: number;
  /** The first {@link MAX_LISTED} breaks. */
  breakList: Break[];
  /** ms in which the book may be wrong: from a break or a line passed over to the next snapshot or the last message. */
  suspectMs: number;
  /** `u` of the last message, and of the first since which each has followed on from the one before. */
  last: number | null;
  runStart: number | null;
}

/** How the next day's file goes on from this one. */
export interface Continuity {
  /** `gap`: messages are missing; `rebased`: `u` does not tell, since it began anew; `unknown`: a file has no `u`. */
  state: 'joined' | 'gap' | 'rebased' | 'unknown';
  /** Messages missing between the two, of a gap. */
  missingMessages: number | null;
  /** From the last `ts` of this file to the first of the next, below zero where they overlap. */
  silenceMs: number;
}

export interface Silence {
  fromMs: number;
  ms: number;
}

/** `ts` − `cts` of messages that have both, in ms. Quantiles are of values clamped to [-10000, 60000]. */
export interface Latency {
  messages: number;
  medianMs: number;
  p99Ms: number;
  minMs: number;
  maxMs: number;
  /** Messages with a `ts` before their `cts`. */
  negative: number;
}

export interface Crossed {
  /** Messages after which the book is crossed, stretches of such, and how long these were. */
  messages: number;
  times: number;
  ms: number;
  longestMs: number;
  firstMoment: number | null;
}

export interface LevelCounts {
  /** Messages after which a side has not just as many levels as the source depth. */
  messagesOff: number;
  firstMoment: number | null;
  minBids: number;
  maxBids: number;
  minAsks: number;
  maxAsks: number;
}

export interface AbsentDeletes {
  deletes: number;
  /** Messages that have some. */
  messages: number;
  firstMoment: number | null;
}

/** The greatest number of which all prices (or quantities) are multiples, as a decimal; null: none was seen. */
export interface Steps {
  price: string | null;
  quantity: string | null;
  /** Hours whose step is another than that of the hour before, of the first {@link MAX_LISTED} hours. */
  changes: { fromMs: number; of: 'price' | 'quantity'; from: string; to: string }[];
}

/** Messages by the hour of their moment, of the first {@link MAX_LISTED} hours that have any. */
export interface Hour {
  fromMs: number;
  messages: number;
}

/** What only reading an archive tells: from the first snapshot on. */
export interface BookFindings {
  snapshotList: SnapshotFound[];
  /** The last snapshot, when it comes after the file's day; whether it repeats the `u` of the message before. */
  closingSnapshot: (SnapshotFound & { repeats: boolean }) | null;
  updateIds: UpdateIds;
  greatestStepBackMs: number;
  /** Messages with the same `ts` as the message before. */
  repeatedTs: number;
  silences: Silence[];
  latency: Latency | null;
  crossed: Crossed;
  levels: LevelCounts | null;
  absentDeletes: AbsentDeletes;
  steps: Steps;
  hours: Hour[];
}

/** What a worker finds in one archive by itself. */
export interface ArchiveFindings extends AuditedArchive, BasicCounts {
  /** Whether the archive was read, or only its record. */
  source: 'archive' | 'record';
  /** Bytes of text in it; null: not read. */
  textBytes: number | null;
  /** null: not read. */
  integrity: Integrity | null;
  /** Why it cannot be read, or not to its end. */
  problem: string | null;
  firstBadLine: { lineNumber: number; reason: string } | null;
  /** null: not read. */
  book: BookFindings | null;
}
