import type { BookRow } from '../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { columnsOfFile, LABEL_COLUMNS, type RowLabel, STATE_COLUMNS, type StateColumn, wideNames } from './columns.js';
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
  readonly #state: StateColumns<BookRow>;

  constructor(sink: ByteSink, options: Pick<BookOptions, 'symbol' | 'depth' | 'formattedTimestamp' | 'quality'>) {
    this.#text = new CsvText(sink);
    this.#state = new StateColumns(columnsOfFile(STATE_COLUMNS, 'csv', options), options.symbol);
    this.#text.appendText(`${[...this.#state.names, ...wideNames(options.depth)].join(',')}\r\n`);
  }

  write(row: BookRow): void {
    this.#text.appendText(`${this.#state.cellsOf(row)},`);
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
  readonly #label: StateColumns<RowLabel>;

  constructor(sink: ByteSink, options: Pick<TableOptions, 'symbol' | 'columns' | 'formattedTimestamp'>) {
    this.#text = new CsvText(sink);
    this.#label = new StateColumns(columnsOfFile(LABEL_COLUMNS, 'csv', options), options.symbol);
    this.#text.appendText(`${[...this.#label.names, ...options.columns].join(',')}\r\n`);
  }

  write(boundaryMs: number, values: Float64Array): void {
    let line = this.#label.cellsOf({ boundaryMs });
    for (const value of values) line += Number.isNaN(value) ? ',' : `,${value}`;
    this.#text.appendText(`${line}\r\n`);
  }

  finish(): void {
    this.#text.flush();
  }
}

/** The columns that say something of the whole row, as the table of columns has them. */
class StateColumns<Row> {
  readonly #columns: StateColumn<Row>[];
  readonly #symbol: string;

  constructor(columns: StateColumn<Row>[], symbol: string | undefined) {
    this.#columns = columns;
    this.#symbol = symbol ?? ''; // no column has it then
  }

  get names(): string[] {
    return this.#columns.map(({ name }) => name);
  }

  /** The row's cells, with commas between. */
  cellsOf(row: Row): string {
    let cells = '';
    for (const column of this.#columns) {
      const value = column.value(row, this.#symbol);
      cells += `${cells && ','}${typeof value === 'boolean' ? Number(value) : value}`;
    }
    return cells;
  }
}
