import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { mayHoldUpExit } from '../base/process-end.js';
import type { Executor, JobRun } from '../convert/executor.js';
import type { Job } from '../convert/plan.js';
import type { JobResult } from '../convert/recorded-job.js';
import { s3Settings } from '../storage/s3/settings.js';
import { newRunId } from '../storage/staging.js';
import { StorageError } from '../storage/storage.js';
import { compileModules } from '../wasm/memory.js';
import { CommitGate } from './commit-gate.js';
import { LAST_READ_MS, ReadCounter, StalledError, watchReads } from './stall-watch.js';
import type { WorkerData, WorkerMessage, WorkerTask } from './worker.js';

/** Options of {@link workerThreadsExecutor}. */
export interface WorkerThreadsOptions {
  /** How many threads there are at most. */
  slots: number;
  /** The module that each worker runs: that of conversions, unless it is other work or a bundler has put it elsewhere. */
  workerUrl?: URL;
  /**
   * How long a read of an archive may take before its job fails and its thread is given up, in ms; 0: as long as it takes.
   * Default: 0.
   */
  stallTimeoutMs?: number;
}

/** Also of what the program itself runs in threads. */
interface ThreadsOptions extends Required<WorkerThreadsOptions> {
  /** The WebAssembly modules that each worker needs: they are compiled once, for all. */
  modules: readonly string[];
}

/**
 * A forged archive may drive a worker to this much heap; then the worker ends, with an error of its archive, and not
 * the whole process. A worker with an ordinary archive needs a tenth of it.
 */
const MAX_HEAP_MB = 1024;

/** Of V8's nursery. Little garbage is made, so a small one costs nothing, and saves 15 MB a worker. */
const NURSERY_MB = 4;

/**
 * How long to leave threads alone before they are ended in the middle of a job. V8 may still be compiling code of theirs in
 * the background, and when a thread is ended meanwhile, Node 20 ends the whole process once in some ten thousand runs
 * (`Assertion failed: (data.first) != nullptr`): it takes the thread off its platform before the compiler has stopped. For a
 * thread that comes to its own end Node waits until that is done.
 */
const COMPILER_MS = 50;

/** Why a job ends whose outputs were being published when its thread had to be given up. */
const HELD_UP =
  'its outputs were being published when another archive, which could not be read, held up the thread: run the same command again';

/** A thread that has not come to its own end after this is ended: something keeps it, such as a connection. */
const END_LIMIT_MS = 200;

/** A thread, and what it is doing: it reads one archive at a time, and may publish the outputs of others. */
interface Thread {
  worker: Worker;
  jobs: Set<Running>;
}

/** A job in a thread. */
interface Running {
  gate: CommitGate;
  reads: ReadCounter;
  outcome: Promise<unknown>;
  /** Ends the job, though the thread goes on. */
  giveUp: (cause: Error) => void;
}

/**
 * What conversions need. Of a module that each thread compiles for itself something stays when the thread has ended: a
 * process that converts for ever had grown by 40 kB a run.
 */
const MODULES = ['book.wasm', 'inflate.wasm', 'parquet.wasm'];

/**
 * Runs jobs in worker threads, each of which converts one archive at a time. Workers start when they are first needed and
 * are used again; one that dies takes only its own jobs with it, and the next job gets a new one.
 *
 * @param options how many, and of what.
 */
export function workerThreadsExecutor<Work = Job, Result = JobResult>({
  slots,
  workerUrl = new URL('../program/convert-worker.cjs', import.meta.url),
  stallTimeoutMs = 0,
}: WorkerThreadsOptions): Executor<Work, Result> {
  return threadsExecutor({ slots, workerUrl, stallTimeoutMs, modules: MODULES });
}

/** The same for any kind of work. */
export function threadsExecutor<Work, Result>({
  slots,
  workerUrl,
  stallTimeoutMs,
  modules,
}: ThreadsOptions): Executor<Work, Result> {
  const runId = newRunId();
  const all = new Set<Thread>();
  const idle: Thread[] = [];
  let isClosed = false;
  let count = 0;

  function start(): Thread {
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: NURSERY_MB };
    const data: WorkerData = { runId, s3: s3Settings(), modules: compileModules(modules) };
    const worker = new Worker(workerUrl, { resourceLimits, workerData: data });
    worker.setMaxListeners(0); // each of its jobs listens
    const thread: Thread = { worker, jobs: new Set() };
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
    return runIn(takeIdle() ?? start(), job, how);
  }

  function runIn(
    thread: Thread,
    job: Work,
    { onRead, onConverted = () => {}, ignoredRuns = [] }: JobRun,
  ): Promise<Result> {
    const { worker, jobs } = thread;
    const id = count++;
    const gate = new CommitGate();
    const reads = new ReadCounter();
    let giveUp: Running['giveUp'] = () => {};
    const outcome = new Promise<Result>((resolve, reject) => {
      let isConverted = false;
      const onMessage = (message: WorkerMessage<Result>) => {
        if (!('id' in message) || message.id !== id) return;
        if ('readBytes' in message) {
          onRead(message.readBytes);
          return;
        }
        if (!isConverted) idle.push(thread);
        isConverted = true;
        if ('isConverted' in message) {
          onConverted();
          return;
        }
        leave();
        resolve(message.result);
      };
      const fail = (cause: Error) => {
        leave();
        reject(cause);
      };
      const onError = (cause: unknown) =>
        fail(new Error(`its worker died: ${(cause as Error)?.message ?? cause}`, { cause }));
      const onExit = (code: number) => fail(new Error(`its worker died: it ended with exit code ${code}`));
      const endWatch = watchReads(reads, stallTimeoutMs, () => {
        if (!gate.shut()) return;
        fail(new StalledError(stallTimeoutMs));
        abandon(thread, new StorageError(HELD_UP));
      });
      const leave = () => {
        endWatch();
        jobs.delete(running);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      giveUp = fail;
      worker.on('message', onMessage).once('error', onError).once('exit', onExit);
      const shared = { gate: gate.shared, reads: reads.shared };
      worker.postMessage({ id, job, ignoredRuns, ...shared } satisfies WorkerTask<Work>);
    });
    const running: Running = { gate, reads, outcome, giveUp };
    jobs.add(running);
    return outcome;
  }

  /** Ends a thread that may not hear of it: it waits for a read. */
  function abandon(thread: Thread, cause: Error): void {
    all.delete(thread);
    mayHoldUpExit(thread.worker.terminate());
    thread.worker.unref();
    for (const { giveUp } of [...thread.jobs]) giveUp(cause);
  }

  async function end(thread: Thread): Promise<void> {
    const { worker } = thread;
    const jobs = [...thread.jobs];
    await Promise.allSettled(jobs.filter(({ gate }) => !gate.shut()).map(({ outcome }) => outcome));
    const ended = worker.terminate();
    if (!jobs.some(({ reads }) => reads.isReading)) {
      await ended;
      return;
    }
    mayHoldUpExit(ended);
    const late = wait(LAST_READ_MS, 'late' as const);
    if ((await Promise.race([ended, late])) === 'late') abandon(thread, new Error('stopped'));
  }

  async function closeAll(): Promise<void> {
    // A job that is not yet at its end is ended at once. What earlier ones made is known by the notes of the outputs.
    isClosed = true;
    const free = idle.splice(0).filter(({ jobs }) => jobs.size === 0);
    const problems = await Promise.all(free.map(letEnd));
    if (all.size > 0) await wait(COMPILER_MS);
    await Promise.all([...all].map(end));
    const problem = problems.find((found) => found !== undefined);
    if (problem !== undefined) throw new StorageError(problem);
  }

  /**
   * Lets a thread that has nothing to do come to its own end.
   *
   * @returns why the records of its jobs are not durable.
   */
  function letEnd(thread: Thread): Promise<string | undefined> {
    const { worker } = thread;
    if (!all.has(thread)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let problem: string | undefined;
      let limit: NodeJS.Timeout | undefined;
      worker.on('message', (message: WorkerMessage) => {
        if (!('settled' in message)) return;
        problem = message.settled;
        limit = setTimeout(() => resolve(problem), END_LIMIT_MS);
      });
      worker.once('exit', () => {
        clearTimeout(limit);
        resolve(problem);
      });
      worker.postMessage('end' satisfies WorkerTask);
    });
  }

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeAll();
    return closed;
  };

  return { slots, runId, run, close };
}
