import { UsageError } from '../base/usage-error.js';
import { type ArchiveFile, type FoundArchives, findArchives, identifyArchives } from '../catalog/find-archives.js';
import { type Inventory, type Outputs, takeInventory } from '../catalog/inventory.js';
import type { MarketChoice } from '../catalog/market.js';
import { listNearest } from '../catalog/nearest-symbols.js';
import { clean } from '../console/clean-text.js';
import { formatBytes } from '../console/format-bytes.js';
import { noProgress, showProgress } from '../console/progress.js';
import {
  type Ending,
  JsonReporter,
  printPlan,
  type Reporter,
  type Summary,
  Tally,
  TextReporter,
} from '../console/report.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { ConflictError } from '../convert/conflicts.js';
import { estimateSizes } from '../convert/estimate.js';
import type { Executor } from '../convert/executor.js';
import { type PlanEntry, plan } from '../convert/plan.js';
import { type RunEnding, run } from '../convert/run.js';
import { takeShard } from '../convert/shard.js';
import { type DefaultWorkers, defaultWorkers, WORKER_BYTES } from '../executors/default-workers.js';
import { openStorage } from '../storage/open-storage.js';
import { S3Error } from '../storage/s3/error.js';
import { CONFLICT_WORDING, type ConvertOptions } from './convert-options.js';

/**
 * Converts archives: scan, plan, run, report.
 *
 * @returns the totals, or `undefined` for a dry run.
 * @throws {@link UsageError} when there is nothing to work on.
 */
export async function convert(options: ConvertOptions, surroundings: Surroundings): Promise<Summary | undefined> {
  const { stdout, stderr, signal } = surroundings;
  const write = lineWriter(stdout);
  const warn = lineWriter(stderr);
  if (options.dryRun) {
    const { outputDir } = options.what;
    const { entries, outputs } = await makePlan(options, warn);
    const freeBytes = await openStorage(outputDir).freeBytes(outputDir);
    printPlan(entries, write, { ...estimateSizes(entries, outputs.all), outputDir, freeBytes }, options);
    return undefined;
  }
  const reporter: Reporter = options.json
    ? new JsonReporter(write)
    : new TextReporter(write, { color: hasColors(stdout) });
  const { workers, heldBack }: DefaultWorkers =
    options.workers === undefined ? defaultWorkers() : { workers: options.workers };
  reporter.scanning(workers);
  const { found, entries } = await makePlan(options, warn);
  reporter.found(entries.length, options.shard);

  const jobs = entries.filter((entry) => entry.action === 'convert').length;
  if (jobs > 0) {
    const { tempDir, outputDir } = options.what;
    if (tempDir !== undefined) await requireWritable('temp', tempDir);
    await requireWritable('output', outputDir);
  }
  if (heldBack && jobs > workers) warn(describeHeldBack(workers, heldBack));
  const tally = new Tally(entries.length);
  const isLive = stderr.isTTY && !options.json;
  const progress = isLive ? await showProgress(stderr, entries, tally) : noProgress;
  const slots = Math.min(workers, Math.max(jobs, 1));
  const executor = await loadExecutor(slots);
  let isShared = false;
  let ending: RunEnding;
  try {
    ending = await run(entries, executor, {
      signal,
      order: options.order,
      tempDir: options.what.tempDir,
      onRead: (bytes) => progress.read(bytes),
      onOutcome: (outcome) => {
        tally.add(outcome);
        isShared ||= outcome.entry.action === 'convert' && outcome.result.status === 'skipped';
        progress.above(() => reporter.outcome(outcome));
      },
      onOtherRun: (other) => progress.above(() => reporter.otherRun(other)),
      onWait: (archives) => progress.above(() => reporter.waiting(archives)),
    });
  } finally {
    progress.stop();
  }
  const summary = tally.summary();
  reporter.summary(summary, endingOf(ending));
  const different = isShared ? await countDifferent(found, options) : 0;
  if (different > 0) warn(describeDifferent(different));
  return summary;
}

/** Outputs that other runs have made meanwhile and this one would not make so: when it was planned, they were not there. */
async function countDifferent(found: FoundArchives, { what }: ConvertOptions): Promise<number> {
  if (what.onStale === 'keep') return 0;
  try {
    plan(await takeInventory(found, what.outputDir), { ...what, overwrite: false, onStale: 'refuse' });
    return 0;
  } catch (error) {
    if (error instanceof ConflictError) return error.conflicts.length;
    throw error;
  }
}

function describeDifferent(outputs: number): string {
  const subject = outputs === 1 ? '1 output was' : `${outputs} outputs were`;
  return (
    `Note: ${subject} made in another way than this run makes them, by another run at the same time. ` +
    'Run the same command again: it says what differs, and what to do.'
  );
}

function endingOf(ending: RunEnding): Ending {
  if (ending.kind === 'stopped') return { kind: 'interrupted', signal: String(ending.reason) };
  return { kind: ending.kind };
}

/** Why there are fewer workers than there are cores. */
function describeHeldBack(workers: number, { by, from }: NonNullable<DefaultWorkers['heldBack']>): string {
  return (
    `Note: ${workers} worker${workers === 1 ? '' : 's'} instead of ${from}: the memory limit of ${formatBytes(by.bytes)} ` +
    `(${by.file}) holds no more, at ${formatBytes(WORKER_BYTES)} each. Raise it, or say how many with --workers.`
  );
}

/** A single job runs here: a thread for it would take 80 ms to start. */
async function loadExecutor(slots: number): Promise<Executor> {
  if (slots > 1) return (await import('../executors/worker-threads.js')).workerThreadsExecutor({ slots });
  return (await import('../executors/main-thread.js')).mainThreadExecutor();
}

/** The plan, and what it was made of. */
async function makePlan(
  options: ConvertOptions,
  warn: (line: string) => void,
): Promise<{ found: FoundArchives; entries: PlanEntry[]; outputs: Outputs }> {
  const found =
    options.archives.length > 0
      ? await identifyArchives(options.archives, options.what.markets)
      : await findInSource(options);
  const inventory = await takeInventory(found, options.what.outputDir);
  const entries = planOrRefuse(inventory, options);
  for (const line of describeOddities(found, options)) warn(clean(line));
  if (entries.length === 0) throw new UsageError(describeNothing(found, options));
  const wanted = options.shard ? takeShard(entries, options.shard) : entries;
  return { found, entries: wanted, outputs: inventory.outputs };
}

/** The plan, or a refusal in the words of the command line. */
function planOrRefuse(inventory: Inventory, { what }: ConvertOptions): PlanEntry[] {
  try {
    return plan(inventory, what);
  } catch (error) {
    throw error instanceof ConflictError ? new ConflictError(error.conflicts, CONFLICT_WORDING) : error;
  }
}

async function findInSource({ sourceDir }: ConvertOptions): Promise<FoundArchives> {
  try {
    return await findArchives(sourceDir);
  } catch (error) {
    // A request that failed says itself what to do.
    if (!(error instanceof UsageError) || error.cause instanceof S3Error) throw error;
    throw new UsageError(`${error.message}\n${WHAT_TO_DO}`);
  }
}

/** What the user may not have meant, one line each. */
function describeOddities(
  { archives, unusable, ignored, repeated }: FoundArchives,
  { what }: ConvertOptions,
): string[] {
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

function listFirst(paths: string[]): string {
  return paths.slice(0, 3).join(', ');
}

/** For those who call it for the first time. */
const WHAT_TO_DO =
  'Say where the archives are with --source-dir DIR or BOOKGRID_SOURCE_DIR, or give archive files as arguments.\n' +
  'bookgrid --help explains all options; bookgrid --test shows on two small samples what comes out.';

function describeNothing({ archives }: FoundArchives, { sourceDir, archives: given, what }: ConvertOptions): string {
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

async function requireWritable(kind: string, folder: string): Promise<void> {
  try {
    await openStorage(folder).requireWritable(folder);
  } catch (error) {
    throw new UsageError(`Cannot write to the ${kind} folder ${folder}: ${(error as Error).message}`);
  }
}

function hasColors(stream: NodeJS.WriteStream): boolean {
  // Undefined, against its type, where the stream is no terminal.
  return Boolean(stream.isTTY) && stream.hasColors();
}
