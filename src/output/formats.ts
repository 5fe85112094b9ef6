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
  /**
   * To be raised when the same archive and options give other bytes than before: outputs made until then are stale.
   * The version of an output that has none in its record is 1.
   */
  versions: Record<OutputKind, number>;
  /** Loads what writes it. Only what a run writes is loaded: Parquet's code takes some 60 ms. */
  load: () => Promise<WriterModule>;
}

export const FORMATS = {
  csv: {
    suffix: '.csv',
    versions: { book: 1, metrics: 1 },
    load: () => import('./csv.js'),
  },
  'csv.gz': {
    suffix: '.csv.gz',
    versions: { book: 1, metrics: 1 },
    load: () => import('./csv-gz.js'),
  },
  parquet: {
    suffix: '.parquet',
    versions: { book: 1, metrics: 1 },
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

/** The version of the bytes that are written now. */
export function formatVersionOf({ kind, format }: { kind: OutputKind; format: Format }): number {
  return FORMATS[format].versions[kind];
}
