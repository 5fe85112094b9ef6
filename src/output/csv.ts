import type { BookRow, RowState } from '../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { FLAGS, levelColumns } from './columns.js';
import { CsvText } from './csv-text.js';

const CRLF = Buffer.from('\r\n');

export function createBookWriter(sink: ByteSink, options: BookOptions): BookWriter {
  return new CsvBookWriter(sink, options);
}

export function createTableWriter(sink: ByteSink, options: TableOptions): TableWriter {
  return new CsvTableWriter(sink, options);
}

/**
 * Snapshots as Python's `csv.writer` writes them: commas, `\r\n`, and no quotes, since no cell needs them. Prices and
 * quantities are the archive's own text.
 */
export class CsvBookWriter implements BookWriter {
  readonly #text: CsvText;
  readonly #format: Pick<BookOptions, 'formattedTimestamp' | 'quality'>;

  constructor(sink: ByteSink, format: Pick<BookOptions, 'depth' | 'formattedTimestamp' | 'quality'>) {
    this.#text = new CsvText(sink);
    this.#format = format;
    const columns = [
      ...(format.formattedTimestamp ? ['timestamp_formatted'] : []),
      'timestamp',
      ...(format.quality ? ['book_ts', 'age_ms', 'flags'] : []),
      ...levelColumns(format.depth),
    ];
    this.#text.appendText(`${columns.join(',')}\r\n`);
  }

  write(row: BookRow): void {
    const { boundaryMs } = row;
    let labels = `${boundaryMs},`;
    if (this.#format.formattedTimestamp) labels = `${formatTimestamp(boundaryMs)},${labels}`;
    if (this.#format.quality) labels += `${row.bookTsMs},${boundaryMs - row.bookTsMs},${flagsText(row)},`;
    this.#text.appendText(labels);
    this.#text.append(row.cells);
    this.#text.append(CRLF);
  }

  finish(): void {
    this.#text.flush();
  }
}

/** Named numbers as CSV: each the shortest decimal that is read back as the same double, empty for NaN. */
export class CsvTableWriter implements TableWriter {
  readonly #text: CsvText;

  constructor(sink: ByteSink, { columns }: Pick<TableOptions, 'columns'>) {
    this.#text = new CsvText(sink);
    this.#text.appendText(`${['timestamp', ...columns].join(',')}\r\n`);
  }

  write(boundaryMs: number, values: Float64Array): void {
    let line = String(boundaryMs);
    for (const value of values) line += Number.isNaN(value) ? ',' : `,${value}`;
    this.#text.appendText(`${line}\r\n`);
  }

  finish(): void {
    this.#text.flush();
  }
}

/** What is true of a row, joined by `|`. */
function flagsText(row: RowState & { isThin: boolean }): string {
  return FLAGS.filter(([, key]) => row[key])
    .map(([name]) => name)
    .join('|');
}

/** `2025-01-15T00:01:00.0000`: UTC with four digits of a second's fraction, as `strftime('%f')[:-2]` has them. */
export function formatTimestamp(boundaryMs: number): string {
  return new Date(boundaryMs).toISOString().replace('Z', '0');
}
