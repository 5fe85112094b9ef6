/** What each worker thread of an audit runs: archives come in as messages, findings and progress go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ArchiveFile } from '../catalog/find-archives.js';
import type { WorkerData, WorkerMessage, WorkerTask } from '../executors/worker.js';
import { useS3 } from '../storage/s3/settings.js';
import { useModules } from '../wasm/memory.js';
import { auditArchive } from './audit-archive.js';
import type { ArchiveFindings } from './findings.js';

const { s3, modules } = workerData as WorkerData;
useS3(s3);
useModules(modules);

parentPort?.on('message', async (task: WorkerTask<ArchiveFile>) => {
  if (task === 'end') {
    parentPort?.close();
    return;
  }
  const { id, job: archive } = task;
  const post = (message: WorkerMessage<ArchiveFindings>) => parentPort?.postMessage(message);
  const result = await auditArchive(archive, { onRead: (readBytes) => post({ id, readBytes }) });
  post({ id, result });
});
