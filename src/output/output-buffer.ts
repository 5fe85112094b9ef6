import type { ByteSink } from './book-writer.js';

/** Bytes gathered before they are handed over: few system calls, little memory. */
const BUFFER_BYTES = 256 * 1024;

/** Gathers what is written piece by piece on its way to a sink. */
export class OutputBuffer {
  protected readonly buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  protected used = 0;
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** @param bytes which are copied, or handed over at once when they are many. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    if (bytes.length > BUFFER_BYTES) {
      this.#sink.write(bytes);
    } else {
      this.buffer.set(bytes, this.used);
      this.used += bytes.length;
    }
  }

  /** Hands over what is gathered. */
  flush(): void {
    if (this.used > 0) this.#sink.write(this.buffer.subarray(0, this.used));
    this.used = 0;
  }

  /** Sees that there is room for so many bytes, unless they are more than the buffer ever has. */
  protected reserve(bytes: number): void {
    if (this.used + bytes > BUFFER_BYTES) this.flush();
  }
}
