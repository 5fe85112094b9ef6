/**
 * Decisions that are taken from the bytes of an input, one after the other: so what is made of them changes, and
 * shrinks, as the bytes do. When there are no more, every choice is the first one, which is the plainest.
 */
export class Choices {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether there are bytes left. */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    if (limit <= 256) return this.byte() % limit;
    return (this.byte() * 0x10000 + this.byte() * 0x100 + this.byte()) % limit;
  }

  /** True about once in so many. */
  oneIn(times: number): boolean {
    return this.below(times) === times - 1;
  }

  of<T>(first: T, ...others: T[]): T {
    return [first, ...others][this.below(others.length + 1)] as T;
  }
}
