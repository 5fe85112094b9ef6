import type { BookRow } from '../../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, Layout } from '../book-writer.js';
import { columnsOfFile, STATE_COLUMNS } from '../columns.js';
import { type LevelColumns, levelColumnsOf } from './level-columns.js';
import { ParquetFile } from './parquet-file.js';
import { StateColumns } from './state-columns.js';

/**
 * Values in a row group. Each takes 8 bytes of memory until the group is written. A day of minutes at 500 levels is two
 * groups of lists. In the layout `wide` it has 2,001 columns, and each group takes about 100 bytes a column in the
 * footer. So groups are larger there, and that day is one.
 */
const ROW_GROUP_VALUES: Record<Layout, number> = { lists: 2 ** 21, wide: 2 ** 22, long: 2 ** 21 };

/** The options that Parquet asks for. */
export type ParquetOptions = Pick<BookOptions, 'symbol' | 'depth' | 'layout' | 'quality' | 'decimals' | 'metadata'>;

/** Ends a row group when its texts take as much memory, however few they are: a forged archive has long ones. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Writes book rows as Parquet, sorted by time. */
export class ParquetBookWriter implements BookWriter {
  readonly #file: ParquetFile;
  readonly #state: StateColumns<BookRow>;
  readonly #levels: LevelColumns;
  /** Boundaries in a row group, at most. */
  readonly #capacity: number;
  #boundaries = 0;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(sink: ByteSink, options: ParquetOptions, rowGroupValues = ROW_GROUP_VALUES[options.layout]) {
    const { symbol, depth, layout } = options;
    const state = columnsOfFile(STATE_COLUMNS, 'parquet', options);
    const valuesOfBoundary = layout === 'long' ? 2 * depth * (state.length + 4) : state.length + 4 * depth;
    this.#capacity = Math.max(1, Math.floor(rowGroupValues / valuesOfBoundary));
    this.#state = new StateColumns(state, symbol, layout === 'long' ? 2 * depth * this.#capacity : this.#capacity);
    this.#levels = levelColumnsOf(options, this.#capacity);
    this.#file = new ParquetFile(sink, [...this.#state.columns, ...this.#levels.columns], options.metadata);
  }

  write(row: BookRow): void {
    const rows = this.#levels.append(row);
    this.#state.append(row, rows);
    this.#rows += rows;
    const bytes = this.#levels.columns.reduce((sum, column) => sum + column.bytes, 0);
    if (++this.#boundaries === this.#capacity || bytes > MAX_TEXT_BYTES) this.#endRowGroup();
  }

  finish(): void {
    this.#endRowGroup();
    this.#file.finish();
  }

  #endRowGroup(): void {
    if (this.#rows > 0) this.#file.writeRowGroup(this.#rows);
    this.#boundaries = 0;
    this.#rows = 0;
  }
}
