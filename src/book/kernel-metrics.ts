import { HEARD_LEVELS, metricsColumns, VWAP_LEVELS } from '../metrics/columns.js';
import { bestOf } from '../metrics/interval-metrics.js';
import type { MetricsOptions } from '../metrics/sampler.js';
import type { Kernel } from '../wasm/book-kernel.js';
import type { KernelBook } from './kernel-book.js';

/**
 * The host's half of the metrics (kernel/metrics.ts): says which ones are followed, and tells the kernel of books that
 * hold what only the host can read, a level that is beside the ladder or a quantity of many digits.
 */
export class KernelMetrics {
  readonly #kernel: Kernel;
  readonly #book: KernelBook;
  readonly #numbers: Float64Array;
  /** Values of a row. */
  readonly #columns: number;

  constructor(kernel: Kernel, book: KernelBook, options: MetricsOptions) {
    const { intervalMs, imbalanceLevels, bandsBps, impacts } = options;
    this.#kernel = kernel;
    this.#book = book;
    this.#numbers = new Float64Array(kernel.memory.buffer);
    this.#columns = metricsColumns(options).length;
    if (this.#columns > kernel.MAX_METRICS) throw new RangeError(`${this.#columns} columns of metrics are too many`);
    this.#numbers.set([...imbalanceLevels, ...VWAP_LEVELS, ...bandsBps, ...impacts], kernel.CHOICES / 8);
    const counts = [imbalanceLevels.length, VWAP_LEVELS.length, bandsBps.length, impacts.length] as const;
    kernel.setMetrics(intervalMs, HEARD_LEVELS, ...counts);
  }

  /** Tells the kernel of the book after a message that the host has applied. @param updates levels in the message. */
  hear(updates: number): void {
    const { bid, bidQuantity, ask, askQuantity, bidSum, askSum } = bestOf(this.#book.levels(HEARD_LEVELS));
    const kernel = this.#kernel;
    kernel.setStrays(this.#book.hasStrays);
    kernel.hearBook(kernel.getLatestTs(), bid, bidQuantity, ask, askQuantity, bidSum, askSum, updates);
  }

  /** Tells it of the book after a message that it has applied, when it cannot read that by itself. */
  hearUnheard(): void {
    const updates = this.#kernel.getUnheardUpdates();
    if (updates >= 0) this.hear(updates);
  }

  /** Writes a row to the kernel's batch. */
  write(row: number, boundaryMs: number): void {
    const kernel = this.#kernel;
    if (kernel.writeMetrics(row, boundaryMs) !== 0) return;
    const { bidPrices, bidQuantities, askPrices, askQuantities } = this.#book.levels(kernel.MAX_LEVELS_PER_SIDE);
    for (const [side, prices, quantities] of [
      [0, bidPrices, bidQuantities] as const,
      [1, askPrices, askQuantities] as const,
    ]) {
      // They may be there already.
      this.#numbers.set(prices, kernel.pricesOf(side) / 8);
      this.#numbers.set(quantities, kernel.quantitiesOf(side) / 8);
    }
    kernel.writeMetricsOf(row, boundaryMs, bidPrices.length, askPrices.length);
  }

  /** The columns of the first rows, in the order of `metricsColumns`. */
  columns(rows: number): Float64Array[] {
    const { METRICS, METRIC_STRIDE_ROWS } = this.#kernel;
    return Array.from({ length: this.#columns }, (_, column) => {
      const start = METRICS / 8 + column * METRIC_STRIDE_ROWS;
      return this.#numbers.subarray(start, start + rows);
    });
  }
}
