import fs from 'node:fs';
import { type ByteSource, type FileVersion, StorageError } from './storage.js';
import { versionOf } from './version.js';

const NOT_REGULAR = 'not a regular file';

/**
 * Opens a file of this machine. Reads are synchronous calls: they run in the thread of the archive's own worker, whereas
 * asynchronous ones would queue, with those of every other worker, for the four threads of libuv's pool.
 *
 * @throws {@link StorageError} when it is no regular file; a system error when it cannot be opened.
 */
export function openFile(path: string): ByteSource {
  // Asked before it is opened, because opening a pipe waits for whoever writes to it.
  const stat = fs.statSync(path);
  if (!stat.isFile()) throw new StorageError(NOT_REGULAR);
  const fd = fs.openSync(path, 'r');
  return {
    sizeBytes: stat.size,
    version: versionOf(stat),
    async read(buffer, position) {
      let filled = 0;
      while (filled < buffer.length) {
        const count = readSome(fd, buffer, filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
      return filled;
    },
    async close() {
      try {
        fs.closeSync(fd);
      } catch {
        // Nothing was written, so nothing is lost; an error of the reading itself must not be hidden by this one.
      }
    },
  };
}

/** The same, through libuv's pool: for one reader alone, who must notice a read that never comes back. */
export async function openInBackground(path: string): Promise<ByteSource> {
  const stat = await fs.promises.stat(path);
  if (!stat.isFile()) throw new StorageError(NOT_REGULAR);
  return sourceOf(await fs.promises.open(path, 'r'), versionOf(stat));
}

/** The same for a thread that answers others meanwhile: a slow disk must not keep them waiting. Follows no symbolic link. */
export async function openFileToServe(path: string): Promise<ByteSource> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants; // a pipe is opened without a wait, and then refused
  const handle = await fs.promises.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new StorageError(NOT_REGULAR);
    return sourceOf(handle, versionOf(stat));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function sourceOf(file: fs.promises.FileHandle, version: FileVersion): ByteSource {
  return {
    sizeBytes: version.sizeBytes,
    version,
    async read(buffer, position) {
      let filled = 0;
      while (filled < buffer.length) {
        const count = await readSomeInBackground(file, buffer, filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
      return filled;
    },
    async close() {
      try {
        await file.close();
      } catch {
        // As above.
      }
    },
  };
}

/** Reads what comes in one call. A network disk may give up a read when a signal comes, which Node tells and does not mend. */
function readSome(fd: number, buffer: Uint8Array, filled: number, position: number): number {
  for (;;) {
    try {
      return fs.readSync(fd, buffer, filled, buffer.length - filled, position);
    } catch (error) {
      if (!isInterruption(error)) throw error;
    }
  }
}

async function readSomeInBackground(
  file: fs.promises.FileHandle,
  buffer: Uint8Array,
  filled: number,
  position: number,
): Promise<number> {
  for (;;) {
    try {
      return (await file.read(buffer, filled, buffer.length - filled, position)).bytesRead;
    } catch (error) {
      if (!isInterruption(error)) throw error;
    }
  }
}

function isInterruption(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EINTR';
}
