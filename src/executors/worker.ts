/** What each worker thread runs: jobs come in as messages, results and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Job } from '../convert/plan.js';
import { type JobResult, runJob } from '../convert/recorded-job.js';
import { hasUnsettledLines, settleAllLogs } from '../storage/open-storage.js';
import { type S3Settings, useS3 } from '../storage/s3/settings.js';
import { CommitGate } from './commit-gate.js';

/** What a worker thread is told when it starts. */
export interface WorkerData {
  runId: string;
  /** Memory of its {@link CommitGate}. */
  gate: SharedArrayBuffer;
  /** Where S3 is, unless a job says otherwise. */
  s3: S3Settings;
}

/** What it is told to do: a job, or to see that all records of its jobs are durable. */
export type WorkerTask<Work = Job> =
  | {
      job: Work;
      /** Other runs that it does not give way to. */
      ignoredRuns: readonly string[];
    }
  | 'settle';

/** What it says of its job. */
export type WorkerMessage<Result = JobResult> =
  | { readBytes: number }
  /** `isUnsettled`: records of its jobs are not durable yet; it has to be asked to `settle` before it ends. */
  | { result: Result; isUnsettled?: boolean }
  /** Why records could not be made durable; `undefined`: they are. */
  | { settled: string | undefined };

const { runId, gate: shared, s3 } = workerData as WorkerData;
const gate = new CommitGate(shared);
useS3(s3);

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
  post({ result, isUnsettled: hasUnsettledLines() });
});
