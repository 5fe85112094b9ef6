import process from 'node:process';
import { parseMoment } from '../base/moment.js';
import { parseInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { MAX_DEPTH } from '../catalog/archive-name.js';
import { clean } from '../console/clean-text.js';
import { describeAge, describeMessage, drawLadder, lookOf } from '../console/ladder.js';
import { parseWhole, rethrow } from '../console/option-values.js';
import { addS3Options, newCommand, sharedOptions, takeS3Options } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { watchRows } from '../console/watch-rows.js';
import { bestPrices, type LadderRow, type RowSource } from '../peek/ladder-row.js';
import { type At, findRow, identifyFile, type PeekedFile, resolveAt, rowsOf } from '../peek/peeked-file.js';
import { RowWalk } from '../peek/row-walk.js';
import { nameOf } from '../storage/paths.js';
import { FLAG_NAMES } from '../view/book-columns.js';

/** The command line of `bookgrid peek`, read and checked. */
export interface PeekOptions {
  file: string;
  at: At;
  /** Levels a side. */
  levels: number;
  watch?: true;
  /** Of an archive: distance of the rows, ms; absent: every message. */
  step?: number;
  json?: true;
}

const EXPLANATION = `
FILE is an output of convert or join (.csv, .csv.gz, .parquet) or an archive (.zip, .gz, .data). Shown are
the best levels of each side: price, quantity, the sum of the quantities up to there, and a bar for the
quantity; between asks and bids spread and mid; below them what is known of the row's quality.

Of an output it is the latest row at or before the time. Of an archive it is the book after all messages up
to that millisecond, and what comes later in the archive is not read.

Times are UTC: 10:15, 10:15:30.250, 2025-01-15T10:15, ms since 1970, first, or last. A time without a day is
of the day in the file's name.

Examples:
  bookgrid peek snapshots/0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv --at 10:15
  bookgrid peek archives/0500/BTCUSDT/2025-01-15_BTCUSDT_ob500.data.zip --at 10:15:30.250 --levels 5
  bookgrid peek archives/0500/BTCUSDT/2025-01-15_BTCUSDT_ob500.data.zip --at 10:15:30 --watch --step 100ms

Keys of --watch: left and right a row (of an archive a message, or --step), with Shift or PgUp and PgDn ten,
Home and End, q to quit.

Exit status: 0 shown, 1 the file is damaged or cannot be read, 2 wrong usage or no row at that time.`;

/** The command line of `bookgrid peek` as commander knows it. */
export function buildPeekCommand() {
  const command = newCommand('bookgrid peek')
    .usage('FILE [options]')
    .argument('<file>', 'An output or an archive.')
    .description('Shows the book of one row as a ladder.')
    .option('--at <time>', 'Time of the row, UTC.', rethrow(parseAt), 'first')
    .option('--levels <count>', 'Levels a side to show.', (text) => parseWhole(text, MAX_DEPTH, 'levels'), 10)
    .option('--watch', 'Go from row to row by keys, on a terminal.')
    .option(
      '--step <time>',
      'Of an archive: go by so much time, such as 100ms, 1s, 1m, instead of by message.',
      rethrow(parseInterval),
    )
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

function parseAt(text: string): At {
  return text === 'first' || text === 'last' ? text : parseMoment(text);
}

/**
 * Reads the command line of `bookgrid peek`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parsePeekLine(argv: string[]): PeekOptions {
  const command = buildPeekCommand().parse(argv, { from: 'user' });
  takeS3Options(command);
  const [file = ''] = command.args;
  const options = command.opts<Omit<PeekOptions, 'file'>>();
  if (options.json && options.watch) throw new UsageError('--json prints one row, and --watch shows one after another');
  if (options.step !== undefined && !options.watch)
    throw new UsageError('--step is what a key of --watch does: add it');
  return { file, ...options };
}

/**
 * Shows a row, or goes from row to row.
 *
 * @returns whether it could.
 * @throws {@link UsageError} when there is no such file, none of a kind with a book, or no row at that time.
 */
export async function peek(options: PeekOptions, surroundings: Surroundings): Promise<boolean> {
  const { stderr, signal } = surroundings;
  const file = await identifyFile(options.file);
  if (file.kind === 'output' && options.step !== undefined) {
    throw new UsageError(`--step is of archives: in ${file.path} a step is a row`);
  }
  try {
    await (options.watch ? watch(file, options, surroundings) : show(file, options, surroundings));
    return true;
  } catch (error) {
    if (signal.aborted) return true;
    if (!isOfFile(error)) throw error;
    const { message } = error;
    lineWriter(stderr)(clean(`bookgrid: ${message.includes(file.path) ? '' : `${file.path}: `}${message}`));
    return false;
  }
}

/** Whether the file is at fault, and not the program. */
function isOfFile(error: unknown): error is Error {
  const { name, code } = error as NodeJS.ErrnoException;
  return ['OutputError', 'ArchiveError', 'DamagedDataError', 'StorageError'].includes(name) || code !== undefined;
}

async function show(file: PeekedFile, options: PeekOptions, { stdout, signal }: Surroundings): Promise<void> {
  const { levels, json } = options;
  const atMs = resolveAt(options.at, file);
  const row = await findRow(file, rowsOf(file, { levels, signal }), atMs);
  const write = lineWriter(stdout);
  if (json) return write(JSON.stringify(toJson(row, file)));
  const notes = [...describeMessage(row), ...describeAge(row, atMs)];
  for (const line of drawLadder({ title: titleOf(file), row, levels, notes }, lookOf(stdout, process.env))) write(line);
}

async function watch(file: PeekedFile, options: PeekOptions, surroundings: Surroundings): Promise<void> {
  const { stdout, signal } = surroundings;
  const { stdin, env } = process;
  if (!stdin.isTTY || !stdout.isTTY || env['TERM'] === 'dumb') {
    throw new UsageError(
      '--watch reads keys from a terminal and draws on it again and again, which standard input and output are not',
    );
  }
  const { levels, step: stepMs } = options;
  const atMs = resolveAt(options.at, file);
  let source: RowSource = rowsOf(file, { levels, signal });
  const row = await findRow(file, source, atMs);
  if (stepMs !== undefined) {
    const steps = { stepMs, anchorMs: Number.isFinite(atMs) ? atMs : row.timeMs };
    source = rowsOf(file, { levels, steps, signal });
  }
  const walk = new RowWalk(source);
  const draw = (shown: LadderRow, foot: string) => {
    const ladder = { title: titleOf(file), row: shown, levels, notes: describeMessage(shown), foot };
    const look = lookOf(stdout, env);
    const lines = drawLadder(ladder, look);
    const tooMany = lines.length + 1 - stdout.rows; // the cursor stands below them
    return tooMany > 0 ? drawLadder({ ...ladder, levels: Math.max(1, levels - Math.ceil(tooMany / 2)) }, look) : lines;
  };
  try {
    await walk.goTo(atMs);
    await watchRows({ walk, step: source.step, draw, stdin }, surroundings);
  } finally {
    await walk.close();
  }
}

function titleOf({ symbol, market, path }: PeekedFile): string {
  return clean([symbol ?? nameOf(path), market].filter((name) => name !== undefined).join(' '));
}

function toJson(row: LadderRow, { path, symbol, market }: PeekedFile) {
  const { timeMs, message, flags, bidPrices, bidQuantities, askPrices, askQuantities } = row;
  const { bid, ask, ...middle } = bestPrices(row);
  const side = (prices: Float64Array, quantities: Float64Array) =>
    Array.from(prices, (price, level) => [price, quantities[level]]);
  const known = FLAG_NAMES.filter((name) => flags[name] !== undefined);
  return {
    event: 'row',
    file: path,
    symbol,
    market,
    timeMs,
    message,
    ...Object.fromEntries(known.map((name) => [`is${name[0]?.toUpperCase()}${name.slice(1)}`, flags[name]])),
    ...middle,
    bids: side(bidPrices, bidQuantities),
    asks: side(askPrices, askQuantities),
  };
}
