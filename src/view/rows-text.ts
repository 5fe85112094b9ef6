import type { BookColumns, BookRange } from './book-columns.js';
import { type TextPieces, wholeLines } from './read-csv.js';

const LINE_FEED = 0x0a;

/**
 * The first line of a CSV file and those of its rows in a range of time, byte for byte.
 *
 * @param header the first line, where `text` begins with a later one.
 */
export async function* rowsOfCsv(
  text: TextPieces,
  { fromMs = -Infinity, toMs = Infinity }: BookRange,
  header?: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let timeColumn = header?.split(',').indexOf('timestamp') ?? -1;
  if (header !== undefined) yield new TextEncoder().encode(`${header}\r\n`);
  for await (const lines of wholeLines(text)) {
    let start = 0;
    if (timeColumn < 0) {
      start = lines.indexOf(LINE_FEED) + 1;
      timeColumn = Math.max(0, decoder.decode(lines.subarray(0, start)).trimEnd().split(',').indexOf('timestamp'));
      yield copyOf(lines, 0, start);
    }
    // Rows are in order of time, so that those of the range stand together.
    let first = start;
    let end = start;
    for (let next = start; next < lines.length; ) {
      const timeMs = Number(decoder.decode(lines.subarray(next, next + 128)).split(',', timeColumn + 1)[timeColumn]);
      if (timeMs > toMs) {
        if (end > first) yield copyOf(lines, first, end);
        return;
      }
      next = lines.indexOf(LINE_FEED, next) + 1;
      if (timeMs < fromMs) first = next;
      end = next;
    }
    if (end > first) yield copyOf(lines, first, end);
  }
}

/** Of what is yielded the lines are used up before somebody else takes it. */
function copyOf(lines: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(lines.subarray(start, end));
}

const decoder = new TextDecoder('latin1');

/** Rows of any format as CSV, numbers as the shortest decimals that are read back as the same. */
export async function* rowsAsCsv(
  parts: AsyncIterable<BookColumns>,
  depth: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  const names = ['bid', 'ask'].flatMap((side) =>
    Array.from({ length: depth }, (_, level) => [`${side}_price_${level + 1}`, `${side}_qty_${level + 1}`]).flat(),
  );
  // Together with the first row: a file that cannot be read is then told of before anything is sent.
  let header = `timestamp,${names.join(',')}\r\n`;
  for await (const part of parts) {
    for (let row = 0; row < part.rows; row++) {
      const cells: (number | string)[] = [part.timesMs[row] as number];
      for (const [counts, prices, quantities] of [
        [part.bidCounts, part.bidPrices, part.bidQuantities],
        [part.askCounts, part.askPrices, part.askQuantities],
      ] as const) {
        for (let level = 0; level < depth; level++) {
          const at = row * part.depth + level;
          if (level < (counts[row] as number))
            cells.push(decimalText(prices[at] as number), decimalText(quantities[at] as number));
          else cells.push('', '');
        }
      }
      yield encoder.encode(`${header}${cells.join(',')}\r\n`);
      header = '';
    }
  }
  if (header !== '') yield encoder.encode(header);
}

/** Without an exponent: other readers of CSV may not know it. */
function decimalText(value: number): string {
  const text = String(value);
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d+)\.?(\d*)e([-+]\d+)$/.exec(text) ?? [];
  if (exponent === undefined) return text;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
