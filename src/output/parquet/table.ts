import type { ByteSink, TableOptions, TableWriter } from '../book-writer.js';
import { columnsOfFile, LABEL_COLUMNS, type RowLabel } from '../columns.js';
import { DOUBLE, NumberColumn } from './column.js';
import { ParquetFile } from './parquet-file.js';
import { StateColumns } from './state-columns.js';

/** 8 bytes each are kept in memory; with 50 columns, a row group is a month of minutes. */
const ROW_GROUP_VALUES = 2 ** 21;

/** Writes named numbers as Parquet, sorted by time: a column of doubles each, null for NaN. */
export class ParquetTableWriter implements TableWriter {
  readonly #file: ParquetFile;
  readonly #label: StateColumns<RowLabel>;
  readonly #columns: NumberColumn[];
  /** Rows in a row group. */
  readonly #capacity: number;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(
    sink: ByteSink,
    { symbol, columns, metadata }: Pick<TableOptions, 'symbol' | 'columns' | 'metadata'>,
    rowGroupValues = ROW_GROUP_VALUES,
  ) {
    const capacity = Math.max(1, Math.floor(rowGroupValues / (1 + columns.length)));
    this.#capacity = capacity;
    this.#label = new StateColumns(columnsOfFile(LABEL_COLUMNS, 'parquet', { symbol }), symbol, capacity);
    this.#columns = columns.map((name) => new NumberColumn(name, 'optional', DOUBLE, capacity));
    this.#file = new ParquetFile(sink, [...this.#label.columns, ...this.#columns], metadata);
  }

  write(boundaryMs: number, values: Float64Array): void {
    this.#label.append({ boundaryMs }, 1);
    this.#columns.forEach((column, i) => {
      const value = values[i] ?? Number.NaN;
      column.append(Number.isNaN(value) ? null : value);
    });
    if (++this.#rows === this.#capacity) this.#endRowGroup();
  }

  finish(): void {
    this.#endRowGroup();
    this.#file.finish();
  }

  #endRowGroup(): void {
    if (this.#rows > 0) this.#file.writeRowGroup(this.#rows);
    this.#rows = 0;
  }
}
