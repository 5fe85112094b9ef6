/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
}

/** What a worker thread says of its job. */
export type WorkerMessage<Result = JobResult> = { readBytes: number } | { result: Result };

const { runId } = workerData as WorkerData;

parentPort?.on('message', async (job: Job) => {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  const result = await runJob(job, { onRead: (readBytes) => post({ readBytes }), runId });
  post({ result });
});
