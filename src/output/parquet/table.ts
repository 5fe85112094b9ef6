import type { RowBatch } from '../../base/rows.js';
import type { ByteSink, TableOptions, TableWriter } from '../book-writer.js';
import { columnsOfFile, LABEL_COLUMNS } from '../columns.js';
import { OptionalColumn } from './number-column.js';
import { ParquetFile } from './parquet-file.js';
import { RowGroupMemory } from './row-group-memory.js';
import { StateColumns } from './state-columns.js';

/** 8 bytes each are kept in memory; with 50 columns, a row group is half a month of minutes. */
const ROW_GROUP_VALUES = 2 ** 20;

/** Writes named numbers as Parquet, sorted by time: a column of doubles each, null for NaN. */
export class ParquetTableWriter implements TableWriter {
  readonly #file: ParquetFile;
  readonly #memory: RowGroupMemory;
  readonly #label: StateColumns<unknown>;
  readonly #columns: readonly OptionalColumn[];
  /** Rows in a row group. */
  readonly #capacity: number;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(
    sink: ByteSink,
    options: Pick<TableOptions, 'symbol' | 'columns' | 'compression' | 'metadata'>,
    rowGroupValues = ROW_GROUP_VALUES,
  ) {
    const { symbol, columns } = options;
    const label = columnsOfFile(LABEL_COLUMNS, 'parquet', { symbol });
    const capacity = Math.max(1, Math.floor(rowGroupValues / (1 + columns.length)));
    this.#capacity = capacity;
    const memory = new RowGroupMemory(capacity * (label.length + columns.length));
    this.#memory = memory;
    this.#label = new StateColumns(label, symbol, { boundaries: capacity, rowsOfBoundary: 1 }, memory);
    this.#columns = columns.map((name) => new OptionalColumn(name, memory.numbers(capacity)));
    this.#file = new ParquetFile(sink, [...this.#label.columns, ...this.#columns], options);
  }

  write(rows: RowBatch): void {
    for (let from = 0; from < rows.length; ) {
      const to = Math.min(rows.length, from + this.#capacity - this.#rows);
      for (let row = from; row < to; row++) this.#label.add(rows, row, undefined, 1);
      for (let at = 0; at < this.#columns.length; at++) {
        const column = this.#columns[at] as OptionalColumn;
        column.values.set((rows.metrics[at] as Float64Array).subarray(from, to), column.length);
        column.length += to - from;
      }
      this.#rows += to - from;
      if (this.#rows === this.#capacity) this.#endRowGroup();
      from = to;
    }
  }

  finish(): void {
    this.#endRowGroup();
    this.#file.finish();
    this.#memory.release();
  }

  #endRowGroup(): void {
    if (this.#rows > 0) this.#file.writeRowGroup(this.#rows);
    this.#rows = 0;
  }
}
