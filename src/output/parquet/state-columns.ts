import type { RowBatch } from '../../base/rows.js';
import type { StateColumn } from '../columns.js';
import { BooleanColumn } from './boolean-column.js';
import { type Column, INT64, TIMESTAMP_MS } from './column.js';
import { NumberColumn, NumberRunColumn } from './number-column.js';
import type { RowGroupMemory } from './row-group-memory.js';
import { TextRunColumn } from './text-column.js';

/** A column, and how it takes the values of one row of a batch. */
interface FilledColumn<Book> {
  column: Column;
  /** @param times how many rows of the file the row becomes. */
  add(rows: RowBatch, row: number, book: Book, times: number): void;
}

/** Rows of the file in a row group. */
interface Capacity {
  boundaries: number;
  /** Rows of the file that a boundary becomes, at most. */
  rowsOfBoundary: number;
}

/** The columns that say something of the whole row, as the table of columns has them. */
export class StateColumns<Book> {
  readonly columns: readonly Column[];
  readonly #filled: readonly FilledColumn<Book>[];

  /**
   * @param symbol `undefined` where no column has it.
   * @param memory for a number a column and boundary, where a boundary is one row of the file.
   */
  constructor(
    columns: readonly StateColumn<Book>[],
    symbol: string | undefined,
    capacity: Capacity,
    memory: RowGroupMemory,
  ) {
    this.#filled = columns.map((column) => createColumn(column, symbol ?? '', capacity, memory));
    this.columns = this.#filled.map(({ column }) => column);
  }

  /** Adds a row of a batch. @param times how many rows of the file it becomes. */
  add(rows: RowBatch, row: number, book: Book, times: number): void {
    for (const filled of this.#filled) filled.add(rows, row, book, times);
  }
}

function createColumn<Book>(
  stateColumn: StateColumn<Book>,
  symbol: string,
  { boundaries, rowsOfBoundary }: Capacity,
  memory: RowGroupMemory,
): FilledColumn<Book> {
  const { name } = stateColumn;
  switch (stateColumn.type) {
    case 'time':
    case 'int64': {
      const { value } = stateColumn;
      const type = stateColumn.type === 'time' ? TIMESTAMP_MS : INT64;
      if (rowsOfBoundary > 1) {
        const column = new NumberRunColumn(name, type, boundaries);
        return { column, add: (rows, row, _, times) => column.add(value(rows, row), times) };
      }
      const column = new NumberColumn(name, type, memory.numbers(boundaries));
      return { column, add: (rows, row) => column.add(value(rows, row)) };
    }
    case 'flag': {
      const { value } = stateColumn;
      const column = new BooleanColumn(name, boundaries * rowsOfBoundary);
      return { column, add: (rows, row, book, times) => column.add(value(rows, row, book), times) };
    }
    case 'symbol': {
      const column = new TextRunColumn(name, symbol);
      return { column, add: (_rows, _row, _book, times) => column.add(0, times) };
    }
    case 'clock':
      throw new Error('Parquet has no column of times as text');
  }
}
