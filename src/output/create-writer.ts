import type { BookOptions, BookWriter, ByteSink, TableOptions, TableWriter } from './book-writer.js';
import { FORMATS, type Format } from './formats.js';

export { DoesNotFitDecimalError } from './parquet/decimal-error.js';

/**
 * Creates a writer of book rows into a sink.
 *
 * Its `write` and `finish` throw {@link DoesNotFitDecimalError} with `decimals: 'decimal'` when a value has too many
 * digits.
 */
export async function createBookWriter(
  sink: ByteSink,
  { format, ...options }: BookOptions & { format: Format },
): Promise<BookWriter> {
  const writers = await FORMATS[format].load();
  return writers.createBookWriter(sink, options);
}

/** Creates a writer of rows of named numbers into a sink. */
export async function createTableWriter(
  sink: ByteSink,
  { format, ...options }: TableOptions & { format: Format },
): Promise<TableWriter> {
  const writers = await FORMATS[format].load();
  return writers.createTableWriter(sink, options);
}
