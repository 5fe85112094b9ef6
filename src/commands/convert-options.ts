// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { UsageError } from '../base/usage-error.js';
import { VERSION } from '../base/version.js';
import { MAX_DEPTH } from '../catalog/archive-name.js';
import type { MarketChoice } from '../catalog/market.js';
import { PARTITIONS } from '../catalog/partition.js';
import { listOf, oneOf, parseFolder, parseWhole, rethrow } from '../console/option-values.js';
import { parseShard } from '../console/shard-option.js';
import { addS3Options, MORE, newCommand, sharedOptions, takeS3Options } from '../console/shared-options.js';
import type { Wording } from '../convert/conflicts.js';
import { ORDERS, type Order } from '../convert/job-queue.js';
import { MAX_BAND_BPS } from '../convert/option-checks.js';
import { OPTION_DEFAULTS, type ResolvedOptions, resolveOptions } from '../convert/options.js';
import type { Shard } from '../convert/shard.js';
import { FORMAT_NAMES, type Format } from '../output/formats.js';
import { s3Settings } from '../storage/s3/settings.js';

/** The command line of `bookgrid [convert]`, read and checked. */
export interface ConvertOptions {
  /** Archives given one by one; empty: all of `sourceDir`. */
  archives: string[];
  sourceDir: string;
  /** What to make. */
  what: ResolvedOptions;
  /** Which archives come first. */
  order: Order;
  /** `undefined`: as many as the machine, or the container, has room for. */
  workers: number | undefined;
  /** How long a read of an archive may take, in ms; 0: as long as it takes. */
  stallTimeoutMs: number;
  /** The part of the plan that is carried out; absent: all of it. */
  shard: Shard | undefined;
  dryRun: boolean;
  json: boolean;
  test: boolean;
}

/** What the command line calls the options of a conversion. */
const FLAGS: Readonly<Record<keyof ResolvedOptions, string>> = {
  intervalMs: '--interval',
  onGap: '--on-gap',
  onBadLine: '--on-bad-line',
  compat: '--compat',
  formattedTimestamp: '--include-formatted-timestamp',
  quality: '--quality',
  layout: '--layout',
  decimals: '--decimals',
  imbalanceLevels: '--imbalance',
  bandsBps: '--bands',
  compression: '--compression',
  impacts: '--impact',
  partition: '--partition',
  inflater: '--inflate',
  outputDir: '--output-dir',
  s3: '--s3-endpoint',
  tempDir: '--temp-dir',
  formats: '--format',
  books: '--metrics-only',
  metrics: '--metrics',
  depths: '--depths',
  markets: '--market',
  symbols: '--symbols',
  from: '--from',
  to: '--to',
  overwrite: '--overwrite',
  onStale: '--on-stale',
};

/** Says an option of a conflict as the command line does: `--on-gap skip`, `without --quality`. */
export const CONFLICT_WORDING: Wording = {
  say(option, value) {
    if (option === 'labels') return value === 'python' ? '--compat python' : 'without --compat';
    const flag = FLAGS[option as keyof ResolvedOptions] ?? option;
    if (value === false || value === 'none') return `without ${flag}`;
    return value === true ? `with ${flag}` : `with ${flag} ${value}`;
  },
  remake: '--on-stale remake',
  keep: '--on-stale keep',
};

const MAX_WORKERS = 1024;

/**
 * Every option in one table, under the headings of the help: parsing and help come from it. Commander names the
 * properties after the long flags.
 */
function optionTable(): Record<string, commander.Option[]> {
  return {
    'What to convert:': [
      sharedOptions.sourceDir(
        'Folder below which archives are found by their names. For single archives give ARCHIVE instead.',
      ),
      sharedOptions.market(
        'Only these markets, as folders named so tell: linear, inverse, spot, or none for archives in no such folder. For an ' +
          'ARCHIVE whose path does not tell, it does.',
      ),
      sharedOptions.symbols(),
      sharedOptions.from(),
      sharedOptions.to(),
    ],
    'What the rows hold:': [
      sharedOptions.depths(
        'Levels a side, an output each: 50,200. Use it when you need fewer levels than there are. (default: 200,500, ' +
          'or a shallower source’s own)',
      ),
      sharedOptions.interval(
        'Time from row to row: 100ms, 1s, 5m, 1h, 1d or any other that divides a day. 1s gives 60 times the rows of 1m.',
      ),
      new commander.Option(
        '--on-gap <mode>',
        'What becomes of an interval without a message: fill repeats the book, since no message means no change ' +
          '(unless messages are missing, which shows only at the next one); skip writes no row. Use skip when only rows with news count.',
      )
        .choices(['fill', 'skip'])
        .default('fill'),
      new commander.Option(
        '--include-formatted-timestamp',
        'Put a column timestamp_formatted first in CSV, for people who read the file: 2025-01-15T00:01:00.0000 (UTC).',
      ).conflicts('formattedTimestamp'),
      new commander.Option('--no-formatted-timestamp', 'Write no such column (default).'),
      new commander.Option(
        '--compat <program>',
        'python labels rows as the old Python scripts did. WARNING: their rows look ahead by over a minute. Use it ' +
          'only to extend their data sets, byte for byte.',
      ).choices(['python']),
      new commander.Option(
        '--on-bad-line <mode>',
        'What becomes of a line that cannot be read: fail its archive, or skip and count it. Use skip when a ' +
          'damaged day is better than none.',
      )
        .choices(['fail', 'skip'])
        .default('fail'),
      new commander.Option(
        '--quality',
        'Add columns that say how far a row can be trusted: book_ts, age_ms, is_filled, is_suspect, ' +
          'is_crossed, is_thin, is_partial. Use it when a gap must not pass for a quiet market.',
      ),
    ],
    'What the files are:': [
      new commander.Option(
        '--format <list>',
        'csv, csv.gz, parquet, or several: csv,parquet, all from one pass over the archive. Use parquet for pandas, ' +
          'polars and DuckDB: its columns have types, and it is a fifth of the size.',
      )
        .argParser(listOf(oneOf(FORMAT_NAMES)))
        .default(['csv'], 'csv'),
      new commander.Option(
        '--layout <name>',
        'How Parquet holds levels. lists, bid_price … as lists, is the smallest. Use wide, a column a level, where ' +
          'the columns of the CSV are expected, and long, a row a level, for SQL.',
      )
        .choices(['lists', 'wide', 'long'])
        .default('lists'),
      new commander.Option(
        '--decimals',
        'Write prices and quantities in Parquet as exact decimals. Use it when the nearest double is not enough.',
      ),
      new commander.Option(
        '--compression <name>',
        'How Parquet is compressed. auto takes zstd, the smaller, where Node.js has it (22.15 and later), and snappy ' +
          'where not. Use snappy when an old reader, or a Node.js of another version, works on the same files.',
      )
        .choices(['auto', 'snappy', 'zstd'])
        .default('auto'),
      new commander.Option(
        '--metrics',
        'Write metrics/SYMBOL/ too, a row a boundary: spread, imbalance, liquidity, impact … Use it when you would ' +
          'compute them from the books anyway.',
      ),
      new commander.Option('--metrics-only', 'Write metrics, but no books. Use it when you need no levels.').conflicts([
        'depths',
        'quality',
        'layout',
        'decimals',
      ]),
      new commander.Option(
        '--imbalance <list>',
        'Levels a side whose imbalance the metrics have. Use it for signals from deeper or fewer levels.',
      )
        .argParser(listOf(parseLevels))
        .default(OPTION_DEFAULTS.imbalanceLevels, '1,5,10,50'),
      new commander.Option(
        '--bands <list>',
        'Distances from mid in bps, within which the metrics sum quantity. Use it for pairs that are wider or tighter.',
      )
        .argParser(listOf(parseBand))
        .default(OPTION_DEFAULTS.bandsBps, '5,10,25,50,100'),
      new commander.Option(
        '--impact <list>',
        'Amounts in the quote currency whose price impact the metrics have. Use it for the sizes that you trade.',
      )
        .argParser(listOf(parseAmount))
        .default(OPTION_DEFAULTS.impacts, '10000,100000'),
    ],
    'Where outputs go:': [
      sharedOptions.outputDir(
        'Outputs go to DEPTH/SYMBOL/ below this folder, those of a market to MARKET/DEPTH/SYMBOL/, records to conversions.jsonl.',
      ),
      new commander.Option(
        '--partition <scheme>',
        'hive names folders symbol=BTCUSDT/date=2025-01-15/ instead of BTCUSDT/, and leaves the column symbol out of ' +
          'Parquet. Use it for engines that take columns from folders and read only those that a query asks for.',
      )
        .choices(PARTITIONS)
        .default('none'),
      new commander.Option(
        '--temp-dir <dir>',
        'Folder of unfinished outputs. Use it when the output folder is slow or watched by other programs. ' +
          '(default: beside the output, hidden)',
      ).argParser(parseFolder),
      new commander.Option(
        '--on-stale <mode>',
        'What becomes of outputs that were made with other options, or by the Python scripts: refuse converts nothing ' +
          'and says which; keep leaves them as they are; remake makes them again.',
      )
        .choices(['refuse', 'keep', 'remake'])
        .default('refuse'),
      new commander.Option(
        '--overwrite',
        'Make all outputs again, also those that are up to date. Use it when you do not trust what is there.',
      ),
    ],
    'How it runs:': [
      new commander.Option(
        '--workers <n>',
        'Archives converted at a time. Use fewer to leave cores and memory to others; 1 runs in the main thread. ' +
          '(default: CPU cores available, of which a container may have a part; fewer where its memory holds no more)',
      ).argParser(parseWorkers),
      new commander.Option(
        '--order <order>',
        'Which archives come first: the largest, so that the end is not one long straggler, or those of the newest or ' +
          'oldest days. Use newest when you want to work with the last days while the others are made.',
      )
        .choices(ORDERS)
        .default('largest'),
      new commander.Option(
        '--shard <k/n>',
        'Convert only the k-th of n parts of about the same size, as 3/16, so that n machines share the work. auto takes it from ' +
          'Slurm or AWS Batch, auto/16 from Kubernetes too.',
      ).argParser(rethrow((text) => parseShard(text, process.env))),
      sharedOptions.stallTimeout(),
      new commander.Option(
        '--inflate <program>',
        'What unpacks zip members: bookgrid’s own kernel, or Node’s zlib, which is slower. Use node to check the ' +
          'one by the other.',
      )
        .choices(['kernel', 'node'])
        .default('kernel'),
      new commander.Option(
        '--dry-run',
        'Print what would be made and what is skipped, and why, and convert nothing. Use it before a long run.',
      ),
      sharedOptions.json(),
    ],
    [MORE]: [
      new commander.Option(
        '--test',
        'Convert two sample archives into test_output/, check every byte, say PASS or FAIL. Use it to see that all works.',
      ),
    ],
  };
}

const EXAMPLES = `
Examples:
  bookgrid --source-dir archives --output-dir snapshots
      Converts every archive below archives/, on all cores. Run it again to go on after a stop, or
      to make again what has become stale, since its archive or the format has changed.
  bookgrid 2025-01-15_BTCUSDT_ob500.data.zip --output-dir . --interval 1s --depths 50
      Converts one archive, with a row a second and 50 levels a side.
  bookgrid --source-dir archives --symbols BTCUSDT --from 2025-01-01 --to 2025-01-31 --dry-run
      Says what a run would do.
  bookgrid status --output-dir snapshots
      Shows what came of all runs, by symbol and month.
  bookgrid join --symbols BTCUSDT --output-dir snapshots
      Makes one file of all days of a symbol.

Row T holds the book after every message with ts <= T, and none after: no look-ahead.

Exit status: 0 all converted or skipped, 1 some archive failed, 2 wrong usage or nothing to do,
130 after Ctrl+C (a second one ends it at once), 143 after SIGTERM, 129 after SIGHUP, 141 when
nobody reads the output any more, 137 when a disk that does not answer held the process.`;

/**
 * The command line of `bookgrid [convert]` as commander knows it.
 *
 * @param commands lines that name all commands, since this help is that of the program, too.
 */
export function buildConvertCommand(commands: readonly string[] = []): commander.Command {
  const command = newCommand('bookgrid')
    .usage('[COMMAND] [ARCHIVE…] [options]')
    .description(
      [
        'Turns Bybit order book archives (.zip, .gz, .data: one full book, then every change)',
        'into order book snapshots on a regular time grid, as CSV or Parquet.',
        ...(commands.length > 0
          ? [
              '',
              'Commands:',
              ...commands,
              '',
              'The options below are those of convert. For those of another command: bookgrid status --help.',
            ]
          : []),
      ].join('\n'),
    )
    .argument('[ARCHIVE...]', 'Archives to convert. Without any: all below --source-dir.')
    .addHelpText('after', EXAMPLES);
  addConvertOptions(command);
  return command.optionsGroup(MORE).version(VERSION, '-V, --version', 'Print the version.');
}

/**
 * Gives a command the options of `convert`.
 *
 * @param without long flags of those that have no meaning there.
 */
export function addConvertOptions(command: commander.Command, without: readonly string[] = []): void {
  for (const [heading, options] of Object.entries(optionTable())) {
    for (const option of options) {
      if (!without.includes(option.long ?? '')) command.addOption(option.helpGroup(heading));
    }
  }
  addS3Options(command);
}

/**
 * Reads the command line of `bookgrid [convert]`.
 *
 * @param argv what the user wrote after the program's name and the command's.
 * @param commands for the help, see {@link buildConvertCommand}.
 * @throws CommanderError when commander has already printed (help, version, a wrong option); `exitCode` 0 for the former.
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseConvertLine(argv: string[], commands: readonly string[]): ConvertOptions {
  const command = buildConvertCommand(commands);
  command.parse(argv, { from: 'user' });
  return readConvertLine(command);
}

/**
 * Reads what commander has parsed by {@link addConvertOptions}.
 *
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function readConvertLine(command: commander.Command): ConvertOptions {
  takeS3Options(command);
  const given = command.opts<GivenOptions>();
  const isGiven = (name: keyof GivenOptions) => command.getOptionValueSource(name) === 'cli';
  checkCombinations(command.args, given, isGiven);
  const {
    sourceDir,
    order,
    workers,
    stallTimeout: stallTimeoutMs,
    shard,
    dryRun = false,
    json = false,
    test = false,
    interval,
    inflate,
    format,
    imbalance,
    bands,
    impact,
  } = given;
  const { includeFormattedTimestamp, formattedTimestamp: _, metrics, metricsOnly = false, ...named } = given;
  const { outputDir, tempDir, market, symbols, from, to, depths, onGap, onBadLine, compat, layout } = named;
  const { quality, decimals, compression, partition, overwrite, onStale } = named;
  const what = resolveOptions(
    {
      markets: market,
      ...{ outputDir, tempDir, symbols, from, to, depths, onGap, onBadLine, compat, layout },
      ...{ quality, decimals, compression, partition, overwrite, onStale },
      intervalMs: interval,
      inflater: inflate,
      formattedTimestamp: includeFormattedTimestamp,
      formats: format,
      books: !metricsOnly,
      metrics: metrics || metricsOnly,
      imbalanceLevels: imbalance,
      bandsBps: bands,
      impacts: impact,
      s3: s3Settings(),
    },
    (name) => FLAGS[name],
  );
  return { archives: command.args, sourceDir, what, order, workers, stallTimeoutMs, shard, dryRun, json, test };
}

/** What commander makes of the options: named after the flags, those without a default absent when not given. */
interface GivenOptions {
  sourceDir: string;
  outputDir: string;
  tempDir?: string;
  market?: MarketChoice[];
  symbols?: string[];
  from?: string;
  to?: string;
  depths?: number[];
  interval: number;
  onGap: ResolvedOptions['onGap'];
  onBadLine: ResolvedOptions['onBadLine'];
  compat?: 'python';
  includeFormattedTimestamp?: true;
  /** The other half of the pair, `--no-formatted-timestamp`; says nothing that the first does not. */
  formattedTimestamp: boolean;
  quality?: true;
  format: Format[];
  layout: ResolvedOptions['layout'];
  decimals?: true;
  compression: ResolvedOptions['compression'];
  metrics?: true;
  metricsOnly?: true;
  imbalance: readonly number[];
  bands: readonly number[];
  impact: readonly number[];
  partition: ResolvedOptions['partition'];
  overwrite?: true;
  onStale: ResolvedOptions['onStale'];
  order: Order;
  workers?: number;
  stallTimeout: number;
  shard?: Shard;
  inflate: ResolvedOptions['inflater'];
  dryRun?: true;
  json?: true;
  test?: true;
}

/** What only a command line can get wrong: options that were given and have no effect, or stand against each other. */
function checkCombinations(
  archives: string[],
  options: GivenOptions,
  isGiven: (name: keyof GivenOptions) => boolean,
): void {
  if (options.compat === 'python' && isGiven('onGap')) {
    throw new UsageError('--compat python has no row for a quiet minute, whatever --on-gap says: leave it out');
  }
  if (
    options.compat !== 'python' &&
    !options.format.includes('parquet') &&
    (isGiven('layout') || isGiven('decimals') || isGiven('compression'))
  ) {
    throw new UsageError('--layout, --decimals and --compression are for Parquet: add --format parquet');
  }
  const forMetrics = (['imbalance', 'bands', 'impact'] as const).find(isGiven);
  if (forMetrics && !options.metrics && !options.metricsOnly) {
    throw new UsageError(`--${forMetrics} is for metrics: add --metrics`);
  }
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

function parseLevels(text: string): number {
  return parseWhole(text, MAX_DEPTH, 'numbers of levels');
}

function parseBand(text: string): number {
  return parseWhole(text, MAX_BAND_BPS, 'bands in bps');
}

function parseAmount(text: string): number {
  return parseWhole(text, 999_999_999_999, 'amounts');
}

function parseWorkers(text: string): number {
  return parseWhole(text, MAX_WORKERS, 'a number of workers');
}
