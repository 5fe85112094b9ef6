import { endianness } from 'node:os';
import { CompressionCodecs, Encodings, PageTypes, ParquetTypes } from 'hyparquet/src/constants.js';
import type { ByteSink, TableOptions } from '../book-writer.js';
import { OutputBuffer } from '../output-buffer.js';
import { type Codec, codecOf } from './codec.js';
import type { Column, EncodedColumn } from './column.js';
import { CompactThrift } from './compact-thrift.js';
import { describeFile, MAGIC, writeFooter } from './footer.js';

const DICTIONARY_PAGE = PageTypes.indexOf('DICTIONARY_PAGE');
const DATA_PAGE_V2 = PageTypes.indexOf('DATA_PAGE_V2');
const PLAIN = Encodings.indexOf('PLAIN');
const RLE = Encodings.indexOf('RLE');
const RLE_DICTIONARY = Encodings.indexOf('RLE_DICTIONARY');

/**
 * Writes a Parquet file to its sink row group by row group, and keeps only the group that is being filled. Each column
 * of a group is one data page (version 2), with a dictionary before it where that is shorter.
 */
export class ParquetFile {
  readonly #output: OutputBuffer;
  readonly #columns: readonly Column[];
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #codec: Codec;
  readonly #header = new CompactThrift();
  /** Of the row group that is being written, as the footer will have it. */
  readonly #rowGroup = new CompactThrift();
  /** Of each column, the names in its path. */
  readonly #paths: readonly (readonly Uint8Array[])[];
  /** As bytes: as objects, those of a day in a thousand columns would fill the memory. */
  readonly #rowGroups: Uint8Array[] = [];
  #rows = 0n;
  #offset = 0;

  /**
   * @param columns the first of which the rows are sorted by, ascending.
   * @param options `metadata` is the file's key-value metadata, read when the file is finished.
   */
  constructor(
    sink: ByteSink,
    columns: readonly Column[],
    { compression, metadata }: Pick<TableOptions, 'compression' | 'metadata'>,
  ) {
    // Values are written as they lie in memory, and Parquet's are little-endian.
    if (endianness() !== 'LE') throw new Error('Parquet can be written on little-endian machines only; write CSV');
    this.#output = new OutputBuffer(sink);
    this.#columns = columns;
    this.#paths = columns.map(({ path }) => path.map((name) => Buffer.from(name)));
    this.#metadata = metadata;
    this.#codec = codecOf(compression);
    this.#append(MAGIC);
  }

  /** Writes what the columns have gathered. */
  writeRowGroup(rows: number): void {
    const fileOffset = this.#offset;
    const rowGroup = this.#rowGroup; // by numbers of fields, which footer.ts names
    rowGroup.structs(1, this.#columns.length);
    let plainBytes = 0;
    for (const [at, column] of this.#columns.entries()) {
      plainBytes += this.#writeColumn(column, this.#paths[at] as Uint8Array[], column.take(), rows);
    }
    rowGroup.int64(2, plainBytes);
    rowGroup.int64(3, rows);
    rowGroup.structs(4, 1);
    rowGroup.element();
    rowGroup.int32(1, 0);
    rowGroup.boolean(2, false);
    rowGroup.boolean(3, false);
    rowGroup.end();
    rowGroup.int64(5, fileOffset);
    rowGroup.int64(6, this.#offset - fileOffset);
    rowGroup.end();
    this.#rowGroups.push(rowGroup.take().slice());
    this.#rows += BigInt(rows);
    this.#output.flush();
  }

  /** Writes the footer. */
  finish(): void {
    const schema = [
      { name: 'root', num_children: this.#columns.length },
      ...this.#columns.flatMap(({ schema }) => schema),
    ];
    writeFooter((bytes) => this.#append(bytes), describeFile(schema, this.#rows, this.#metadata), this.#rowGroups);
    this.#output.flush();
  }

  #append(bytes: Uint8Array): void {
    this.#output.append(bytes);
    this.#offset += bytes.length;
  }

  /** @returns the column's bytes before compression. */
  #writeColumn(column: Column, path: readonly Uint8Array[], encoded: EncodedColumn, rows: number): number {
    const { dictionary, range, values, nulls } = encoded;
    const start = this.#offset;
    const dictionaryBytes = dictionary ? this.#writeDictionary(dictionary) : 0;
    const pageStart = this.#offset;
    const plainBytes = dictionaryBytes + this.#writePage(encoded, rows);

    const chunk = this.#rowGroup;
    chunk.element();
    chunk.int64(2, start);
    chunk.struct(3);
    chunk.int32(1, ParquetTypes.indexOf(column.type.type));
    chunk.int32s(2, dictionary ? [PLAIN, RLE, RLE_DICTIONARY] : [PLAIN, RLE]);
    chunk.binaries(3, path);
    chunk.int32(4, CompressionCodecs.indexOf(this.#codec.name));
    chunk.int64(5, values);
    chunk.int64(6, plainBytes);
    chunk.int64(7, this.#offset - start);
    chunk.int64(9, pageStart);
    if (dictionary) chunk.int64(11, start);
    chunk.struct(12);
    chunk.int64(3, nulls);
    if (range) {
      chunk.binary(5, range.greatest);
      chunk.binary(6, range.smallest);
      chunk.boolean(7, true);
      chunk.boolean(8, true);
    }
    chunk.end();
    chunk.end();
    chunk.end();
    return plainBytes;
  }

  /** @returns the page's bytes before compression, header included. */
  #writeDictionary({ entries, count }: NonNullable<EncodedColumn['dictionary']>): number {
    const compressed = this.#codec.compress(entries, 1);
    const header = this.#header; // PageHeader of parquet.thrift
    header.int32(1, DICTIONARY_PAGE);
    header.int32(2, entries.length);
    header.int32(3, compressed.length);
    header.struct(7);
    header.int32(1, count);
    header.int32(2, PLAIN);
    header.end();
    header.end();
    const headerBytes = this.#writeHeader();
    this.#append(compressed);
    return headerBytes + entries.length;
  }

  /** @returns the page's bytes before compression, header included. */
  #writePage(encoded: EncodedColumn, rows: number): number {
    const { data, elementBytes, dictionary, values, nulls, repetitionLevels, definitionLevels } = encoded;
    const compressed = this.#codec.compress(data, elementBytes);
    const levelBytes = repetitionLevels.length + definitionLevels.length;
    const header = this.#header;
    header.int32(1, DATA_PAGE_V2);
    header.int32(2, levelBytes + data.length);
    header.int32(3, levelBytes + compressed.length);
    header.struct(8);
    header.int32(1, values);
    header.int32(2, nulls);
    header.int32(3, rows);
    header.int32(4, dictionary ? RLE_DICTIONARY : PLAIN);
    header.int32(5, definitionLevels.length);
    header.int32(6, repetitionLevels.length);
    header.end();
    header.end();
    const headerBytes = this.#writeHeader();
    this.#append(repetitionLevels);
    this.#append(definitionLevels);
    this.#append(compressed);
    return headerBytes + levelBytes + data.length;
  }

  /** @returns the header's bytes. */
  #writeHeader(): number {
    const bytes = this.#header.take();
    this.#append(bytes);
    return bytes.length;
  }
}
