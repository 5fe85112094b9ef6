/** The text of {@link CsvBookWriter} and {@link CsvTableWriter}, in one gzip member. */
import type { BookOptions, ByteSink, TableOptions } from './book-writer.js';
import { CsvBookWriter, CsvTableWriter } from './csv.js';
import { GzipSink } from './gzip.js';

export function createBookWriter(sink: ByteSink, options: BookOptions) {
  const gzip = new GzipSink(sink);
  return endingWith(gzip, new CsvBookWriter(gzip, options));
}

export function createTableWriter(sink: ByteSink, options: TableOptions) {
  const gzip = new GzipSink(sink);
  return endingWith(gzip, new CsvTableWriter(gzip, options));
}

/** Ends the member when the writer ends. */
function endingWith<Row extends unknown[]>(gzip: GzipSink, csv: { write(...row: Row): void; finish(): void }) {
  return {
    write: (...row: Row) => csv.write(...row),
    finish() {
      csv.finish();
      gzip.finish();
    },
  };
}
