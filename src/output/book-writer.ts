import type { BookRow } from '../rows.js';

/** Where a writer's bytes go, in order. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** How an output is written. */
export type Format = 'csv' | 'csv.gz' | 'parquet';

/** How levels become columns in Parquet: a list a side and kind, a column a level as in CSV, or a row a level. */
export type Layout = 'lists' | 'wide' | 'long';

export interface BookFormat {
  format: Format;
  /** Levels a side. */
  depth: number;
  /** Puts `timestamp_formatted` before `timestamp`; CSV only. */
  formattedTimestamp: boolean;
  /** Adds `book_ts`, `age_ms` and flags. */
  quality: boolean;
  /** Parquet only. */
  layout: Layout;
  /** Exact values instead of doubles, as decimals or as text; Parquet only. CSV has the archive's own text. */
  decimals: false | 'decimal' | 'text';
  /** What a reader wants to know of the file: key-value metadata of Parquet. */
  metadata: Record<string, string>;
}

/** Writes rows of a book into one file; the caller commits or discards it. */
export interface BookWriter {
  write(row: BookRow): void;
  /** Hands over what is left. */
  finish(): void;
}

/** Writes rows of named numbers into one file; the caller commits or discards it. */
export interface TableWriter {
  /** @param values one for each column after the timestamp; NaN: none. */
  write(boundaryMs: number, values: Float64Array): void;
  finish(): void;
}
