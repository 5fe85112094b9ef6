/** What joining needs of footers: to read those of days, and to move their row groups. */
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { type ColumnChunk, type FileMetaData, MAGIC, type RowGroup, serialize } from '../output/parquet/footer.js';

/**
 * Reads a footer's metadata.
 *
 * @returns `undefined` when it would not be the same bytes when written again: Thrift has numbers of several kinds,
 * JavaScript of two. That of our own writer is; it goes through the same functions. Also when a field is of another kind
 * than the format's specification says.
 */
export function readFileMetaData(bytes: Buffer): FileMetaData | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata = deserializeTCompactProtocol({ view, offset: 0 });
  return bytes.equals(serialize(metadata)) && isFileMetaData(metadata) ? metadata : undefined;
}

/** What is used of it is there and of its kind; the rest is written again as it came. */
function isFileMetaData(value: object): value is FileMetaData {
  const { field_3: rows, field_4: rowGroups } = value as Partial<FileMetaData>;
  return typeof rows === 'bigint' && Array.isArray(rowGroups) && rowGroups.every(isRowGroup);
}

function isRowGroup(value: unknown): value is RowGroup {
  if (!isStruct(value)) return false;
  const { field_1: columns, field_3: rows, field_5: fileOffset } = value as Partial<RowGroup>;
  const isPlaced = fileOffset === undefined || typeof fileOffset === 'bigint';
  return typeof rows === 'bigint' && isPlaced && Array.isArray(columns) && columns.every(isColumnChunk);
}

function isColumnChunk(value: unknown): value is ColumnChunk {
  if (!isStruct(value)) return false;
  const { field_2: fileOffset, field_3: metadata } = value as Partial<ColumnChunk>;
  if (typeof fileOffset !== 'bigint' || !isStruct(metadata)) return false;
  const { field_7: sizeBytes, field_9: data, field_11: dictionary } = metadata as Partial<ColumnChunk['field_3']>;
  return [sizeBytes, data, dictionary ?? 0n].every((offset) => typeof offset === 'bigint');
}

function isStruct(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where the last row group of a file ends; the first begins after {@link MAGIC}. */
export function dataEnd({ field_4: rowGroups }: FileMetaData): number {
  const ends = rowGroups.flatMap(({ field_1: columns }) =>
    columns.map(({ field_3: { field_7: sizeBytes, field_9: data, field_11: dictionary } }) =>
      Number((dictionary ?? data) + sizeBytes),
    ),
  );
  return ends.reduce((a, b) => Math.max(a, b), MAGIC.length);
}

/**
 * A row group that lies `byBytes` further back in its file than it says. Page indexes and Bloom filters, which lie
 * outside of the row groups with offsets of their own, are left behind: each row group's ranges of values stay.
 */
export function moved(rowGroup: RowGroup, byBytes: number): RowGroup {
  const move = (offset: bigint) => offset + BigInt(byBytes);
  const { field_5: fileOffset } = rowGroup;
  return {
    ...rowGroup,
    field_1: rowGroup.field_1.map(({ field_2: chunkOffset, field_3: metadata }) => {
      const { field_14: _bloomFilterOffset, field_15: _bloomFilterLength, ...rest } = metadata;
      const { field_9: data, field_11: dictionary } = rest;
      return {
        field_2: move(chunkOffset),
        field_3: {
          ...rest,
          field_9: move(data),
          ...(dictionary !== undefined && { field_11: move(dictionary) }),
        },
      };
    }),
    ...(fileOffset !== undefined && { field_5: move(fileOffset) }),
  };
}
