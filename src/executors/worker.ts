/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { CommitGate } from './commit-gate.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
  /** Memory of its {@link CommitGate}. */
  gate: SharedArrayBuffer;
}

/** What it is told to do. */
export interface WorkerTask<Work = Job> {
  job: Work;
  /** Other runs that it does not give way to. */
  ignoredRuns: readonly string[];
}

/** What it says of its job. */
export type WorkerMessage<Result = JobResult> = { readBytes: number } | { result: Result };

const { runId, gate: shared } = workerData as WorkerData;
const gate = new CommitGate(shared);

parentPort?.on('message', async ({ job, ignoredRuns }: WorkerTask) => {
  const post = (message: WorkerMessage) => parentPort?.postMessage(message);
  const result = await runJob(job, {
    runId,
    onRead: (readBytes) => post({ readBytes }),
    givesWay: (writer) => !ignoredRuns.includes(writer.runId),
    mayCommit: () => gate.pass(),
  });
  post({ result });
});
