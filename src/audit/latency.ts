import type { Latency } from './findings.js';

/** Values are clamped to these for the quantiles. */
const LEAST_MS = -10_000;
const MOST_MS = 60_000;

/** Counts whole ms in a histogram, which takes the same memory whatever comes: quantiles are exact between its ends. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(MOST_MS - LEAST_MS + 1);
  #messages = 0;
  #negative = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = Number.NEGATIVE_INFINITY;

  /** @param ms NaN is not counted. */
  add(ms: number): void {
    if (Number.isNaN(ms)) return;
    const bin = Math.min(Math.max(ms, LEAST_MS), MOST_MS) - LEAST_MS;
    this.#counts[bin] = (this.#counts[bin] as number) + 1;
    this.#messages++;
    if (ms < 0) this.#negative++;
    if (ms < this.#minMs) this.#minMs = ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  get findings(): Latency | null {
    if (this.#messages === 0) return null;
    return {
      messages: this.#messages,
      medianMs: this.#quantile(50),
      p99Ms: this.#quantile(99),
      minMs: this.#minMs,
      maxMs: this.#maxMs,
      negative: this.#negative,
    };
  }

  /** The least value that so many percent of all are not above (nearest rank). */
  #quantile(percent: number): number {
    const rank = Math.ceil((percent * this.#messages) / 100);
    let seen = 0;
    const bin = this.#counts.findIndex((count) => {
      seen += count;
      return seen >= rank;
    });
    return bin + LEAST_MS;
  }
}
