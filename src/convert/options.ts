/** What can be asked of a conversion: one list, one set of defaults, one check, for the command line and the library. */
import type { Inflater } from '../archive/read-options.js';
import { UsageError } from '../base/usage-error.js';
import { MARKET_CHOICES, type MarketChoice } from '../catalog/market.js';
import { PARTITIONS } from '../catalog/partition.js';
import { SAMPLING_DEFAULTS, type SamplingOptions } from '../catalog/shaping-options.js';
import { MAX_METRICS, metricsColumns } from '../metrics/columns.js';
import { HAS_ZSTD } from '../output/compression.js';
import { FORMAT_NAMES, type Format } from '../output/formats.js';
import { schemeOf } from '../storage/paths.js';
import type { S3Settings } from '../storage/s3/settings.js';
import {
  aBand,
  aBoolean,
  aDay,
  aDepth,
  aFolder,
  anAmount,
  anInterval,
  aSymbol,
  type Check,
  checkOptions,
  listOf,
  oneOf,
  settingsOfS3,
} from './option-checks.js';

/** What to make, with all defaults filled in. */
export interface ResolvedOptions extends SamplingOptions {
  /** What inflates zip members; the bytes are the same. */
  inflater: Inflater;
  outputDir: string;
  /** Where outputs are staged; when `undefined` beside the output, and in the system's own if that is in S3. */
  tempDir: string | undefined;
  /** Where S3 is, for `s3://` paths: told to whatever runs a job. */
  s3: S3Settings | undefined;
  /** How books and metrics are written, each in all of these. */
  formats: readonly Format[];
  /** Books are wanted. */
  books: boolean;
  /** Metrics are wanted. */
  metrics: boolean;
  /** Depths wanted, ascending; `undefined`: 200 and 500, or a shallower source's own. */
  depths: readonly number[] | undefined;
  /** Markets wanted, as folders tell them, `none` for what lies in no folder of one; `undefined`: all. */
  markets: readonly MarketChoice[] | undefined;
  /** Symbols wanted, in upper case; `undefined`: all. */
  symbols: readonly string[] | undefined;
  /** First and last day wanted, `YYYY-MM-DD`. */
  from: string | undefined;
  to: string | undefined;
  /** Makes outputs again that exist. */
  overwrite: boolean;
  /**
   * What becomes of outputs that were made with other options than these: nothing is made at all and an error says so,
   * they are left as they are, or they are made again.
   */
  onStale: 'refuse' | 'keep' | 'remake';
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
  s3: undefined,
  formats: ['csv'],
  books: true,
  metrics: false,
  depths: undefined,
  markets: undefined,
  symbols: undefined,
  from: undefined,
  to: undefined,
  overwrite: false,
  onStale: 'refuse',
};

const CHECKS: Readonly<Record<keyof ResolvedOptions, Check>> = {
  intervalMs: anInterval,
  onGap: oneOf('fill', 'skip'),
  onBadLine: oneOf('fail', 'skip'),
  compat: oneOf('none', 'python'),
  formattedTimestamp: aBoolean,
  quality: aBoolean,
  layout: oneOf('lists', 'wide', 'long'),
  decimals: aBoolean,
  imbalanceLevels: listOf(aDepth),
  bandsBps: listOf(aBand),
  compression: oneOf('auto', 'snappy', 'zstd'),
  impacts: listOf(anAmount),
  partition: oneOf(...PARTITIONS),
  inflater: oneOf('kernel', 'node'),
  outputDir: aFolder,
  tempDir: aFolder,
  s3: settingsOfS3,
  formats: listOf(oneOf(...FORMAT_NAMES)),
  books: aBoolean,
  metrics: aBoolean,
  depths: listOf(aDepth),
  markets: listOf(oneOf(...MARKET_CHOICES)),
  symbols: listOf(aSymbol),
  from: aDay,
  to: aDay,
  overwrite: aBoolean,
  onStale: oneOf('refuse', 'keep', 'remake'),
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
  checkOptions(given, CHECKS, nameOf as (name: string) => string);
  if (given.outputDir === undefined) throw new UsageError(`${nameOf('outputDir')} is missing: where outputs go.`);
  const options: ResolvedOptions = {
    ...OPTION_DEFAULTS,
    ...definedIn(given),
  };
  const depths = options.depths && distinct(options.depths);
  checkTogether({ ...options, depths }, nameOf);
  const resolved = {
    ...options,
    formats: distinct(options.formats),
    depths,
    markets: options.markets && distinct(options.markets),
    symbols: options.symbols && distinct(options.symbols.map((symbol) => symbol.toUpperCase())),
    imbalanceLevels: distinct(options.imbalanceLevels),
    bandsBps: distinct(options.bandsBps),
    impacts: distinct(options.impacts),
  };
  checkMetrics(resolved, nameOf);
  return resolved;
}

function checkMetrics(options: ResolvedOptions, nameOf: (option: keyof ResolvedOptions) => string): void {
  const columns = metricsColumns(options).length;
  if (columns <= MAX_METRICS) return;
  const lists = (['imbalanceLevels', 'bandsBps', 'impacts'] as const).map(nameOf);
  throw new UsageError(
    `${lists.slice(0, 2).join(', ')} and ${lists[2]} make ${columns} columns of metrics, and ${MAX_METRICS} are possible: ` +
      'choose fewer',
  );
}

/** What the kernel has room for in a row of all depths (kernel/layout.ts, OUT): four of the deepest. */
const MAX_DEPTHS = 64;
const MAX_LEVELS = 40_000;

function checkTogether(options: ResolvedOptions, nameOf: (option: keyof ResolvedOptions) => string): void {
  if (options.compression === 'zstd' && !HAS_ZSTD) {
    throw new UsageError(
      `${nameOf('compression')} zstd needs Node.js 22.15 or later, and this is ${process.versions.node}: leave it out`,
    );
  }
  const { compat, intervalMs, formats, formattedTimestamp, quality, metrics, books, from, to } = options;
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError(`${nameOf('from')} ${from} is after ${nameOf('to')} ${to}`);
  }
  if (options.tempDir !== undefined && schemeOf(options.tempDir) !== undefined) {
    throw new UsageError(`${nameOf('tempDir')} must be a folder of this machine, and ${options.tempDir} is none`);
  }
  const levels = (options.depths ?? []).reduce((sum, depth) => sum + depth, 0);
  if ((options.depths?.length ?? 0) > MAX_DEPTHS || levels > MAX_LEVELS) {
    throw new UsageError(
      `${nameOf('depths')} has ${options.depths?.length} depths with ${levels} levels a side in all; ` +
        `at most ${MAX_DEPTHS} depths and ${MAX_LEVELS} levels can be made in one run`,
    );
  }
  if (!books && !metrics) throw new UsageError(`Nothing is to be made: neither ${nameOf('books')} nor metrics.`);
  if (formattedTimestamp && formats.every((format) => format === 'parquet')) {
    throw new UsageError(
      `${nameOf('formattedTimestamp')} is for CSV: in Parquet, timestamp is a time already, which every reader shows as one. ` +
        'Leave it out, or write CSV too',
    );
  }
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

function definedIn(given: PlanOptions): ResolvedOptions {
  const entries: [string, unknown][] = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as ResolvedOptions;
}

function distinct<T extends number | string>(values: readonly T[]): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
}
