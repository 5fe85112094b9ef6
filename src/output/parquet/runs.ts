/**
 * Whole numbers that come many times one after the other, as Parquet has them (RLE): each run is its length times two as a
 * varint, and then the number, little-endian.
 */
export class Runs {
  readonly #bytesOfNumber: number;
  #bytes = new Uint8Array(256);
  #used = 0;
  #number = 0;
  #length = 0;

  /** @param bytesOfNumber as many as the greatest number takes. */
  constructor(bytesOfNumber: number) {
    this.#bytesOfNumber = bytesOfNumber;
  }

  add(number: number, times: number): void {
    if (number !== this.#number && times > 0) {
      this.#endRun();
      this.#number = number;
    }
    this.#length += times;
  }

  /** @returns what was added, and begins anew; valid until more is added. */
  take(): Uint8Array {
    this.#endRun();
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return bytes;
  }

  #endRun(): void {
    if (this.#length === 0) return;
    if (this.#used + 10 > this.#bytes.length) this.#grow();
    let rest = this.#length * 2;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#used++] = (rest & 127) | 128;
    this.#bytes[this.#used++] = rest;
    let number = this.#number;
    for (let i = 0; i < this.#bytesOfNumber; i++, number >>= 8) this.#bytes[this.#used++] = number;
    this.#length = 0;
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#bytes.length);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
