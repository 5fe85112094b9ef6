import type { BookBatch, RowBatch } from '../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { columnsOfFile, LABEL_COLUMNS, STATE_COLUMNS, type StateColumn, wideNames } from './columns.js';
import { CsvText } from './csv-text.js';

/** Longer than any line of 9,999 levels a side; a file without line ends must not fill the memory of who reads it. */
export const MAX_LINE_BYTES = 8 * 2 ** 20;

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
  readonly needs = 'cells';
  readonly #text: CsvText;
  readonly #state: StateCells<BookBatch>;

  constructor(sink: ByteSink, options: Pick<BookOptions, 'depth' | 'formattedTimestamp' | 'quality'>) {
    this.#text = new CsvText(sink);
    this.#state = new StateCells(columnsOfFile(STATE_COLUMNS, 'csv', options));
    this.#text.appendText(`${[...this.#state.names, ...wideNames(options.depth)].join(',')}\r\n`);
  }

  write(rows: RowBatch, book: BookBatch): void {
    const text = this.#text;
    const { cells, cellEnds } = book;
    let start = 0;
    for (let row = 0; row < rows.length; row++) {
      const end = cellEnds[row] as number;
      this.#state.append(text, rows, row, book);
      text.appendComma();
      text.append(cells.subarray(start, end));
      text.appendCrlf();
      start = end;
    }
  }

  finish(): void {
    this.#text.flush();
  }
}

/** Writes named numbers as CSV: each the shortest decimal that is read back as the same double, empty for NaN. */
export class CsvTableWriter implements TableWriter {
  readonly #text: CsvText;
  readonly #label: StateCells<unknown>;

  constructor(sink: ByteSink, options: Pick<TableOptions, 'columns' | 'formattedTimestamp'>) {
    this.#text = new CsvText(sink);
    this.#label = new StateCells(columnsOfFile(LABEL_COLUMNS, 'csv', options));
    this.#text.appendText(`${[...this.#label.names, ...options.columns].join(',')}\r\n`);
  }

  write(rows: RowBatch): void {
    const { metrics } = rows;
    for (let row = 0; row < rows.length; row++) {
      this.#label.append(this.#text, rows, row, undefined);
      let cells = '';
      for (const column of metrics) {
        const value = column[row] as number;
        cells += Number.isNaN(value) ? ',' : `,${value}`;
      }
      this.#text.appendText(cells);
      this.#text.appendCrlf();
    }
  }

  finish(): void {
    this.#text.flush();
  }
}

/** The cells that say something of the whole row, as the table of columns has them. */
class StateCells<Book> {
  readonly #columns: readonly StateColumn<Book>[];

  constructor(columns: readonly StateColumn<Book>[]) {
    this.#columns = columns;
  }

  get names(): string[] {
    return this.#columns.map(({ name }) => name);
  }

  /** Writes a row's cells, with commas between. */
  append(text: CsvText, rows: RowBatch, row: number, book: Book): void {
    const columns = this.#columns;
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at] as StateColumn<Book>;
      if (at > 0) text.appendComma();
      switch (column.type) {
        case 'time':
        case 'int64':
          text.appendInteger(column.value(rows, row));
          break;
        case 'flag':
          text.appendFlag(column.value(rows, row, book));
          break;
        case 'clock':
          text.appendClock(column.value(rows, row));
          break;
        case 'symbol':
          throw new Error('CSV has no column of the symbol');
      }
    }
  }
}
