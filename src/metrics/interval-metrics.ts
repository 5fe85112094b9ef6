/** The columns that say what happened in the interval up to the boundary: docs/metrics.md, "The interval up to T". */
import type { BookObserver } from '../base/rows.js';
import { bpsOf, imbalanceOf, midOf } from './formulas.js';
import { Range, TimeAverage } from './time-weighted.js';

/** The names of what {@link IntervalMetrics.close} gives. */
export const INTERVAL_COLUMNS: readonly string[] = [
  ...['messages', 'updates'],
  ...['mid_open', 'mid_high', 'mid_low', 'mid_close'],
  ...['mid_twap', 'spread_bps_twap', 'imbalance_5_twap'],
];

/**
 * Follows the book from message to message, each interval (T − interval, T] by itself. A book counts once it is known
 * how long it held, at the next message or the boundary: one that was replaced in the same millisecond never held.
 */
export class IntervalMetrics implements BookObserver {
  readonly #intervalMs: number;
  /** The interval that is followed now is the one that closes here. */
  #boundaryMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #updates = 0;
  readonly #midRange = new Range();
  readonly #midAverage = new TimeAverage();
  readonly #spreadAverage = new TimeAverage();
  readonly #imbalanceAverage = new TimeAverage();

  /** The book after the latest message, NaN for what has no value, and the time from which on it has not counted yet. */
  #mid = Number.NaN;
  #spreadBps = Number.NaN;
  #imbalance = Number.NaN;
  #countedUntilMs = Number.NaN;

  /** @param intervalMs whole ms, above 0. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  observe(tsMs: number, bid: number, ask: number, bidQuantity: number, askQuantity: number, updates: number): void {
    if (tsMs > this.#boundaryMs) this.#begin(Math.ceil(tsMs / this.#intervalMs) * this.#intervalMs);
    this.#hold(tsMs);
    this.#messages++;
    this.#updates += updates;
    this.#mid = midOf(bid, ask);
    this.#spreadBps = bpsOf(ask - bid, this.#mid);
    this.#imbalance = imbalanceOf(bidQuantity, askQuantity);
  }

  /** The metrics of the interval that closes at `boundaryMs`, in the order of {@link INTERVAL_COLUMNS}. */
  close(boundaryMs: number): number[] {
    if (boundaryMs > this.#boundaryMs) this.#begin(boundaryMs);
    this.#hold(boundaryMs);
    this.#midRange.add(this.#mid); // that of a message just on the boundary
    return [
      this.#messages,
      this.#updates,
      this.#midRange.open,
      this.#midRange.high,
      this.#midRange.low,
      this.#mid,
      this.#midAverage.mean(this.#mid),
      this.#spreadAverage.mean(this.#spreadBps),
      this.#imbalanceAverage.mean(this.#imbalance),
    ];
  }

  /** Begins an interval, with the book that is there: intervals in between, if any, had no message and no row. */
  #begin(boundaryMs: number): void {
    this.#boundaryMs = boundaryMs;
    this.#countedUntilMs = boundaryMs - this.#intervalMs;
    this.#messages = 0;
    this.#updates = 0;
    this.#midRange.clear();
    this.#midAverage.clear();
    this.#spreadAverage.clear();
    this.#imbalanceAverage.clear();
  }

  /** The book has held until now. */
  #hold(nowMs: number): void {
    const heldMs = nowMs - this.#countedUntilMs;
    if (heldMs === 0) return;
    this.#countedUntilMs = nowMs;
    this.#midRange.add(this.#mid);
    this.#midAverage.add(this.#mid, heldMs);
    this.#spreadAverage.add(this.#spreadBps, heldMs);
    this.#imbalanceAverage.add(this.#imbalance, heldMs);
  }
}
