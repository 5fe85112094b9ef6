import { BOOLEAN, Column, type EncodedColumn, oneEach } from './column.js';

/** Packs eight values into a byte, the first in its lowest bit. */
export class BooleanColumn extends Column {
  readonly #bits: Uint8Array;
  #count = 0;

  /** @param capacity values in a row group, at most. */
  constructor(name: string, capacity: number) {
    super(name, 'required', BOOLEAN);
    this.#bits = new Uint8Array(Math.ceil(capacity / 8));
  }

  /** Adds a value so many times. */
  add(value: boolean, times: number): void {
    const end = this.#count + times;
    while (this.#count < end) {
      const at = this.#count >> 3;
      if ((this.#count & 7) === 0 && end - this.#count >= 8) {
        const endByte = end >> 3;
        this.#bits.fill(value ? 0xff : 0, at, endByte);
        this.#count = endByte << 3;
        continue;
      }
      const mask = 1 << (this.#count & 7);
      const bits = this.#bits[at] as number;
      this.#bits[at] = value ? bits | mask : bits & ~mask;
      this.#count++;
    }
  }

  take(): EncodedColumn {
    const count = this.#count;
    this.#count = 0;
    const data = this.#bits.subarray(0, Math.ceil(count / 8));
    return { data, elementBytes: 1, ...oneEach(count) };
  }
}
