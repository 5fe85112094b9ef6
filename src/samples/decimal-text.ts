/** Leaves room in 32 bits for what the price gains on its way and for the levels above it. */
const MAX_UNITS = 0x3fffffff;

/** How whole numbers of a step are written as decimal text: 19531 steps of 0.0001 are 1.9531. */
export class Scale {
  readonly decimals: number;
  readonly stepUnits: number;

  constructor(
    readonly step: string,
    readonly trimsZeros: boolean,
  ) {
    this.decimals = step.includes('.') ? step.length - step.indexOf('.') - 1 : 0;
    this.stepUnits = this.#units(step);
    if (this.stepUnits > 1_000) throw new RangeError(`a step of ${step} is over 1,000 times its last decimal`);
  }

  steps(text: string): number {
    const steps = this.#units(text) / this.stepUnits;
    if (!Number.isInteger(steps)) throw new RangeError(`${text} is not a multiple of ${this.step}`);
    return steps;
  }

  /** In units of the last decimal. */
  #units(text: string): number {
    const [whole = '', fraction = ''] = text.split('.');
    const units = Number(whole + fraction.padEnd(this.decimals, '0'));
    if (!/^\d+(\.\d+)?$/.test(text) || fraction.length > this.decimals || units < 1 || units >= MAX_UNITS)
      throw new RangeError(`${text} is not a decimal number above zero with ${this.decimals} decimals, or too large`);
    return units;
  }
}

/** ASCII text under construction, in bytes: strings for every level would cost more than the market itself. */
export class Text {
  length = 0;
  #bytes: Buffer;

  constructor(readonly capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  ascii(text: string): void {
    let at = this.length;
    for (let i = 0; i < text.length; i++) this.#bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  decimal(steps: number, scale: Scale): void {
    let units = Math.imul(steps, scale.stepUnits);
    let decimals = scale.decimals;
    // A level that left is "0" in either style.
    while (decimals > 0 && (scale.trimsZeros || units === 0) && units % 10 === 0) {
      units = (units / 10) | 0;
      decimals--;
    }
    let digits = 1;
    for (let rest = (units / 10) | 0; rest > 0 || digits <= decimals; rest = (rest / 10) | 0) digits++;
    let at = this.length + digits + (decimals > 0 ? 1 : 0);
    this.length = at;
    for (let digit = 0; digit < digits; digit++) {
      if (digit === decimals && digit > 0) this.#bytes[--at] = 0x2e;
      this.#bytes[--at] = 0x30 + (units % 10);
      units = (units / 10) | 0;
    }
  }

  /** Hands over what is there, for good: the next text is written to fresh memory. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.length);
    this.#bytes = Buffer.allocUnsafe(this.capacity);
    this.length = 0;
    return taken;
  }
}
