/** What can be asked of a conversion: one list, one set of defaults, one check, for the command line and the library. */
import type { Inflater } from '../archive/read-options.js';
import { checkInterval, isDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { isDepth, isPair, MAX_DEPTH } from '../catalog/archive-name.js';
import { SAMPLING_DEFAULTS, type SamplingOptions } from '../catalog/shaping-options.js';
import type { Format } from '../output/book-writer.js';

/** What to make, with all defaults filled in. */
export interface ResolvedOptions extends SamplingOptions {
  /** What inflates zip members; the bytes are the same. */
  inflater: Inflater;
  outputDir: string;
  /** Where outputs are staged; beside the output when `undefined`. */
  tempDir: string | undefined;
  /** How books and metrics are written, each in all of these. */
  formats: readonly Format[];
  /** Books are wanted. */
  books: boolean;
  /** Metrics are wanted. */
  metrics: boolean;
  /** Depths wanted, ascending; `undefined`: 200 and 500, or a shallower source's own. */
  depths: readonly number[] | undefined;
  /** Symbols wanted, in upper case; `undefined`: all. */
  symbols: readonly string[] | undefined;
  /** First and last day wanted, `YYYY-MM-DD`. */
  from: string | undefined;
  to: string | undefined;
  /** Makes outputs again that exist. */
  overwrite: boolean;
}

/** What to make: all but `outputDir` has a default, which `undefined` means too. See {@link OPTION_DEFAULTS}. */
export type PlanOptions = { [Name in keyof ResolvedOptions]?: ResolvedOptions[Name] | undefined } & {
  outputDir: string;
};

/** What the options are when nothing is said. */
export const OPTION_DEFAULTS: Omit<ResolvedOptions, 'outputDir'> = {
  ...SAMPLING_DEFAULTS,
  inflater: 'kernel',
  tempDir: undefined,
  formats: ['csv'],
  books: true,
  metrics: false,
  depths: undefined,
  symbols: undefined,
  from: undefined,
  to: undefined,
  overwrite: false,
};

/** A check answers what would be right, unless the value is right. */
type Check = (value: unknown) => string | undefined;

const MAX_AMOUNT = 999_999_999_999;

const CHECKS: Readonly<Record<keyof ResolvedOptions, Check>> = {
  intervalMs: (value) => expected('ms that divide a day evenly, such as 60_000', () => checkInterval(value as number)),
  onGap: oneOf('fill', 'skip'),
  onBadLine: oneOf('fail', 'skip'),
  compat: oneOf('none', 'python'),
  formattedTimestamp: isBoolean,
  quality: isBoolean,
  layout: oneOf('lists', 'wide', 'long'),
  decimals: isBoolean,
  impacts: listOf(isAmount, `whole amounts from 1 to ${MAX_AMOUNT}`),
  inflater: oneOf('kernel', 'node'),
  outputDir: isFolderName,
  tempDir: isFolderName,
  formats: listOf((value) => ['csv', 'csv.gz', 'parquet'].includes(value as string), 'some of csv, csv.gz, parquet'),
  books: isBoolean,
  metrics: isBoolean,
  depths: listOf((value) => isDepth(value as number), `whole numbers of levels from 1 to ${MAX_DEPTH}`),
  symbols: listOf((value) => typeof value === 'string' && isPair(value), 'symbols such as BTCUSDT'),
  from: isDay,
  to: isDay,
  overwrite: isBoolean,
};

/**
 * Checks options and fills defaults in. What is given twice in a list is there once.
 *
 * @param nameOf how an option is called where it was given: its property's name, or a flag of the command line.
 * @throws {@link UsageError} that names the option, what was given, and what would be right.
 */
export function resolveOptions(
  given: PlanOptions,
  nameOf: (option: keyof ResolvedOptions) => string = (option) => option,
): ResolvedOptions {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof ResolvedOptions] : undefined;
    if (!check) throw new UsageError(`There is no option ${name}. Options are ${Object.keys(CHECKS).join(', ')}.`);
    const right = check(value);
    if (right !== undefined) {
      throw new UsageError(`${nameOf(name as keyof ResolvedOptions)} is ${show(value)}. It must be ${right}.`);
    }
  }
  if (given.outputDir === undefined) throw new UsageError(`${nameOf('outputDir')} is missing: where outputs go.`);
  const options: ResolvedOptions = {
    ...OPTION_DEFAULTS,
    ...(Object.fromEntries<unknown>(entries) as unknown as ResolvedOptions),
  };
  checkTogether(options, nameOf);
  return {
    ...options,
    formats: distinct(options.formats),
    depths: options.depths && distinct(options.depths),
    symbols: options.symbols && distinct(options.symbols.map((symbol) => symbol.toUpperCase())),
    impacts: distinct(options.impacts),
  };
}

function checkTogether(options: ResolvedOptions, nameOf: (option: keyof ResolvedOptions) => string): void {
  const { compat, intervalMs, formats, quality, metrics, books, from, to } = options;
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError(`${nameOf('from')} ${from} is after ${nameOf('to')} ${to}`);
  }
  if (!books && !metrics) throw new UsageError(`Nothing is to be made: neither ${nameOf('books')} nor metrics.`);
  if (compat !== 'python') return;
  if (intervalMs !== 60_000) {
    throw new UsageError(`${nameOf('compat')} python writes one-minute rows only: leave ${nameOf('intervalMs')} out`);
  }
  if (formats.join() !== 'csv' || quality || metrics) {
    const others = (['formats', 'quality', 'metrics'] as const).map(nameOf);
    throw new UsageError(
      `${nameOf('compat')} python writes CSV as the scripts did: leave ${others.slice(0, 2).join(', ')} and ${others[2]} out`,
    );
  }
}

function oneOf(...choices: string[]): Check {
  return (value) => (choices.includes(value as string) ? undefined : choices.join(' or '));
}

function listOf(isRight: (value: unknown) => boolean, right: string): Check {
  return (value) => {
    const isList = Array.isArray(value) && value.length > 0 && value.every(isRight);
    return isList ? undefined : `a list with at least one item: ${right}`;
  };
}

function isBoolean(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : 'true or false';
}

function isFolderName(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? undefined : 'a folder';
}

function isDay(value: unknown): string | undefined {
  return typeof value === 'string' && isDate(value) ? undefined : 'a day of the calendar as YYYY-MM-DD';
}

function isAmount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_AMOUNT;
}

function expected(right: string, check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch {
    return right;
  }
}

function distinct<T extends number | string>(values: readonly T[]): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
