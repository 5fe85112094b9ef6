import { setImmediate } from 'node:timers/promises';
import type { Format } from '../output/formats.js';
import { GzipSink } from '../output/gzip.js';
import { stageAlone } from '../storage/open-storage.js';
import { ContentCheck } from './content-check.js';
import { joinCsv } from './csv.js';
import type { DayFile } from './day-file.js';
import { GridCheck, type GridCheckOptions, type Missing } from './grid-check.js';
import { JoinError } from './join-error.js';

/** What is joined, and where it goes. */
export interface JoinOptions extends GridCheckOptions {
  /** Of the files, and of what is made of them. */
  format: Format;
  /** Where the joined file appears, in place of what is there. */
  outputPath: string;
  /** Writes nothing when a boundary is missing. */
  strict: boolean;
  /**
   * Says of a file, by its path and the SHA-256 of its bytes (hexadecimal), whether it is what was written; `undefined`:
   * nothing is known of that. Default: nothing is known of any.
   */
  isAsWritten?: (path: string, sha256: string) => boolean | undefined;
}

/** What was joined, and what was not there. */
export interface JoinResult {
  files: number;
  /** Rows of the joined file; of Parquet's `long` layout many a boundary. */
  rows: number;
  /** Boundaries that have a row. */
  boundaries: number;
  missing: Missing;
  /** Files of which nothing is known that their content could be compared with. */
  unchecked: number;
  /** False when boundaries are missing and `strict` was asked for. */
  isWritten: boolean;
}

/**
 * Joins the outputs of several days into one file, which appears whole or not at all. Rows are copied as they are; one
 * day's file holds the boundaries in (D 00:00, D + 1 day 00:00], so that days join without a duplicate or a hole.
 *
 * Memory does not grow with the days, but for some 100 bytes a column and row group of Parquet, for its footer.
 *
 * @param files of one format and of the same columns, in any order, at most one a day, within `from` and `to`.
 * @param signal stops the joining: what was written is removed, and its reason is thrown.
 * @throws {@link JoinError} when files do not fit together, a row is not later than the one before, or a file is not
 * what was written; a system error
 * (with `code`) when a file cannot be read or written.
 */
export async function joinDays(files: DayFile[], options: JoinOptions, signal: AbortSignal): Promise<JoinResult> {
  const days = inOrder(files);
  const { format, outputPath, strict, isAsWritten = () => undefined } = options;
  const grid = new GridCheck(options);
  const content = new ContentCheck(isAsWritten);
  const pause = async () => {
    await setImmediate();
    signal.throwIfAborted();
  };
  const output = await stageAlone(outputPath);
  try {
    const rows = await JOIN[format](days, output, { grid, content, pause });
    await pause();
    const missing = grid.finish();
    const isWritten = !strict || missing.boundaries === 0;
    if (isWritten) {
      output.flush();
      await output.publish();
    }
    const { boundaries } = grid;
    return { files: days.length, rows, boundaries, missing, unchecked: content.unchecked, isWritten };
  } finally {
    output.discard();
  }
}

/** How files of a format are joined; each answers with the number of rows. */
const JOIN: Record<Format, typeof joinCsv> = {
  csv: joinCsv,
  'csv.gz': async (files, sink, checks) => {
    const gzip = new GzipSink(sink);
    const rows = await joinCsv(files, gzip, checks);
    gzip.finish();
    return rows;
  },
  // Loaded only when needed, as by the writers: its code would double the time to start.
  parquet: async (...args) => (await import('./parquet.js')).joinParquet(...args),
};

function inOrder(files: DayFile[]): DayFile[] {
  const days = [...files].sort((a, b) => (a.date < b.date ? -1 : 1));
  days.forEach((day, index) => {
    const previous = days[index - 1];
    if (previous?.date !== day.date) return;
    throw new JoinError(`${previous.path} and ${day.path} are both of ${day.date}. Leave one of them out`);
  });
  return days;
}
