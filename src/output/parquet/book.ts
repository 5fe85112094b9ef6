import type { BookBatch, RowBatch } from '../../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, Layout } from '../book-writer.js';
import { columnsOfFile, STATE_COLUMNS } from '../columns.js';
import { type BookPlace, type LevelColumns, levelColumnsOf, numbersOfBoundary } from './level-columns.js';
import { ParquetFile } from './parquet-file.js';
import { ROW_GROUP_NUMBERS, RowGroupMemory } from './row-group-memory.js';
import { StateColumns } from './state-columns.js';

/**
 * Values in a row group. Each takes up to 8 bytes of memory until the group is written. A day of minutes at 500 levels is
 * three groups of lists. In the layout `wide` it has 2,001 columns, and each group takes about 100 bytes a column in the
 * footer. So groups are larger there, and that day is two.
 */
const ROW_GROUP_VALUES: Record<Layout, number> = { lists: 2 ** 20, wide: ROW_GROUP_NUMBERS, long: 2 ** 20 };

/** The options that Parquet asks for. */
export type ParquetOptions = Pick<
  BookOptions,
  'symbol' | 'depth' | 'layout' | 'quality' | 'decimals' | 'compression' | 'metadata'
>;

/** Ends a row group when its texts take as much memory, however few they are: a forged archive has long ones. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Writes book rows as Parquet, sorted by time. */
export class ParquetBookWriter implements BookWriter {
  readonly needs: 'cells' | 'levels';
  readonly #file: ParquetFile;
  readonly #memory: RowGroupMemory;
  readonly #state: StateColumns<BookBatch>;
  readonly #levels: LevelColumns;
  readonly #isLong: boolean;
  /** Boundaries in a row group, at most. */
  readonly #capacity: number;
  #boundaries = 0;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(sink: ByteSink, options: ParquetOptions, rowGroupValues = ROW_GROUP_VALUES[options.layout]) {
    const { symbol, depth, layout } = options;
    this.#isLong = layout === 'long';
    const state = columnsOfFile(STATE_COLUMNS, 'parquet', options);
    // A row of the layout `long` has a price, a quantity, and parts of a number each of all else.
    const valuesOfBoundary = this.#isLong ? 2 * depth * 3 : state.length + 4 * depth;
    const capacity = Math.max(1, Math.floor(rowGroupValues / valuesOfBoundary));
    this.#capacity = capacity;
    this.#memory = new RowGroupMemory(capacity * (state.length + numbersOfBoundary(options)));
    const rows = { boundaries: capacity, rowsOfBoundary: this.#isLong ? 2 * depth : 1 };
    this.#state = new StateColumns(state, symbol, rows, this.#memory);
    this.#levels = levelColumnsOf(options, capacity, this.#memory);
    this.needs = this.#levels.needs;
    this.#file = new ParquetFile(sink, [...this.#state.columns, ...this.#levels.columns], options);
  }

  write(rows: RowBatch, book: BookBatch): void {
    let from: BookPlace = { row: 0, bids: 0, asks: 0 };
    while (from.row < rows.length) {
      const to = { ...from };
      // How large texts are is looked at after each row.
      const count = this.needs === 'cells' ? 1 : this.#capacity - this.#boundaries;
      const end = Math.min(rows.length, from.row + count);
      for (; to.row < end; to.row++) {
        const [bids, asks] = [book.bidCounts[to.row] as number, book.askCounts[to.row] as number];
        const times = this.#isLong ? bids + asks : 1;
        this.#state.add(rows, to.row, book, times);
        this.#rows += times;
        to.bids += bids;
        to.asks += asks;
      }
      this.#levels.add(book, from, to);
      this.#boundaries += to.row - from.row;
      if (this.#boundaries === this.#capacity || this.#levels.bytes > MAX_TEXT_BYTES) this.#endRowGroup();
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
    this.#boundaries = 0;
    this.#rows = 0;
  }
}
