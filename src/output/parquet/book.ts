import type { BookRow } from '../../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, Layout } from '../book-writer.js';
import { stateColumns } from '../columns.js';
import { type LevelColumns, levelColumnsOf } from './level-columns.js';
import { ParquetFile } from './parquet-file.js';
import { StateColumns } from './state-columns.js';

/**
 * Values in a row group: what is kept in memory is 8 bytes each, and a day of minutes at 500 levels is two groups of
 * lists. A column a level has as many chunks a group as columns, each with some 100 bytes in the footer, so its groups
 * are larger: that day is one.
 */
const ROW_GROUP_VALUES: Record<Layout, number> = { lists: 2 ** 21, wide: 2 ** 22, long: 2 ** 21 };

/** The options that Parquet asks for. */
export type ParquetOptions = Pick<BookOptions, 'depth' | 'layout' | 'quality' | 'decimals' | 'metadata'>;

/** Texts that are kept before a row group ends, however few they are: a forged archive has long ones. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Writes book rows as Parquet, sorted by time. */
export class ParquetBookWriter implements BookWriter {
  readonly #file: ParquetFile;
  readonly #state: StateColumns;
  readonly #levels: LevelColumns;
  /** Boundaries in a row group. */
  readonly #capacity: number;
  #boundaries = 0;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(sink: ByteSink, options: ParquetOptions, rowGroupValues = ROW_GROUP_VALUES[options.layout]) {
    const { depth, layout } = options;
    const state = stateColumns('parquet', options);
    const valuesOfBoundary = layout === 'long' ? 2 * depth * (state.length + 4) : state.length + 4 * depth;
    this.#capacity = Math.max(1, Math.floor(rowGroupValues / valuesOfBoundary));
    this.#state = new StateColumns(state, layout === 'long' ? 2 * depth * this.#capacity : this.#capacity);
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
