import { Worker } from 'node:worker_threads';
import type { Executor } from '../convert/executor.js';
import type { Job } from '../convert/plan.js';
import type { JobResult } from '../convert/recorded-job.js';
import { newRunId } from '../storage/staging.js';
import { StorageError } from '../storage/storage.js';
import type { WorkerData, WorkerMessage, WorkerTask } from './worker.js';

/** Options of {@link workerThreadsExecutor}. */
export interface WorkerThreadsOptions {
  /** How many threads there are at most. */
  slots: number;
  /** The module that each worker runs: this package's own, unless a bundler has put it elsewhere. */
  workerUrl?: URL;
}

/**
 * A forged archive may drive a worker to this much heap; then the worker ends, with an error of its archive, and not
 * the whole process. A worker with an ordinary archive needs a tenth of it.
 */
const MAX_HEAP_MB = 1024;

/** Of V8's nursery. Little garbage is made, so a small one costs nothing, and saves 15 MB a worker. */
const NURSERY_MB = 4;

/**
 * Runs jobs in worker threads, one job a worker at a time. Workers start when they are first needed and are used again;
 * one that dies takes only its job with it, and the next job gets a new one.
 *
 * @param options how many, and of what.
 */
export function workerThreadsExecutor({
  slots,
  workerUrl = new URL('./worker.js', import.meta.url),
}: WorkerThreadsOptions): Executor {
  const runId = newRunId();
  const all = new Set<Worker>();
  const idle: Worker[] = [];

  function start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: NURSERY_MB };
    const worker = new Worker(workerUrl, { resourceLimits, workerData: { runId } satisfies WorkerData });
    all.add(worker);
    worker.once('exit', () => all.delete(worker));
    // A thread that fails while it is idle is not used again; whoever takes a job next gets a new one.
    worker.on('error', () => all.delete(worker));
    return worker;
  }

  function takeIdle(): Worker | undefined {
    for (let worker = idle.pop(); worker; worker = idle.pop()) if (all.has(worker)) return worker;
    return undefined;
  }

  function run(job: Job, onRead: (bytes: number) => void): Promise<JobResult> {
    const worker = takeIdle() ?? start();
    return new Promise((resolve, reject) => {
      const onMessage = (message: WorkerMessage) => {
        if ('readBytes' in message) {
          onRead(message.readBytes);
          return;
        }
        if (!('result' in message)) return;
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        idle.push(worker);
        resolve(message.result);
      };
      const onError = (cause: unknown) =>
        reject(new Error(`its worker died: ${(cause as Error)?.message ?? cause}`, { cause }));
      const onExit = (code: number) => reject(new Error(`its worker died: it ended with exit code ${code}`));
      worker
        .on('message', onMessage)
        .once('error', onError)
        .once('exit', onExit)
        .postMessage({ job } satisfies WorkerTask);
    });
  }

  async function close(): Promise<void> {
    // One that has a job is ended at once: what its earlier jobs made is known by the notes of the outputs themselves.
    const problems = await Promise.all(idle.splice(0).map(settle));
    await Promise.all([...all].map((worker) => worker.terminate()));
    const problem = problems.find((found) => found !== undefined);
    if (problem !== undefined) throw new StorageError(problem);
  }

  /** @returns why the records of a worker's jobs are not durable. */
  function settle(worker: Worker): Promise<string | undefined> {
    if (!all.has(worker)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      worker.on('message', (message: WorkerMessage) => 'settled' in message && resolve(message.settled));
      worker.once('exit', () => resolve(undefined)).postMessage('settle' satisfies WorkerTask);
    });
  }

  return { slots, runId, run, close };
}
