import fs from 'node:fs';
import { formatInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { clean } from '../console/clean-text.js';
import { lineWriter } from '../console/report.js';
import type { DayFile } from '../join/day-file.js';
import { type Days, findDays } from '../join/day-files.js';
import { describeRange, type Missing } from '../join/grid-check.js';
import { joinDays } from '../join/join-days.js';
import { JoinError } from '../join/join-error.js';
import { checkDays, newCommand, oneOf, parseDepth, parsePair, sharedOptions } from '../options.js';
import { FORMAT_NAMES, FORMATS, type Format } from '../output/formats.js';
import type { Surroundings } from './convert.js';

/** The command line of `bookgrid join`, read and checked. */
export interface JoinLine {
  symbol: string;
  from?: string;
  to?: string;
  outputDir: string;
  depth?: number;
  /** ms */
  interval: number;
  format?: Format;
  metrics?: true;
  output?: string;
  overwrite?: true;
  strict?: true;
}

const EXPLANATION = `
Rows are copied as they are. Days whose columns differ, and a row that is there twice, of another day,
or between boundaries, are errors: no file is written, and the exit status is 1.

Boundaries without a row are listed on standard error, the first 20 stretches of them, and the file is
written all the same, since Bybit may have no archive of a day; with --strict that is an error too.
The grid is every boundary in (--from 00:00, --to + 1 day 00:00]: midnight belongs to the day before.
Without --from and --to it is that of the first to the last day there is.

Example:
  bookgrid join --symbol BTCUSDT --from 2025-01-01 --to 2025-01-31 --output-dir snapshots
      BTCUSDT_2025-01-01_2025-01-31_ob200_1m.csv, in the current folder

Exit status: 0 written, 1 not written, 2 wrong usage or nothing to join, 130 after Ctrl+C.`;

/** The command line of `bookgrid join` as commander knows it. */
export function buildJoinCommand() {
  return newCommand('bookgrid join')
    .usage('--symbol PAIR [options]')
    .description('Joins the days of a pair, as convert wrote them, into one file, and says which are missing.')
    .requiredOption('--symbol <pair>', 'pair whose days are joined: BTCUSDT', parsePair)
    .addOption(sharedOptions.from())
    .addOption(sharedOptions.to())
    .addOption(sharedOptions.outputDir('folder that convert wrote the days to'))
    .option('--depth <n>', 'levels a side of the days (default: the only depth there is)', parseDepth)
    .addOption(sharedOptions.interval('from row to row of the days'))
    .option('--format <name>', `${FORMAT_NAMES.join(', ')} (default: the only one there is)`, oneOf(FORMAT_NAMES))
    .option('--metrics', 'join metrics instead of books')
    .option('--output <file>', 'file to write (default: in the current folder, named after what is in it)')
    .option('--overwrite', 'replace the file when it exists')
    .option('--strict', 'write no file when a boundary has no row')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXPLANATION);
}

/**
 * Reads the command line of `bookgrid join`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseJoinLine(argv: string[]): JoinLine {
  const options = buildJoinCommand().parse(argv, { from: 'user' }).opts<JoinLine>();
  checkDays(options);
  if (options.metrics && options.depth !== undefined) {
    throw new UsageError('--depth is of books, and metrics are of the whole book: leave --depth or --metrics out');
  }
  return options;
}

/**
 * Joins days, and tells what became of it.
 *
 * @returns whether a file was written.
 * @throws {@link UsageError} when there is nothing to join, or the file exists.
 */
export async function join(line: JoinLine, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const { symbol, metrics = false, strict = false, overwrite = false, interval: intervalMs } = line;
  const interval = formatInterval(intervalMs);
  const days = findDays({ ...line, metrics, interval });
  const outputPath = line.output ?? defaultName(symbol, interval, days);
  checkOutput(outputPath, days, overwrite);
  const write = lineWriter(stdout);
  const warn = (text: string) => lineWriter(stderr)(clean(text));
  try {
    const result = await joinDays(days.files, { ...days, intervalMs, outputPath, strict }, signal);
    const { files, rows, missing, isWritten } = result;
    for (const text of describeMissing(missing)) warn(text);
    write(`Joined ${count(files, 'day')} of ${symbol}, ${days.from} to ${days.to}: ${count(rows, 'row')}`);
    write(`Missing: ${summarize(missing)}`);
    write(isWritten ? `Written: ${clean(outputPath)}` : 'Not written, because of --strict');
    return isWritten;
  } catch (error) {
    if (signal.aborted) warn(`Stopped by ${signal.reason}. Nothing was written.`);
    else if (error instanceof JoinError) warn(`bookgrid: ${error.message}. Nothing was written.`);
    else throw error;
    return false;
  }
}

/** `BTCUSDT_2025-01-01_2025-01-31_ob200_1m.csv`; of metrics without `ob200`, as the days’ own names. */
function defaultName(symbol: string, interval: string, { from, to, depth, format }: Days): string {
  const parts = [symbol, from, to, ...(depth === undefined ? [] : [`ob${depth}`]), interval];
  return parts.join('_') + FORMATS[format].suffix;
}

function checkOutput(outputPath: string, { files, format }: Days, overwrite: boolean): void {
  const { suffix } = FORMATS[format];
  if (!outputPath.endsWith(suffix)) {
    throw new UsageError(
      `--output ${outputPath} must end in ${suffix}, which is what the days are; join does not convert`,
    );
  }
  const stat = fs.statSync(outputPath, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory()) throw new UsageError(`--output ${outputPath} is a folder, a file was expected`);
  const isSame = ({ path }: DayFile) => {
    const { dev, ino } = fs.statSync(path);
    return dev === stat.dev && ino === stat.ino;
  };
  if (files.some(isSame)) throw new UsageError(`--output ${outputPath} is one of the days to join`);
  if (!overwrite)
    throw new UsageError(`${outputPath} exists. Write it again with --overwrite, or another one with --output`);
}

/** What is missing, a line a stretch. */
function describeMissing({ ranges, firstRanges }: Missing): string[] {
  const lines = firstRanges.map((range) => `Missing: ${describeRange(range)}`);
  const more = ranges - firstRanges.length;
  return more > 0 ? [...lines, `Missing: ${more} more, after these`] : lines;
}

function summarize({ boundaries, days, ranges }: Missing): string {
  if (boundaries === 0) return 'nothing, every boundary has its row';
  return `${count(boundaries, 'row')} in ${count(ranges, 'place')}, ${count(days, 'whole day')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
