import fs from 'node:fs';

/** The bytes are not those of a whole file: it is none, or it was cut short meanwhile. The message stands alone. */
export class SourceError extends Error {
  override name = 'SourceError';
}

/**
 * Where an archive's bytes come from: a size, and ranges on request. The one interface that another kind of
 * storage has to offer.
 */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Fills `buffer` with the bytes from `position` on. @returns how many, fewer only at the end of the source. */
  read(buffer: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Large enough that a spinning or network disk streams, small enough that 200 workers do not matter. */
const PIECE_BYTES = 256 * 1024;

/**
 * Opens a local file. Reads are synchronous calls: they run in the thread of the archive's own worker, whereas
 * asynchronous ones would queue, with those of every other worker, for the four threads of libuv's pool.
 */
export function openFile(path: string): ByteSource {
  // Asked before it is opened, because opening a pipe waits for whoever writes to it.
  const stat = fs.statSync(path);
  if (!stat.isFile()) throw new SourceError('not a regular file');
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

/**
 * The bytes of [startByte, endByte) one piece after the other, each a view that holds until the next is asked for.
 * `onRead` hears how many have been read, for progress.
 *
 * @throws {@link SourceError} when the source ends before `endByte`.
 */
export async function* pieces(
  source: ByteSource,
  startByte: number,
  endByte: number, // exclusive
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, endByte - startByte));
  for (let position = startByte; position < endByte; ) {
    const wanted = buffer.subarray(0, endByte - position);
    const piece = wanted.subarray(0, await source.read(wanted, position));
    if (piece.length === 0) {
      throw new SourceError(
        `the file ended at byte ${position} of ${endByte}: it was cut short while it was being read`,
      );
    }
    position += piece.length;
    onRead(piece.length);
    yield piece;
  }
}
