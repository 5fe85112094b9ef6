/**
 * Parts of a book as bytes, between server and page. Little-endian; each array begins at a multiple of 8.
 *
 *     u32 × 8  MAGIC, kind, bytes of the part with this header, rows, depth, 1 with flags of quality,
 *              digits behind the point of prices, and of quantities; DOUBLES: they are doubles
 *     f64      boundary of each row, ms
 *     u8       flags of each row
 *     u16 × 2  bids and asks of each row
 *     …        prices and quantities of the bids, then of the asks: rows × depth numbers each, either doubles, or whole
 *              numbers (i32) of the unit that the digits say; prices as the difference from the level before, or
 *              in a row's first level from the row before
 *
 * Prices of neighbouring levels differ by a few ticks, so that gzip finds the same few numbers again and again. A stream ends
 * with a part of kind END, or FAILED, which holds a message: one that ends otherwise was cut off.
 */
import { type BookColumns, newBookColumns } from './book-columns.js';

const MAGIC = 0x31_64_67_62; // bgd1
const HEADER_BYTES = 32;
const KIND = { book: 1, end: 2, failed: 3 } as const;
const DOUBLES = 255;
const MAX_DECIMALS = 12;
const INT32_MAX = 2 ** 31 - 1;
/** Larger than any part; a stream that is not ours must not fill the memory. */
const MAX_PART_BYTES = 2 ** 30;

/** What was sent, part by part. */
export type WirePart = { kind: 'book'; columns: BookColumns } | { kind: 'end' } | { kind: 'failed'; message: string };

export function encodeEnd(): Uint8Array {
  return withHeader(new Uint8Array(HEADER_BYTES), KIND.end, []);
}

export function encodeFailure(message: string): Uint8Array {
  const text = new TextEncoder().encode(message);
  const bytes = new Uint8Array(HEADER_BYTES + text.length);
  bytes.set(text, HEADER_BYTES);
  return withHeader(bytes, KIND.failed, []);
}

export function encodeBook(columns: BookColumns): Uint8Array {
  const { rows, depth, hasQuality } = columns;
  const prices = decimalsOfAll([columns.bidPrices, columns.askPrices]);
  const quantities = decimalsOfAll([columns.bidQuantities, columns.askQuantities]);
  const values = rows * depth;
  const bytesOf = (decimals: number) => aligned(values * (decimals === DOUBLES ? 8 : 4));
  const total =
    HEADER_BYTES + 8 * rows + aligned(rows) + 2 * aligned(2 * rows) + 2 * (bytesOf(prices) + bytesOf(quantities));
  const bytes = new Uint8Array(total);
  withHeader(bytes, KIND.book, [rows, depth, hasQuality ? 1 : 0, prices, quantities]);
  let at = HEADER_BYTES;
  for (const array of [columns.timesMs, columns.flags, columns.bidCounts, columns.askCounts]) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  for (const [numbers, decimals, counts] of [
    [columns.bidPrices, prices, columns.bidCounts],
    [columns.bidQuantities, quantities, undefined],
    [columns.askPrices, prices, columns.askCounts],
    [columns.askQuantities, quantities, undefined],
  ] as const) {
    if (decimals === DOUBLES) new Float64Array(bytes.buffer, at, values).set(numbers);
    else if (counts) toDifferences(numbers, decimals, counts, depth, new Int32Array(bytes.buffer, at, values));
    else toIntegers(numbers, decimals, new Int32Array(bytes.buffer, at, values));
    at += bytesOf(decimals);
  }
  return bytes;
}

function withHeader(bytes: Uint8Array, kind: number, rest: readonly number[]): Uint8Array {
  new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_BYTES / 4).set([MAGIC, kind, bytes.length, ...rest]);
  return bytes;
}

const aligned = (bytes: number) => (bytes + 7) & ~7;

/** The least digits behind the point with which all are whole numbers of 32 bits; {@link DOUBLES} when there are none. */
function decimalsOfAll(arrays: readonly Float64Array[]): number {
  let decimals = 0;
  let power = 1;
  for (const array of arrays) {
    for (let at = 0; at < array.length; at++) {
      const value = array[at] as number;
      let whole = Math.round(value * power);
      while (whole / power !== value) {
        if (++decimals > MAX_DECIMALS) return DOUBLES;
        power = 10 ** decimals;
        whole = Math.round(value * power);
      }
    }
  }
  const isSmall = (value: number) => Math.abs(value * power) < INT32_MAX;
  return arrays.every((array) => array.every(isSmall)) ? decimals : DOUBLES;
}

function toIntegers(numbers: Float64Array, decimals: number, to: Int32Array): void {
  const power = 10 ** decimals;
  for (let at = 0; at < numbers.length; at++) to[at] = Math.round((numbers[at] as number) * power);
}

function toDifferences(
  numbers: Float64Array,
  decimals: number,
  counts: Uint16Array,
  depth: number,
  to: Int32Array,
): void {
  const power = 10 ** decimals;
  let first = 0;
  for (let row = 0; row < counts.length; row++) {
    let previous = first;
    for (let at = row * depth; at < row * depth + (counts[row] as number); at++) {
      const whole = Math.round((numbers[at] as number) * power);
      to[at] = whole - previous; // wraps around, and back again when it is added
      if (at === row * depth) first = whole;
      previous = whole;
    }
  }
}

/** Finds parts in bytes that come in any pieces. */
export class WireReader {
  #pieces: Uint8Array[] = [];
  #length = 0;

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** @returns the next part that is whole. @throws when the bytes are none of ours. */
  next(): WirePart | undefined {
    if (this.#length < HEADER_BYTES) return undefined;
    const [magic, kind, bytes = 0, rows = 0, depth = 0, hasQuality, prices = 0, quantities = 0] = this.#header();
    if (magic !== MAGIC || bytes < HEADER_BYTES || bytes > MAX_PART_BYTES) {
      throw new Error('the server sent something else than rows; load the page again');
    }
    if (this.#length < bytes) return undefined;
    const part = this.#take(bytes);
    if (kind === KIND.end) return { kind: 'end' };
    if (kind === KIND.failed) {
      return { kind: 'failed', message: new TextDecoder().decode(part.subarray(HEADER_BYTES)) };
    }
    return { kind: 'book', columns: decodeBook(part, rows, depth, hasQuality === 1, prices, quantities) };
  }

  #header(): Uint32Array {
    while ((this.#pieces[0] as Uint8Array).length < HEADER_BYTES) this.#joinFirst();
    // A copy by `new`: the `slice` of Node's buffers makes none.
    return new Uint32Array(new Uint8Array((this.#pieces[0] as Uint8Array).subarray(0, HEADER_BYTES)).buffer);
  }

  #joinFirst(): void {
    const [first, second, ...rest] = this.#pieces as [Uint8Array, Uint8Array, ...Uint8Array[]];
    const both = new Uint8Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    this.#pieces = [both, ...rest];
  }

  /** The next so many bytes, in memory of their own, which arrays can be views of. */
  #take(count: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const first = this.#pieces[0] as Uint8Array;
      const some = first.subarray(0, count - filled);
      taken.set(some, filled);
      filled += some.length;
      if (some.length === first.length) this.#pieces.shift();
      else this.#pieces[0] = first.subarray(some.length);
    }
    this.#length -= count;
    return taken;
  }
}

function decodeBook(
  { buffer }: Uint8Array<ArrayBuffer>,
  rows: number,
  depth: number,
  hasQuality: boolean,
  prices: number,
  quantities: number,
): BookColumns {
  const columns = newBookColumns(rows, depth, hasQuality);
  let at = HEADER_BYTES;
  columns.timesMs = new Float64Array(buffer, at, rows);
  at += 8 * rows;
  columns.flags = new Uint8Array(buffer, at, rows);
  at += aligned(rows);
  columns.bidCounts = new Uint16Array(buffer, at, rows);
  at += aligned(2 * rows);
  columns.askCounts = new Uint16Array(buffer, at, rows);
  at += aligned(2 * rows);
  for (const [numbers, decimals, counts] of [
    [columns.bidPrices, prices, columns.bidCounts],
    [columns.bidQuantities, quantities, undefined],
    [columns.askPrices, prices, columns.askCounts],
    [columns.askQuantities, quantities, undefined],
  ] as const) {
    if (decimals === DOUBLES) {
      numbers.set(new Float64Array(buffer, at, numbers.length));
      at += 8 * numbers.length;
      continue;
    }
    const whole = new Int32Array(buffer, at, numbers.length);
    if (counts) fromDifferences(whole, decimals, counts, depth, numbers);
    else {
      const power = 10 ** decimals;
      for (let index = 0; index < whole.length; index++) numbers[index] = (whole[index] as number) / power;
    }
    at += aligned(4 * numbers.length);
  }
  return columns;
}

function fromDifferences(
  whole: Int32Array,
  decimals: number,
  counts: Uint16Array,
  depth: number,
  to: Float64Array,
): void {
  const power = 10 ** decimals;
  let first = 0;
  for (let row = 0; row < counts.length; row++) {
    let value = first;
    for (let at = row * depth; at < row * depth + (counts[row] as number); at++) {
      value = (value + (whole[at] as number)) | 0;
      if (at === row * depth) first = value;
      to[at] = value / power;
    }
  }
}
