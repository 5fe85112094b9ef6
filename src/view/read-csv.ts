import { isTime } from '../base/time.js';
import { MAX_LINE_BYTES } from '../output/csv.js';
import {
  type BookColumns,
  type BookRange,
  FLAG,
  FLAG_NAMES,
  markCrossed,
  newBookColumns,
  OutputError,
  type TableColumns,
  trimBookColumns,
} from './book-columns.js';
import { TableRows } from './table-rows.js';

/** Where a text begins in its file. */
export interface Begun {
  /** The file's first line, when the text begins with a later one. */
  header: string | undefined;
  startByte: number;
}

const WHOLE: Begun = { header: undefined, startByte: 0 };

/** Text as it comes: pieces of any size, each valid until the next is asked for. */
export type TextPieces = AsyncIterable<Uint8Array>;

/** Levels in a part, at most, unless one row has more: some MB, which is a stretch that is sent and drawn at once. */
const PART_LEVELS = 2 ** 16;
/** Rows in a part, at most. */
const PART_ROWS = 2 ** 14;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;

/**
 * Reads a book output as CSV.
 *
 * @param begun where `text` begins, when that is not the file's first line.
 * @returns parts of some thousand rows, in order; none when no row is in the range.
 * @throws {@link OutputError} that says the line, when the text is not that of an output.
 */
export async function* readBookCsv(
  text: TextPieces,
  { fromMs = -Infinity, toMs = Infinity, depth = Infinity }: BookRange = {},
  begun: Begun = WHOLE,
): AsyncGenerator<BookColumns, void, undefined> {
  let reader = begun.header === undefined ? undefined : new BookRowReader(begun.header, depth, begun);
  for await (const lines of wholeLines(text)) {
    let start = 0;
    if (!reader) {
      start = lines.indexOf(LINE_FEED) + 1;
      reader = new BookRowReader(textOf(lines, 0, start).trimEnd(), depth);
    }
    while (start < lines.length) {
      start = reader.read(lines, start, fromMs, toMs);
      const part = reader.takeIfFull();
      if (part) yield part;
      if (reader.isPast) break;
    }
    if (reader.isPast) break;
  }
  if (!reader) throw new OutputError(EMPTY);
  const rest = reader.take();
  if (rest) yield rest;
}

/**
 * Reads columns of a metrics output as CSV.
 *
 * @param wanted names of columns. Those that the file does not have are left out.
 * @param begun where `text` begins, when that is not the file's first line.
 * @throws {@link OutputError} as {@link readBookCsv}.
 */
export async function readTableCsv(
  text: TextPieces,
  { fromMs = -Infinity, toMs = Infinity }: BookRange,
  wanted: readonly string[],
  begun: Begun = WHOLE,
): Promise<TableColumns> {
  let reader = begun.header === undefined ? undefined : new TableRowReader(begun.header, wanted, begun);
  for await (const lines of wholeLines(text)) {
    let start = 0;
    if (!reader) {
      start = lines.indexOf(LINE_FEED) + 1;
      reader = new TableRowReader(textOf(lines, 0, start).trimEnd(), wanted);
    }
    while (start < lines.length && !reader.isPast) start = reader.read(lines, start, fromMs, toMs);
    if (reader.isPast) break;
  }
  if (!reader) throw new OutputError(EMPTY);
  return reader.take();
}

/** The names of the columns of numbers of a metrics output as CSV. */
export async function readTableNames(text: TextPieces): Promise<string[]> {
  for await (const lines of wholeLines(text)) {
    const { names } = parseHeader(textOf(lines, 0, lines.indexOf(LINE_FEED)).trimEnd());
    return names.filter(isNumberColumn);
  }
  throw new OutputError(EMPTY);
}

const EMPTY = 'the file is empty: expected a line of column names';

/** The text in stretches that end where a line does, each valid until the next is asked for. */
export async function* wholeLines(text: TextPieces): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  let lines = 0;
  for await (const piece of text) {
    const end = piece.lastIndexOf(LINE_FEED) + 1;
    if (rest.length + (end === 0 ? piece.length : 0) > MAX_LINE_BYTES) {
      throw new OutputError(`no line end within ${MAX_LINE_BYTES} bytes: this is no output`);
    }
    if (end === 0) {
      rest = concat(rest, piece);
      continue;
    }
    lines++;
    yield rest.length === 0 ? piece.subarray(0, end) : concat(rest, piece.subarray(0, end));
    rest = new Uint8Array(piece.subarray(end)); // a copy: Node's buffers have a `slice` that makes none
  }
  if (rest.length === 0) return;
  throw new OutputError(
    lines === 0
      ? 'there is no line end: this is no output'
      : 'its last line has no end: the file was cut short, or is still being written',
  );
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Finds the names of the first line, and which of them is the time. */
function parseHeader(header: string): { names: string[]; timeColumn: number } {
  const names = header.split(',');
  const timeColumn = names.indexOf('timestamp');
  if (timeColumn < 0) {
    const start = JSON.stringify(header.slice(0, 40));
    throw new OutputError(`its first line begins with ${start}: expected column names, timestamp among them`);
  }
  return { names, timeColumn };
}

/** What the cells of a column are. */
const SKIP = -1;
const TIME = -2;
const FLAG_CELL = -3;

/** Counts lines, for whoever looks for one in an editor. */
class LineCount {
  readonly #begun: Begun;
  #lines: number;

  constructor(begun: Begun) {
    this.#begun = begun;
    this.#lines = begun.header === undefined ? 1 : 0; // the names
  }

  next(): void {
    this.#lines++;
  }

  toString(): string {
    const { header, startByte } = this.#begun;
    return header === undefined ? `line ${this.#lines}` : `line ${this.#lines} from byte ${startByte} on`;
  }
}

/** Reads lines cell by cell into columns. */
class BookRowReader {
  /** A row after the range was seen; rows are in order, so no other can be in it. */
  isPast = false;
  /** Of each column: {@link SKIP}, {@link TIME}, {@link FLAG_CELL}, or which of {@link #arrays} it belongs to. */
  readonly #kinds: Int8Array;
  /** Of each column: its level from 0, or its flag's bit. */
  readonly #places: Int32Array;
  readonly #names: string[];
  readonly #timeColumn: number;
  readonly #depth: number;
  readonly #capacity: number;
  readonly #hasQuality: boolean;
  readonly #cell = new Cell();
  #columns: BookColumns;
  #arrays: Float64Array[];
  #rows = 0;
  readonly #line: LineCount;
  #lastMs = -Infinity;

  /** @param depth levels a side, at most. */
  constructor(header: string, depth: number, begun = WHOLE) {
    this.#line = new LineCount(begun);
    const { names, timeColumn } = parseHeader(header);
    this.#names = names;
    this.#timeColumn = timeColumn;
    this.#kinds = new Int8Array(names.length).fill(SKIP);
    this.#places = new Int32Array(names.length);
    this.#kinds[timeColumn] = TIME;
    let levels = 0;
    names.forEach((name, column) => {
      const [, side, what, number] = /^(bid|ask)_(price|qty)_(\d{1,5})$/.exec(name) ?? [];
      const flag = FLAG_NAMES.find((candidate) => name === `is_${candidate}`);
      if (flag) {
        this.#kinds[column] = FLAG_CELL;
        this.#places[column] = FLAG[flag];
      } else if (number !== undefined) {
        levels = Math.max(levels, Number(number));
        if (Number(number) > depth) return;
        this.#kinds[column] = (side === 'ask' ? 2 : 0) + (what === 'qty' ? 1 : 0);
        this.#places[column] = Number(number) - 1;
      }
    });
    if (levels === 0) {
      throw new OutputError('its first line names no levels (bid_price_1, bid_qty_1, …): this is no book output');
    }
    this.#depth = Math.min(depth, levels);
    this.#capacity = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_LEVELS / (2 * this.#depth))));
    this.#hasQuality = names.includes('is_suspect');
    this.#columns = newBookColumns(this.#capacity, this.#depth, this.#hasQuality);
    this.#arrays = levelArraysOf(this.#columns);
  }

  /** Reads the line that begins at `start`. @returns where the next one does. */
  read(lines: Uint8Array, start: number, fromMs: number, toMs: number): number {
    this.#line.next();
    const lineEnd = lines.indexOf(LINE_FEED, start);
    const end = lines[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd; // exclusive
    const timeMs = this.#timeOf(lines, start, end);
    if (timeMs <= this.#lastMs) {
      throw this.#error(`timestamp ${timeMs} comes after ${this.#lastMs}: expected rows in order of time, each once`);
    }
    this.#lastMs = timeMs;
    this.isPast = timeMs > toMs;
    if (timeMs >= fromMs && !this.isPast) this.#readCells(lines, start, end, timeMs);
    return lineEnd + 1;
  }

  takeIfFull(): BookColumns | undefined {
    return this.#rows === this.#capacity ? this.take() : undefined;
  }

  take(): BookColumns | undefined {
    if (this.#rows === 0) return undefined;
    const part = trimBookColumns(this.#columns, this.#rows);
    markCrossed(part);
    this.#columns = newBookColumns(this.#capacity, this.#depth, this.#hasQuality);
    this.#arrays = levelArraysOf(this.#columns);
    this.#rows = 0;
    return part;
  }

  #timeOf(lines: Uint8Array, start: number, end: number): number {
    let at = start;
    for (let column = 0; column < this.#timeColumn; column++) at = cellEnd(lines, at, end) + 1;
    const timeMs = this.#cell.read(lines, at, end);
    if (isTime(timeMs)) return timeMs;
    throw this.#error(`timestamp is ${this.#quote(lines, at, end)}: expected whole ms since 1970`);
  }

  #readCells(lines: Uint8Array, start: number, end: number, timeMs: number): void {
    const kinds = this.#kinds;
    const places = this.#places;
    const cell = this.#cell;
    const row = this.#rows;
    const base = row * this.#depth;
    const counts = [0, 0, 0, 0];
    let flags = 0;
    let at = start;
    for (let column = 0; column < kinds.length; column++) {
      if (at > end) throw this.#error(`it has ${column} cells: expected ${kinds.length}, as there are names`);
      const kind = kinds[column] as number;
      if (kind < 0) {
        const next = cellEnd(lines, at, end);
        if (kind === FLAG_CELL && lines[at] === ZERO + 1) flags |= places[column] as number;
        at = next + 1;
        continue;
      }
      const value = cell.read(lines, at, end);
      if (cell.end > at) {
        if (Number.isNaN(value)) {
          throw this.#error(`${this.#names[column]} is ${this.#quote(lines, at, end)}: expected a decimal`);
        }
        const level = places[column] as number;
        if (level !== counts[kind]) throw this.#error(`${this.#names[column]} follows an empty level`);
        counts[kind] = level + 1;
        (this.#arrays[kind] as Float64Array)[base + level] = value;
      }
      at = cell.end + 1;
    }
    if (at !== end + 1) throw this.#error(`it has more than ${kinds.length} cells, as there are names`);
    if (counts[0] !== counts[1] || counts[2] !== counts[3]) {
      throw this.#error('a level has a price and no quantity, or the reverse');
    }
    const columns = this.#columns;
    columns.timesMs[row] = timeMs;
    columns.flags[row] = flags;
    columns.bidCounts[row] = counts[0] as number;
    columns.askCounts[row] = counts[2] as number;
    this.#rows++;
  }

  #quote(lines: Uint8Array, at: number, end: number): string {
    return JSON.stringify(textOf(lines, at, Math.min(cellEnd(lines, at, end), at + 40)));
  }

  #error(problem: string): OutputError {
    return new OutputError(`${this.#line}: ${problem}`);
  }
}

function levelArraysOf(columns: BookColumns): Float64Array[] {
  return [columns.bidPrices, columns.bidQuantities, columns.askPrices, columns.askQuantities];
}

/** Reads lines of named numbers. */
class TableRowReader {
  /** As of {@link BookRowReader}. */
  isPast = false;
  readonly #rows: TableRows;
  /** Of each wanted column, which of the file's it is. */
  readonly #places: number[];
  readonly #isRead: boolean[];
  readonly #timeColumn: number;
  readonly #numbers: Float64Array;
  readonly #cell = new Cell();
  readonly #line: LineCount;

  constructor(header: string, wanted: readonly string[], begun = WHOLE) {
    this.#line = new LineCount(begun);
    const { names, timeColumn } = parseHeader(header);
    this.#timeColumn = timeColumn;
    this.#rows = new TableRows(names.filter((name) => isNumberColumn(name) && wanted.includes(name)));
    this.#places = this.#rows.names.map((name) => names.indexOf(name));
    this.#isRead = names.map((_, column) => column === timeColumn || this.#places.includes(column));
    this.#numbers = new Float64Array(names.length);
  }

  read(lines: Uint8Array, start: number, fromMs: number, toMs: number): number {
    this.#line.next();
    const lineEnd = lines.indexOf(LINE_FEED, start);
    const end = lines[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd; // exclusive
    const cells = this.#isRead.length;
    let found = 0;
    for (let at = start; at <= end && found <= cells; found++) {
      const next = this.#isRead[found] ? this.#read(found, lines, at, end) : cellEnd(lines, at, end);
      at = next + 1;
    }
    if (found !== cells) {
      throw new OutputError(`${this.#line}: it has ${found} cells: expected ${cells}, as there are names`);
    }
    const timeMs = this.#numbers[this.#timeColumn] as number;
    this.isPast = timeMs > toMs;
    if (timeMs < fromMs || this.isPast) return lineEnd + 1;
    try {
      this.#rows.push(timeMs, (column) => this.#numbers[this.#places[column] as number] as number);
    } catch (error) {
      throw new OutputError(`${this.#line}: ${(error as Error).message}`, { cause: error });
    }
    return lineEnd + 1;
  }

  take(): TableColumns {
    return this.#rows.take();
  }

  /** @returns where the cell ends, exclusive. */
  #read(column: number, lines: Uint8Array, at: number, end: number): number {
    this.#numbers[column] = this.#cell.read(lines, at, end);
    return this.#cell.end;
  }
}

/** Whether a column of a metrics output is of numbers. */
export function isNumberColumn(name: string): boolean {
  return name !== 'timestamp' && name !== 'timestamp_formatted' && name !== 'symbol';
}

/** Finds the end (exclusive) of the cell that begins at `at`. */
function cellEnd(lines: Uint8Array, at: number, end: number): number {
  let cursor = at;
  while (cursor < end && lines[cursor] !== COMMA) cursor++;
  return cursor;
}

/** All whole numbers below are doubles, and so is every quotient of one and a power of ten up to 22, rounded once. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** Reads a cell as the double nearest to its decimal. */
class Cell {
  /** Where the cell read last ends, exclusive. */
  end = 0;

  /** @returns NaN when it is empty or no number. */
  read(lines: Uint8Array, start: number, lineEnd: number): number {
    let mantissa = 0;
    let digits = 0;
    let point = -1;
    let at = start;
    for (; at < lineEnd; at++) {
      const byte = lines[at] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        mantissa = mantissa * 10 + digit;
        digits++;
      } else if (byte === POINT && point < 0) point = at;
      else break;
    }
    if (at === lineEnd || lines[at] === COMMA) {
      this.end = at;
      if (digits === 0) return Number.NaN;
      if (digits <= EXACT_DIGITS) return point < 0 ? mantissa : mantissa / (POWERS_OF_TEN[at - point - 1] as number);
    } else {
      this.end = cellEnd(lines, at, lineEnd);
    }
    const text = textOf(lines, start, this.end);
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  }
}

const decoder = new TextDecoder('latin1');

function textOf(lines: Uint8Array, start: number, end: number): string {
  return decoder.decode(lines.subarray(start, end));
}
