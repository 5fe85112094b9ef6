import { type ArchiveCatalog, takeCatalog } from '../catalog/catalog.js';
import type { OutputList } from '../catalog/output-list.js';
import { countNewRecords } from '../catalog/records.js';
import { clean } from '../console/clean-text.js';
import { describeHeldBack } from '../console/held-back.js';
import { LiveLine } from '../console/live-line.js';
import { MixedMarkets } from '../console/mixed-markets.js';
import { noProgress, showProgress } from '../console/progress.js';
import {
  type Ending,
  JsonReporter,
  planLines,
  type Reporter,
  type Summary,
  Tally,
  TextReporter,
} from '../console/report.js';
import { lineWriter, type Surroundings, writeLines } from '../console/surroundings.js';
import { canRedraw, fittedWriter, hasColors, hasEscapes, isPipe } from '../console/terminal.js';
import { ConflictError } from '../convert/conflicts.js';
import { estimateSizes } from '../convert/estimate.js';
import type { Executor } from '../convert/executor.js';
import { LargePlan } from '../convert/large-plan.js';
import type { PlanEntry } from '../convert/plan.js';
import { type RunEnding, run } from '../convert/run.js';
import { type DefaultWorkers, defaultWorkers } from '../executors/default-workers.js';
import { openStorage } from '../storage/open-storage.js';
import type { FileVersion } from '../storage/storage.js';
import type { ConvertOptions } from './convert-options.js';
import { makePlan } from './make-plan.js';
import { requireWritable } from './require-writable.js';

/**
 * Converts archives: scan, plan, run, report.
 *
 * @returns the totals, or `undefined` for a dry run.
 * @throws {@link UsageError} when there is nothing to work on.
 */
export async function convert(options: ConvertOptions, surroundings: Surroundings): Promise<Summary | undefined> {
  const { stdout, stderr, signal } = surroundings;
  const warn = lineWriter(stderr);
  if (options.dryRun) {
    const { outputDir } = options.what;
    const { entries, outputs } = await makePlan(options, warn);
    const freeBytes = await openStorage(outputDir).freeBytes(outputDir);
    const room = { ...estimateSizes(entries, outputs), outputDir, freeBytes };
    await writeLines(stdout, planLines(entries, room, options));
    return undefined;
  }
  const reporter: Reporter = options.json
    ? new JsonReporter(lineWriter(stdout))
    : new TextReporter(fittedWriter(stdout), { color: hasColors(stdout) });
  const { workers, heldBack }: DefaultWorkers =
    options.workers === undefined ? defaultWorkers() : { workers: options.workers };
  reporter.scanning(workers);
  const { archives, entries, before, mixed } = await planRun(options, warn);
  reporter.found(entries.length, options.shard);

  const { jobs, bytes } = workOf(entries);
  if (jobs > 0) {
    const { tempDir, outputDir } = options.what;
    if (tempDir !== undefined) await requireWritable('temp', tempDir);
    await requireWritable('output', outputDir);
  }
  if (heldBack && jobs > workers) warn(describeHeldBack({ workers, heldBack }));
  const tally = new Tally(entries.length);
  const isLive = !options.json && canRedraw(stderr);
  const progress = isLive
    ? showProgress(new LiveLine(stderr, { hasEscapes: hasEscapes() }), { archives: entries.length, bytes }, tally, {
        isPiped: isPipe(stdout),
      })
    : noProgress;
  const slots = Math.min(workers, Math.max(jobs, 1));
  const executor = await loadExecutor(slots, options.stallTimeoutMs);
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
      const different = isShared ? await countDifferent(archives, before, options) : 0;
      if (different > 0) warn(describeDifferent(different));
    } catch (error) {
      // What was made is made, and the summary has been printed.
      warn(`Note: what other runs have made meanwhile could not be looked at: ${clean((error as Error).message)}`);
    }
  }
  if (ending.unrecorded) throw ending.unrecorded;
  return summary;
}

/** What was there when a run was planned, as far as it is asked for in the end. */
interface Before {
  /** Size of the records. */
  recordBytes: number;
  outputs: OutputList;
}

/** Makes the plan, and keeps of what is there what is needed later: all of it is too much to hold through a long run. */
async function planRun(options: ConvertOptions, warn: (line: string) => void) {
  const { archives, entries, outputs } = await makePlan(options, warn);
  const before: Before = { recordBytes: outputs.records.readBytes, outputs: outputs.list };
  return { archives, entries, before, mixed: new MixedMarkets(outputs) };
}

const versionOf = ({ etag, mtimeMs }: FileVersion) => etag ?? mtimeMs;

/** Outputs that other runs have made since a run was planned, and that it would not make so. */
async function countDifferent(
  archives: ArchiveCatalog,
  { outputs: before }: Before,
  { what }: ConvertOptions,
): Promise<number> {
  if (what.onStale === 'keep') return 0;
  const catalog = await takeCatalog(archives, what.outputDir);
  try {
    void new LargePlan(catalog, { ...what, overwrite: false, onStale: 'refuse' });
    return 0;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const conflicts = new Set(error.conflicts.map(({ path }) => path));
    const versions = new Map<string, string | number | undefined>();
    for (const output of before) if (conflicts.has(output.path)) versions.set(output.path, versionOf(output));
    let count = 0;
    for (const output of catalog.outputs.list) {
      if (conflicts.has(output.path) && versions.get(output.path) !== versionOf(output)) count++;
    }
    return count;
  }
}

function describeDifferent(outputs: number): string {
  const subject = outputs === 1 ? '1 output was' : `${outputs} outputs were`;
  return (
    `Note: ${subject} made in another way than this run makes them, by another run at the same time. ` +
    'Run the same command again: it says what differs, and what to do.'
  );
}

/** How many archives are to be converted, and their size in bytes. */
function workOf(entries: Iterable<PlanEntry>): { jobs: number; bytes: number } {
  const work = { jobs: 0, bytes: 0 };
  for (const entry of entries) {
    if (entry.action !== 'convert') continue;
    work.jobs++;
    work.bytes += entry.sizeBytes;
  }
  return work;
}

function endingOf(ending: RunEnding): Ending {
  if (ending.kind === 'stopped') return { kind: 'interrupted', signal: String(ending.reason) };
  return { kind: ending.kind };
}

/** A single job runs here: a thread for it would take 80 ms to start. */
async function loadExecutor(slots: number, stallTimeoutMs: number): Promise<Executor> {
  if (slots === 1) return (await import('../executors/main-thread.js')).mainThreadExecutor({ stallTimeoutMs });
  return (await import('../executors/worker-threads.js')).workerThreadsExecutor({ slots, stallTimeoutMs });
}
