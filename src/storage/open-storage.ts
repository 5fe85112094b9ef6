import { localStorage } from './local.js';
import { folderOf, schemeOf } from './paths.js';
import { s3Storage } from './s3/storage.js';
import { newRunId } from './staging.js';
import { type StagedFile, type Storage, StorageError } from './storage.js';

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

/**
 * Begins a file that is none of a run of many, and removes what dead runs have left of such files beside it.
 *
 * @throws a system error when it cannot be begun.
 */
export async function stageAlone(path: string): Promise<StagedFile> {
  const storage = openStorage(path);
  await storage.sweep([folderOf(path)]);
  return storage.stage(path, { runId: newRunId() });
}

/**
 * Writes such a file, whole or not at all.
 *
 * @throws a system error when it cannot be written.
 */
export async function writeAlone(path: string, bytes: Uint8Array): Promise<void> {
  const staged = await stageAlone(path);
  try {
    staged.write(bytes);
    staged.flush();
    await staged.publish();
  } finally {
    staged.discard();
  }
}

/**
 * Removes what runs have left behind in folders, wherever they are, see {@link Storage.sweep}.
 *
 * @param endedRunId a run that has ended, whose files are removed too.
 */
export async function sweepFolders(folders: Iterable<string>, endedRunId?: string): Promise<void> {
  const byStorage = new Map<Storage, string[]>();
  for (const folder of folders) {
    const storage = openStorage(folder);
    const known = byStorage.get(storage);
    if (known) known.push(folder);
    else byStorage.set(storage, [folder]);
  }
  for (const [storage, some] of byStorage) await storage.sweep(some, endedRunId);
}
