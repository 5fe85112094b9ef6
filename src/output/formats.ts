/**
 * The one table of formats. To add a format, write a module that makes its writers and give it a line in
 * {@link FORMATS}. The compiler then asks `join` how its files are joined; options, plan, search and staleness follow.
 */
import type { WriterModule } from './book-writer.js';

/** What an output holds: books, or metrics. */
export type OutputKind = 'book' | 'metrics';

interface FormatEntry {
  /** What the names of its files end with. */
  suffix: string;
  /** Loads what writes it. Only what a run writes is loaded: Parquet's code takes some 60 ms. */
  load: () => Promise<WriterModule>;
}

export const FORMATS = {
  csv: {
    suffix: '.csv',
    load: () => import('./csv.js'),
  },
  'csv.gz': {
    suffix: '.csv.gz',
    load: () => import('./csv-gz.js'),
  },
  parquet: {
    suffix: '.parquet',
    load: () => import('./parquet/parquet.js'),
  },
} satisfies Record<string, FormatEntry>;

/** How an output is written: `csv`, `csv.gz` (the same text, gzipped) or `parquet`. */
export type Format = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

/** The format whose suffix a file's name ends with, and the name without it; `undefined` when there is none. */
export function splitSuffix(fileName: string): { stem: string; format: Format } | undefined {
  const format = FORMAT_NAMES.find((name) => fileName.endsWith(FORMATS[name].suffix));
  return format && { stem: fileName.slice(0, -FORMATS[format].suffix.length), format };
}

/** What decides how an output is written. */
export interface FormatOf {
  kind: OutputKind;
  format: Format;
}

/** Options that shaped an output, as its record has them; what is not there was not chosen. */
export type FormatOptions = Readonly<{ quality?: unknown; formattedTimestamp?: unknown }>;

/**
 * Changes that gave the same archive and options other bytes than before, the oldest first, each with the outputs whose
 * bytes it changed: those made until then are stale. To change bytes, add a line.
 */
const CHANGES: readonly ((output: FormatOf, options: FormatOptions) => boolean)[] = [
  // Parquet has `symbol`. Flags are `is_filled` … in CSV as in Parquet. Metrics as CSV have `timestamp_formatted`.
  ({ kind, format }, { quality, formattedTimestamp }) =>
    format === 'parquet' || (kind === 'book' ? quality === true : formattedTimestamp === true),
  // Metrics have `bid_levels`, `ask_levels`, `vwap_bid_5` … `vwap_ask_20`, `ofi`.
  ({ kind }) => kind === 'metrics',
];

/**
 * The version of the bytes that are written now of an output with these options. The first is 1, also that of an output
 * that has none in its record.
 */
export function formatVersionOf(output: FormatOf, options: FormatOptions): number {
  return 1 + CHANGES.filter((concerns) => concerns(output, options)).length;
}
