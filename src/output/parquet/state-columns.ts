import type { StateColumn } from '../columns.js';
import {
  BooleanColumn,
  type Column,
  ConstantColumn,
  INT64,
  NumberColumn,
  STRING,
  TextColumn,
  TIMESTAMP_MS,
} from './column.js';

/** A column, and how it takes its value from a row. */
interface FilledColumn<Row> {
  column: Column<never>;
  /** @param times how many rows of the file the row of the book becomes. */
  append(row: Row, times: number): void;
}

/** The columns that say something of the whole row, as the table of columns has them. */
export class StateColumns<Row> {
  readonly columns: Column<never>[];
  readonly #filled: FilledColumn<Row>[];

  /**
   * @param symbol `undefined` where no column has it.
   * @param capacity rows in a row group, at most.
   */
  constructor(columns: StateColumn<Row>[], symbol: string | undefined, capacity: number) {
    this.#filled = columns.map((column) => createColumn(column, symbol ?? '', capacity));
    this.columns = this.#filled.map(({ column }) => column);
  }

  /** @param times how many rows of the file the row of the book becomes. */
  append(row: Row, times: number): void {
    for (const filled of this.#filled) filled.append(row, times);
  }
}

function createColumn<Row>(column: StateColumn<Row>, symbol: string, capacity: number): FilledColumn<Row> {
  const { name } = column;
  switch (column.type) {
    case 'time':
      return filledBy(column.value, new NumberColumn(name, 'required', TIMESTAMP_MS, capacity));
    case 'int64':
      return filledBy(column.value, new NumberColumn(name, 'required', INT64, capacity));
    case 'flag':
      return filledBy(column.value, new BooleanColumn(name, 'required', capacity));
    case 'text':
      return filledBy(column.value, new TextColumn(name, 'required', STRING));
    case 'symbol':
      return filledBy((row) => column.value(row, symbol), new ConstantColumn(name, symbol));
  }
}

function filledBy<Row, V>(valueIn: (row: Row) => V, column: Column<V>): FilledColumn<Row> {
  return {
    column,
    append(row, times) {
      const value = valueIn(row);
      for (let i = 0; i < times; i++) column.append(value);
    },
  };
}
