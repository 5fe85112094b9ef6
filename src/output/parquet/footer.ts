import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter, type SchemaElement } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';

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
  /** total_byte_size, before compression */
  field_2: bigint;
  /** num_rows */
  field_3: bigint;
  /** sorting_columns: column_idx, descending, nulls_first */
  field_4?: { field_1: number; field_2: boolean; field_3: boolean }[];
  /** file_offset */
  field_5?: bigint;
  /** total_compressed_size */
  field_6?: bigint;
}

export interface ColumnChunk {
  /** file_offset */
  field_2: bigint;
  /** meta_data */
  field_3: {
    /** type */
    field_1: number;
    /** encodings */
    field_2: number[];
    /** path_in_schema */
    field_3: (string | Uint8Array)[];
    /** codec */
    field_4: number;
    /** num_values */
    field_5: bigint;
    /** total_uncompressed_size */
    field_6: bigint;
    /** total_compressed_size */
    field_7: bigint;
    /** data_page_offset */
    field_9: bigint;
    /** dictionary_page_offset */
    field_11?: bigint;
    /** statistics: null_count, max_value, min_value, and whether these are exact */
    field_12?: {
      field_3?: bigint;
      field_5?: Uint8Array;
      field_6?: Uint8Array;
      field_7?: boolean;
      field_8?: boolean;
    };
    /** bloom_filter_offset, bloom_filter_length */
    field_14?: bigint;
    field_15?: number;
  };
}

/** The four bytes at both ends of a Parquet file. */
export const MAGIC = Buffer.from('PAR1');

/** A part of a footer as bytes. */
export function serialize(struct: object): Uint8Array {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, struct as Record<`field_${number}`, unknown>);
  return writer.getBytes();
}

/** What a footer says of the whole file. */
export function describeFile(
  schema: SchemaElement[],
  rows: bigint,
  keyValues: Readonly<Record<string, string>>,
): Omit<FileMetaData, 'field_4'> {
  const writer = new ByteWriter();
  const key_value_metadata = Object.entries(keyValues).map(([key, value]) => ({ key, value }));
  // By the library, which knows how the names of types are written; without row groups, which are written already.
  writeMetadata(writer, {
    version: 2,
    created_by: 'bookgrid',
    schema,
    num_rows: rows,
    row_groups: [],
    key_value_metadata,
    metadata_length: 0,
  });
  return deserializeTCompactProtocol({ view: writer.view, offset: 0 }) as unknown as FileMetaData;
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
export function writeFooter(
  write: (bytes: Uint8Array) => void,
  metadata: Omit<FileMetaData, 'field_4'>,
  rowGroups: readonly Uint8Array[],
): void {
  const { field_1, field_2, field_3, field_5, field_6, field_7 } = metadata;
  let sizeBytes = 0;
  const writePart = (bytes: Uint8Array) => {
    write(bytes);
    sizeBytes += bytes.length;
  };
  // A struct ends with a zero byte, which would be too early here.
  writePart(serialize({ field_1, field_2, field_3 }).subarray(0, -1));
  writePart(listField(rowGroups.length));
  for (const rowGroup of rowGroups) writePart(rowGroup);
  // Fields say how far their number is from that of the field before, here from 4 instead of 0.
  writePart(serialize({ field_1: field_5, field_2: field_6, field_3: field_7 }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(sizeBytes);
  write(Buffer.concat([length, MAGIC]));
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
