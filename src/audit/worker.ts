/** What each worker thread of an audit runs: archives come in as messages, findings and progress go out. */
import { parentPort } from 'node:worker_threads';
import type { ArchiveFile } from '../catalog/find-archives.js';
import type { WorkerMessage, WorkerTask } from '../executors/worker.js';
import { auditArchive } from './audit-archive.js';
import type { ArchiveFindings } from './findings.js';

parentPort?.on('message', async ({ job: archive }: WorkerTask<ArchiveFile>) => {
  const post = (message: WorkerMessage<ArchiveFindings>) => parentPort?.postMessage(message);
  const result = await auditArchive(archive, { onRead: (readBytes) => post({ readBytes }) });
  post({ result });
});
