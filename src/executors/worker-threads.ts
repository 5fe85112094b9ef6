import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Executor, JobRun } from '../convert/executor.js';
import type { Job } from '../convert/plan.js';
import type { JobResult } from '../convert/recorded-job.js';
import { s3Settings } from '../storage/s3/settings.js';
import { newRunId } from '../storage/staging.js';
import { StorageError } from '../storage/storage.js';
import { CommitGate } from './commit-gate.js';
import type { WorkerData, WorkerMessage, WorkerTask } from './worker.js';

/** Options of {@link workerThreadsExecutor}. */
export interface WorkerThreadsOptions {
  /** How many threads there are at most. */
  slots: number;
  /** The module that each worker runs: that of conversions, unless it is other work or a bundler has put it elsewhere. */
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
 * How long to leave threads alone before they are ended. V8 may still be compiling code of theirs in the background, and
 * when a thread ends meanwhile, Node 20 ends the whole process once in some ten thousand runs (`Assertion failed:
 * (data.first) != nullptr`): it takes the thread off its platform before the compiler has stopped.
 */
const COMPILER_MS = 50;

/** A thread, and what it is doing. */
interface Thread {
  worker: Worker;
  gate: CommitGate;
  /** Settled when it has nothing to do. */
  running: Promise<unknown>;
  /** Records of its jobs are not durable yet. */
  isUnsettled: boolean;
}

/**
 * Runs jobs in worker threads, one job a worker at a time. Workers start when they are first needed and are used again;
 * one that dies takes only its job with it, and the next job gets a new one.
 *
 * @param options how many, and of what.
 */
export function workerThreadsExecutor<Work = Job, Result = JobResult>({
  slots,
  workerUrl = new URL('./worker.js', import.meta.url),
}: WorkerThreadsOptions): Executor<Work, Result> {
  const runId = newRunId();
  const all = new Set<Thread>();
  const idle: Thread[] = [];
  let isClosed = false;

  function start(): Thread {
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: NURSERY_MB };
    const gate = new CommitGate();
    const data: WorkerData = { runId, gate: gate.shared, s3: s3Settings() };
    const worker = new Worker(workerUrl, { resourceLimits, workerData: data });
    const thread: Thread = { worker, gate, running: Promise.resolve(), isUnsettled: false };
    all.add(thread);
    worker.once('exit', () => all.delete(thread));
    // A thread that fails while it is idle is not used again; whoever takes a job next gets a new one.
    worker.on('error', () => all.delete(thread));
    return thread;
  }

  function takeIdle(): Thread | undefined {
    for (let thread = idle.pop(); thread; thread = idle.pop()) if (all.has(thread)) return thread;
    return undefined;
  }

  async function run(job: Work, how: JobRun): Promise<Result> {
    if (isClosed) throw new Error('stopped');
    const thread = takeIdle() ?? start();
    const result = runIn(thread, job, how);
    thread.running = result;
    return result;
  }

  function runIn(thread: Thread, job: Work, { onRead, ignoredRuns = [] }: JobRun): Promise<Result> {
    const { worker, gate } = thread;
    return new Promise((resolve, reject) => {
      const onMessage = (message: WorkerMessage<Result>) => {
        if ('readBytes' in message) {
          onRead(message.readBytes);
          return;
        }
        if (!('result' in message)) return;
        thread.isUnsettled = message.isUnsettled ?? false;
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        idle.push(thread);
        resolve(message.result);
      };
      const onError = (cause: unknown) =>
        reject(new Error(`its worker died: ${(cause as Error)?.message ?? cause}`, { cause }));
      const onExit = (code: number) => reject(new Error(`its worker died: it ended with exit code ${code}`));
      gate.open();
      worker.on('message', onMessage).once('error', onError).once('exit', onExit);
      worker.postMessage({ job, ignoredRuns } satisfies WorkerTask<Work>);
    });
  }

  async function end({ worker, gate, running }: Thread): Promise<void> {
    if (!gate.shut()) await Promise.allSettled([running]);
    await worker.terminate();
  }

  async function close(): Promise<void> {
    // A job that is not yet at its end is ended at once. What earlier ones made is known by the notes of the outputs.
    isClosed = true;
    const problems = await Promise.all(idle.splice(0).map(settle));
    if (all.size > 0) await setTimeout(COMPILER_MS);
    await Promise.all([...all].map(end));
    const problem = problems.find((found) => found !== undefined);
    if (problem !== undefined) throw new StorageError(problem);
  }

  /** @returns why the records of a thread's jobs are not durable. */
  function settle(thread: Thread): Promise<string | undefined> {
    const { worker } = thread;
    if (!all.has(thread) || !thread.isUnsettled) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      worker.on('message', (message: WorkerMessage) => 'settled' in message && resolve(message.settled));
      worker.once('exit', () => resolve(undefined)).postMessage('settle' satisfies WorkerTask);
    });
  }

  return { slots, runId, run, close };
}
