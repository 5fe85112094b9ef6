import type { BookObserver, Levels } from '../base/rows.js';
import { bookMetrics } from './book-metrics.js';
import { metricsColumns } from './columns.js';
import { IntervalMetrics } from './interval-metrics.js';

export interface MetricsOptions {
  /** Interval of the grid; whole ms, above 0. */
  intervalMs: number;
  /** Amounts whose price impact is measured, in the quote currency; each above 0. */
  impacts: readonly number[];
}

/**
 * Makes the rows of a metrics output. Give it to an engine as its observer, and ask it for a row at each boundary event
 * of an as-of grid of the same interval. Boundaries may be left without a row, since each row is of its own interval.
 */
export class MetricsSampler implements BookObserver {
  /** The names of what {@link row} gives, in order. */
  readonly columns: readonly string[];
  readonly #impacts: readonly number[];
  readonly #interval: IntervalMetrics;

  constructor({ intervalMs, impacts }: MetricsOptions) {
    this.columns = metricsColumns(impacts);
    this.#impacts = impacts;
    this.#interval = new IntervalMetrics(intervalMs);
  }

  observe(tsMs: number, bid: number, ask: number, bidQuantity: number, askQuantity: number, updates: number): void {
    this.#interval.observe(tsMs, bid, ask, bidQuantity, askQuantity, updates);
  }

  /**
   * Computes the values of the row labelled `boundaryMs`, in the order of {@link metricsColumns}; NaN for an empty cell.
   * To be called when all messages with `ts` up to the boundary have been observed, and none after.
   *
   * @param levels the book now, at the full depth of the source.
   */
  row(boundaryMs: number, levels: Levels): Float64Array {
    return Float64Array.of(...bookMetrics(levels, this.#impacts), ...this.#interval.close(boundaryMs));
  }
}
