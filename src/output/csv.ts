import type { BookRow } from '../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { type StateColumn, stateColumns, TIMESTAMP, wideNames } from './columns.js';
import { CsvText } from './csv-text.js';

const CRLF = Buffer.from('\r\n');

export function createBookWriter(sink: ByteSink, options: BookOptions): BookWriter {
  return new CsvBookWriter(sink, options);
}

export function createTableWriter(sink: ByteSink, options: TableOptions): TableWriter {
  return new CsvTableWriter(sink, options);
}

/**
 * Writes book rows as Python's `csv.writer` would: commas, `\r\n`, and no quotes, since no cell needs them. Prices and
 * quantities are the archive's own text.
 */
export class CsvBookWriter implements BookWriter {
  readonly #text: CsvText;
  readonly #state: StateColumn[];

  constructor(sink: ByteSink, options: Pick<BookOptions, 'depth' | 'formattedTimestamp' | 'quality'>) {
    this.#text = new CsvText(sink);
    this.#state = stateColumns('csv', options);
    const names = [...this.#state.map(({ name }) => name), ...wideNames(options.depth)];
    this.#text.appendText(`${names.join(',')}\r\n`);
  }

  write(row: BookRow): void {
    let state = '';
    for (const column of this.#state) state += `${column.value(row)},`;
    this.#text.appendText(state);
    this.#text.append(row.cells);
    this.#text.append(CRLF);
  }

  finish(): void {
    this.#text.flush();
  }
}

/** Writes named numbers as CSV: each the shortest decimal that is read back as the same double, empty for NaN. */
export class CsvTableWriter implements TableWriter {
  readonly #text: CsvText;

  constructor(sink: ByteSink, { columns }: Pick<TableOptions, 'columns'>) {
    this.#text = new CsvText(sink);
    this.#text.appendText(`${[TIMESTAMP.name, ...columns].join(',')}\r\n`);
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
