import type { Executor } from '../convert/executor.js';
import { runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { newRunId } from '../storage/staging.js';

/** Runs one job at a time in the thread of the caller, where a debugger sees everything. */
export function mainThreadExecutor(): Executor {
  const abort = new AbortController();
  const runId = newRunId();
  let running: Promise<unknown> = Promise.resolve();
  return {
    slots: 1,
    runId,
    run(job, onRead) {
      const result = runJob(job, { onRead, signal: abort.signal, runId });
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
