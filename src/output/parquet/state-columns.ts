import type { BookRow } from '../../base/rows.js';
import type { StateColumn } from '../columns.js';
import { BooleanColumn, type Column, INT64, NumberColumn, STRING, TextColumn, TIMESTAMP_MS } from './column.js';

/** A column, and how it takes its value from a row. */
interface FilledColumn {
  column: Column<never>;
  /** @param times how many rows of the file the row of the book becomes. */
  append(row: BookRow, times: number): void;
}

/** The columns that say something of the whole row, as the table of columns has them. */
export class StateColumns {
  readonly columns: Column<never>[];
  readonly #filled: FilledColumn[];

  /** @param capacity rows in a row group, at most. */
  constructor(columns: StateColumn[], capacity: number) {
    this.#filled = columns.map((column) => createColumn(column, capacity));
    this.columns = this.#filled.map(({ column }) => column);
  }

  /** @param times how many rows of the file the row of the book becomes. */
  append(row: BookRow, times: number): void {
    for (const filled of this.#filled) filled.append(row, times);
  }
}

function createColumn(column: StateColumn, capacity: number): FilledColumn {
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
  }
}

function filledBy<V>(valueIn: (row: BookRow) => V, column: Column<V>): FilledColumn {
  return {
    column,
    append(row, times) {
      const value = valueIn(row);
      for (let i = 0; i < times; i++) column.append(value);
    },
  };
}
