import { endianness } from 'node:os';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import type { ByteSink } from '../book-writer.js';
import type { Column, EncodedColumn } from './column.js';

type ColumnChunk = ParquetWriter['row_groups'][number]['columns'][number];

/** Bytes encoded before they are handed to the sink. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * Writes a Parquet file to its sink row group by row group, and keeps only the group that is being filled. Each column
 * of a group is one data page (version 2, Snappy), with a dictionary before it where that is shorter.
 */
export class ParquetFile {
  readonly #sink: ByteSink;
  readonly #columns: readonly Column<never>[];
  readonly #bytes = new ByteWriter(BUFFER_BYTES);
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #frame: ParquetWriter;

  /**
   * @param columns the first of which the rows are sorted by, ascending.
   * @param metadata the file's key-value metadata, read when the file is finished.
   */
  constructor(sink: ByteSink, columns: readonly Column<never>[], metadata: Record<string, string>) {
    // Values are written as they lie in memory, and Parquet's are little-endian.
    if (endianness() !== 'LE') throw new Error('Parquet can be written on little-endian machines only; write CSV');
    this.#sink = sink;
    this.#columns = columns;
    this.#metadata = metadata;
    this.#frame = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
      createdBy: 'bookgrid',
    });
  }

  /** Writes what the columns have gathered. */
  writeRowGroup(rows: number): void {
    const fileOffset = this.#bytes.offset;
    const columns = this.#columns.map((column) => {
      const chunk = this.#writeColumn(column, column.take(), rows);
      if (this.#bytes.index >= BUFFER_BYTES) this.#handOver();
      return chunk;
    });
    this.#frame.num_rows += BigInt(rows);
    this.#frame.row_groups.push({
      columns,
      num_rows: BigInt(rows),
      total_byte_size: columns.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
      total_compressed_size: BigInt(this.#bytes.offset - fileOffset),
      file_offset: BigInt(fileOffset),
      sorting_columns: [{ column_idx: 0, descending: false, nulls_first: false }],
    });
    this.#handOver();
  }

  /** Writes the footer. */
  finish(): void {
    this.#frame.kvMetadata = Object.entries(this.#metadata).map(([key, value]) => ({ key, value }));
    this.#frame.finish();
    this.#handOver();
  }

  #handOver(): void {
    this.#sink.write(this.#bytes.getBytes());
    this.#bytes.index = 0;
  }

  #writeColumn(column: Column<never>, encoded: EncodedColumn, rows: number): ColumnChunk {
    const { dictionary, range } = encoded;
    const start = this.#bytes.offset;
    const dictionaryBytes = dictionary ? this.#writeDictionary(dictionary) : 0;
    const pageStart = this.#bytes.offset;
    const pageBytes = this.#writePage(encoded, rows);
    return {
      file_offset: BigInt(start),
      meta_data: {
        type: column.type.type,
        encodings: dictionary ? ['PLAIN', 'RLE', 'RLE_DICTIONARY'] : ['PLAIN', 'RLE'],
        path_in_schema: column.path,
        codec: 'SNAPPY',
        num_values: BigInt(encoded.values),
        total_uncompressed_size: BigInt(dictionaryBytes + pageBytes),
        total_compressed_size: BigInt(this.#bytes.offset - start),
        ...(dictionary && { dictionary_page_offset: BigInt(start) }),
        data_page_offset: BigInt(pageStart),
        statistics: { null_count: BigInt(encoded.nulls), ...range },
      },
    };
  }

  /** @returns the page's bytes before compression, header included. */
  #writeDictionary({ entries, count }: NonNullable<EncodedColumn['dictionary']>): number {
    const start = this.#bytes.offset;
    const compressed = snappyCompress(entries);
    writePageHeader(this.#bytes, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: entries.length,
      compressed_page_size: compressed.length,
      dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
    });
    const headerBytes = this.#bytes.offset - start;
    this.#bytes.appendBytes(compressed);
    return headerBytes + entries.length;
  }

  /** @returns the page's bytes before compression, header included. */
  #writePage(encoded: EncodedColumn, rows: number): number {
    const { data, dictionary, values, nulls, repetitionLevels, definitionLevels } = encoded;
    const start = this.#bytes.offset;
    const compressed = snappyCompress(data);
    const levelBytes = repetitionLevels.length + definitionLevels.length;
    writePageHeader(this.#bytes, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levelBytes + data.length,
      compressed_page_size: levelBytes + compressed.length,
      data_page_header_v2: {
        num_values: values,
        num_nulls: nulls,
        num_rows: rows,
        encoding: dictionary ? 'RLE_DICTIONARY' : 'PLAIN',
        repetition_levels_byte_length: repetitionLevels.length,
        definition_levels_byte_length: definitionLevels.length,
        is_compressed: true,
      },
    });
    const headerBytes = this.#bytes.offset - start;
    this.#bytes.appendBytes(repetitionLevels);
    this.#bytes.appendBytes(definitionLevels);
    this.#bytes.appendBytes(compressed);
    return headerBytes + levelBytes + data.length;
  }
}
