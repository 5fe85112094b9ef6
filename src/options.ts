import os from 'node:os';

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { formatInterval, isDate, parseInterval } from './base/time.js';
import { UsageError } from './base/usage-error.js';
import { VERSION } from './base/version.js';
import { isPair, MAX_DEPTH } from './catalog/archive-name.js';
import { PLAN_DEFAULTS } from './convert/plan.js';
import type { Layout } from './output/book-writer.js';
import { FORMAT_NAMES, type Format } from './output/formats.js';

/** The command line of `bookgrid [convert]`, read and checked. */
export interface ConvertOptions {
  /** Archives given one by one; empty: all of `sourceDir`. */
  archives: string[];
  sourceDir: string;
  outputDir: string;
  tempDir?: string;
  symbols?: string[];
  from?: string;
  to?: string;
  depths?: number[];
  intervalMs: number;
  onGap: 'fill' | 'skip';
  onBadLine: 'fail' | 'skip';
  compat: 'python' | 'none';
  formattedTimestamp: boolean;
  formats: Format[];
  layout: Layout;
  decimals: boolean;
  quality: boolean;
  books: boolean;
  metrics: boolean;
  impacts: readonly number[];
  overwrite: boolean;
  inflater: 'kernel' | 'node';
  workers: number;
  dryRun: boolean;
  json: boolean;
  test: boolean;
}

const MAX_WORKERS = 1024;

const GROUPS = {
  what: 'What to convert:',
  rows: 'What the rows hold:',
  files: 'What the files are:',
  where: 'Where outputs go:',
  how: 'How it runs:',
  more: 'More:',
} as const;

const DEFAULT_ROOT = '/volumes/Data01/FinancialData/Bybit';

/** Options of several commands, which say for themselves what they do with them. */
export const sharedOptions = {
  sourceDir: (description: string) =>
    new commander.Option('--source-dir <dir>', description)
      .argParser(parseFolder)
      .default(`${DEFAULT_ROOT}/OrderBook`)
      .env('BOOKGRID_SOURCE_DIR'),
  outputDir: (description: string) =>
    new commander.Option('--output-dir <dir>', description)
      .argParser(parseFolder)
      .default(`${DEFAULT_ROOT}/OrderBook_1m`)
      .env('BOOKGRID_OUTPUT_DIR'),
  symbols: () =>
    new commander.Option('--symbols <pairs>', 'only these pairs, comma-separated: BTCUSDT,ETHUSDT').argParser(
      listOf(parsePair),
    ),
  from: () => new commander.Option('--from <date>', 'first day wanted, YYYY-MM-DD (UTC)').argParser(parseDate),
  to: () => new commander.Option('--to <date>', 'last day wanted, YYYY-MM-DD (UTC)').argParser(parseDate),
  interval: (description: string) =>
    new commander.Option('--interval <time>', description).argParser(rethrow(parseInterval)).default(60_000, '1m'),
  json: () => new commander.Option('--json', 'one JSON object a line on standard output, for programs'),
};

/** @throws {@link UsageError} when the first day wanted is after the last. */
export function checkDays({ from, to }: { from?: string; to?: string }): void {
  if (from !== undefined && to !== undefined && from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
}

/**
 * Every option in one table: parsing and help come from it. Commander names the properties after
 * the long flags.
 */
function optionTable(): { group: keyof typeof GROUPS; option: commander.Option }[] {
  return [
    {
      group: 'what',
      option: sharedOptions.sourceDir('folder of DEPTH/PAIR/ folders with archives (not with ARCHIVE arguments)'),
    },
    { group: 'what', option: sharedOptions.symbols() },
    { group: 'what', option: sharedOptions.from() },
    { group: 'what', option: sharedOptions.to() },
    {
      group: 'rows',
      option: new commander.Option(
        '--depths <list>',
        'levels a side, an output each (default: 200,500, or a shallower source’s own)',
      ).argParser(listOf(parseDepth)),
    },
    {
      group: 'rows',
      option: sharedOptions.interval('one row every 100ms, 1s, 5m, 1h …: any time that divides a day'),
    },
    {
      group: 'rows',
      option: new commander.Option(
        '--on-gap <mode>',
        'an interval without a message: fill repeats the book, skip writes no row',
      )
        .choices(['fill', 'skip'])
        .default('fill'),
    },
    {
      group: 'rows',
      option: new commander.Option(
        '--include-formatted-timestamp',
        'put timestamp_formatted (2025-01-15T00:01:00.0000, UTC) first',
      ).conflicts('formattedTimestamp'),
    },
    { group: 'rows', option: new commander.Option('--no-formatted-timestamp', 'no such column (default)') },
    {
      group: 'rows',
      option: new commander.Option(
        '--compat <program>',
        'python: label rows as the old Python scripts did, to extend their data sets byte for byte. WARNING: ' +
          'their rows look ahead by over a minute; use the default for anything new',
      ).choices(['python']),
    },
    {
      group: 'rows',
      option: new commander.Option(
        '--on-bad-line <mode>',
        'a line that cannot be read: fail its archive, or skip and count it',
      )
        .choices(['fail', 'skip'])
        .default('fail'),
    },
    {
      group: 'rows',
      option: new commander.Option(
        '--quality',
        'add book_ts, age_ms and flags: filled, suspect (messages missed), crossed, thin, partial',
      ),
    },
    {
      group: 'files',
      option: new commander.Option(
        '--format <list>',
        `${FORMAT_NAMES.join(', ')}, or several: csv,parquet; all from one pass over the archive`,
      )
        .argParser(listOf(oneOf(FORMAT_NAMES)))
        .default(['csv'], 'csv'),
    },
    {
      group: 'files',
      option: new commander.Option(
        '--layout <name>',
        'Parquet: lists (bid_price … as lists), wide (a column a level, as in CSV) or long (a row a level)',
      )
        .choices(['lists', 'wide', 'long'])
        .default('lists'),
    },
    {
      group: 'files',
      option: new commander.Option('--decimals', 'Parquet: prices and quantities as exact decimals instead of doubles'),
    },
    {
      group: 'files',
      option: new commander.Option(
        '--metrics',
        'write metrics/PAIR/ too: spread, imbalance, liquidity, impact … a row a boundary, from the whole book',
      ),
    },
    {
      group: 'files',
      option: new commander.Option('--metrics-only', 'write metrics, but no books').conflicts([
        'depths',
        'quality',
        'layout',
        'decimals',
      ]),
    },
    {
      group: 'files',
      option: new commander.Option(
        '--impact <list>',
        'metrics: amounts, in the quote currency, to say the price impact of',
      )
        .argParser(listOf(parseAmount))
        .default(PLAN_DEFAULTS.impacts, '10000,100000'),
    },
    {
      group: 'where',
      option: sharedOptions.outputDir('outputs go to DEPTH/PAIR/ below it, records to conversions.jsonl'),
    },
    {
      group: 'where',
      option: new commander.Option(
        '--temp-dir <dir>',
        'where unfinished outputs are staged (default: beside the output, hidden)',
      ).argParser(parseFolder),
    },
    {
      group: 'where',
      option: new commander.Option('--overwrite', 'make all outputs again, also those that exist and are up to date'),
    },
    {
      group: 'how',
      option: new commander.Option('--workers <n>', 'archives converted at a time; 1 runs in the main thread')
        .argParser(parseWorkers)
        .default(os.availableParallelism(), 'CPU cores available'),
    },
    {
      group: 'how',
      option: new commander.Option(
        '--inflate <program>',
        'what unpacks zip members: our kernel, or Node’s zlib, slower, for those who distrust it',
      )
        .choices(['kernel', 'node'])
        .default('kernel'),
    },
    {
      group: 'how',
      option: new commander.Option(
        '--dry-run',
        'print what would be made and what is skipped, and why; convert nothing',
      ),
    },
    { group: 'how', option: sharedOptions.json() },
    {
      group: 'more',
      option: new commander.Option(
        '--test',
        'convert two sample archives into test_output/, check the result, say PASS or FAIL',
      ),
    },
  ];
}

const EXAMPLES = `
Examples:
  bookgrid --source-dir archives --output-dir snapshots
      every archive below archives/, on all cores; run it again to go on after a stop, or to make
      again what has become stale, since its archive or an option has changed
  bookgrid 2025-01-15_BTCUSDT_ob500.data.zip --output-dir . --interval 1s --depths 50
      one archive, a row a second, 50 levels a side
  bookgrid --source-dir archives --symbols BTCUSDT --from 2025-01-01 --to 2025-01-31 --dry-run
      what a run would do

Other commands:
  bookgrid status --output-dir snapshots
      what is there by pair and month: days done, missing, stale, failed (bookgrid status --help)
  bookgrid join --symbol BTCUSDT --output-dir snapshots
      one file of all days of a pair (bookgrid join --help)

Row T holds the book after every message with ts <= T, and none after: no look-ahead.

Exit status: 0 all converted or skipped, 1 some archive failed, 2 wrong usage or nothing to do,
130 after Ctrl+C (a second one ends it at once), 143 after SIGTERM, 129 after SIGHUP, 141 when\nnobody reads the output any more.`;

/** A command without options yet, whose help and errors look as those of all commands do. */
export function newCommand(name: string): commander.Command {
  return new commander.Command(name)
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'bookgrid: ')) })
    .showHelpAfterError(`Try ${name} --help.`)
    .exitOverride();
}

/** The command line of `bookgrid [convert]` as commander knows it. */
export function buildCommand(): commander.Command {
  const command = newCommand('bookgrid')
    .usage('[convert] [ARCHIVE…] [options]')
    .description(
      'Turns Bybit order book archives (.zip, .gz, .data: one full book, then every change)\n' +
        'into order book snapshots on a regular time grid, as CSV or Parquet.',
    )
    .argument('[ARCHIVE...]', 'archives to convert; none: all below --source-dir')
    .addHelpText('after', EXAMPLES);
  for (const { group, option } of optionTable()) command.addOption(option.helpGroup(GROUPS[group]));
  return command
    .optionsGroup(GROUPS.more)
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help');
}

/**
 * Reads the command line of `bookgrid [convert]`.
 *
 * @param argv what the user wrote after the program's name and the command's.
 * @throws CommanderError when commander has already printed (help, version, a wrong option); `exitCode` 0 for the former.
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseCommandLine(argv: string[]): ConvertOptions {
  const command = buildCommand();
  command.parse(argv, { from: 'user' });
  const given = command.opts<GivenOptions>();
  const isGiven = (name: keyof GivenOptions) => command.getOptionValueSource(name) === 'cli';
  checkCombinations(command.args, given, isGiven);
  const { interval, inflate, format, impact, includeFormattedTimestamp = false, compat = 'none', ...rest } = given;
  const { overwrite = false, dryRun = false, json = false, test = false } = given;
  const { quality = false, decimals = false, metrics = false, metricsOnly = false } = given;
  const { formattedTimestamp: _, metricsOnly: __, ...named } = rest;
  return {
    ...named,
    archives: command.args,
    intervalMs: interval,
    inflater: inflate,
    formattedTimestamp: includeFormattedTimestamp,
    formats: format,
    quality,
    decimals,
    books: !metricsOnly,
    metrics: metrics || metricsOnly,
    impacts: impact,
    compat,
    overwrite,
    dryRun,
    json,
    test,
  };
}

/** Options whose property is named and typed as commander has it. */
type NamedLikeFlag =
  | 'sourceDir'
  | 'outputDir'
  | 'tempDir'
  | 'symbols'
  | 'from'
  | 'to'
  | 'depths'
  | 'onGap'
  | 'onBadLine'
  | 'layout'
  | 'workers';

/** What commander makes of the options: named after the flags, those without a default absent when not given. */
interface GivenOptions extends Pick<ConvertOptions, NamedLikeFlag> {
  interval: number;
  inflate: ConvertOptions['inflater'];
  compat?: 'python';
  includeFormattedTimestamp?: true;
  /** The other half of the pair, `--no-formatted-timestamp`; says nothing that the first does not. */
  formattedTimestamp: boolean;
  format: Format[];
  quality?: true;
  decimals?: true;
  metrics?: true;
  metricsOnly?: true;
  impact: readonly number[];
  overwrite?: true;
  dryRun?: true;
  json?: true;
  test?: true;
}

function checkCombinations(
  archives: string[],
  options: GivenOptions,
  isGiven: (name: keyof GivenOptions) => boolean,
): void {
  if (options.compat === 'python') {
    if (formatInterval(options.interval) !== '1m') {
      throw new UsageError('--compat python writes one-minute rows only: leave --interval out');
    }
    if (isGiven('onGap')) {
      throw new UsageError('--compat python has no row for a quiet minute, whatever --on-gap says: leave it out');
    }
    if (options.format.join() !== 'csv' || options.quality || options.metrics || options.metricsOnly) {
      throw new UsageError(
        '--compat python writes CSV as the scripts did: leave --format, --quality and --metrics out',
      );
    }
  }
  if (!options.format.includes('parquet') && (isGiven('layout') || isGiven('decimals'))) {
    throw new UsageError('--layout and --decimals are for Parquet: add --format parquet');
  }
  if (isGiven('impact') && !options.metrics && !options.metricsOnly) {
    throw new UsageError('--impact is for metrics: add --metrics');
  }
  checkDays(options);
  if (archives.length > 0 && isGiven('sourceDir')) {
    throw new UsageError('give ARCHIVE arguments or --source-dir, not both');
  }
  if (options.test) {
    const names = Object.keys(options) as (keyof GivenOptions)[];
    const foreign = names.filter((name) => isGiven(name) && name !== 'test' && name !== 'workers');
    if (foreign.length > 0 || archives.length > 0) {
      throw new UsageError('--test converts its own samples into test_output/ and takes no option but --workers');
    }
  }
}

/** Turns an error of a parser into commander's, which names the option and what was given. */
function rethrow<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new commander.InvalidArgumentError((error as Error).message);
    }
  };
}

function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => [...new Set(text.split(',').map((item) => parse(item.trim())))].sort(inOrder);
}

function inOrder<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function parseFolder(text: string): string {
  if (text === '') throw new commander.InvalidArgumentError('Expected a folder. Is a shell variable empty?');
  return text;
}

export function parsePair(text: string): string {
  if (!isPair(text)) throw new commander.InvalidArgumentError('Expected pairs such as BTCUSDT,ETHUSDT.');
  return text;
}

function parseDate(text: string): string {
  if (!isDate(text)) throw new commander.InvalidArgumentError('Expected a day of the calendar as YYYY-MM-DD.');
  return text;
}

export function parseDepth(text: string): number {
  return parseWhole(text, MAX_DEPTH, 'depths');
}

function parseAmount(text: string): number {
  return parseWhole(text, 999_999_999_999, 'amounts');
}

export function oneOf<T extends string>(choices: T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new commander.InvalidArgumentError(`Expected some of ${choices.join(', ')}.`);
    return found;
  };
}

function parseWorkers(text: string): number {
  return parseWhole(text, MAX_WORKERS, 'a number of workers');
}

function parseWhole(text: string, max: number, what: string): number {
  const value = Number(text);
  if (!/^\d{1,12}$/.test(text) || value < 1 || value > max) {
    throw new commander.InvalidArgumentError(`Expected ${what} from 1 to ${max}.`);
  }
  return value;
}

export const { CommanderError } = commander;
