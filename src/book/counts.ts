/** What both engines count, and how. The kernel counts by itself the messages that it reads (kernel/scan.ts). */
import { ROW_FLAG, type RowBatch } from '../base/rows.js';
import type { EngineCounts } from './engine.js';
import type { Message } from './message.js';

/** Counts before anything was seen. */
export function noCounts(): EngineCounts {
  return {
    market: undefined,
    messages: 0,
    snapshots: 0,
    updates: 0,
    earlyDeltas: 0,
    outOfOrderMessages: 0,
    updateIdBreaks: 0,
    badLines: 0,
    rows: 0,
    filledRows: 0,
    skippedBoundaries: 0,
    crossedRows: 0,
    suspectRows: 0,
    firstTsMs: undefined,
    lastTsMs: undefined,
  };
}

/** What is known of the messages before one, early deltas left out. */
export interface Predecessors {
  /** `u` of the message before; `undefined` when there is none. */
  updateId: number | undefined;
  /** The latest `ts` so far. */
  latestTsMs: number;
}

/**
 * Counts a message.
 *
 * @returns whether update ids were missed just before it; `undefined` for a delta before the first snapshot, which has
 * no book to change and is dropped.
 */
export function countMessage(
  counts: EngineCounts,
  message: Message,
  { updateId, latestTsMs }: Predecessors,
): { isAfterBreak: boolean } | undefined {
  const { type, tsMs, bids, asks } = message;
  if (counts.messages === 0) counts.market = message.market;
  counts.messages++;
  counts.firstTsMs ??= tsMs;
  counts.lastTsMs = tsMs;
  if (type === 'snapshot') counts.snapshots++;
  if (counts.snapshots === 0) {
    counts.earlyDeltas++;
    return undefined;
  }
  const hasBothIds = updateId !== undefined && message.updateId !== undefined;
  const isAfterBreak = type === 'delta' && hasBothIds && message.updateId !== updateId + 1;
  if (isAfterBreak) counts.updateIdBreaks++;
  if (tsMs < latestTsMs) counts.outOfOrderMessages++;
  counts.updates += bids.length + asks.length;
  return { isAfterBreak };
}

/** Counts the rows of a batch. */
export function countRows(counts: EngineCounts, { length, flags }: RowBatch): void {
  counts.rows += length;
  for (const bits of flags) {
    if (bits & ROW_FLAG.isFilled) counts.filledRows++;
    if (bits & ROW_FLAG.isCrossed) counts.crossedRows++;
    if (bits & ROW_FLAG.isSuspect) counts.suspectRows++;
  }
}
