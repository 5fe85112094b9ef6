import type { Executor } from '../convert/executor.js';
import { runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { newRunId } from '../storage/staging.js';
import type { Writer } from '../storage/storage.js';

/** Runs one job at a time in the thread of the caller, where a debugger sees everything. */
export function mainThreadExecutor(): Executor {
  const abort = new AbortController();
  const runId = newRunId();
  let running: Promise<unknown> = Promise.resolve();
  return {
    slots: 1,
    runId,
    run(job, { onRead, ignoredRuns = [] }) {
      const givesWay = (writer: Writer) => !ignoredRuns.includes(writer.runId);
      const result = runJob(job, { onRead, signal: abort.signal, runId, givesWay });
      running = result;
      return result;
    },
    async close() {
      abort.abort();
      await Promise.allSettled([running]);
      await settleAllLogs();
    },
  };
}
