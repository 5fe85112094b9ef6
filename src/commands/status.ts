import { UsageError } from '../base/usage-error.js';
import { type FoundArchives, findArchives, noArchives } from '../catalog/find-archives.js';
import { lookUpOutputs } from '../catalog/inventory.js';
import type { MarketChoice } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import { RECORDS_FILE } from '../catalog/records.js';
import { type MonthStatus, survey, total } from '../catalog/survey.js';
import { clean } from '../console/clean-text.js';
import { checkDays, newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
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
DONE, STALE and MISSING are the days from a symbol's first known day to its last:
  DONE     there is an output
  STALE    there is one, but its archive has changed, or the format that bookgrid writes: convert
           makes it again (options are compared by convert only: see its --dry-run)
  MISSING  there is none; the last column says which days of the month
FAILED     days whose archive failed when it was last converted, or cannot be
TO DO      missing days whose archive is below --source-dir, and has not failed
NO RECORD  days with an output that ${RECORDS_FILE} does not know, as of the Python scripts
ROWS, FILLED, SUSPECT: rows recorded, those of intervals without a message, and those of a book
that messages are missing from; a depth or a format more does not count them again

Example:
  bookgrid status --source-dir archives --output-dir snapshots --from 2025-01-01 --to 2025-03-31`;

/** The command line of `bookgrid status` as commander knows it. */
export function buildStatusCommand() {
  return newCommand('bookgrid status')
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
  const archives: FoundArchives = hasSource ? await findArchives(sourceDir) : noArchives();
  const outputs = await lookUpOutputs(outputDir, symbols);
  const hasOutput = (await openStorage(outputDir).look(outputDir)) !== undefined;
  if (hasOutput && outputs.unreadable.length > 0) throw new UsageError(outputs.unreadable.join('\n'));
  const months = survey({ archives, outputs }, { ...options, markets: market });
  if (months.length === 0) {
    const others = symbols
      ? [...archives.archives, ...(await lookUpOutputs(outputDir)).all].map(({ pair }) => pair)
      : [];
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
  const write = lineWriter(stdout);
  const lines = json ? toJson(months) : toTable(months);
  for (const line of lines) write(line);
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

function toJson(months: MonthStatus[]): string[] {
  const objects = [...months.map((month) => ({ event: 'month', ...month })), { event: 'total', ...total(months) }];
  return objects.map((object) => JSON.stringify(object));
}

type Line = Omit<MonthStatus, 'month' | 'missingDays'> & Partial<Pick<MonthStatus, 'month' | 'missingDays'>>;

/** Headers and cells; those of numbers stand to the right. */
const COLUMNS: [header: string, cell: (line: Line) => string | number][] = [
  ['PAIR', ({ pair }) => pair],
  ['MONTH', ({ month = '' }) => month],
  ['DONE', ({ done }) => done],
  ['STALE', ({ stale }) => stale],
  ['MISSING', ({ missing }) => missing],
  ['FAILED', ({ failed }) => failed],
  ['TO DO', ({ toDo }) => toDo],
  ['NO RECORD', ({ unrecorded }) => unrecorded],
  ['ROWS', ({ rows }) => rows],
  ['FILLED', ({ filledRows }) => filledRows],
  ['SUSPECT', ({ suspectRows }) => suspectRows],
  ['MISSING DAYS', ({ missingDays = [] }) => describeDays(missingDays)],
];

function toTable(months: MonthStatus[]): string[] {
  const lines: Line[] = [...months, { pair: 'TOTAL', ...total(months) }];
  const columns = COLUMNS.map(([header, cell]) => {
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
