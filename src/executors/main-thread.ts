import type { Executor } from '../convert/executor.js';
import { runJob } from '../convert/job.js';

/** Runs one job at a time in the thread of the caller, where a debugger sees everything. */
export function mainThreadExecutor(): Executor {
  const abort = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  return {
    slots: 1,
    run(job, onRead) {
      const result = runJob(job, { onRead, signal: abort.signal });
      running = result;
      return result;
    },
    async close() {
      abort.abort();
      await Promise.allSettled([running]);
    },
  };
}
