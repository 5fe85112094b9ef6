/** mulberry32: small, fast, and the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.bits() % limit;
  }

  /** Many small, few large: the product of two even draws, and one in 32 eight times as large. */
  quantitySteps(): number {
    const bits = this.bits();
    const steps = 1 + (((bits & 0x7fff) * ((bits >>> 15) & 0xfff)) >>> 12);
    return bits >>> 27 === 0 ? steps * 8 : steps;
  }
}
