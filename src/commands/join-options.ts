// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { UsageError } from '../base/usage-error.js';
import type { MarketChoice } from '../catalog/market.js';
import { listOf, oneOf, parseDepth, parseSymbol } from '../console/option-values.js';
import { addS3Options, checkDays, newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { FORMAT_NAMES, type Format } from '../output/formats.js';

/** The command line of `bookgrid join`, read and checked. Each symbol and market gives a file, of books each depth. */
export interface JoinOptions {
  symbols: string[];
  /** A file each; empty: the only one there is. */
  markets: MarketChoice[];
  from?: string;
  to?: string;
  outputDir: string;
  /** Empty: the only depth there is. */
  depths: number[];
  intervalMs: number;
  /** Absent: the only format there is. */
  format?: Format;
  /** Metrics instead of books. */
  metrics: boolean;
  /** Where the file goes when it is only one; absent: into the current folder. */
  output?: string;
  overwrite: boolean;
  strict: boolean;
  json: boolean;
}

const EXPLANATION = `
Rows are copied as they are. Days whose columns differ, and a row that is there twice, of another day,
or between boundaries, are errors: that file is not written, and the exit status is 1.

Boundaries without a row are listed on standard error, the first 20 stretches of them, and the file is
written all the same, since Bybit may have no archive of a day; with --strict that is an error too.
The grid is every boundary in (--from 00:00, --to + 1 day 00:00]: midnight belongs to the day before.
Without --from and --to it is that of the first to the last day there is.

Examples:
  bookgrid join --symbols BTCUSDT --from 2025-01-01 --to 2025-01-31 --output-dir snapshots
      Writes BTCUSDT_2025-01-01_2025-01-31_ob200_1m.csv into the current folder.
  bookgrid join --symbols BTCUSDT,ETHUSDT --depths 200,500 --output-dir snapshots
      Writes four files, of two symbols and two depths.

Exit status: 0 all written, 1 some file not written, 2 wrong usage or nothing to join, 130 after Ctrl+C.`;

/** The command line of `bookgrid join` as commander knows it. */
export function buildJoinCommand(): commander.Command {
  const command = newCommand('bookgrid join')
    .usage('--symbols LIST [options]')
    .description('Joins the days of a symbol, as convert wrote them, into one file, and says which are missing.')
    .addOption(sharedOptions.symbols('Symbols whose days are joined, a file each: BTCUSDT,ETHUSDT.'))
    .addOption(earlierName('--symbol <list>', 'symbols').argParser(listOf(parseSymbol)))
    .addOption(
      sharedOptions.market(
        'Markets of the days, a file each: linear, inverse, spot, or none for days in no folder of a market. (default: the ' +
          'only one there is)',
      ),
    )
    .addOption(sharedOptions.from())
    .addOption(sharedOptions.to())
    .addOption(sharedOptions.outputDir('Folder that convert wrote the days to.'))
    .addOption(
      sharedOptions.depths('Levels a side of the days, a file each: 200,500. (default: the only depth there is)'),
    )
    .addOption(earlierName('--depth <list>', 'depths').argParser(listOf(parseDepth)))
    .addOption(sharedOptions.interval('Time from row to row of the days.'))
    .option(
      '--format <name>',
      'Format of the days: csv, csv.gz or parquet. (default: the only one there is)',
      oneOf(FORMAT_NAMES),
    )
    .option('--metrics', 'Join metrics instead of books.')
    .option(
      '--output <file>',
      'File to write, when it is only one. (default: in the current folder, named after what is in it)',
    )
    .option('--overwrite', 'Replace files that exist.')
    .option('--strict', 'Write no file when a boundary has no row. Use it when a hole would go unseen.')
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

/** An option under the name that it had, so that old command lines go on working. */
function earlierName(flags: string, name: string): commander.Option {
  return new commander.Option(flags).hideHelp().conflicts(name);
}

/** What commander makes of the options: those without a default absent when not given. */
interface GivenOptions extends Pick<JoinOptions, 'from' | 'to' | 'outputDir' | 'format' | 'output'> {
  symbols?: string[];
  symbol?: string[];
  market?: MarketChoice[];
  depths?: number[];
  depth?: number[];
  interval: number;
  metrics?: true;
  overwrite?: true;
  strict?: true;
  json?: true;
}

/**
 * Reads the command line of `bookgrid join`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseJoinLine(argv: string[]): JoinOptions {
  const command: commander.Command = buildJoinCommand();
  const { symbol, market: markets = [], depth, interval, ...given } = parseOptions<GivenOptions>(command, argv);
  const { symbols = symbol, depths = depth ?? [] } = given;
  const { metrics = false, overwrite = false, strict = false, json = false } = given;
  if (!symbols) command.error("error: required option '--symbols <list>' not specified");
  const options = { ...given, symbols, markets, depths, intervalMs: interval, metrics, overwrite, strict, json };
  checkCombinations(options);
  return options;
}

function checkCombinations(options: JoinOptions): void {
  const { symbols, markets, depths, metrics, output } = options;
  checkDays(options);
  if (metrics && depths.length > 0) {
    throw new UsageError('--depths is of books, and metrics are of the whole book: leave --depths or --metrics out');
  }
  const files = symbols.length * Math.max(markets.length, 1) * Math.max(depths.length, 1);
  if (output !== undefined && files > 1) {
    throw new UsageError(
      `--output names one file, and --symbols, --market and --depths ask for ${files}: leave --output out, or ask for one`,
    );
  }
}
