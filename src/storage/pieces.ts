import { type ByteSource, StorageError } from './storage.js';

/** Large enough that a spinning or network disk streams, small enough that 200 workers do not matter. */
const PIECE_BYTES = 256 * 1024;

/**
 * The bytes of [startByte, endByte) one piece after the other, each a view that holds until the next is asked for.
 * `onRead` hears how many have been read, for progress.
 *
 * @throws {@link StorageError} when the source ends before `endByte`.
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
      throw new StorageError(
        `the file ended at byte ${position} of ${endByte}: it was cut short while it was being read`,
      );
    }
    position += piece.length;
    onRead(piece.length);
    yield piece;
  }
}
