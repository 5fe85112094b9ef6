/**
 * Boundaries of a regular grid that the kernel passes by itself, so that nothing crosses to the host for a row. It is the
 * arithmetic of `AsOfGrid` (src/book/grid.ts), which is its definition and takes over whatever is not regular.
 */
import { addRow, isOdd } from './batch';
import { IS_FILLED, IS_SUSPECT } from './layout';

/** What {@link passBoundaries} answers. */
export const PASSED: i32 = 0;
/** The batch has no room: it must be taken. */
export const ROWS_FULL: i32 = 1;
/** The row added last has what only the host can read. */
export const ROW_ODD: i32 = 2;
/** The host must decide. */
export const IRREGULAR: i32 = 3;

/** The earliest boundary that has not been dealt with; no `ts` is later when the kernel has no grid. */
let nextMs: i64 = i64.MAX_VALUE;
let intervalMs: i64 = 1;
/** The last boundary of the grid. */
let lastMs: i64 = 0;
/** As much later than all before it a message may be. */
let maxJumpMs: i64 = 0;
let fills: bool = false;
/** No message has come since the boundary before. */
let isNextFilled: bool = false;
/** With more breaks than these, the book is suspect. */
let knownBreaks: i32 = 0;
let skipped: f64 = 0;

/** Gives the kernel a grid until it is given another. Infinite times are as late as there are any. */
export function setGrid(next: f64, interval: f64, last: f64, maxJump: f64, doesFill: i32, isFilled: i32): void {
  nextMs = <i64>next;
  intervalMs = <i64>interval;
  lastMs = last < 9e15 ? <i64>last : i64.MAX_VALUE;
  maxJumpMs = maxJump < 9e15 ? <i64>maxJump : i64.MAX_VALUE;
  fills = doesFill !== 0;
  isNextFilled = isFilled !== 0;
  skipped = 0;
}

/** Takes the grid away: the host passes every boundary. */
export function clearGrid(): void {
  nextMs = i64.MAX_VALUE;
}

/** Sets with how many breaks the book is still sure; below zero: it is not. */
export function setKnownBreaks(count: i32): void {
  knownBreaks = count;
}

export function getNextBoundary(): f64 {
  return <f64>nextMs;
}

export function getIsNextFilled(): bool {
  return isNextFilled;
}

/** Boundaries without a row since the grid was set. */
export function getSkipped(): f64 {
  return skipped;
}

/** Whether rows may be due before a message of this `ts`. */
export function isPast(ts: i64): bool {
  return ts > nextMs;
}

/** Says that a message has been applied. */
export function leaveInterval(): void {
  isNextFilled = false;
}

/** Adds the rows that are due before a message. @param bookTs `ts` of the message before. @param latestTs the latest so far. */
export function passBoundaries(ts: i64, bookTs: i64, latestTs: i64, breaks: i32): i32 {
  if (ts - latestTs > maxJumpMs) return IRREGULAR;
  const suspect = breaks > knownBreaks ? IS_SUSPECT : 0;
  while (ts > nextMs) {
    if (nextMs > lastMs) return IRREGULAR;
    if (isNextFilled && !fills) {
      const closing = ((ts + intervalMs - 1) / intervalMs) * intervalMs;
      const to = min(lastMs === i64.MAX_VALUE ? lastMs : lastMs + intervalMs, closing);
      skipped += <f64>((to - nextMs) / intervalMs);
      nextMs = to;
      continue;
    }
    if (!addRow(<f64>nextMs, <f64>bookTs, suspect | (isNextFilled ? IS_FILLED : 0))) return ROWS_FULL;
    nextMs += intervalMs;
    isNextFilled = true;
    if (isOdd()) return ROW_ODD;
  }
  return PASSED;
}
