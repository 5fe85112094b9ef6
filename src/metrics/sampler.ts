import type { Levels } from '../base/rows.js';
import { bookMetrics } from './book-metrics.js';
import type { MetricsChoice } from './columns.js';
import { bestOf, IntervalMetrics } from './interval-metrics.js';

export interface MetricsOptions extends MetricsChoice {
  /** Interval of the grid; whole ms, above 0. */
  intervalMs: number;
}

/**
 * Makes the rows of a metrics output as plainly as can be: kernel/metrics.ts makes them fast, and the same to the bit.
 * Tell it of the book after every message, and ask it for a row at each boundary of an as-of grid of the same interval.
 * Boundaries may be left without a row, since each row is of its own interval.
 */
export class MetricsSampler {
  readonly #choice: MetricsChoice;
  readonly #interval: IntervalMetrics;

  constructor({ intervalMs, ...choice }: MetricsOptions) {
    this.#choice = choice;
    this.#interval = new IntervalMetrics(intervalMs);
  }

  /**
   * Hears of the book after a message.
   *
   * @param tsMs the latest `ts` so far: never before an earlier one.
   * @param levels the best of the book, at least `HEARD_LEVELS` a side.
   * @param updates levels in the message.
   */
  hear(tsMs: number, levels: Levels, updates: number): void {
    this.#interval.hear(tsMs, bestOf(levels), updates);
  }

  /**
   * Computes the values of the row labelled `boundaryMs`, in the order of `metricsColumns`; NaN for an empty cell. To be
   * called when all messages with `ts` up to the boundary have been heard of, and none after.
   *
   * @param levels the book now, at the full depth of the source.
   */
  row(boundaryMs: number, levels: Levels): Float64Array {
    return Float64Array.of(...bookMetrics(levels, this.#choice), ...this.#interval.close(boundaryMs));
  }
}
