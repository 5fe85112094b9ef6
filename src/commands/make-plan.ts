/** From what a command line asks for to a plan: look, decide, and say what is odd. */

import { UsageError } from '../base/usage-error.js';
import type { ArchiveList } from '../catalog/archive-list.js';
import { type ArchiveCatalog, type Catalog, catalogArchives, catalogOf, takeCatalog } from '../catalog/catalog.js';
import { identifyArchives } from '../catalog/find-archives.js';
import type { MarketChoice } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import { clean } from '../console/clean-text.js';
import { ConflictError } from '../convert/conflicts.js';
import { LargePlan } from '../convert/large-plan.js';
import { placesOfShard } from '../convert/shard.js';
import { S3Error } from '../storage/s3/error.js';
import { CONFLICT_WORDING, type ConvertOptions } from './convert-options.js';

/** What of a command line a plan depends on. */
export type PlanRequest = Pick<ConvertOptions, 'archives' | 'sourceDir' | 'what' | 'shard'>;

/** A plan, and what it was made of. */
export interface MadePlan extends Catalog {
  entries: LargePlan;
}

/**
 * Finds archives and outputs, and decides what is to be made.
 *
 * @param warn hears of what the user may not have meant, a line each.
 * @throws {@link UsageError} when there is nothing to work on; {@link ConflictError} when rows would lie beside others that
 * mean something else.
 */
export async function makePlan(options: PlanRequest, warn: (line: string) => void): Promise<MadePlan> {
  const { what, shard } = options;
  const archives = await findAsked(options);
  const { outputs } = await takeCatalog(archives, what.outputDir);
  const unseen = outputs.unseen.flatMap(({ problem, isAbsent }) => (isAbsent ? [] : problem));
  for (const line of [...describeOddities(archives, options), ...unseen.map(describeUnseen)]) warn(clean(line));
  const entries = planOrRefuse({ archives, outputs }, options);
  if (entries.length === 0) throw new UsageError(describeNothing(archives, options));
  if (shard) entries.keep(placesOfShard(sizesOf(entries), shard));
  return { archives, outputs, entries };
}

async function findAsked(options: PlanRequest): Promise<ArchiveCatalog> {
  const { archives, what } = options;
  return archives.length > 0 ? catalogOf(await identifyArchives(archives, what.markets)) : findInSource(options);
}

/** The plan, or a refusal in the words of the command line. */
function planOrRefuse(catalog: Catalog, { what }: PlanRequest): LargePlan {
  try {
    return new LargePlan(catalog, what);
  } catch (error) {
    throw error instanceof ConflictError ? new ConflictError(error.conflicts, CONFLICT_WORDING) : error;
  }
}

function sizesOf(entries: LargePlan): Float64Array {
  const sizes = new Float64Array(entries.length);
  let place = 0;
  for (const { sizeBytes } of entries) sizes[place++] = sizeBytes;
  return sizes;
}

async function findInSource({ sourceDir }: PlanRequest): Promise<ArchiveCatalog> {
  try {
    return await catalogArchives(sourceDir);
  } catch (error) {
    // A request that failed says itself what to do.
    if (!(error instanceof UsageError) || error.cause instanceof S3Error) throw error;
    throw new UsageError(`${error.message}\n${WHAT_TO_DO}`);
  }
}

/** What the user may not have meant, one line each. */
function describeOddities({ archives, unusable, ignored, repeated }: ArchiveCatalog, { what }: PlanRequest): string[] {
  const found = new Set([...archives.pairs, ...unusable.map(({ pair }) => pair)]);
  const { symbols = [] } = what;
  const lines = symbols
    .filter((symbol) => !found.has(symbol))
    .map((symbol) => `Note: no archive of ${symbol} was found.`);
  if (ignored.count > 0) {
    const files = ignored.count === 1 ? `1 file` : `${ignored.count} files`;
    const examples = ignored.first.join(', ');
    lines.push(`Note: passed over ${files} not named DATE_PAIR_obN.data.zip, .gz or .data, such as ${examples}`);
  }
  if (repeated.count > 0) {
    const folders = repeated.count === 1 ? `1 folder` : `${repeated.count} folders`;
    lines.push(`Note: passed over ${folders} that were searched by another path, such as ${repeated.first.join(', ')}`);
  }
  return lines;
}

/** Outputs may lie there that mean something else than those to be made. */
function describeUnseen(problem: string): string {
  return `Note: ${problem}. Which outputs lie there, and how they were made, is not known.`;
}

/** For those who call it for the first time. */
const WHAT_TO_DO =
  'Say where the archives are with --source-dir DIR or BOOKGRID_SOURCE_DIR, or give archive files as arguments.\n' +
  'bookgrid --help explains all options; bookgrid --test shows on two small samples what comes out.';

function describeNothing({ archives }: ArchiveCatalog, { sourceDir, archives: given, what }: PlanRequest): string {
  const { markets, symbols = [] } = what;
  const where = given.length > 0 ? 'among the files given' : `below ${sourceDir}`;
  if (archives.length > 0) {
    const { pairs } = archives;
    const others = symbols.length > 0 && !symbols.some((symbol) => pairs.has(symbol));
    return (
      `None of the ${archives.length} archives ${where} is one that --market, --symbols, --from and --to ask for.` +
      (others ? ` There are archives of ${listNearest(pairs, symbols)}.` : '') +
      (markets ? ` ${describeMarkets(archives)}` : '')
    );
  }
  return (
    `No archive found ${where}. Looked in all folders for DATE_SYMBOL_obN.data.zip (or .gz, .data), ` +
    `such as 2025-01-15_BTCUSDT_ob500.data.zip.\n${WHAT_TO_DO}`
  );
}

/** Which markets there are archives of, for those who ask for others. */
function describeMarkets(archives: ArchiveList): string {
  const counts = new Map<MarketChoice, number>();
  for (const { market = 'none' } of archives) counts.set(market, (counts.get(market) ?? 0) + 1);
  const list = [...counts].map(([market, count]) =>
    market === 'none' ? `${count} of none told` : `${count} of ${market}`,
  );
  return `By market: ${list.join(', ')}; folders below the source folder named linear, inverse and spot tell it.`;
}
