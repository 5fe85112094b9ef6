import fs from 'node:fs';
import { type ByteSource, StorageError } from './storage.js';

/**
 * Opens a file of this machine. Reads are synchronous calls: they run in the thread of the archive's own worker, whereas
 * asynchronous ones would queue, with those of every other worker, for the four threads of libuv's pool.
 *
 * @throws {@link StorageError} when it is no regular file; a system error when it cannot be opened.
 */
export function openFile(path: string): ByteSource {
  // Asked before it is opened, because opening a pipe waits for whoever writes to it.
  const stat = fs.statSync(path);
  if (!stat.isFile()) throw new StorageError('not a regular file');
  const fd = fs.openSync(path, 'r');
  return {
    sizeBytes: stat.size,
    async read(buffer, position) {
      let filled = 0;
      while (filled < buffer.length) {
        const count = fs.readSync(fd, buffer, filled, buffer.length - filled, position + filled);
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
