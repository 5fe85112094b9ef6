/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { type S3Settings, useS3 } from '../storage/s3/settings.js';
import { type Modules, useModules } from '../wasm/memory.js';
import { CommitGate } from './commit-gate.js';
import { ReadCounter } from './stall-watch.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
  /** Where S3 is, unless a job says otherwise. */
  s3: S3Settings;
  /** WebAssembly modules that need not be compiled again. */
  modules: Modules;
}

/** What it is told to do: a job, or to see that all records of its jobs are durable, and to end. */
export type WorkerTask<Work = Job> =
  | {
      /** What it is called in messages: the thread may be publishing the outputs of another one. */
      id: number;
      job: Work;
      /** Memory of its {@link CommitGate}. */
      gate: SharedArrayBuffer;
      /** Memory of its {@link ReadCounter}. */
      reads: SharedArrayBuffer;
      /** Other runs that it does not give way to. */
      ignoredRuns: readonly string[];
    }
  | 'end';

/** What it says of a job. */
export type WorkerMessage<Result = JobResult> =
  | { id: number; readBytes: number }
  /** Its outputs are being published: another job may come. */
  | { id: number; isConverted: true }
  | { id: number; result: Result }
  /** Before it ends: why records could not be made durable; `undefined`: they are. */
  | { settled: string | undefined };

const { runId, s3, modules } = workerData as WorkerData;
useS3(s3);
useModules(modules);

parentPort?.on('message', async (task: WorkerTask) => {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  if (task === 'end') {
    const settled = await settleAllLogs().then(
      () => undefined,
      (error: Error) => error.message,
    );
    post({ settled });
    parentPort?.close();
    return;
  }
  const { id, job, ignoredRuns } = task;
  const gate = new CommitGate(task.gate);
  const reads = new ReadCounter(task.reads);
  const result = await runJob(job, {
    runId,
    onRead: (readBytes) => post({ id, readBytes }),
    onConverted: () => post({ id, isConverted: true }),
    givesWay: (writer) => !ignoredRuns.includes(writer.runId),
    mayCommit: () => gate.pass(),
    onReadTurn: () => reads.turn(),
  });
  post({ id, result });
});
