/**
 * No line of a real archive comes near this: a snapshot of 5,000 levels a side is about 300 KB. The limit keeps
 * memory bounded on input that has no line ends.
 */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

const LINE_FEED = 0x0a;

export interface Line {
  /** Counted from 1, empty lines included. */
  number: number;
  /** Without its line feed; a carriage return before it is JSON white space and stays. Valid until the next call. */
  bytes: Uint8Array;
  /** The line is longer than {@link MAX_LINE_BYTES}; `bytes` are then only its last. */
  isTooLong: boolean;
}

/** Whether a line says nothing: it is empty, or JSON white space alone. That is no error. */
export function isBlank({ bytes, isTooLong }: Pick<Line, 'bytes' | 'isTooLong'>): boolean {
  return !isTooLong && bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** Cuts a stream of chunks into lines, whatever the size of the chunks. */
export class LineSplitter {
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;
  /** The beginning of a line whose end is in a later chunk. */
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #lineNumber = 0;
  #isEnded = false;

  /** Takes the next chunk; the one before must have been used up, that is {@link next} has answered `undefined`. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
  }

  /** Says that the last chunk has been pushed: what is left is the last line. */
  end(): void {
    this.#isEnded = true;
  }

  /** The next line; `undefined` when more bytes are needed, or after {@link end} when there is none. */
  next(): Line | undefined {
    const chunk = this.#chunk;
    const end = chunk.indexOf(LINE_FEED, this.#position);
    if (end < 0) {
      this.#keep(chunk.subarray(this.#position));
      this.#position = chunk.length;
      return this.#isEnded && this.#headBytes > 0 ? this.#take(new Uint8Array(0)) : undefined;
    }
    const rest = chunk.subarray(this.#position, end);
    this.#position = end + 1;
    return this.#take(rest);
  }

  /** Copies, because the chunk's memory may be used again; keeps no more than it takes to know a line too long. */
  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#headBytes <= MAX_LINE_BYTES) this.#head.push(Buffer.from(bytes));
    this.#headBytes += bytes.length;
  }

  #take(rest: Uint8Array): Line {
    const lengthBytes = this.#headBytes + rest.length;
    const isTooLong = lengthBytes > MAX_LINE_BYTES;
    const bytes = this.#headBytes === 0 || isTooLong ? rest : Buffer.concat([...this.#head, rest]);
    this.#head = [];
    this.#headBytes = 0;
    return { number: ++this.#lineNumber, bytes, isTooLong };
  }
}
