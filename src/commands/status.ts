import { UsageError } from '../base/usage-error.js';
import { catalogArchives, emptyCatalog } from '../catalog/catalog.js';
import { lookUpCatalog } from '../catalog/inventory.js';
import type { MarketChoice } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import { RECORDS_FILE } from '../catalog/records.js';
import { type Counts, type FailedArchive, type MonthStatus, type Survey, survey, total } from '../catalog/survey.js';
import { clean } from '../console/clean-text.js';
import { addS3Options, checkDays, newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings, writeLines } from '../console/surroundings.js';
import { openStorage } from '../storage/open-storage.js';

/** The command line of `bookgrid status`, read and checked. */
export interface StatusOptions {
  outputDir: string;
  sourceDir: string;
  market?: MarketChoice[];
  symbols?: string[];
  from?: string;
  to?: string;
  json?: true;
}

const EXPLANATION = `
Each line is of one kind of output: a depth or metrics, an interval, a format, and hive for those
that --partition hive made.
DONE, STALE and MISSING are the days from a symbol's first known day to its last:
  DONE     there is an output
  STALE    there is one, but its archive has changed, or the format that bookgrid writes, or the
           file is not what was written: convert makes it again (options are compared by convert
           only: see its --dry-run)
  MISSING  there is none; the last column says which days of the month
UNPUBLISHED  days of which Bybit has no archive, or none of this depth; shown where there are any
FAILED     missing days whose archive failed when it was last converted, or cannot be: named below
TO DO      missing days whose archive is below --source-dir, reaches the depth and has not failed
NO RECORD  days with an output that ${RECORDS_FILE} does not know, as of the Python scripts
ROWS, FILLED, SUSPECT: rows recorded, those of intervals without a message, and those of a book
that messages are missing from

Example:
  bookgrid status --source-dir archives --output-dir snapshots --from 2025-01-01 --to 2025-03-31`;

/** The command line of `bookgrid status` as commander knows it. */
export function buildStatusCommand() {
  const command = newCommand('bookgrid status')
    .usage('[options]')
    .description('Shows what is in an output folder, by symbol and month, and changes nothing.')
    .addOption(sharedOptions.outputDir('Folder that convert writes to.'))
    .addOption(sharedOptions.sourceDir('Folder of archives, to see which have changed or are still to do.'))
    .addOption(sharedOptions.market())
    .addOption(sharedOptions.symbols())
    .addOption(sharedOptions.from())
    .addOption(sharedOptions.to())
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

/**
 * Reads the command line of `bookgrid status`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseStatusLine(argv: string[]): StatusOptions {
  const options = parseOptions<StatusOptions>(buildStatusCommand(), argv);
  checkDays(options);
  return options;
}

/**
 * Prints what is there, by symbol and month.
 *
 * @throws {@link UsageError} when there is nothing to tell of.
 */
export async function status(options: StatusOptions, { stdout, stderr }: Surroundings): Promise<void> {
  const { outputDir, sourceDir, market, symbols, json } = options;
  const hasSource = (await openStorage(sourceDir).look(sourceDir)) !== undefined;
  const archives = hasSource ? await catalogArchives(sourceDir) : emptyCatalog();
  const outputs = await lookUpCatalog(outputDir, { symbols });
  const unseen = outputs.unseen.filter(({ isAbsent }) => !isAbsent);
  if (unseen.length > 0) throw new UsageError(unseen.map(({ problem }) => problem).join('\n'));
  const found = survey({ archives, outputs }, { ...options, markets: market });
  const { months } = found;
  if (months.length === 0) {
    const others = symbols ? [...archives.archives.pairs, ...(await lookUpCatalog(outputDir)).pairs] : [];
    throw new UsageError(describeNothing(options, others));
  }
  const warn = lineWriter(stderr);
  if (!hasSource) {
    warn(
      `Note: no such folder: ${clean(sourceDir)}; without --source-dir, changed archives and those to do are not seen`,
    );
  }
  for (const symbol of symbols ?? []) {
    if (!months.some(({ pair }) => pair === symbol)) warn(`Note: nothing is known of ${symbol}.`);
  }
  const lines = json ? toJson(found) : [...toTable(months), ...describeFailed(found.failed)];
  await writeLines(stdout, lines);
}

/** @param others symbols that something is known of, where only some were wanted. */
function describeNothing(
  { outputDir, sourceDir, market, symbols = [], from, to }: StatusOptions,
  others: string[],
): string {
  const filter =
    symbols.length > 0 || [market, from, to].some((given) => given !== undefined)
      ? ', of what --market, --symbols, --from and --to ask for'
      : '';
  return (
    `Nothing found${filter}: no output and no record below ${outputDir}, no archive below ${sourceDir}. ` +
    (others.length > 0
      ? `There is something of ${listNearest(others, symbols)}.`
      : 'Say where they are with --output-dir and --source-dir.')
  );
}

function toJson({ months, failed }: Survey): string[] {
  const objects = [
    ...months.map((month) => ({ event: 'month', ...month })),
    ...failed.map((archive) => ({ event: 'failed', ...archive })),
    { event: 'total', ...total(months) },
  ];
  return objects.map((object) => JSON.stringify(object));
}

const FAILED_SHOWN = 20;

/** The archives that failed, why, and since when. */
function describeFailed(failed: FailedArchive[]): string[] {
  if (failed.length === 0) return [];
  const lines = failed
    .slice(0, FAILED_SHOWN)
    .map(({ fileName, error, since }) => `  ${fileName}: ${error}${since ? ` (since ${since.slice(0, 10)})` : ''}`);
  const more = failed.length - lines.length;
  return ['', 'Failed:', ...lines.map(clean), ...(more > 0 ? [`  and ${more} more (--json lists all)`] : [])];
}

type Line = Counts & Partial<MonthStatus> & { pair: string };

/** `ob500 1m csv`, `metrics 1s parquet hive`; `-` for a symbol that nothing has been made of. */
function describeKind({ kind, depth, interval, format, partition }: Partial<MonthStatus>): string {
  if (kind === undefined) return '-';
  const what = `${kind === 'book' ? `ob${depth}` : kind} ${interval} ${format}`;
  return partition === 'none' ? what : `${what} ${partition}`;
}

/** Headers and cells; those of numbers stand to the right. */
const COLUMNS: [header: string, cell: (line: Line) => string | number][] = [
  ['SYMBOL', ({ pair }) => pair],
  ['KIND', (line) => (line.month === undefined ? '' : describeKind(line))],
  ['MONTH', ({ month = '', untilMonth }) => (untilMonth === undefined ? month : `${month}…`)],
  ['DONE', ({ done }) => done],
  ['STALE', ({ stale }) => stale],
  ['MISSING', ({ missing }) => missing],
  ['FAILED', ({ failed }) => failed],
  ['TO DO', ({ toDo }) => toDo],
  ['NO RECORD', ({ unrecorded }) => unrecorded],
  ['ROWS', ({ rows }) => rows],
  ['FILLED', ({ filledRows }) => filledRows],
  ['SUSPECT', ({ suspectRows }) => suspectRows],
  ['MISSING DAYS', ({ missingDays = [], untilMonth }) => (untilMonth ? `to ${untilMonth}` : describeDays(missingDays))],
];

/** Only where there are folders of markets. */
const MARKET_COLUMN: (typeof COLUMNS)[number] = ['MARKET', ({ market = '' }) => market];

/** Only where there are such days, after the missing ones. */
const UNPUBLISHED_COLUMN: (typeof COLUMNS)[number] = ['UNPUBLISHED', ({ unpublished }) => unpublished];

function toTable(months: MonthStatus[]): string[] {
  const lines: Line[] = [...months, { pair: 'TOTAL', ...total(months) }];
  const hasMarkets = months.some(({ market }) => market !== undefined);
  const hasUnpublished = months.some(({ unpublished }) => unpublished > 0);
  const shown = COLUMNS.flatMap((column) => {
    if (column[0] === 'SYMBOL' && hasMarkets) return [MARKET_COLUMN, column];
    return column[0] === 'MISSING' && hasUnpublished ? [column, UNPUBLISHED_COLUMN] : [column];
  });
  const columns = shown.map(([header, cell]) => {
    const values = lines.map(cell);
    const texts = [header, ...values.map((value) => (Number.isNaN(value) ? '?' : String(value)))];
    const width = Math.max(...[header.length, ...new Set(texts.map((text) => text.length))]);
    const isNumber = typeof values[0] === 'number';
    return texts.map((text) => (isNumber ? text.padStart(width) : text.padEnd(width)));
  });
  return ['', ...lines].map((_, row) =>
    columns
      .map((column) => column[row])
      .join(' ')
      .trimEnd(),
  );
}

const RANGES_SHOWN = 3;

/** The first few days of a month: `03 07-09 12 …`. */
function describeDays(dates: string[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const day of dates.map((date) => Number(date.slice(8)))) {
    const range = ranges.at(-1);
    if (range && range.last === day - 1) range.last = day;
    else ranges.push({ first: day, last: day });
  }
  const twoDigits = (day: number) => String(day).padStart(2, '0');
  const texts = ranges
    .slice(0, RANGES_SHOWN)
    .map(({ first, last }) => (first === last ? twoDigits(first) : `${twoDigits(first)}-${twoDigits(last)}`));
  return [...texts, ...(ranges.length > RANGES_SHOWN ? ['…'] : [])].join(' ');
}
