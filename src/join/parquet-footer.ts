import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import type { ByteSink } from '../output/book-writer.js';

/**
 * The footer of a Parquet file as Thrift has it: fields by number, as in parquet.thrift of the format's specification
 * (https://github.com/apache/parquet-format). Not as hyparquet's own metadata, whose statistics are converted to what
 * JavaScript can show, so that some would not come out as they went in.
 */
export interface FileMetaData {
  /** version */
  field_1: number;
  /** schema */
  field_2: object[];
  /** num_rows */
  field_3: bigint;
  /** row_groups */
  field_4: RowGroup[];
  /** key_value_metadata */
  field_5?: { field_1: Uint8Array; field_2: Uint8Array }[];
  /** created_by */
  field_6?: Uint8Array;
  /** column_orders */
  field_7?: object[];
}

export interface RowGroup {
  /** columns */
  field_1: ColumnChunk[];
  /** num_rows */
  field_3: bigint;
  /** file_offset */
  field_5?: bigint;
}

interface ColumnChunk {
  /** file_offset */
  field_2: bigint;
  /** meta_data */
  field_3: {
    /** total_compressed_size */
    field_7: bigint;
    /** data_page_offset */
    field_9: bigint;
    /** dictionary_page_offset */
    field_11?: bigint;
    /** bloom_filter_offset, bloom_filter_length */
    field_14?: bigint;
    field_15?: number;
  };
}

/**
 * Reads a footer's metadata.
 *
 * @returns `undefined` when it would not be the same bytes when written again: Thrift has numbers of several kinds,
 * JavaScript of two. That of our own writer is; it goes through the same functions.
 */
export function readFileMetaData(bytes: Buffer): FileMetaData | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata = deserializeTCompactProtocol({ view, offset: 0 });
  return bytes.equals(serialize(metadata)) ? (metadata as unknown as FileMetaData) : undefined;
}

/** A part of a footer as bytes. */
export function serialize(struct: object): Uint8Array {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, struct as Record<`field_${number}`, unknown>);
  return writer.getBytes();
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

/** The four bytes at both ends of a Parquet file. */
export const MAGIC = Buffer.from('PAR1');

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

/** Codes of Thrift's compact protocol for kinds of values. */
const LIST = 9;
const STRUCT = 12;

/**
 * Writes a file's end: metadata, its length as four bytes, {@link MAGIC}.
 *
 * @param rowGroups in order, each {@link serialize serialized}: as objects, those of a year of days with a thousand
 * columns would fill the memory.
 */
export function writeFooter(sink: ByteSink, metadata: Omit<FileMetaData, 'field_4'>, rowGroups: Uint8Array[]): void {
  const { field_1, field_2, field_3, field_5, field_6, field_7 } = metadata;
  let sizeBytes = 0;
  const write = (bytes: Uint8Array) => {
    sink.write(bytes);
    sizeBytes += bytes.length;
  };
  // A struct ends with a zero byte, which would be too early here.
  write(serialize({ field_1, field_2, field_3 }).subarray(0, -1));
  write(listField(rowGroups.length));
  for (const rowGroup of rowGroups) write(rowGroup);
  // Fields say how far their number is from that of the field before, here from 4 instead of 0.
  write(serialize({ field_1: field_5, field_2: field_6, field_3: field_7 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(sizeBytes);
  sink.write(Buffer.concat([length, MAGIC]));
}

/**
 * The beginning of field 4, a list of structs:
 *
 *     u4  1: one more than the number of the field before     u4  LIST
 *     u4  number of structs, or 15 when it follows as varint  u4  STRUCT
 */
function listField(count: number): Uint8Array {
  const bytes = new ByteWriter();
  bytes.appendUint8((1 << 4) | LIST);
  bytes.appendUint8((Math.min(count, 15) << 4) | STRUCT);
  if (count >= 15) bytes.appendVarInt(count);
  return bytes.getBytes();
}
