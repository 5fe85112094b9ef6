import type { BookRow } from '../base/rows.js';

/** Where a writer's bytes go, in order. */
export interface ByteSink {
  /** @param bytes used up when the call returns: the writer fills their memory anew. */
  write(bytes: Uint8Array): void;
}

/** How an output is written. */
export type Format = 'csv' | 'csv.gz' | 'parquet';

/** How levels become columns in Parquet: a list a side and kind, a column a level as in CSV, or a row a level. */
export type Layout = 'lists' | 'wide' | 'long';

/**
 * Doubles; or the exact number as DECIMAL, which a value may have too many digits for (`DoesNotFitDecimalError`); or the
 * archive's own text, which takes every value.
 */
export type Decimals = false | 'decimal' | 'text';

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
  /** Exact values instead of doubles; Parquet only. CSV has the archive's own text. */
  decimals: Decimals;
  /** What a reader wants to know of the file: key-value metadata of Parquet, read when the file is finished. */
  metadata: Record<string, string>;
}

/** Writes rows of a book into one file; the caller commits or discards it. */
export interface BookWriter {
  /** @param row what is needed of it is copied. */
  write(row: BookRow): void;
  /** Hands over what is left. */
  finish(): void;
}

export interface TableFormat {
  format: Format;
  /** Names of the numbers, in order. */
  columns: readonly string[];
  /** As in {@link BookFormat}. */
  metadata: Record<string, string>;
}

/** Writes rows of named numbers into one file; the caller commits or discards it. */
export interface TableWriter {
  /** @param values one for each column after the timestamp; NaN: none. */
  write(boundaryMs: number, values: Float64Array): void;
  finish(): void;
}
