import { setTimeout } from 'node:timers/promises';
import { mayHoldUpExit } from '../base/process-end.js';
import type { Executor } from '../convert/executor.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { schemeOf } from '../storage/paths.js';
import { newRunId } from '../storage/staging.js';
import { LAST_READ_MS, ReadCounter, StalledError, watchReads } from './stall-watch.js';

/** Options of {@link mainThreadExecutor}. */
export interface MainThreadOptions {
  /**
   * How long a read of an archive may take before its job fails, in ms; 0: as long as it takes. Archives are then read in
   * the background, so that this thread can notice. Default: 0.
   */
  stallTimeoutMs?: number;
}

/** A job, and how to be rid of it. */
interface Running {
  /** Settles with the job, or when it is given up. */
  outcome: Promise<JobResult>;
  reads: ReadCounter;
  giveUp: (cause: Error) => void;
}

/**
 * Converts one archive at a time in the thread of the caller, where a debugger sees everything.
 *
 * @param options all have defaults.
 */
export function mainThreadExecutor({ stallTimeoutMs = 0 }: MainThreadOptions = {}): Executor {
  const closing = new AbortController();
  const runId = newRunId();
  const running = new Set<Running>();

  const run: Executor['run'] = (job, { onRead, onConverted, ignoredRuns = [] }) => {
    const givenUp = new AbortController();
    const reads = new ReadCounter();
    const ended = runJob(job, {
      ...{ onRead, onConverted, runId },
      signal: AbortSignal.any([closing.signal, givenUp.signal]),
      givesWay: (writer) => !ignoredRuns.includes(writer.runId),
      mayCommit: () => !givenUp.signal.aborted,
      onReadTurn: () => reads.turn(),
      readsInBackground: stallTimeoutMs > 0,
    });
    // A read of a disk occupies a thread of libuv's pool, one of S3 only a connection.
    const isOfThisMachine = schemeOf(job.archive.path) === undefined;
    let giveUp: Running['giveUp'] = () => {};
    const outcome = new Promise<JobResult>((resolve, reject) => {
      giveUp = (cause) => {
        givenUp.abort();
        if (isOfThisMachine) mayHoldUpExit(ended);
        reject(cause);
      };
      const endWatch = watchReads(reads, stallTimeoutMs, () => giveUp(new StalledError(stallTimeoutMs)));
      ended.then(resolve, reject).finally(endWatch);
    });
    const started = { outcome, reads, giveUp };
    running.add(started);
    const leave = () => void running.delete(started);
    outcome.then(leave, leave);
    return outcome;
  };

  async function close(): Promise<void> {
    closing.abort();
    await Promise.all([...running].map(end));
    await settleAllLogs();
  }

  async function end({ outcome, reads, giveUp }: Running): Promise<void> {
    const settled = Promise.allSettled([outcome]);
    if (reads.isReading) await Promise.race([settled, setTimeout(LAST_READ_MS)]);
    if (reads.isReading) giveUp(new Error('stopped'));
    await settled;
  }

  return { slots: 1, runId, run, close };
}
