/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { CommitGate } from './commit-gate.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
  /** Memory of its {@link CommitGate}. */
  gate: SharedArrayBuffer;
}

/** What it is told to do: a job, or to see that all records of its jobs are durable. */
export type WorkerTask =
  | {
      job: Job;
      /** Other runs that it does not give way to. */
      ignoredRuns: readonly string[];
    }
  | 'settle';

/** `settled`: why records could not be made durable; `undefined`: they are. */
export type WorkerMessage = { readBytes: number } | { result: JobResult } | { settled: string | undefined };

const { runId, gate: shared } = workerData as WorkerData;
const gate = new CommitGate(shared);

parentPort?.on('message', async (task: WorkerTask) => {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  if (task === 'settle') {
    const settled = await settleAllLogs().then(
      () => undefined,
      (error: Error) => error.message,
    );
    post({ settled });
    return;
  }
  const { job, ignoredRuns } = task;
  const result = await runJob(job, {
    runId,
    onRead: (readBytes) => post({ readBytes }),
    givesWay: (writer) => !ignoredRuns.includes(writer.runId),
    mayCommit: () => gate.pass(),
  });
  post({ result });
});
