/** Opens outputs by their paths, for Node: what `read-csv` and `read-parquet` make of their bytes. */
import { constants } from 'node:buffer';
import type { AsyncBuffer } from 'hyparquet';
import { inflateGzip } from '../archive/inflate.js';
import { splitSuffix } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { pieces } from '../storage/pieces.js';
import type { ByteSource } from '../storage/storage.js';
import { type BookColumns, type BookRange, joinBookColumns, OutputError, type TableColumns } from './book-columns.js';
import { readBookCsv, readTableCsv, readTableNames, type TextPieces } from './read-csv.js';
import { readBookParquet, readTableNamesParquet, readTableParquet } from './read-parquet.js';
import { seekRow } from './seek-row.js';

/**
 * Reads the rows of a book output, in any format, part by part.
 *
 * @throws {@link OutputError} when the file is not what an output is; a system error when it cannot be read.
 */
export async function* readBook(path: string, range: BookRange = {}): AsyncGenerator<BookColumns, void, undefined> {
  const source = await openStorage(path).open(path);
  try {
    yield* readBookOf(path, source, range);
  } finally {
    await source.close();
  }
}

/** The same of a file that is open; its name says the format. */
export async function* readBookOf(
  name: string,
  source: ByteSource,
  range: BookRange = {},
): AsyncGenerator<BookColumns, void, undefined> {
  const format = formatOf(name);
  if (format === 'parquet') {
    yield* readBookParquet(asBuffer(source), range);
  } else if (format === 'csv.gz') {
    yield* readBookCsv(inflated(source), range);
  } else {
    const begun = await seekRow(source, range.fromMs);
    yield* readBookCsv(textFrom(source, begun), range, begun);
  }
}

/** Reads the rows of a book output at once. */
export async function readWholeBook(path: string, range: BookRange = {}): Promise<BookColumns> {
  const parts: BookColumns[] = [];
  for await (const part of readBook(path, range)) parts.push(part);
  return joinBookColumns(parts);
}

/** Reads columns of a metrics output that is open, of those that it has. */
export async function readTableOf(
  name: string,
  source: ByteSource,
  range: BookRange,
  wanted: readonly string[],
): Promise<TableColumns> {
  const format = formatOf(name);
  if (format === 'parquet') return readTableParquet(asBuffer(source), range, wanted);
  if (format === 'csv.gz') return readTableCsv(inflated(source), range, wanted);
  const begun = await seekRow(source, range.fromMs);
  return readTableCsv(textFrom(source, begun), range, wanted, begun);
}

/** The names of its columns of numbers. Nothing but its beginning, or its end, is read for them. */
export async function readTableNamesOf(name: string, source: ByteSource): Promise<string[]> {
  const format = formatOf(name);
  if (format === 'parquet') return readTableNamesParquet(asBuffer(source));
  return readTableNames(format === 'csv.gz' ? inflated(source) : textFrom(source));
}

/** The text of a file that is not compressed. */
export function textFrom(source: ByteSource, { startByte } = { startByte: 0 }): AsyncIterable<Buffer> {
  return pieces(source, startByte, source.sizeBytes, () => {});
}

export function formatOf(name: string) {
  const { format } = splitSuffix(name) ?? {};
  if (format) return format;
  throw new OutputError('its name has no ending of an output: expected .csv, .csv.gz or .parquet');
}

export async function* inflated(source: ByteSource): TextPieces {
  try {
    yield* inflateGzip(textFrom(source));
  } catch (error) {
    const { name, message } = error as Error;
    throw name === 'ZlibError' ? new OutputError(`the gzip data is damaged (${message})`, { cause: error }) : error;
  }
}

/** A source as hyparquet wants it. */
export function asBuffer(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.sizeBytes,
    async slice(start, end = source.sizeBytes) {
      const length = Math.max(0, Math.min(end, source.sizeBytes) - start);
      if (length > constants.MAX_LENGTH) throw new OutputError('a column is larger than the memory can be');
      const bytes = new Uint8Array(length);
      const read = await source.read(bytes, start);
      if (read < length) throw new OutputError(`it ended at byte ${start + read}: it was cut short while it was read`);
      return bytes.buffer;
    },
  };
}
