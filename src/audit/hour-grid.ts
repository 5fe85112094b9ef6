import type { DueRow, Grid } from '../book/grid.js';

const HOUR_MS = 3_600_000;

/** The beginning of the hour of a moment. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/**
 * Stops an engine at the end of each hour that has messages, by the latest `ts` so far. However far the next message is,
 * nothing is due for the hours between.
 */
export class HourGrid implements Grid {
  readonly skippedBoundaries = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** The last ms of the hour. */
  get quietUntilMs(): number {
    return this.#lastMs;
  }

  refuse(): undefined {}

  dueBefore(tsMs: number): DueRow | undefined {
    if (tsMs <= this.#lastMs) return undefined;
    const boundaryMs = this.#lastMs;
    this.#lastMs = hourOf(tsMs) + HOUR_MS - 1;
    return boundaryMs === Number.NEGATIVE_INFINITY ? undefined : { boundaryMs, isFilled: false };
  }

  dueAfter(): undefined {}

  dueAtEnd(): undefined {}
}
