/** A file that is looked at: what it is by its name, and its row at a time. */
import { ARCHIVE_ENDINGS } from '../archive/open-archive.js';
import { formatMoment, type Moment } from '../base/moment.js';
import { midnightMs } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { findDate, parseArchiveName } from '../catalog/archive-name.js';
import { type MarketName, marketOfPath } from '../catalog/market.js';
import { titleOfOutput } from '../catalog/output-title.js';
import { splitSuffix } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf } from '../storage/paths.js';
import { OutputError } from '../view/book-columns.js';
import { type ArchiveRowsOptions, archiveRows } from './archive-rows.js';
import type { LadderRow, RowSource } from './ladder-row.js';
import { outputRows } from './output-rows.js';

export interface PeekedFile {
  kind: 'output' | 'archive';
  path: string;
  /** What its name and folders tell. */
  symbol: string | undefined;
  market: MarketName | undefined;
  /** Midnight of the one day in its name. */
  dayMs: number | undefined;
  intervalMs: number | undefined;
}

/**
 * Says what a file is.
 *
 * @throws {@link UsageError} when it is not there, or by its name neither an output nor an archive.
 */
export async function identifyFile(path: string): Promise<PeekedFile> {
  const entry = await openStorage(path).look(path);
  if (!entry) throw new UsageError(`No such file: ${path}`);
  if (entry.kind === 'folder') throw new UsageError(`${path} is a folder: give one of the files in it`);
  const fileName = nameOf(path);
  if (splitSuffix(fileName)) {
    const { symbol, market, from, to, intervalMs } = titleOfOutput(path);
    const dayMs = from !== undefined && from === to ? midnightMs(from) : undefined;
    return { kind: 'output', path, symbol, market, dayMs, intervalMs };
  }
  if (ARCHIVE_ENDINGS.some((ending) => fileName.endsWith(ending))) {
    const date = findDate(fileName);
    const dayMs = date === undefined ? undefined : midnightMs(date);
    const symbol = parseArchiveName(fileName)?.pair;
    return { kind: 'archive', path, symbol, market: marketOfPath(path), dayMs, intervalMs: undefined };
  }
  throw new UsageError(
    `${path} is by its name neither an output (.csv, .csv.gz, .parquet) nor an archive (${ARCHIVE_ENDINGS.join(', ')})`,
  );
}

/** The rows of a file; those of an archive by message, or by steps of time. */
export function rowsOf({ kind, path, intervalMs }: PeekedFile, options: ArchiveRowsOptions): RowSource {
  return kind === 'archive' ? archiveRows(path, options) : outputRows(path, options.levels, intervalMs);
}

/** A time as it was asked for; a time of day alone is of the day of the file. */
export type At = Moment | 'first' | 'last';

/**
 * The time that is meant, ms since the epoch; −Infinity for the first row, Infinity for the last.
 *
 * @throws {@link UsageError} when it has no day, and neither has the file.
 */
export function resolveAt(at: At, { dayMs, path }: PeekedFile): number {
  if (at === 'first') return Number.NEGATIVE_INFINITY;
  if (at === 'last') return Number.POSITIVE_INFINITY;
  if (at.kind === 'instant') return at.ms;
  if (at.kind === 'day') return at.midnightMs;
  if (dayMs !== undefined) return dayMs + at.sinceMidnightMs;
  throw new UsageError(`The name of ${path} does not tell one day: give the day with the time, as in 2025-01-15T10:15`);
}

const MINUTE_MS = 60_000;

/**
 * The latest row at or before a time; of an archive the book at that time.
 *
 * @throws {@link UsageError} when the file begins after it, or has ended by then.
 */
export async function findRow(file: PeekedFile, source: RowSource, atMs: number): Promise<LadderRow> {
  const rows = source.readFrom(atMs);
  try {
    const { value: row } = await rows.next();
    if (!row) throw new OutputError('it has no row');
    if (!Number.isFinite(atMs)) return row;
    if (row.timeMs > atMs) throw await noRow(file, source, atMs);
    const isLast = (await rows.next()).done === true;
    if (isLast && atMs > endOf(file, row)) throw await noRow(file, source, atMs);
    if (file.kind === 'output') return row;
    // Of an archive it is the book at that instant, not only at that of the message before it.
    return { ...row, timeMs: atMs, flags: { ...row.flags, partial: isLast && atMs > row.timeMs } };
  } finally {
    await rows.return();
  }
}

/**
 * Until when the last row holds, inclusive. A row of an output does up to the next boundary; the end of an archive does up to
 * that of one minute, for which convert writes a row.
 */
function endOf({ kind, intervalMs = 0 }: PeekedFile, { timeMs }: LadderRow): number {
  return kind === 'output' ? timeMs + intervalMs : Math.ceil(timeMs / MINUTE_MS) * MINUTE_MS;
}

async function noRow({ kind, path }: PeekedFile, source: RowSource, atMs: number): Promise<UsageError> {
  const [first, last] = [await firstFrom(source, -Infinity), await firstFrom(source, Infinity)];
  const what = kind === 'output' ? 'rows are' : 'messages, from the first snapshot on, are';
  const [from, to] = [first, last].map((row) => (row ? formatMoment(row.timeMs) : '?'));
  return new UsageError(`${path} has no row at ${formatMoment(atMs)}. Its ${what} of ${from} to ${to} (UTC)`);
}

async function firstFrom(source: RowSource, fromMs: number): Promise<LadderRow | undefined> {
  for await (const row of source.readFrom(fromMs)) return row;
  return undefined;
}
