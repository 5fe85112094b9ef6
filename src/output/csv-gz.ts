/** The text of {@link CsvBookWriter} and {@link CsvTableWriter}, in one gzip member. */
import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { CsvBookWriter, CsvTableWriter } from './csv.js';
import { GzipSink } from './gzip.js';

export function createBookWriter(sink: ByteSink, options: BookOptions): BookWriter {
  const gzip = new GzipSink(sink);
  const csv = new CsvBookWriter(gzip, options);
  return { needs: csv.needs, write: (rows, book) => csv.write(rows, book), finish: () => finish(csv, gzip) };
}

export function createTableWriter(sink: ByteSink, options: TableOptions): TableWriter {
  const gzip = new GzipSink(sink);
  const csv = new CsvTableWriter(gzip, options);
  return { write: (rows) => csv.write(rows), finish: () => finish(csv, gzip) };
}

/** Ends the member when the writer ends. */
function finish(csv: { finish(): void }, gzip: GzipSink): void {
  csv.finish();
  gzip.finish();
}
