import { UsageError } from '../base/usage-error.js';
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
import type { Executor } from '../convert/executor.js';
import { type RunEnding, run } from '../convert/run.js';
import { openStorage } from '../storage/open-storage.js';
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
    printPlan(await makePlan(options, warn), write, options);
    return undefined;
  }
  const reporter: Reporter = options.json
    ? new JsonReporter(write)
    : new TextReporter(write, { color: hasColors(stdout) });
  reporter.scanning(options.workers);
  const entries = await makePlan(options, warn);
  reporter.found(entries.length, options.shard);

  const jobs = entries.filter((entry) => entry.action === 'convert').length;
  if (jobs > 0) {
    const { tempDir, outputDir } = options.what;
    if (tempDir !== undefined) await requireWritable('temp', tempDir);
    await requireWritable('output', outputDir);
  }
  const tally = new Tally(entries.length);
  const isLive = stderr.isTTY && !options.json;
  const progress = isLive ? await showProgress(stderr, entries, tally) : noProgress;
  const slots = Math.min(options.workers, Math.max(jobs, 1));
  const executor = await loadExecutor(slots);
  let ending: RunEnding;
  try {
    ending = await run(entries, executor, {
      signal,
      order: options.order,
      tempDir: options.what.tempDir,
      onRead: (bytes) => progress.read(bytes),
      onOutcome: (outcome) => {
        tally.add(outcome);
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
  return summary;
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

function hasColors(stream: NodeJS.WriteStream): boolean {
  // Undefined, against its type, where the stream is no terminal.
  return Boolean(stream.isTTY) && stream.hasColors();
}
