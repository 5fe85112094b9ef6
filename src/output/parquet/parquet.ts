import type { BookOptions, ByteSink, TableOptions } from '../book-writer.js';
import { ParquetBookWriter } from './book.js';
import { ParquetTableWriter } from './table.js';

export function createBookWriter(sink: ByteSink, options: BookOptions) {
  return new ParquetBookWriter(sink, options);
}

export function createTableWriter(sink: ByteSink, options: TableOptions) {
  return new ParquetTableWriter(sink, options);
}
