/** Computes what happened in the interval up to the boundary: docs/metrics.md, "The interval up to T". */
import type { BookObserver } from '../base/rows.js';
import { bpsOf, imbalanceOf, midOf } from './formulas.js';
import { Range, TimeAverage } from './time-weighted.js';

/**
 * Follows the book from message to message, each interval (T − interval, T] by itself. A book is added to the averages
 * when it is known how long it held, which is at the next message or the boundary. One that was replaced in the same
 * millisecond never held.
 */
export class IntervalMetrics implements BookObserver {
  readonly #intervalMs: number;
  /** Where the interval that is followed now closes. */
  #boundaryMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #updates = 0;
  readonly #midRange = new Range();
  readonly #midAverage = new TimeAverage();
  readonly #spreadAverage = new TimeAverage();
  readonly #imbalanceAverage = new TimeAverage();

  /** Of the book after the latest message, NaN for what has no value. */
  #mid = Number.NaN;
  #spreadBps = Number.NaN;
  #imbalance = Number.NaN;
  /** Up to when the time that the book has held has been added to the averages. */
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

  /** Computes the metrics of the interval that closes at `boundaryMs`, in the order of `INTERVAL_COLUMNS`. */
  close(boundaryMs: number): number[] {
    if (boundaryMs > this.#boundaryMs) this.#begin(boundaryMs);
    this.#hold(boundaryMs);
    this.#midRange.add(this.#mid); // the mid of a message just on the boundary, which has held for no time
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

  /** Begins an interval with the book that is there. Intervals in between, if any, had no message and no row. */
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

  /** Adds the time that the book has held until now. */
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
