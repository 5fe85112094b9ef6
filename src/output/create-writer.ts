import type { BookFormat, BookWriter, ByteSink, Format, TableWriter } from './book-writer.js';
import { CsvWriter } from './csv.js';

export class DoesNotFitDecimalError extends Error {}

export async function createBookWriter(sink: ByteSink, format: BookFormat): Promise<BookWriter> {
  const csv = new CsvWriter(sink, format);
  return {
    write: (row) => csv.writeRow(row.boundaryMs, row.cells),
    finish: () => csv.flush(),
  };
}

export async function createTableWriter(
  _sink: ByteSink,
  _table: { format: Format; columns: string[]; metadata: Record<string, string> },
): Promise<TableWriter> {
  throw new Error('not yet');
}
