/**
 * The input that a thread tries just now, in memory that another thread can read at any time: when the first one hangs,
 * or is ended for want of memory, it cannot be asked any more.
 */

const INPUTS = 0;
const BYTES = 1;
const HEADER_BYTES = 8;

export class WatchedInput {
  readonly memory: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #bytes: Buffer;

  /** @param memory of another thread's; absent: new, with room for inputs of `maxBytes`. */
  constructor({ maxBytes = 0, memory = new SharedArrayBuffer(HEADER_BYTES + maxBytes) }) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, 2);
    this.#bytes = Buffer.from(memory, HEADER_BYTES);
  }

  set(input: Buffer): void {
    input.copy(this.#bytes);
    Atomics.store(this.#header, BYTES, input.length);
    Atomics.add(this.#header, INPUTS, 1);
  }

  /** How many inputs there were. */
  get count(): number {
    return Atomics.load(this.#header, INPUTS);
  }

  /** A copy of the last one. */
  get(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, Atomics.load(this.#header, BYTES)));
  }
}
