import type { FileMetaData as ParsedMetaData, SchemaElement } from 'hyparquet';
import type { ByteSink } from '../output/book-writer.js';
import { type FileMetaData, MAGIC, serialize, writeFooter } from '../output/parquet/footer.js';
import { readColumn } from '../output/parquet/read-column.js';
import { MAX_METADATA_BYTES, parseMetadata } from '../output/parquet/read-metadata.js';
import type { ByteSource } from '../storage/storage.js';
import { type DayFile, REMAKE } from './day-file.js';
import { naming, openDayFile, readBytes } from './day-files.js';
import type { GridCheck } from './grid-check.js';
import type { JoinChecks } from './join-checks.js';
import { JoinError } from './join-error.js';
import { dataEnd, moved, readFileMetaData } from './parquet-footer.js';
import { requireSameColumns } from './same-columns.js';

/** One day's file, open. */
interface ParquetDay extends DayFile {
  source: ByteSource;
  metadata: FileMetaData;
  /** The same, as hyparquet's functions want it. */
  parsed: ParsedMetaData;
}

/**
 * Joins Parquet files: row groups are copied byte for byte, and one footer says where they are now. Only timestamps are
 * decoded. Key-value metadata that all files have in common is kept; `first_day`, `last_day` and `files` are added.
 *
 * @returns how many rows.
 * @throws {@link JoinError} when schemas differ or a file cannot be read, or a row is not where it should be.
 */
export async function joinParquet(
  files: DayFile[],
  sink: ByteSink,
  { grid, content, pause }: JoinChecks,
): Promise<number> {
  let first: ParquetDay | undefined;
  let keyValues = new Map<string, string>();
  const rowGroups: Uint8Array[] = [];
  let rows = 0;
  let offset = MAGIC.length; // of the joined file
  sink.write(MAGIC);
  for (const file of files) {
    const source = await openDayFile(file.path);
    try {
      const day = await readFooter(file, source);
      if (first) {
        requireSameColumns({ ...file, columns: columnsOf(day) }, { ...first, columns: columnsOf(first) });
        requireSameMarket(day, first);
      }
      keyValues = first ? common(keyValues, keyValuesOf(day)) : keyValuesOf(day);
      first ??= day;
      await checkGrid(day, grid, pause);

      const movedBy = offset - MAGIC.length;
      const [start, end] = [MAGIC.length, dataEnd(day.metadata)];
      let at = 0; // in the day's file, of which all is read, since all is compared
      for await (const piece of content.pass(file.path, readBytes(file.path, source, 0, source.sizeBytes))) {
        const rows = piece.subarray(clamp(start - at, piece.length), clamp(end - at, piece.length));
        if (rows.length > 0) sink.write(rows);
        at += piece.length;
        await pause();
      }
      offset += end - start;
      // Copied, since what it comes in has room for more.
      for (const group of day.metadata.field_4) rowGroups.push(Buffer.from(serialize(moved(group, movedBy))));
      rows += Number(day.metadata.field_3);
    } finally {
      await source.close();
    }
  }
  if (!first) throw new JoinError('no file to join');
  keyValues.set('first_day', first.date).set('last_day', files.at(-1)?.date ?? '');
  keyValues.set('files', String(files.length));
  const encoder = new TextEncoder();
  const field_5 = [...keyValues].map(([key, value]) => ({
    field_1: encoder.encode(key),
    field_2: encoder.encode(value),
  }));
  writeFooter((bytes) => sink.write(bytes), { ...first.metadata, field_3: BigInt(rows), field_5 }, rowGroups);
  return rows;
}

/** An offset in a piece of so many bytes that is nearest to one that may lie outside of it. */
function clamp(offset: number, length: number): number {
  return Math.min(Math.max(offset, 0), length);
}

/**
 * A Parquet file ends with
 *
 *     …    metadata
 *     u32  its length, little-endian
 *     4    "PAR1"
 */
async function readFooter(file: DayFile, source: ByteSource): Promise<ParquetDay> {
  const end = await readRange(file, source, source.sizeBytes - 8, source.sizeBytes);
  const length = end.length === 8 ? end.readUInt32LE() : 0;
  if (!end.subarray(4).equals(MAGIC) || length + 8 > source.sizeBytes) {
    throw new JoinError(`${file.path}: not a Parquet file, or cut short: it does not end with a footer. ${REMAKE}`);
  }
  if (length > MAX_METADATA_BYTES) {
    throw new JoinError(`${file.path}: its footer has ${length} bytes, of at most ${MAX_METADATA_BYTES}. ${REMAKE}`);
  }
  const bytes = await readRange(file, source, source.sizeBytes - 8 - length, source.sizeBytes);
  try {
    // First what looks at each number before it believes it.
    const parsed = parseMetadata(bytes);
    const metadata = readFileMetaData(bytes.subarray(0, length));
    if (metadata) return { ...file, source, metadata, parsed };
  } catch (error) {
    throw new JoinError(`${file.path}: its footer is damaged (${(error as Error).message}). ${REMAKE}`);
  }
  throw new JoinError(`${file.path}: its footer was written by another program. ${REMAKE}`);
}

async function readRange({ path }: DayFile, source: ByteSource, startByte: number, endByte: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(endByte - Math.max(startByte, 0), 0));
  try {
    return buffer.subarray(0, await source.read(buffer, Math.max(startByte, 0)));
  } catch (error) {
    throw naming(path, error);
  }
}

/** Decodes the timestamps, a row group at a time. */
async function checkGrid(day: ParquetDay, grid: GridCheck, pause: () => Promise<void>): Promise<void> {
  grid.beginFile(day);
  // The layout `long` has many rows a boundary, one after the other.
  const isLong = day.parsed.schema.some(({ name }) => name === 'level');
  let rowNumber = 0;
  let previousMs: number | undefined;
  for await (const labels of readLabels(day)) {
    for (const boundaryMs of labels) {
      rowNumber++;
      if (!isLong || boundaryMs !== previousMs) grid.take(boundaryMs, rowNumber);
      previousMs = boundaryMs;
    }
    await pause();
  }
}

async function* readLabels(day: ParquetDay): AsyncGenerator<Iterable<number>> {
  const { path, source, parsed } = day;
  const file = {
    byteLength: source.sizeBytes,
    async slice(start: number, end: number = source.sizeBytes) {
      const bytes = await readRange(day, source, start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
  try {
    for (const rowGroup of parsed.row_groups) {
      const labels = await readColumn(file, parsed, rowGroup, 'timestamp', { timestampFromMilliseconds: Number });
      if (!isNumbers(labels)) throw new RangeError('they are not milliseconds');
      yield labels;
    }
  } catch (error) {
    if (error instanceof JoinError) throw error;
    throw new JoinError(`${path}: its timestamps cannot be read (${(error as Error).message}). ${REMAKE}`);
  }
}

function isNumbers(values: ArrayLike<unknown>): values is Iterable<number> & ArrayLike<number> {
  return Array.prototype.every.call(values, (value) => typeof value === 'number');
}

/** The elements of the schema but its root, as text that is equal when they are. */
function columnsOf({ parsed }: ParquetDay): string[] {
  return parsed.schema.slice(1).map(describeElement);
}

function describeElement({ name, repetition_type, type, type_length, converted_type, logical_type }: SchemaElement) {
  const logical = logical_type && JSON.stringify(logical_type);
  return [name, repetition_type, type, type_length, converted_type, logical]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** A pair's spot and contract books have nothing to do with each other, though their files are named alike. */
function requireSameMarket(day: ParquetDay, first: ParquetDay): void {
  for (const key of ['market', 'message_form']) {
    const [market, firstMarket] = [day, first].map((each) => keyValuesOf(each).get(key));
    if (market === undefined || firstMarket === undefined || market === firstMarket) continue;
    throw new JoinError(
      `${day.path} is of the ${market} market, ${first.path} of the ${firstMarket} market: keep their archives in folders ` +
        'named linear, inverse and spot, and convert them again',
    );
  }
}

function keyValuesOf({ parsed }: ParquetDay): Map<string, string> {
  return new Map(parsed.key_value_metadata?.map(({ key, value = '' }) => [key, value]));
}

/** What two maps agree on. */
function common(a: Map<string, string>, b: Map<string, string>): Map<string, string> {
  return new Map([...a].filter(([key, value]) => b.get(key) === value));
}
