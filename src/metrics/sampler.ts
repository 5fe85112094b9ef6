import type { BookObserver, Levels } from '../base/rows.js';
import { bookColumns, bookMetrics } from './book-metrics.js';
import { INTERVAL_COLUMNS, IntervalMetrics } from './interval-metrics.js';

/**
 * The columns of a metrics output after `timestamp`, as docs/metrics.md describes them.
 *
 * @param impacts amounts in the quote currency; a name has each as JavaScript writes the number.
 */
export function metricsColumns(impacts: readonly number[]): string[] {
  return [...bookColumns(impacts), ...INTERVAL_COLUMNS];
}

export interface MetricsOptions {
  /** Of the grid; whole ms, above 0. */
  intervalMs: number;
  /** Amounts whose price impact is measured, in the quote currency; each above 0. */
  impacts: readonly number[];
}

/**
 * Makes the rows of a metrics output. Give it to an engine as its observer, and ask it for a row at each boundary event
 * of an as-of grid of the same interval. Boundaries without a row are no matter: each row is of its own interval.
 */
export class MetricsSampler implements BookObserver {
  /** What {@link row} gives, by name. */
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
   * The values of the row labelled `boundaryMs`, in the order of {@link metricsColumns}; NaN for an empty cell. All
   * messages with `ts` up to the boundary have been observed, and none after.
   *
   * @param levels the book now, at the full depth of the source.
   */
  row(boundaryMs: number, levels: Levels): Float64Array {
    return Float64Array.of(...bookMetrics(levels, this.#impacts), ...this.#interval.close(boundaryMs));
  }
}
