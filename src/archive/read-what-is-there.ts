import { openStorage } from '../storage/open-storage.js';
import { pieces } from '../storage/pieces.js';
import type { ByteSource } from '../storage/storage.js';
import { ArchiveError, MissingDirectoryError } from './archive-error.js';
import { kernelInflate } from './kernel-inflate.js';
import { readArchive } from './open-archive.js';
import type { ReadOptions } from './read-options.js';

/**
 * Reads the text of an archive as {@link readArchive} does, and also that of a zip file that was cut short, as far as it
 * goes: there the member is found by the header before it.
 *
 * @throws what `readArchive` does, after the text that could be read.
 */
export async function* readWhatIsThere(path: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* readArchive(path, options);
  } catch (error) {
    if (error instanceof MissingDirectoryError) yield* readCutZip(path, options);
    throw error;
  }
}

/** Of a local header (APPNOTE.TXT 4.3.7): the bytes before the name, and where in them what stands. */
const HEADER_BYTES = 30;
const FLAGS = 6;
const METHOD = 8;
const NAME_BYTES = 26;
const EXTRA_BYTES = 28;

const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

/** The text of a zip file's first member to where the file ends, or the deflate data does. */
async function* readCutZip(
  path: string,
  { onRead = () => {}, inflateKernel }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const source = await openStorage(path).open(path);
  try {
    const start = await findData(source);
    if (!start) return;
    const packed = pieces(source, start.atByte, source.sizeBytes, onRead);
    yield* start.method === STORED ? packed : kernelInflate(packed, { inflater: inflateKernel });
  } catch (error) {
    // It is cut short: the caller knows, and tells.
    if (!(error instanceof ArchiveError)) throw error;
  } finally {
    await source.close();
  }
}

async function findData(source: ByteSource): Promise<{ atByte: number; method: number } | undefined> {
  const header = Buffer.alloc(HEADER_BYTES);
  if ((await source.read(header, 0)) < HEADER_BYTES) return undefined;
  const method = header.readUInt16LE(METHOD);
  const isEncrypted = (header.readUInt16LE(FLAGS) & ENCRYPTED) !== 0;
  if (isEncrypted || (method !== STORED && method !== DEFLATED)) return undefined;
  const name = Buffer.alloc(header.readUInt16LE(NAME_BYTES));
  await source.read(name, HEADER_BYTES);
  if (!name.toString('latin1').endsWith('.data')) return undefined;
  return { atByte: HEADER_BYTES + name.length + header.readUInt16LE(EXTRA_BYTES), method };
}
