import { UsageError } from '../base/usage-error.js';
import type { FoundArchives } from '../catalog/find-archives.js';
import { type KnownOutput, takeInventory } from '../catalog/inventory.js';
import { countNewRecords } from '../catalog/records.js';
import { clean } from '../console/clean-text.js';
import { describeHeldBack } from '../console/held-back.js';
import { LiveLine } from '../console/live-line.js';
import { MixedMarkets } from '../console/mixed-markets.js';
import { noProgress, showProgress, type Work } from '../console/progress.js';
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
import { canRedraw, fittedWriter, hasColors, hasEscapes, isPipe } from '../console/terminal.js';
import { ConflictError } from '../convert/conflicts.js';
import { estimateSizes } from '../convert/estimate.js';
import type { Executor } from '../convert/executor.js';
import { type PlanEntry, plan } from '../convert/plan.js';
import { type RunEnding, run } from '../convert/run.js';
import { type DefaultWorkers, defaultWorkers } from '../executors/default-workers.js';
import { openStorage } from '../storage/open-storage.js';
import type { FileVersion } from '../storage/storage.js';
import type { ConvertOptions } from './convert-options.js';
import { makePlan } from './make-plan.js';

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
    : new TextReporter(fittedWriter(stdout), { color: hasColors(stdout) });
  const { workers, heldBack }: DefaultWorkers =
    options.workers === undefined ? defaultWorkers() : { workers: options.workers };
  reporter.scanning(workers);
  const { found, entries, before, mixed } = await planRun(options, warn);
  reporter.found(entries.length, options.shard);

  const jobs = entries.filter((entry) => entry.action === 'convert').length;
  if (jobs > 0) {
    const { tempDir, outputDir } = options.what;
    if (tempDir !== undefined) await requireWritable('temp', tempDir);
    await requireWritable('output', outputDir);
  }
  if (heldBack && jobs > workers) warn(describeHeldBack({ workers, heldBack }));
  const tally = new Tally(entries.length);
  const isLive = !options.json && canRedraw(stderr);
  const progress = isLive
    ? showProgress(new LiveLine(stderr, { hasEscapes: hasEscapes() }), workOf(entries), tally, {
        isPiped: isPipe(stdout),
      })
    : noProgress;
  const slots = Math.min(workers, Math.max(jobs, 1));
  const executor = await loadExecutor(slots);
  let isShared = false;
  let ownRecords = 0;
  let ending: RunEnding;
  try {
    ending = await run(entries, executor, {
      signal,
      order: options.order,
      tempDir: options.what.tempDir,
      onRead: (bytes) => progress.read(bytes),
      onOutcome: (outcome) => {
        tally.add(outcome);
        mixed.add(outcome);
        if (outcome.entry.action === 'convert') {
          if (outcome.result.status === 'skipped') isShared = true;
          else ownRecords++;
        }
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
  const mixture = mixed.describe();
  if (mixture !== undefined) warn(clean(mixture));
  if (jobs > 0 && ending.kind !== 'stopped') {
    try {
      // Runs that make other outputs are not met while they run. That they were here shows in the records.
      isShared ||= (await countNewRecords(options.what.outputDir, before.recordBytes)) > ownRecords;
      const different = isShared ? await countDifferent(found, before, options) : 0;
      if (different > 0) warn(describeDifferent(different));
    } catch (error) {
      // What was made is made, and the summary has been printed.
      warn(`Note: what other runs have made meanwhile could not be looked at: ${clean((error as Error).message)}`);
    }
  }
  return summary;
}

/** What was there when a run was planned, as far as it is asked for in the end. */
interface Before {
  /** Size of the records. */
  recordBytes: number;
  /** What outputs were known by, by their paths: the ETag, or the time of change. */
  versions: Map<string, string | number | undefined>;
}

/** Makes the plan, and keeps of what is there what is needed later: all of it is too much to hold through a long run. */
async function planRun(options: ConvertOptions, warn: (line: string) => void) {
  const { found, entries, outputs } = await makePlan(options, warn);
  const versions = new Map(outputs.all.map((output) => [output.path, versionOf(output)]));
  const before: Before = { recordBytes: outputs.records.readBytes, versions };
  return { found, entries, before, mixed: new MixedMarkets(outputs.all) };
}

const versionOf = ({ etag, mtimeMs }: FileVersion) => etag ?? mtimeMs;

/** Outputs that other runs have made since a run was planned, and that it would not make so. */
async function countDifferent(found: FoundArchives, { versions }: Before, { what }: ConvertOptions): Promise<number> {
  if (what.onStale === 'keep') return 0;
  const inventory = await takeInventory(found, what.outputDir);
  try {
    plan(inventory, { ...what, overwrite: false, onStale: 'refuse' });
    return 0;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const conflicts = new Set(error.conflicts.map(({ path }) => path));
    const isNew = (output: KnownOutput) => versions.get(output.path) !== versionOf(output);
    return inventory.outputs.all.filter((output) => conflicts.has(output.path) && isNew(output)).length;
  }
}

function describeDifferent(outputs: number): string {
  const subject = outputs === 1 ? '1 output was' : `${outputs} outputs were`;
  return (
    `Note: ${subject} made in another way than this run makes them, by another run at the same time. ` +
    'Run the same command again: it says what differs, and what to do.'
  );
}

function workOf(entries: PlanEntry[]): Work {
  const sizes = entries.map((entry) => (entry.action === 'convert' ? entry.job.archive.sizeBytes : 0));
  return { archives: entries.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

function endingOf(ending: RunEnding): Ending {
  if (ending.kind === 'stopped') return { kind: 'interrupted', signal: String(ending.reason) };
  return { kind: ending.kind };
}

/** A single job runs here: a thread for it would take 80 ms to start. */
async function loadExecutor(slots: number): Promise<Executor> {
  if (slots > 1) return (await import('../executors/worker-threads.js')).workerThreadsExecutor({ slots });
  return (await import('../executors/main-thread.js')).mainThreadExecutor();
}

async function requireWritable(kind: string, folder: string): Promise<void> {
  try {
    await openStorage(folder).requireWritable(folder);
  } catch (error) {
    throw new UsageError(`Cannot write to the ${kind} folder ${folder}: ${(error as Error).message}`);
  }
}
