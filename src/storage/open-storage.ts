import { localStorage } from './local.js';
import { schemeOf } from './paths.js';
import { s3Storage } from './s3/storage.js';
import { type Storage, StorageError } from './storage.js';

/** Whether this thread has appended lines to logs that are not durable yet. */
export function hasUnsettledLines(): boolean {
  return [localStorage, s3Storage].some((storage) => storage.unsettledLines() > 0);
}

/** Makes all lines durable that this thread has appended to logs, wherever they are. */
export async function settleAllLogs(): Promise<void> {
  for (const storage of [localStorage, s3Storage]) await storage.settleLogs();
}

/**
 * The storage that a path belongs to.
 *
 * @throws {@link StorageError} for `scheme://…` of an unknown scheme.
 */
export function openStorage(path: string): Storage {
  const scheme = schemeOf(path);
  if (scheme === undefined) return localStorage;
  if (scheme === 's3') return s3Storage;
  throw new StorageError(
    `${path}: nothing is known of ${scheme}:// here; a folder or a file of this machine, or s3://BUCKET/PREFIX, was expected`,
  );
}

/** Folders that are swept at a time: in S3 each is a question to a server. */
const SWEPT_AT_A_TIME = 16;

/**
 * Removes what runs have left behind in folders, wherever they are, see {@link Storage.sweep}.
 *
 * @param endedRunId a run that has ended, whose files are removed too.
 */
export async function sweepFolders(folders: Iterable<string>, endedRunId?: string): Promise<void> {
  const left = [...folders];
  while (left.length > 0) {
    const some = left.splice(0, SWEPT_AT_A_TIME);
    await Promise.all(some.map((folder) => openStorage(folder).sweep(folder, endedRunId)));
  }
}
