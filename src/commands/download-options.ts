// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { DAY_MS, toDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { MARKETS, type MarketName, parseMarket } from '../catalog/market.js';
import { parseWhole } from '../console/option-values.js';
import { addS3Options, checkDays, newCommand, sharedOptions, takeS3Options } from '../console/shared-options.js';
import { BASE_URL, DEFAULT_CONNECTIONS, LIST_URL, MAX_CONNECTIONS } from '../download/sources.js';
import { type S3Settings, s3Settings, useS3 } from '../storage/s3/settings.js';
import { type ConvertOptions, parseConvertLine } from './convert-options.js';

/** The command line of `bookgrid download`, read and checked. */
export type DownloadLine = { sourceDir: string; json: boolean } & (
  | { action: 'check'; market?: MarketName; symbols?: string[]; from?: string; to?: string }
  | {
      action: 'download';
      market: MarketName;
      symbols: string[];
      from: string;
      to: string;
      dryRun: boolean;
      baseUrl: string;
      isPublisher: boolean;
      listUrl: string | undefined;
      connections: number;
      tries: number;
      timeoutMs: number;
      /** Absent: nothing is converted. */
      convert?: ConvertOptions;
      deletesAfter: boolean;
    }
);

const MARKET = 'linear';
const MAX_TRIES = 100;
const MAX_TIMEOUT_SECONDS = 3600;

const EXPLANATION = `
Files go to MARKET/DEPTH/SYMBOL/ below --source-dir, where convert finds them. A file appears when
its length, the structure of the zip, the CRC-32 of its content, and symbol, depth and day of its
messages have been found right. After a stop the same command goes on, from the byte that had come.

With --convert, all options of convert can be given as well (bookgrid help convert). Each archive is
converted as soon as it is there.

The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name is used.

Examples:
  bookgrid download --symbols BTCUSDT,ETHUSDT --from 2025-08-01 --to 2025-08-31
  bookgrid download --symbols BTCUSDT --from 2025-08-01 --convert --interval 1s --depths 50
  bookgrid download --check --source-dir archives

Exit status: 0 all that is published is there, 1 a file failed or is damaged, 2 wrong usage or
nothing is published of what was asked for, 130 after Ctrl+C, 143 after SIGTERM.`;

/** The command line of `bookgrid download` as commander knows it. */
export function buildDownloadCommand() {
  const what = 'What to fetch:';
  const how = 'How it runs:';
  const where = 'Where from:';
  const option = (flags: string, description: string) => new commander.Option(flags, description);
  const command = newCommand('bookgrid download')
    .usage('--symbols <list> --from <date> [options] [--convert [options of convert]]')
    .description('Fetches order book archives from Bybit, checks them, and converts them on request.')
    .addOption(sharedOptions.symbols('Symbols, separated by commas: BTCUSDT,ETHUSDT.').helpGroup(what))
    .addOption(sharedOptions.from().helpGroup(what))
    .addOption(
      option('--to <date>', 'The last day wanted, YYYY-MM-DD (UTC). (default: yesterday)')
        .argParser(sharedOptions.to().parseArg ?? String)
        .helpGroup(what),
    )
    .addOption(
      option('--market <name>', `linear, inverse or spot. (default: ${MARKET})`)
        .argParser(parseMarketName)
        .helpGroup(what),
    )
    .addOption(sharedOptions.sourceDir('Folder that archives go to.').helpGroup(what))
    .addOption(
      option(
        '--convert',
        'Convert each archive as soon as it is there. Takes the options of convert, such as --output-dir.',
      ).helpGroup(how),
    )
    .addOption(
      option(
        '--delete-after',
        'With --convert: remove each archive when its outputs are whole and recorded. Use it when the disk is smaller than the history.',
      ).helpGroup(how),
    )
    .addOption(
      option('--check', 'Fetch nothing, and read every archive that is there to see whether it is whole.').helpGroup(
        how,
      ),
    )
    .addOption(
      option(
        '--dry-run',
        'Print what would be fetched, and how many bytes, as far as that is told, and fetch nothing.',
      ).helpGroup(how),
    )
    .addOption(
      option(
        '--connections <n>',
        `Files fetched at a time, at most ${MAX_CONNECTIONS}: more than 3 to 5 are slowed down or cut.`,
      )
        .argParser((text) => parseWhole(text, MAX_CONNECTIONS, 'connections'))
        .default(DEFAULT_CONNECTIONS)
        .helpGroup(how),
    )
    .addOption(
      option('--tries <n>', 'Failures in a row after which a file is given up.')
        .argParser((text) => parseWhole(text, MAX_TRIES, 'a number of tries'))
        .default(5)
        .helpGroup(how),
    )
    .addOption(
      option('--timeout <seconds>', 'How long to wait for an answer, or for a kilobyte for each of these seconds.')
        .argParser((text) => parseWhole(text, MAX_TIMEOUT_SECONDS, 'seconds'))
        .default(30)
        .helpGroup(how),
    )
    .addOption(sharedOptions.json().helpGroup(how))
    .addOption(
      option('--base-url <url>', 'Address of a mirror that has the publisher’s paths, /orderbook/… below it.')
        .argParser(parseUrl)
        .default(BASE_URL)
        .helpGroup(where),
    )
    .addOption(
      option(
        '--list-url <url>',
        'Address of the service that tells names and sizes. Without an answer, days and depths are guessed; none asks nobody.',
      )
        .argParser((text) => (text === 'none' ? text : parseUrl(text)))
        .default(LIST_URL)
        .helpGroup(where),
    )
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

interface GivenOptions {
  symbols?: string[];
  from?: string;
  to?: string;
  market?: MarketName;
  sourceDir: string;
  convert?: true;
  deleteAfter?: true;
  check?: true;
  dryRun?: true;
  connections: number;
  tries: number;
  timeout: number;
  json?: true;
  baseUrl: string;
  listUrl: string;
}

/**
 * Reads the command line of `bookgrid download`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseDownloadLine(argv: string[]): DownloadLine {
  const command = buildDownloadCommand();
  // What it does not know is for convert, which names what it does not know either.
  const convertsAsWell = argv.includes('--convert');
  command.allowUnknownOption(convertsAsWell).allowExcessArguments().parse(argv, { from: 'user' });
  const [word] = command.args;
  if (word !== undefined && !word.startsWith('-')) {
    command.error(`error: too many arguments. bookgrid download takes options only, such as --symbols ${word}.`);
  }
  takeS3Options(command);
  const s3 = s3Settings();
  const given = command.opts<GivenOptions>();
  checkDays(given);
  const { sourceDir, symbols, from, market, json = false } = given;
  if (given.check) {
    if (given.convert || given.dryRun || given.deleteAfter) {
      throw new UsageError(
        '--check reads what is there and does nothing else: leave --convert, --delete-after and --dry-run out',
      );
    }
    const { to } = given;
    return { action: 'check', sourceDir, json, ...definedIn({ market, symbols, from, to }) };
  }
  if (given.deleteAfter && !given.convert)
    throw new UsageError('--delete-after removes what was converted: add --convert');
  if (!symbols || !from) {
    throw new UsageError(
      'Say which archives: --symbols BTCUSDT,ETHUSDT --from 2025-08-01 --to 2025-08-31 (bookgrid download --help)',
    );
  }
  const { to = toDate(Date.now() - DAY_MS), listUrl, baseUrl, connections, tries, timeout } = given;
  return {
    action: 'download',
    ...{ sourceDir, json, symbols, from, to, market: market ?? MARKET, connections, tries, baseUrl },
    isPublisher: baseUrl === BASE_URL,
    listUrl: listUrl === 'none' ? undefined : listUrl,
    timeoutMs: timeout * 1000,
    dryRun: given.dryRun ?? false,
    deletesAfter: given.deleteAfter ?? false,
    ...(given.convert && { convert: parseConversion(command.args, { ...given, symbols, from, to, s3 }) }),
  };
}

/** The rest of the line as convert reads it, for what is fetched alone. */
function parseConversion(
  rest: string[],
  given: GivenOptions & { symbols: string[]; from: string; to: string; s3: S3Settings },
): ConvertOptions {
  const { market = MARKET, symbols, from, to, s3 } = given;
  const options = parseConvertLine(rest, []);
  useS3(s3); // which the rest of the line does not say
  const [word] = options.archives;
  if (word !== undefined) {
    throw new UsageError(
      `${word} is no option: bookgrid download converts what it fetches, which --symbols, --from and --to say`,
    );
  }
  if (options.test) throw new UsageError('--test converts its own samples: bookgrid --test');
  if (options.shard)
    throw new UsageError('--shard is for bookgrid convert: give each machine its own --symbols or days');
  return { ...options, what: { ...options.what, markets: [market], symbols, from, to, s3 } };
}

function definedIn<T extends object>(values: T): { [Name in keyof T]?: NonNullable<T[Name]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function parseMarketName(text: string): MarketName {
  const market = parseMarket(text);
  if (market) return market;
  if (text === 'option') {
    throw new commander.InvalidArgumentError(
      'Archives of options have many members, one an option: they are out of scope here.',
    );
  }
  throw new commander.InvalidArgumentError(`Expected one of ${MARKETS.join(', ')}.`);
}

function parseUrl(text: string): string {
  const isHttp = URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
  if (!isHttp) throw new commander.InvalidArgumentError('Expected an address such as https://example.org.');
  return text;
}
