import type { BookRow } from '../base/rows.js';

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
  /** Tells a reader of the file what it is: key-value metadata of Parquet, read when the file is finished. */
  metadata: Record<string, string>;
}

/** Writes rows of a book into one file; the caller commits or discards it. */
export interface BookWriter {
  /** @param row what is needed of it is copied. */
  write(row: BookRow): void;
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
  metadata: Record<string, string>;
}

/** Writes rows of named numbers into one file; the caller commits or discards it. */
export interface TableWriter {
  /** @param values one for each of the columns; NaN leaves the cell empty. */
  write(boundaryMs: number, values: Float64Array): void;
  /** Hands over what is left. */
  finish(): void;
}

/** Makes the writers of one format: what a module named in the table of formats exports. */
export interface WriterModule {
  createBookWriter(sink: ByteSink, options: BookOptions): BookWriter;
  createTableWriter(sink: ByteSink, options: TableOptions): TableWriter;
}
