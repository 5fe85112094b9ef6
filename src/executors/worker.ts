/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
}

/** What it is asked for: a job, or to see that all records of its jobs are durable. */
export type WorkerTask = { job: Job } | 'settle';

/** `settled`: why records could not be made durable; `undefined`: they are. */
export type WorkerMessage = { readBytes: number } | { result: JobResult } | { settled: string | undefined };

const { runId } = workerData as WorkerData;

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
  const result = await runJob(task.job, { onRead: (readBytes) => post({ readBytes }), runId });
  post({ result });
});
