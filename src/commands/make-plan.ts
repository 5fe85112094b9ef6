/** From what a command line asks for to a plan: look, decide, and say what is odd. */
import { UsageError } from '../base/usage-error.js';
import { type ArchiveFile, type FoundArchives, findArchives, identifyArchives } from '../catalog/find-archives.js';
import { bySymbol, type Inventory, type Outputs, takeInventory } from '../catalog/inventory.js';
import type { MarketChoice } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import { clean } from '../console/clean-text.js';
import { type Conflict, ConflictError } from '../convert/conflicts.js';
import { type PlanEntry, plan } from '../convert/plan.js';
import { takeShard } from '../convert/shard.js';
import { openStorage } from '../storage/open-storage.js';
import { S3Error } from '../storage/s3/error.js';
import { CONFLICT_WORDING, type ConvertOptions } from './convert-options.js';

/** What of a command line a plan depends on. */
export type PlanRequest = Pick<ConvertOptions, 'archives' | 'sourceDir' | 'what' | 'shard'>;

/** A plan, and what it was made of. */
export interface MadePlan {
  found: FoundArchives;
  entries: PlanEntry[];
  outputs: Outputs;
}

/**
 * Finds archives and outputs, and decides what is to be made.
 *
 * @param warn hears of what the user may not have meant, a line each.
 * @throws {@link UsageError} when there is nothing to work on; {@link ConflictError} when rows would lie beside others that
 * mean something else.
 */
export async function makePlan(options: PlanRequest, warn: (line: string) => void): Promise<MadePlan> {
  const { found, inventory } = await look(options, warn);
  const entries = planOrRefuse(inventory, options);
  if (entries.length === 0) throw new UsageError(describeNothing(found, options));
  return {
    ...{ found, outputs: inventory.outputs },
    entries: options.shard ? takeShard(entries, options.shard) : entries,
  };
}

/**
 * The same, but the entries of one symbol at a time, numbered by themselves: of half a million archives there are never
 * more in memory than these. Whether all can be planned is known before the first are given.
 */
export async function* makePlansBySymbol(
  options: PlanRequest,
  warn: (line: string) => void,
): AsyncGenerator<PlanEntry[], void, undefined> {
  const { found, inventory } = await look(options, warn);
  let count = 0;
  const conflicts: Conflict[] = [];
  for (const part of bySymbol(inventory)) {
    try {
      count += plan(part, options.what).length;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      conflicts.push(...error.conflicts);
    }
  }
  if (conflicts.length > 0) throw new ConflictError(conflicts, CONFLICT_WORDING);
  if (count === 0) throw new UsageError(describeNothing(found, options));
  for (const part of bySymbol(inventory)) yield plan(part, options.what);
}

async function look(
  options: PlanRequest,
  warn: (line: string) => void,
): Promise<{ found: FoundArchives; inventory: Inventory }> {
  const { archives, what } = options;
  const found = archives.length > 0 ? await identifyArchives(archives, what.markets) : await findInSource(options);
  const inventory = await takeInventory(found, what.outputDir);
  const place = await openStorage(what.outputDir).look(what.outputDir);
  // One that is not there, or no folder, holds nothing: whoever writes there is told.
  const unseen = place === undefined || place.kind === 'file' ? [] : inventory.outputs.unreadable;
  for (const line of [...describeOddities(found, options), ...unseen.map(describeUnseen)]) warn(clean(line));
  return { found, inventory };
}

/** The plan, or a refusal in the words of the command line. */
function planOrRefuse(inventory: Inventory, { what }: PlanRequest): PlanEntry[] {
  try {
    return plan(inventory, what);
  } catch (error) {
    throw error instanceof ConflictError ? new ConflictError(error.conflicts, CONFLICT_WORDING) : error;
  }
}

async function findInSource({ sourceDir }: PlanRequest): Promise<FoundArchives> {
  try {
    return await findArchives(sourceDir);
  } catch (error) {
    // A request that failed says itself what to do.
    if (!(error instanceof UsageError) || error.cause instanceof S3Error) throw error;
    throw new UsageError(`${error.message}\n${WHAT_TO_DO}`);
  }
}

/** What the user may not have meant, one line each. */
function describeOddities({ archives, unusable, ignored, repeated }: FoundArchives, { what }: PlanRequest): string[] {
  const found = new Set([...archives, ...unusable].map(({ pair }) => pair));
  const { symbols = [] } = what;
  const lines = symbols
    .filter((symbol) => !found.has(symbol))
    .map((symbol) => `Note: no archive of ${symbol} was found.`);
  if (ignored.length > 0) {
    const files = ignored.length === 1 ? `1 file` : `${ignored.length} files`;
    const examples = listFirst(ignored);
    lines.push(`Note: passed over ${files} not named DATE_PAIR_obN.data.zip, .gz or .data, such as ${examples}`);
  }
  if (repeated.length > 0) {
    const folders = repeated.length === 1 ? `1 folder` : `${repeated.length} folders`;
    lines.push(`Note: passed over ${folders} that were searched by another path, such as ${listFirst(repeated)}`);
  }
  return lines;
}

/** Outputs may lie there that mean something else than those to be made. */
function describeUnseen(problem: string): string {
  return `Note: ${problem}. Which outputs lie there, and how they were made, is not known.`;
}

function listFirst(paths: string[]): string {
  return paths.slice(0, 3).join(', ');
}

/** For those who call it for the first time. */
const WHAT_TO_DO =
  'Say where the archives are with --source-dir DIR or BOOKGRID_SOURCE_DIR, or give archive files as arguments.\n' +
  'bookgrid --help explains all options; bookgrid --test shows on two small samples what comes out.';

function describeNothing({ archives }: FoundArchives, { sourceDir, archives: given, what }: PlanRequest): string {
  const { markets, symbols = [] } = what;
  const where = given.length > 0 ? 'among the files given' : `below ${sourceDir}`;
  if (archives.length > 0) {
    const pairs = archives.map(({ pair }) => pair);
    const others = symbols.length > 0 && !pairs.some((pair) => symbols.includes(pair));
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
function describeMarkets(archives: ArchiveFile[]): string {
  const counts = new Map<MarketChoice, number>();
  for (const { market = 'none' } of archives) counts.set(market, (counts.get(market) ?? 0) + 1);
  const list = [...counts].map(([market, count]) =>
    market === 'none' ? `${count} of none told` : `${count} of ${market}`,
  );
  return `By market: ${list.join(', ')}; folders below the source folder named linear, inverse and spot tell it.`;
}
