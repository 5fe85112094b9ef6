import { pieces } from '../storage/pieces.js';
import type { ByteSource } from '../storage/storage.js';
import { ArchiveError } from './archive-error.js';
import { inflateGzip } from './inflate.js';
import type { ResolvedReadOptions } from './read-options.js';

/**
 * Reads a gzip file of one or several members as one text (RFC 1952, 2.2: members are simply concatenated).
 *
 * @throws {@link ArchiveError} when the file is no gzip file, is cut short, or a member's CRC-32 or length is wrong.
 */
export async function* readGzip(source: ByteSource, { onRead }: ResolvedReadOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* inflateGzip(pieces(source, 0, source.sizeBytes, onRead));
  } catch (error) {
    throw isCut(error) && (await isWhole(source, source.sizeBytes - 1)) ? notGzip() : describe(error);
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Error && error.name === 'ZlibError' && error.message.includes('unexpected end of file');
}

/** Whether the first bytes are a gzip file: then one byte is left over, which zlib takes for a member that is cut short. */
async function isWhole(source: ByteSource, bytes: number): Promise<boolean> {
  try {
    for await (const _ of inflateGzip(pieces(source, 0, bytes, () => {})));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ZlibError') return false;
    throw error;
  }
}

function notGzip(): ArchiveError {
  return new ArchiveError(
    'not a gzip file, or followed by bytes that are none (incorrect gzip header); download it again',
  );
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ZlibError') return error;
  if (isCut(error)) {
    return new ArchiveError('truncated: the gzip data ends in the middle (file cut short?)');
  }
  if (error.message.includes('incorrect header check')) return notGzip();
  return new ArchiveError(`damaged: the gzip data does not inflate (${error.message}); download it again`);
}
