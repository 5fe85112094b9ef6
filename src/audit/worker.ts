/** What each worker thread of an audit runs: archives come in as messages, findings and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ArchiveFile } from '../catalog/find-archives.js';
import type { WorkerData, WorkerMessage, WorkerTask } from '../executors/worker.js';
import { useS3 } from '../storage/s3/settings.js';
import { auditArchive } from './audit-archive.js';
import type { ArchiveFindings } from './findings.js';

useS3((workerData as WorkerData).s3);

parentPort?.on('message', async ({ job: archive }: Exclude<WorkerTask<ArchiveFile>, 'settle'>) => {
  const post = (message: WorkerMessage<ArchiveFindings>) => parentPort?.postMessage(message);
  const result = await auditArchive(archive, { onRead: (readBytes) => post({ readBytes }) });
  post({ result });
});
