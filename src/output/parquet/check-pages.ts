/**
 * What hyparquet does not ask of a file before it believes it: how many values a page has, and how often a run repeats
 * one. A single wrong byte there costs gigabytes and minutes.
 */
import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { parquetSchema } from 'hyparquet/src/metadata.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import { DECOMPRESSORS } from '../compression.js';
import { requireThrift } from './check-thrift.js';
import { MAX_VARINT_BYTES } from './thrift-types.js';

/** Values that a column of a row group may have in any file: ours have half as many at most. */
const MAX_VALUES = 2 ** 22;
/** More are right in a large file: nearly every value takes a bit in some column or other. */
const MAX_VALUES_A_BYTE = 8;
/** The same of lists, of which ours have half as many at most, too: hyparquet takes up to 1.4 KB for a list of one value. */
const MAX_LIST_VALUES = 2 ** 19;
/** Prices and quantities that come one after the other take more than bits. */
const MAX_LIST_VALUES_A_BYTE = 2;
/** Snappy's longest copy is 64 bytes, and takes 3. */
const MAX_SNAPPY_EXPANSION = 22;
/** Zstandard has no such bound. Ours are 8 MB of numbers, or 32 MB of texts. */
const MAX_ZSTD_PAGE_BYTES = 128 * 1024 * 1024;

/** A last packed run may be filled up: allowed is as much as a length of one byte can say. */
const MAX_PADDING_VALUES = 63 * 8;
/** Of one block of DELTA_BINARY_PACKED. */
const MAX_BLOCK_VALUES = 2 ** 16;
/** Of all pages of a column in a row group, unpacked. */
const MAX_CHUNK_BYTES = 512 * 2 ** 20;
/** Root, list, its repeated group, element. */
const MAX_PATH = 4;

/** How many values a file of a size may have in a column of a row group. */
export function maxValuesOf(fileBytes: number, isList = false): number {
  return isList ? MAX_LIST_VALUES + MAX_LIST_VALUES_A_BYTE * fileBytes : MAX_VALUES + MAX_VALUES_A_BYTE * fileBytes;
}

/**
 * Reads a column of a row group, and sees that its pages are what they say.
 *
 * @returns the file, of which the column need not be read once more.
 * @throws RangeError when they are not, or the column is not there.
 */
export async function readChecked(file: AsyncBuffer, metadata: FileMetaData): Promise<AsyncBuffer> {
  const found = metadata.row_groups.flatMap(({ columns }) => columns);
  const described = found[0]?.meta_data;
  if (!described) throw new RangeError('a row group does not have it');
  // Of two, hyparquet would leave one alone when the other fails, and nobody would hear of it.
  if (found.length > 1) throw new RangeError(`a row group has it ${found.length} times`);
  const { data_page_offset, dictionary_page_offset, total_compressed_size, num_values, codec } = described;
  const numbers = [data_page_offset, dictionary_page_offset ?? 0n, total_compressed_size, num_values];
  if (!numbers.every((number) => typeof number === 'bigint')) throw new RangeError('its place is not told in numbers');
  const start = Number(dictionary_page_offset || data_page_offset);
  const end = start + Number(total_compressed_size);
  if (!(start >= 0 && start <= end && end <= file.byteLength)) {
    throw new RangeError(`its bytes [${start}, ${end}) are not all in the file, which has ${file.byteLength}`);
  }
  const path = getTreePath(parquetSchema(metadata), described.path_in_schema);
  if (path.length > MAX_PATH)
    throw new RangeError(`it nests deeper than a list: ${described.path_in_schema.join('.')}`);
  const maxRepetitionLevel = getMaxRepetitionLevel(path);
  const values = Number(num_values);
  const maxValues = maxValuesOf(file.byteLength, maxRepetitionLevel > 0);
  if (!(values >= 0 && values <= maxValues)) {
    throw new RangeError(`it has ${values} values, of which a file of ${file.byteLength} bytes has no room`);
  }
  if (codec !== 'SNAPPY' && codec !== 'ZSTD' && codec !== 'UNCOMPRESSED') {
    throw new RangeError(`it is compressed by ${codec}; only Snappy, Zstandard and none can be read`);
  }
  const bytes = await file.slice(start, end);
  checkPages(new Uint8Array(bytes), {
    values,
    maxValues,
    codec,
    type: described.type,
    maxRepetitionLevel,
    maxDefinitionLevel: getMaxDefinitionLevel(path),
  });
  return {
    byteLength: file.byteLength,
    slice(from, to = file.byteLength) {
      if (from < start || to > end) throw new RangeError(`bytes [${from}, ${to}) are asked for, which are not its own`);
      return from === start && to === end ? bytes : bytes.slice(from - start, to - start);
    },
  };
}

interface Chunk {
  /** Of all its pages, missing ones included. */
  values: number;
  /** That any page, or dictionary, may have. */
  maxValues: number;
  codec: 'SNAPPY' | 'ZSTD' | 'UNCOMPRESSED';
  type: SchemaElement['type'];
  maxRepetitionLevel: number;
  maxDefinitionLevel: number;
}

type PageHeader = ReturnType<typeof parquetHeader>;

function checkPages(bytes: Uint8Array, chunk: Chunk): void {
  const reader = { view: viewOf(bytes), offset: 0 };
  let values = 0;
  let unpackedBytes = 0;
  while (reader.offset < bytes.length - 1) {
    requireThrift(bytes.subarray(reader.offset));
    const header = parquetHeader(reader);
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    if (!isCount(size, bytes.length - reader.offset)) throw new RangeError(`a page of ${size} bytes`);
    const most = chunk.codec === 'ZSTD' ? MAX_ZSTD_PAGE_BYTES : MAX_SNAPPY_EXPANSION * size + 64;
    if (!isCount(unpacked, most)) throw new RangeError(`a page of ${size} bytes that are ${unpacked} when unpacked`);
    unpackedBytes += unpacked;
    if (unpackedBytes > MAX_CHUNK_BYTES) throw new RangeError(`more than ${MAX_CHUNK_BYTES} bytes when unpacked`);
    const page = bytes.subarray(reader.offset, reader.offset + size);
    reader.offset += size;
    values += checkPage(page, header, chunk);
    if (values > chunk.values) throw new RangeError(`its pages have more than the ${chunk.values} values it has`);
  }
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** @returns how many values it has, those that are missing included; none of a dictionary. */
function checkPage(page: Uint8Array, header: PageHeader, chunk: Chunk): number {
  const { type, data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  if (type === 'DATA_PAGE' && v1) return checkPageV1(page, header, v1, chunk);
  if (type === 'DATA_PAGE_V2' && v2) return checkPageV2(page, header, v2, chunk);
  if (type !== 'DICTIONARY_PAGE' || !dictionary) throw new RangeError(`a page of type ${type}, without its header`);
  // It may have entries that no value uses.
  const most = Math.min(chunk.maxValues, header.uncompressed_page_size / leastBytes(chunk.type));
  if (!isCount(dictionary.num_values, most)) throw new RangeError(`a dictionary of ${dictionary.num_values} values`);
  return 0;
}

/** What a value takes at least; a text begins with its length. */
function leastBytes(type: Chunk['type']): number {
  if (type === 'BOOLEAN') throw new RangeError('a dictionary of booleans');
  return type === 'FIXED_LEN_BYTE_ARRAY' ? 1 : 4;
}

type HeaderV1 = NonNullable<PageHeader['data_page_header']>;

function checkPageV1(page: Uint8Array, header: PageHeader, { num_values: values, encoding }: HeaderV1, chunk: Chunk) {
  if (!isCount(values, chunk.values)) throw new RangeError(`a page of ${values} values`);
  const reader = { view: viewOf(unpack(page, header.uncompressed_page_size, chunk)), offset: 0 };
  for (const level of [chunk.maxRepetitionLevel, chunk.maxDefinitionLevel]) {
    if (level > 0) checkSizedRuns(reader, bitsOf(level), values);
  }
  checkValues(reader, encoding, values, chunk);
  return values;
}

type HeaderV2 = NonNullable<PageHeader['data_page_header_v2']>;

function checkPageV2(page: Uint8Array, header: PageHeader, v2: HeaderV2, chunk: Chunk): number {
  const { repetition_levels_byte_length: repetition, definition_levels_byte_length: definition, num_nulls: nulls } = v2;
  const { num_values: values, encoding } = v2;
  const { maxRepetitionLevel, maxDefinitionLevel } = chunk;
  if (!isCount(values, chunk.values)) throw new RangeError(`a page of ${values} values`);
  if (!isCount(nulls, values)) throw new RangeError(`a page of ${values} values, of which none are ${nulls}`);
  // Where a column has no levels hyparquet takes their bytes for values.
  const hasRoom = isCount(repetition, maxRepetitionLevel > 0 ? page.length : 0);
  if (!(hasRoom && isCount(definition, maxDefinitionLevel > 0 ? page.length - repetition : 0))) {
    throw new RangeError(`levels of ${repetition} and ${definition} bytes`);
  }
  // All of the page: when levels are fewer than they should be, hyparquet reads on.
  const levels = viewOf(page);
  if (maxRepetitionLevel > 0) checkRuns({ view: levels, offset: 0 }, bitsOf(maxRepetitionLevel), values);
  if (maxDefinitionLevel > 0) checkRuns({ view: levels, offset: repetition }, bitsOf(maxDefinitionLevel), values);
  const data = page.subarray(repetition + definition);
  // To unpack numbers only to see that they are there is not worth it.
  const isNumbers = encoding === 'PLAIN' || encoding === 'BYTE_STREAM_SPLIT';
  const isPacked = v2.is_compressed !== false && !isNumbers;
  const unpacked = isPacked ? unpack(data, header.uncompressed_page_size - repetition - definition, chunk) : data;
  checkValues({ view: viewOf(unpacked), offset: 0 }, encoding, values - nulls, chunk);
  return values;
}

interface Reader {
  view: DataView;
  offset: number;
}

function checkValues(reader: Reader, encoding: string | undefined, values: number, { type }: Chunk): void {
  const isBoolean = type === 'BOOLEAN';
  if ((encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') && !isBoolean) {
    const bits = reader.view.getUint8(reader.offset++);
    if (bits > 32) throw new RangeError(`indexes of ${bits} bits`);
    checkRuns(reader, bits, values);
  } else if (encoding === 'RLE' && isBoolean) checkSizedRuns(reader, 1, values);
  else if (encoding === 'DELTA_BINARY_PACKED' || encoding === 'DELTA_LENGTH_BYTE_ARRAY') checkDeltas(reader, values);
  else if (encoding !== 'PLAIN' && encoding !== 'BYTE_STREAM_SPLIT') {
    // DELTA_BYTE_ARRAY among them, where each text may begin with all of the one before: a few bytes make gigabytes.
    throw new RangeError(`values of type ${type} are encoded as ${encoding}, which is not read here`);
  }
}

/**
 * Sees that blocks are of a size that the format has
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC): writers use 128 values or some more.
 */
function checkDeltas(reader: Reader, values: number): void {
  const blockValues = readVarInt(reader);
  const miniblocks = readVarInt(reader);
  const perMiniblock = blockValues / miniblocks;
  const isRight = blockValues % 128 === 0 && miniblocks > 0 && perMiniblock % 32 === 0;
  if (!(isRight && blockValues > 0 && blockValues <= MAX_BLOCK_VALUES)) {
    throw new RangeError(`blocks of ${blockValues} values in ${miniblocks} parts`);
  }
  passVarInt(reader); // how many values there are
  passVarInt(reader); // the first
  for (let left = values - 1; left > 0; left -= blockValues) {
    passVarInt(reader); // the smallest difference
    const widths = reader.offset;
    reader.offset += miniblocks;
    for (let part = 0; part < miniblocks && part * perMiniblock < left; part++) {
      const bits = reader.view.getUint8(widths + part);
      if (bits > 64) throw new RangeError(`differences of ${bits} bits`);
      reader.offset += (perMiniblock * bits) / 8;
    }
  }
}

/** Passes a number that hyparquet would read however long it is. */
function passVarInt(reader: Reader): void {
  for (let bytes = 0; bytes < MAX_VARINT_BYTES; bytes++) if (reader.view.getUint8(reader.offset++) < 0x80) return;
  throw new RangeError(`a number of more than ${MAX_VARINT_BYTES} bytes`);
}

/** Runs behind their size in bytes. */
function checkSizedRuns(reader: Reader, bits: number, values: number): void {
  const bytes = reader.view.getUint32(reader.offset, true);
  const start = reader.offset + 4;
  reader.offset = start;
  checkRuns(reader, bits, values);
  reader.offset = start + bytes;
}

/**
 * Follows runs of the hybrid of repeated and packed values
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE) until there are as many as wanted, or no more
 * bytes: values that are missing have none in a page of version 1, and hyparquet itself finds that bytes are missing.
 *
 * @throws RangeError when one has more values than are left.
 */
function checkRuns(reader: Reader, bits: number, values: number): void {
  for (let left = values; left > 0 && reader.offset < reader.view.byteLength; ) {
    const header = readVarInt(reader);
    const count = header >>> 1;
    if ((header & 1) === 0) {
      if (count > left) throw new RangeError(`a value ${count} times, where ${left} are left`);
      reader.offset += (bits + 7) >> 3;
      left -= count;
    } else {
      // Eight at a time; those of the last eight that are too many say nothing.
      if (count * 8 > left + MAX_PADDING_VALUES) throw new RangeError(`${count * 8} values, where ${left} are left`);
      // Of a run of none hyparquet reads a byte all the same.
      reader.offset += Math.max(1, count * bits);
      left -= count * 8;
    }
  }
}

/** How many bits a number takes that is at most so large. */
function bitsOf(most: number): number {
  return 32 - Math.clz32(most);
}

function unpack(packed: Uint8Array, size: number, { codec }: Chunk): Uint8Array {
  if (codec === 'UNCOMPRESSED') return packed;
  if (size < 0) throw new RangeError(`a page of ${size} bytes`);
  return DECOMPRESSORS[codec](packed, size);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
