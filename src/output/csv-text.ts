import type { ByteSink } from './book-writer.js';

/** Bytes gathered before they are handed over: few system calls, little memory. */
const BUFFER_BYTES = 256 * 1024;

/** Gathers the text of a CSV file in one buffer, on its way to a sink. */
export class CsvText {
  readonly #sink: ByteSink;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** @param bytes which are copied. */
  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > BUFFER_BYTES) this.flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#sink.write(bytes);
    } else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  /** @param text in ASCII. */
  appendText(text: string): void {
    this.append(Buffer.from(text, 'latin1'));
  }

  /** Hands over what is gathered. */
  flush(): void {
    if (this.#used > 0) this.#sink.write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
