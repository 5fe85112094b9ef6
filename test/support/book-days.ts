import fs from 'node:fs';
import path from 'node:path';
import type { BookBatch } from '../../src/base/rows.js';
import { depthFolder } from '../../src/catalog/archive-name.js';
import type { Layout } from '../../src/output/book-writer.js';
import { createBookWriter, createTableWriter } from '../../src/output/create-writer.js';
import { FORMATS, type Format } from '../../src/output/formats.js';
import { type BookDayOptions, bookDay } from '../../src/samples/book-day.js';
import { metricsBatch } from './output-rows.js';

const REST = { compression: 'auto', metadata: {}, formattedTimestamp: false } as const;

export interface WriteDayOptions extends BookDayOptions {
  symbol: string;
  format: Format;
  layout?: Layout;
  /** As in names. Default: `1m`. */
  interval?: string;
  quality?: boolean;
}

/** Writes a synthetic day as convert would, without a record. @returns its path. */
export async function writeDay(outputDir: string, options: WriteDayOptions): Promise<string> {
  const { symbol, date, depth, format, layout = 'lists', interval = '1m', quality = true } = options;
  const fileName = `${date}_${symbol}_ob${depth}_${interval}${FORMATS[format].suffix}`;
  const file = path.join(outputDir, depthFolder(depth), symbol, fileName);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const fd = fs.openSync(file, 'w');
  const sink = { write: (bytes: Uint8Array) => void fs.writeSync(fd, bytes) };
  const shape = { symbol, depth, layout, quality, decimals: false, ...REST } as const;
  const writer = await createBookWriter(sink, { format, ...shape });
  for (const rows of bookDay(options)) writer.write(rows, rows.books[0] as BookBatch);
  writer.finish();
  fs.closeSync(fd);
  return file;
}

/** Writes a metrics output of a day, of one column that counts rows. */
export async function writeMetrics(outputDir: string, symbol: string, date: string, column: string): Promise<void> {
  const file = path.join(outputDir, 'metrics', symbol, `${date}_${symbol}_1m.csv`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const parts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array) => void parts.push(Uint8Array.from(bytes)) };
  const options = { symbol, columns: [column], ...REST };
  const writer = await createTableWriter(sink, { format: 'csv', ...options });
  const rows = Array.from({ length: 1440 }, (_, i) => i + 1);
  writer.write(
    metricsBatch(
      rows.map((row) => Date.parse(date) + row * 60_000),
      rows.map((row) => [row]),
    ),
  );
  writer.finish();
  fs.writeFileSync(file, Buffer.concat(parts));
}
