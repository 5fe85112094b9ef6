import { ArchiveError } from './archive-error.js';
import { type ByteSource, openFile, pieces } from './byte-source.js';
import { readGzip } from './gzip.js';
import { readZip } from './zip.js';

export interface ReadOptions {
  /** Hears of every stretch of the archive file that has been read, in bytes, for progress. */
  onRead?: (bytes: number) => void;
}

/** The endings that {@link readArchive} knows. */
export const ARCHIVE_ENDINGS = ['.zip', '.gz', '.data'] as const;

/**
 * Reads the text of an archive as a sequence of chunks of any size: `.zip`, `.gz` or plain `.data`, by its ending.
 * Nothing is extracted to disk, and memory stays flat whatever the size. When the sequence ends without an error,
 * sizes and CRC-32 have been found right; until then nothing made from it may be kept.
 *
 * @throws {@link ArchiveError} for a damaged archive; a system error (with `code`) when the file cannot be read.
 */
export async function* readArchive(path: string, { onRead = () => {} }: ReadOptions = {}): AsyncGenerator<Buffer> {
  const source = openFile(path);
  try {
    if (source.sizeBytes === 0) throw new ArchiveError('the file is empty; download it again');
    yield* reader(path)(source, onRead);
  } finally {
    await source.close();
  }
}

function reader(path: string): (source: ByteSource, onRead: (bytes: number) => void) => AsyncGenerator<Buffer> {
  if (path.endsWith('.zip')) return readZip;
  if (path.endsWith('.gz')) return readGzip;
  return (source, onRead) => pieces(source, 0, source.sizeBytes, onRead);
}
