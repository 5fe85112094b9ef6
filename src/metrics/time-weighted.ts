/** Summaries of values that hold for a time, one after the other. Without any value, a summary is NaN. */

/** The mean over time. Time without a value (NaN) is left out. */
export class TimeAverage {
  #origin = Number.NaN;
  /** Sum of (value − origin) · ms: a value that never changes comes out as itself, and a small change is not rounded away. */
  #sum = 0;
  #heldMs = 0;

  clear(): void {
    this.#sum = 0;
    this.#heldMs = 0;
  }

  add(value: number, heldMs: number): void {
    if (Number.isNaN(value)) return;
    if (this.#heldMs === 0) this.#origin = value;
    this.#sum += (value - this.#origin) * heldMs;
    this.#heldMs += heldMs;
  }

  /** @param last the value now, which is the mean when no value has held for any time. */
  mean(last: number): number {
    return this.#heldMs === 0 ? last : this.#origin + this.#sum / this.#heldMs;
  }
}

/** The first, the highest and the lowest value. */
export class Range {
  open = Number.NaN;
  high = Number.NaN;
  low = Number.NaN;

  clear(): void {
    this.open = this.high = this.low = Number.NaN;
  }

  add(value: number): void {
    if (Number.isNaN(value)) return;
    if (Number.isNaN(this.open)) this.open = this.high = this.low = value;
    else if (value > this.high) this.high = value;
    else if (value < this.low) this.low = value;
  }
}
