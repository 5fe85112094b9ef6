/** Which rows of which files are drawn: files of one kind, in the order of their days, and a stretch of time. */
import { formatMoment, type Moment } from '../base/moment.js';
import { DAY_MS, formatInterval, midnightMs } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { type OutputTitle, titleOfOutput } from '../catalog/output-title.js';
import { FORMATS, splitSuffix } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf } from '../storage/paths.js';
import { leastDistance } from '../view/heatmap.js';
import { readLastTimeMs } from '../view/last-row.js';
import { readBook } from '../view/open-output.js';
import { FileError } from './file-error.js';

export interface PlotSpan {
  paths: string[];
  title: OutputTitle;
  intervalMs: number;
  /** First and last boundary wanted, ms. */
  firstMs: number;
  lastMs: number;
}

export interface SpanOptions {
  /** As they were given; absent: all. A day alone means all of it. */
  from?: Moment;
  to?: Moment;
}

interface PlotFile {
  path: string;
  title: OutputTitle;
  firstMs: number;
  lastMs: number;
}

/**
 * Looks at files and says what is to be drawn of them.
 *
 * @throws {@link UsageError} when a file is not there, is no output, or they cannot be put on one axis.
 * @throws {@link FileError} when a file is not what an output is.
 */
export async function planSpan(paths: readonly string[], { from, to }: SpanOptions): Promise<PlotSpan> {
  const files: PlotFile[] = [];
  for (const path of new Set(paths)) files.push(await lookAt(path));
  files.sort((a, b) => a.firstMs - b.firstMs);
  const [first, last] = [files[0], files.at(-1)] as [PlotFile, PlotFile];
  for (const key of ['symbol', 'market', 'intervalMs'] as const) requireSame(files, key);
  files.slice(1).forEach((file, index) => {
    const before = files[index] as PlotFile;
    if (file.firstMs > before.lastMs) return;
    throw new UsageError(`${before.path} and ${file.path} have rows of the same time: give one of them`);
  });
  const intervalMs = first.title.intervalMs ?? leastDistance(await firstTimes(first.path));
  // The row in which a moment lies stands from the boundary before it.
  const boundary = (ms: number) => Math.floor(ms / intervalMs) * intervalMs;
  const fromMs = from ? boundary(resolve(from, first, intervalMs, 'from')) : first.firstMs;
  const toMs = to ? boundary(resolve(to, last, intervalMs, 'to')) : last.lastMs;
  if (fromMs > toMs) throw new UsageError(`--from ${formatMoment(fromMs)} is after --to ${formatMoment(toMs)}`);
  const firstMs = Math.max(first.firstMs, fromMs);
  const lastMs = Math.min(last.lastMs, toMs);
  const wanted = files.filter((file) => file.lastMs >= firstMs && file.firstMs <= lastMs);
  if (firstMs > lastMs || wanted.length === 0) {
    const [start, end] = [first.firstMs, last.lastMs].map(formatMoment);
    throw new UsageError(`There is no row at these times. The files are of ${start} to ${end} (UTC)`);
  }
  return { paths: wanted.map(({ path }) => path), title: first.title, intervalMs, firstMs, lastMs };
}

async function lookAt(path: string): Promise<PlotFile> {
  const entry = await openStorage(path).look(path);
  if (!entry) throw new UsageError(`No such file: ${path}`);
  if (entry.kind === 'folder') throw new UsageError(`${path} is a folder: give files, such as ${path}/*.csv`);
  if (!splitSuffix(nameOf(path))) {
    const suffixes = Object.values(FORMATS).map(({ suffix }) => suffix);
    throw new UsageError(
      `${path} is no output by its name, which must end in ${suffixes.join(', ')}. Of an archive, bookgrid convert makes outputs`,
    );
  }
  const title = titleOfOutput(path);
  const { from, to, intervalMs } = title;
  try {
    if (from !== undefined && to !== undefined && intervalMs !== undefined) {
      // Labelled as by the Python scripts, the rows of a day begin at its midnight, and end before the next.
      const [earlyMs] = await firstTimes(path, midnightMs(from));
      const shiftMs = earlyMs === undefined ? 0 : intervalMs;
      return {
        path,
        title,
        firstMs: midnightMs(from) + intervalMs - shiftMs,
        lastMs: midnightMs(to) + DAY_MS - shiftMs,
      };
    }
    const [firstMs] = await firstTimes(path);
    const lastMs = await readLastTimeMs(path);
    if (firstMs === undefined || lastMs === undefined) throw new UsageError(`${path} has no row`);
    return { path, title, firstMs, lastMs };
  } catch (error) {
    throw FileError.of(path, error);
  }
}

/** The times of rows at the beginning of a file, up to a time. */
async function firstTimes(path: string, toMs?: number): Promise<Float64Array> {
  for await (const { timesMs } of readBook(path, { depth: 1, toMs })) return timesMs;
  return new Float64Array(0);
}

function requireSame(files: readonly PlotFile[], key: 'symbol' | 'market' | 'intervalMs'): void {
  const [first] = files as [PlotFile];
  const other = files.find(({ title }) => title[key] !== first.title[key]);
  if (!other) return;
  const [a, b] = [first, other].map(({ path, title }) => `${path} (${show(key, title[key])})`);
  throw new UsageError(`A plot is of one symbol, market and interval, and ${a} and ${b} differ`);
}

function show(key: string, value: string | number | undefined): string {
  if (value === undefined) return `no ${key === 'intervalMs' ? 'interval' : key} told`;
  return typeof value === 'number' ? formatInterval(value) : value;
}

/** A boundary: of a day the first (00:00 belongs to the day before) or the last; of a time alone one of the file's day. */
function resolve(moment: Moment, { path, title }: PlotFile, intervalMs: number, end: 'from' | 'to'): number {
  if (moment.kind === 'instant') return moment.ms;
  if (moment.kind === 'day') return moment.midnightMs + (end === 'from' ? intervalMs : DAY_MS);
  const day = title[end];
  if (day !== undefined) return midnightMs(day) + moment.sinceMidnightMs;
  throw new UsageError(`The name of ${path} does not tell its day: give the day with --${end}, as in 2025-01-15T10:15`);
}
