/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort } from 'node:worker_threads';
import { type JobResult, runJob } from '../convert/job.js';
import type { Job } from '../convert/plan.js';

export type WorkerMessage = { readBytes: number } | { result: JobResult };

parentPort?.on('message', async (job: Job) => {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  const result = await runJob(job, { onRead: (readBytes) => post({ readBytes }) });
  post({ result });
});
