/** Computes what happened in the interval up to the boundary: docs/metrics.md, "The interval up to T". */
import type { Levels } from '../base/rows.js';
import { HEARD_LEVELS } from './columns.js';
import { bpsOf, imbalanceOf, midOf } from './formulas.js';
import { Range, TimeAverage } from './time-weighted.js';

/** What is heard of the book after a message. */
export interface BestLevels {
  /** Best bid and best ask; NaN when the side is empty. */
  bid: number;
  ask: number;
  /** Quantities there; 0 when the side is empty. */
  bidQuantity: number;
  askQuantity: number;
  /** Sums of the quantities of the best {@link HEARD_LEVELS}, of all when there are fewer. */
  bidSum: number;
  askSum: number;
}

/** @param levels the best of the book, {@link HEARD_LEVELS} a side or more. */
export function bestOf({ bidPrices, bidQuantities, askPrices, askQuantities }: Levels): BestLevels {
  const sum = (quantities: Float64Array) =>
    quantities.subarray(0, HEARD_LEVELS).reduce((total, quantity) => total + quantity, 0);
  return {
    bid: bidPrices[0] ?? Number.NaN,
    ask: askPrices[0] ?? Number.NaN,
    bidQuantity: bidQuantities[0] ?? 0,
    askQuantity: askQuantities[0] ?? 0,
    bidSum: sum(bidQuantities),
    askSum: sum(askQuantities),
  };
}

/**
 * Follows the book from message to message, each interval (T − interval, T] by itself. A book is added to the averages
 * when it is known how long it held, which is at the next message or the boundary. One that was replaced in the same
 * millisecond never held.
 */
export class IntervalMetrics {
  readonly #intervalMs: number;
  /** Where the interval that is followed now closes. */
  #boundaryMs = Number.NEGATIVE_INFINITY;
  #messages = 0;
  #updates = 0;
  /** The order flow imbalance so far. */
  #flow = 0;
  readonly #midRange = new Range();
  readonly #midAverage = new TimeAverage();
  readonly #spreadAverage = new TimeAverage();
  readonly #imbalanceAverage = new TimeAverage();

  /** The book after the latest message, and what is made of it, NaN for what has no value. */
  #best: BestLevels | undefined;
  #mid = Number.NaN;
  #spreadBps = Number.NaN;
  #imbalance = Number.NaN;
  /** Up to when the time that the book has held has been added to the averages. */
  #countedUntilMs = Number.NaN;

  /** @param intervalMs whole ms, above 0. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Hears of the book after a message.
   *
   * @param tsMs the latest `ts` so far: never before an earlier one.
   * @param updates levels in the message.
   */
  hear(tsMs: number, best: BestLevels, updates: number): void {
    if (tsMs > this.#boundaryMs) this.#begin(Math.ceil(tsMs / this.#intervalMs) * this.#intervalMs);
    this.#hold(tsMs);
    this.#messages++;
    this.#updates += updates;
    if (this.#best) this.#flow += flowBetween(this.#best, best);
    this.#best = best;
    this.#mid = midOf(best.bid, best.ask);
    this.#spreadBps = bpsOf(best.ask - best.bid, this.#mid);
    this.#imbalance = imbalanceOf(best.bidSum, best.askSum);
  }

  /** Computes the metrics of the interval that closes at `boundaryMs`, in the order of `INTERVAL_COLUMNS`. */
  close(boundaryMs: number): number[] {
    if (boundaryMs > this.#boundaryMs) this.#begin(boundaryMs);
    this.#hold(boundaryMs);
    this.#midRange.add(this.#mid); // the mid of a message just on the boundary, which has held for no time
    return [
      this.#messages,
      this.#updates,
      this.#flow,
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
    this.#flow = 0;
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

/**
 * The order flow between two books, one after the other: what came to the best bids, less what came to the best asks.
 * Any bid is better than none, and any ask.
 */
function flowBetween(before: BestLevels, now: BestLevels): number {
  const bidOf = ({ bid }: BestLevels) => (Number.isNaN(bid) ? Number.NEGATIVE_INFINITY : bid);
  const askOf = ({ ask }: BestLevels) => (Number.isNaN(ask) ? Number.POSITIVE_INFINITY : ask);
  const bids = flowOf(bidOf(now) >= bidOf(before), bidOf(now) <= bidOf(before), now.bidQuantity, before.bidQuantity);
  const asks = flowOf(askOf(now) <= askOf(before), askOf(now) >= askOf(before), now.askQuantity, before.askQuantity);
  return bids - asks;
}

/** What has come to the best price of a side, less what has gone from it: all of it when the price has changed. */
function flowOf(isSameOrBetter: boolean, isSameOrWorse: boolean, now: number, before: number): number {
  return (isSameOrBetter ? now : 0) - (isSameOrWorse ? before : 0);
}
