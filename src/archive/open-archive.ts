import { openStorage } from '../storage/open-storage.js';
import { pieces } from '../storage/pieces.js';
import { type ByteSource, StorageError } from '../storage/storage.js';
import { ArchiveError } from './archive-error.js';
import type { ReadOptions, ResolvedReadOptions } from './read-options.js';

/** The endings that {@link readArchive} knows. */
export const ARCHIVE_ENDINGS = ['.zip', '.gz', '.data'] as const;

/**
 * Reads the text of an archive as a sequence of chunks of any size: `.zip`, `.gz` or plain `.data`, by its ending.
 * A chunk holds until the next is asked for. Nothing is extracted to disk, and memory stays flat whatever the size. When the sequence ends without an error,
 * sizes and CRC-32 have been found right; until then nothing made from it may be kept.
 *
 * @param options all have defaults.
 * @throws {@link ArchiveError} for a damaged archive; a system error (with `code`) when the file cannot be read.
 */
export async function* readArchive(
  path: string,
  {
    onRead = () => {},
    inflater = 'kernel',
    inflateKernel,
    onOpen = () => {},
    onReadTurn = () => {},
    inBackground,
  }: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  let source: ByteSource | undefined;
  try {
    const open = () => openStorage(path).open(path, { inBackground });
    source = watched(await inTurns(onReadTurn, open), onReadTurn);
    onOpen(source.version);
    if (source.sizeBytes === 0) throw new ArchiveError('the file is empty; download it again');
    const read = await loadReader(path);
    yield* read(source, { onRead, inflater, inflateKernel });
  } catch (error) {
    throw error instanceof StorageError ? new ArchiveError(error.message, { cause: error }) : error;
  } finally {
    await source?.close();
  }
}

/** A source that says of each read that it begins, and that it has come back. */
function watched(source: ByteSource, onReadTurn: () => void): ByteSource {
  return {
    sizeBytes: source.sizeBytes,
    version: source.version,
    read: (buffer, position) => inTurns(onReadTurn, () => source.read(buffer, position)),
    close: () => source.close(),
  };
}

async function inTurns<T>(onReadTurn: () => void, read: () => Promise<T>): Promise<T> {
  onReadTurn();
  try {
    return await read();
  } finally {
    onReadTurn();
  }
}

type Reader = (source: ByteSource, options: ResolvedReadOptions) => AsyncGenerator<Uint8Array>;

/** Loads only what reads this kind of archive. */
async function loadReader(path: string): Promise<Reader> {
  if (path.endsWith('.zip')) return (await import('./zip.js')).readZip;
  if (path.endsWith('.gz')) return (await import('./gzip.js')).readGzip;
  return (source, { onRead }) => pieces(source, 0, source.sizeBytes, onRead);
}
