import type { BookFormat, BookWriter, ByteSink, TableFormat, TableWriter } from './book-writer.js';
import { CsvBookWriter, CsvTableWriter } from './csv.js';

export { DoesNotFitDecimalError } from './parquet/decimal.js';

/**
 * A writer of book rows into a sink. Only what the format needs is loaded: Parquet's code would double the time to start.
 *
 * Its `write` throws {@link DoesNotFitDecimalError} with `decimals: 'decimal'` when a value has too many digits.
 */
export async function createBookWriter(sink: ByteSink, format: BookFormat): Promise<BookWriter> {
  switch (format.format) {
    case 'csv':
      return new CsvBookWriter(sink, format);
    case 'csv.gz':
      return gzipped(sink, (target) => new CsvBookWriter(target, format));
    case 'parquet': {
      const { ParquetBookWriter } = await import('./parquet/book.js');
      return new ParquetBookWriter(sink, format);
    }
  }
}

/** A writer of rows of named numbers into a sink. */
export async function createTableWriter(sink: ByteSink, format: TableFormat): Promise<TableWriter> {
  switch (format.format) {
    case 'csv':
      return new CsvTableWriter(sink, format.columns);
    case 'csv.gz':
      return gzipped(sink, (target) => new CsvTableWriter(target, format.columns));
    case 'parquet': {
      const { ParquetTableWriter } = await import('./parquet/table.js');
      return new ParquetTableWriter(sink, format);
    }
  }
}

/** A writer of CSV into a gzip member, which ends when the writer does. */
async function gzipped<Row extends unknown[]>(
  sink: ByteSink,
  createCsv: (sink: ByteSink) => { write(...row: Row): void; finish(): void },
) {
  const { GzipSink } = await import('./gzip.js');
  const gzip = new GzipSink(sink);
  const csv = createCsv(gzip);
  return {
    write: (...row: Row) => csv.write(...row),
    finish() {
      csv.finish();
      gzip.finish();
    },
  };
}
