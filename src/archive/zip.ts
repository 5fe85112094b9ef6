import zlib from 'node:zlib';
import type { ByteSource } from '../storage/storage.js';

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 30 ms.
import yauzl = require('yauzl');

import { pieces } from '../storage/pieces.js';
import { ArchiveError, DamagedDataError, MissingDirectoryError } from './archive-error.js';
import { kernelInflate } from './kernel-inflate.js';
import type { ReadOptions, ResolvedReadOptions } from './read-options.js';

const STORED = 0;
const DEFLATED = 8;
/** A directory of one member, with the longest comment that the format has, and then some. */
const END_BYTES = 128 * 1024;

/**
 * Reads the one `.data` member of a zip file, found through the central directory, without extracting it.
 *
 * @throws {@link ArchiveError} when the file is no zip or cut short, when there is not exactly one `.data` member,
 * when it is encrypted or packed by a method other than stored and deflated, and, after the last chunk, when its
 * size or CRC-32 is not the directory's.
 */
export async function* readZip(
  file: ByteSource,
  { onRead, inflater, inflateKernel }: ResolvedReadOptions,
): AsyncGenerator<Uint8Array> {
  const source = withEnd(file);
  const { entry, dataStart } = await findMember(source);
  const packed = pieces(source, dataStart, dataStart + entry.compressedSize, onRead);
  const chunks = entry.compressionMethod === DEFLATED ? await inflate(packed, { inflater, inflateKernel }) : packed;
  let sizeBytes = 0;
  let crc32 = 0;
  try {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      crc32 = zlib.crc32(chunk, crc32);
      // Said at once, not at the end: a forged member may inflate to any size.
      if (sizeBytes > entry.uncompressedSize) throw wrongSize(entry, 'more');
      yield chunk;
    }
  } catch (error) {
    throw describeInflateError(error, entry);
  }
  if (sizeBytes < entry.uncompressedSize) throw wrongSize(entry, `only ${sizeBytes}`);
  if (crc32 !== entry.crc32) {
    throw damage(
      entry,
      `damaged: ${entry.fileName} has CRC-32 ${hex(crc32)}, the zip's directory says ${hex(entry.crc32)}; download it again`,
    );
  }
}

async function inflate(
  packed: AsyncIterable<Buffer>,
  { inflater, inflateKernel }: Pick<ReadOptions, 'inflater' | 'inflateKernel'>,
): Promise<AsyncIterable<Uint8Array>> {
  if (inflater === 'kernel') return kernelInflate(packed, { inflater: inflateKernel });
  const { inflateDeflate } = await import('./inflate.js'); // seldom needed, and slow to load
  return inflateDeflate(packed);
}

async function findMember(source: ByteSource): Promise<{ entry: yauzl.Entry; dataStart: number }> {
  try {
    const zip = await yauzl.fromRandomAccessReaderPromise(new YauzlReader(source), source.sizeBytes, {
      autoClose: false,
    });
    const entry = await onlyDataMember(zip);
    if (entry.isEncrypted()) throw new ArchiveError(`${entry.fileName} is encrypted; only plain members can be read`);
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
      throw new ArchiveError(
        `${entry.fileName} is packed by compression method ${entry.compressionMethod}; only 0 (stored) and 8 (deflated) can be read`,
      );
    }
    if (entry.compressionMethod === STORED && entry.compressedSize !== entry.uncompressedSize) {
      throw new ArchiveError(
        `damaged: ${entry.fileName} is stored, yet the zip's directory gives it ${entry.compressedSize} packed and ${entry.uncompressedSize} unpacked bytes`,
      );
    }
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return { entry, dataStart: fileDataStart };
  } catch (error) {
    throw await describeDirectoryError(error, source);
  }
}

/**
 * A file of which the end is read once, in one piece. A zip's directory is there, and yauzl asks for its parts one after the
 * other. Of a small archive that piece is the whole file.
 */
function withEnd(file: ByteSource): ByteSource {
  const start = Math.max(0, file.sizeBytes - END_BYTES);
  let end: Promise<Buffer> | undefined;
  const readEnd = async () => {
    const bytes = Buffer.allocUnsafe(file.sizeBytes - start);
    return bytes.subarray(0, await file.read(bytes, start));
  };
  return {
    sizeBytes: file.sizeBytes,
    version: file.version,
    async read(buffer, position) {
      if (position < start) return file.read(buffer, position);
      end ??= readEnd();
      const bytes = await end;
      return bytes.copy(buffer, 0, Math.min(position - start, bytes.length));
    },
    close: () => file.close(),
  };
}

async function onlyDataMember(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  let found: yauzl.Entry | undefined;
  let memberCount = 0;
  for await (const entry of zip.eachEntry()) {
    memberCount++;
    if (!entry.fileName.endsWith('.data')) continue;
    if (found) {
      throw new ArchiveError(`two .data members, ${found.fileName} and ${entry.fileName}; exactly one was expected`);
    }
    found = entry;
  }
  if (!found) throw new ArchiveError(`no .data member among the ${memberCount} in the zip; exactly one was expected`);
  return found;
}

const SPLIT =
  'one part of a zip that was split over several files, which no Bybit archive is; put it together, or download it again';

/** Says in the user's terms what yauzl found wrong with the structure of the file. */
async function describeDirectoryError(error: unknown, source: ByteSource): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof ArchiveError || 'syscall' in error) return error;
  const { message } = error;
  if (message.startsWith('End of central directory record signature not found')) {
    const signature = Buffer.alloc(4);
    await source.read(signature, 0);
    // The first part of a split zip begins with a mark of its own: PK\7\8 (APPNOTE.TXT 8.5.4).
    if (signature.toString('latin1') === 'PK\x07\x08') return new ArchiveError(SPLIT);
    // Every zip file begins with a local header: PK\3\4 (APPNOTE.TXT 4.3.7).
    return signature.toString('latin1') === 'PK\x03\x04'
      ? new MissingDirectoryError("truncated: the zip's directory is missing (file cut short?)")
      : new ArchiveError(`not a zip file: it begins with ${showBytes(signature)} instead of PK\\x03\\x04`);
  }
  if (/^(invalid relative path|absolute path|invalid characters in fileName)/.test(message)) {
    return new ArchiveError(`a member's name points outside of the zip, which no Bybit archive does (${message})`);
  }
  if (message.startsWith('multi-disk')) return new ArchiveError(SPLIT);
  return new ArchiveError(`damaged: the zip's directory cannot be read (${message})`);
}

function describeInflateError(error: unknown, entry: yauzl.Entry): unknown {
  if (!(error instanceof Error) || error.name !== 'ZlibError') return error;
  return new DamagedDataError(`damaged: ${entry.fileName} does not inflate (${error.message}); download it again`);
}

function wrongSize(entry: yauzl.Entry, found: string): ArchiveError {
  return damage(
    entry,
    `damaged: ${entry.fileName} has ${found} bytes, the zip's directory says ${entry.uncompressedSize}; download it again`,
  );
}

/** Of a member that is only stored no inflater is to be suspected. */
function damage({ compressionMethod }: yauzl.Entry, message: string): ArchiveError {
  return new (compressionMethod === STORED ? ArchiveError : DamagedDataError)(message);
}

function hex(crc32: number): string {
  return crc32.toString(16).padStart(8, '0');
}

function showBytes(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Lets yauzl read the directory from our source. */
class YauzlReader extends yauzl.RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    // A directory may name any place; of one that cannot be a place in a file, each way of reading says something else.
    if (position + length > this.#source.sizeBytes) {
      callback(new Error('unexpected EOF'));
      return;
    }
    this.#source.read(buffer.subarray(offset, offset + length), position).then(
      (count) => callback(null, count),
      (error: Error) => callback(error),
    );
  }
}
