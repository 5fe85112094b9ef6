/** What the command lines of several commands have in common. */

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { parseInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { MARKET_CHOICES } from '../catalog/market.js';
import { useS3 } from '../storage/s3/settings.js';
import {
  listOf,
  oneOf,
  parseDate,
  parseDepth,
  parseFolder,
  parseSymbol,
  parseTimeLimit,
  rethrow,
} from './option-values.js';

export const { CommanderError } = commander;

const DEFAULT_ROOT = '/volumes/Data01/FinancialData/Bybit';

/** The heading, in a help, of what every command has. */
export const MORE = 'More:';

/** A command without options yet, whose help and errors look as those of all commands do. */
export function newCommand(name: string): commander.Command {
  const command = new commander.Command(name);
  return command
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      outputError: (text, write) => write(`${text.replace(/^error: /, 'bookgrid: ')}${suggestLonger(text, command)}`),
    })
    .addHelpOption(new commander.Option('-h, --help', 'Print this help.').helpGroup(MORE))
    .showHelpAfterError(`Try ${name} --help.`)
    .exitOverride();
}

/** Says, where commander does not, which options begin as an unknown one does: `--output`, `-output-dir`. */
function suggestLonger(message: string, { options }: commander.Command): string {
  const [, given] = /^error: unknown option '-+([^'=]+)[^']*'\n$/.exec(message) ?? [];
  const longer = options.filter(({ long, hidden }) => given && !hidden && long?.startsWith(`--${given}`));
  return longer.length > 0 ? `(Did you mean ${longer.map(({ long }) => long).join(' or ')}?)\n` : '';
}

/**
 * Reads a command line that has options only.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 */
export function parseOptions<T extends commander.OptionValues>(command: commander.Command, argv: string[]): T {
  command.allowExcessArguments().parse(argv, { from: 'user' });
  takeS3Options(command);
  const [word] = command.args;
  if (word !== undefined) {
    command.error(`error: too many arguments. ${command.name()} takes options only, such as --symbols ${word}.`);
  }
  return command.opts<T>();
}

/** The options of a command that reads or writes data: where S3 is. */
export function addS3Options(command: commander.Command): commander.Command {
  const heading = 'Data in S3 (s3://BUCKET/PREFIX as a folder, credentials as the AWS CLI finds them):';
  const options = [
    new commander.Option('--s3-endpoint <url>', 'Server that is not Amazon’s: http://127.0.0.1:9000.').env(
      'AWS_ENDPOINT_URL_S3',
    ),
    new commander.Option('--s3-region <name>', 'Region of the bucket. (default: AWS_REGION, or that of the profile)'),
    new commander.Option(
      '--s3-path-style',
      'Name the bucket in the path of URLs. Use it for servers that have no host name a bucket, such as MinIO.',
    ),
  ];
  for (const option of options) command.addOption(option.helpGroup(heading));
  return command;
}

/** Lets `s3://` paths be looked for where the options say. @throws {@link UsageError} for an endpoint that is none. */
export function takeS3Options(command: commander.Command): void {
  const { s3Endpoint, s3Region, s3PathStyle } = command.opts<{
    s3Endpoint?: string;
    s3Region?: string;
    s3PathStyle?: true;
  }>();
  try {
    useS3({ endpoint: s3Endpoint, region: s3Region, pathStyle: s3PathStyle });
  } catch (error) {
    throw new UsageError(`--s3-endpoint: ${(error as Error).message}`);
  }
}

/** Options of several commands. What a command does with one it says for itself. */
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
  market: (description = 'Only these markets: linear, inverse, spot, or none for what is in no folder of a market.') =>
    new commander.Option('--market <list>', description).argParser(listOf(oneOf(MARKET_CHOICES))),
  symbols: (description = 'Only these symbols, separated by commas: BTCUSDT,ETHUSDT.') =>
    new commander.Option('--symbols <list>', description).argParser(listOf(parseSymbol)),
  from: () => new commander.Option('--from <date>', 'The first day wanted, YYYY-MM-DD (UTC).').argParser(parseDate),
  to: () => new commander.Option('--to <date>', 'The last day wanted, YYYY-MM-DD (UTC).').argParser(parseDate),
  depths: (description: string) => new commander.Option('--depths <list>', description).argParser(listOf(parseDepth)),
  interval: (description: string) =>
    new commander.Option('--interval <time>', description).argParser(rethrow(parseInterval)).default(60_000, '1m'),
  stallTimeout: () =>
    new commander.Option(
      '--stall-timeout <time>',
      'How long to wait for the next bytes of an archive, before it is an ERROR and the others go on: 30s, 10m; 0 waits ' +
        'for ever. Use a longer time where archives come from tape.',
    )
      .argParser(parseTimeLimit)
      .default(600_000, '10m'),
  json: () => new commander.Option('--json', 'Print one JSON object a line on standard output, for programs.'),
};

/** @throws {@link UsageError} when the first day wanted is after the last. */
export function checkDays({ from, to }: { from?: string; to?: string }): void {
  if (from !== undefined && to !== undefined && from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
}
