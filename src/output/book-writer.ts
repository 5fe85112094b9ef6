import type { BookBatch, RowBatch } from '../base/rows.js';

/** Where a writer's bytes go, in order. */
export interface ByteSink {
  /** @param bytes used up when the call returns: the writer fills their memory anew. */
  write(bytes: Uint8Array): void;
}

/** How levels become columns in Parquet: a list a side and kind, a column a level as in CSV, or a row a level. */
export type Layout = 'lists' | 'wide' | 'long';

/**
 * How Parquet has prices and quantities: as doubles; as DECIMAL, which is exact, but has no room for a value with too
 * many digits (`DoesNotFitDecimalError`); or as the archive's own text, which has room for every value.
 */
export type Decimals = false | 'decimal' | 'text';

/** How pages of Parquet are compressed: `auto` is Zstandard where the runtime has it, and Snappy where not. */
export type Compression = 'auto' | 'snappy' | 'zstd';

/** What the rows of a book output are to hold. */
export interface BookOptions {
  /** What the file is of; Parquet has it in every row. `undefined`: its folders tell, and it has no such column. */
  symbol: string | undefined;
  /** Levels a side. */
  depth: number;
  /** Puts `timestamp_formatted` before `timestamp`; CSV only. */
  formattedTimestamp: boolean;
  /** Adds `book_ts`, `age_ms` and the flags, `is_filled` and the others. */
  quality: boolean;
  /** Parquet only. */
  layout: Layout;
  /** Parquet only: CSV always has the archive's own text. */
  decimals: Decimals;
  /** Parquet only. */
  compression: Compression;
  /** Tells a reader of the file what it is: key-value metadata of Parquet, read when the file is finished. */
  metadata: Record<string, string>;
}

/** Writes rows of a book into one file; the caller commits or discards it. */
export interface BookWriter {
  /** What it takes of a {@link BookBatch} beside the counts: the cells of CSV, or the levels as numbers. */
  readonly needs: 'cells' | 'levels';
  /**
   * The file is the same however its rows are cut into batches.
   *
   * @param rows what is needed of them is copied.
   * @param book their levels, at the depth of the file.
   */
  write(rows: RowBatch, book: BookBatch): void;
  /** Hands over what is left. */
  finish(): void;
}

/** What the rows of a table are to hold. */
export interface TableOptions {
  /** Names of the numbers, in order. */
  columns: readonly string[];
  /** As in {@link BookOptions}, as are those below. */
  symbol: string | undefined;
  formattedTimestamp: boolean;
  compression: Compression;
  metadata: Record<string, string>;
}

/** Writes rows of named numbers into one file; the caller commits or discards it. */
export interface TableWriter {
  /** @param rows whose `metrics` are the columns; NaN leaves the cell empty. The file is the same however they are cut. */
  write(rows: RowBatch): void;
  /** Hands over what is left. */
  finish(): void;
}

/** Makes the writers of one format: what a module named in the table of formats exports. */
export interface WriterModule {
  createBookWriter(sink: ByteSink, options: BookOptions): BookWriter;
  createTableWriter(sink: ByteSink, options: TableOptions): TableWriter;
}
