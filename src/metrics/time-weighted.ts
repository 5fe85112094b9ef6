/** Values that hold for a time, one after the other: what is said of all of them. While there is none, that is NaN. */

/** The mean over time; what has no value counts for nothing, and neither does its time. */
export class TimeAverage {
  #origin = Number.NaN;
  /** Of (value − origin) · ms: a value that never changes comes out as itself, and a small change is not rounded away. */
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
