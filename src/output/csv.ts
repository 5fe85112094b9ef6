import type { ByteSink } from './book-writer.js';

/** What is gathered before it is written: few system calls, little memory. */
const BUFFER_BYTES = 256 * 1024;

export interface CsvOptions {
  depth: number;
  /** Puts `timestamp_formatted` before `timestamp`. */
  formattedTimestamp: boolean;
}

/**
 * Snapshots as Python's `csv.writer` writes them: commas, `\r\n`, and no quotes, since no cell needs them. The caller
 * commits or discards the file.
 */
export class CsvWriter {
  readonly #file: ByteSink;
  readonly #formattedTimestamp: boolean;
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;

  constructor(file: ByteSink, { depth, formattedTimestamp }: CsvOptions) {
    this.#file = file;
    this.#formattedTimestamp = formattedTimestamp;
    this.#append(Buffer.from(`${header(depth, formattedTimestamp)}\r\n`));
  }

  /**
   * @param boundaryMs the row's label, ms since the epoch.
   * @param cells the row's other cells, as the engine gives them; copied.
   */
  writeRow(boundaryMs: number, cells: Uint8Array): void {
    const label = this.#formattedTimestamp ? `${formatTimestamp(boundaryMs)},${boundaryMs},` : `${boundaryMs},`;
    this.#append(Buffer.concat([Buffer.from(label), cells, CRLF]));
  }

  /** Hands the file everything that was written so far. */
  flush(): void {
    this.#file.write(Buffer.concat(this.#buffered));
    this.#buffered = [];
    this.#bufferedBytes = 0;
  }

  #append(bytes: Uint8Array): void {
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes >= BUFFER_BYTES) this.flush();
  }
}

const CRLF = Buffer.from('\r\n');

/** `2025-01-15T00:01:00.0000`: UTC with four digits of a second's fraction, as `strftime('%f')[:-2]` has them. */
export function formatTimestamp(boundaryMs: number): string {
  return new Date(boundaryMs).toISOString().replace('Z', '0');
}

function header(depth: number, formattedTimestamp: boolean): string {
  const columns = formattedTimestamp ? ['timestamp_formatted', 'timestamp'] : ['timestamp'];
  for (const side of ['bid', 'ask']) {
    for (let level = 1; level <= depth; level++) columns.push(`${side}_price_${level}`, `${side}_qty_${level}`);
  }
  return columns.join(',');
}
