/**
 * Tables that say how levels and numbers are read. A price's *format* is its length L and the position P of its point
 * (P = L when it has none).
 *
 *     FORMATS entry (32 B), at (L × 16 + P) × 32: a price of up to 15 digits, by itself
 *       0  16 B  for each digit of a number of 16 digits the index of its byte in the text, 0x80 where it is zero
 *      16   1 B  whether a price of this format can be read at all
 *      17   1 B  how many of its last bytes must be zeros: it is written with more decimals than the ladder has
 *
 *     HEADS entry (64 B), at (P × 16 + L) × 64: a level's first 16 bytes, `,["price","…`
 *       0  16 B  EXPECTED: what must stand there, '0' for a digit
 *      16  16 B  LIMITS: how much greater a byte may be, 9 for a digit, 255 where anything may stand
 *      32  16 B  MOVES: for each of the last 8 digits of the price the index of its byte, 0x80 where it is zero
 *     HEADS + P × 1024 + 15 × 64: what to add to those 8 digits to get the tick, 4 × the same number
 *
 *     TAILS entry (32 B), at N × 32: a level's last 16 bytes, `…quantity"]`, for a quantity of N characters
 *       0  16 B  LIMITS: as above, of the difference to TAIL
 *      16  16 B  INNER: 0xff where the quantity may have a point, that is not at its ends
 *
 * An entry that no level may match demands two different things of one byte.
 */
import { COMMA, OPEN, POINT, QUOTE, ZERO } from './ascii';
import { base } from './ladder';
import {
  FIRST,
  FORMAT_BYTES,
  FORMATS,
  HEAD_BYTES,
  HEADS,
  INDEXES,
  LADDER_TICKS,
  LOW_BYTES,
  MAX_EXACT_DIGITS,
  MAX_PRICE_BYTES,
  NUMBERS,
  OTHER_BYTES,
  POINTS,
  QUOTES,
  TAIL,
  TAIL_BYTES,
  TAILS,
  TENS,
  TIMES_10,
  TIMES_100,
  TIMES_10000,
  ZEROS,
} from './layout';

const ZERO_DIGIT: u8 = 0x80;
const DIGITS: i32 = 16;

/** `,["` */
const OPENING: u32 = 0x225b2c;
const OPENING_BYTES: i32 = 3;
/** `","` */
const MIDDLE: u32 = 0x222c22;
/** The longest price for which a level's first 16 bytes hold the middle too. */
const MAX_HEAD_PRICE: i32 = 10;
/** Digits of a price that a head reads; those before them must be the same for the whole ladder. */
const HEAD_DIGITS: i32 = 8;
const HEAD_RANGE: i64 = 100_000_000;

/** Stands for a length when the price does not end within a level's first 16 bytes. */
export const NO_PRICE_BYTES: i32 = 12;

/** Offsets in a head's entry. */
export const LIMITS: usize = 16;
export const MOVES: usize = 32;
/** Offset in a table of heads. */
export const TICK_OFFSET: usize = 15 * HEAD_BYTES;
/** Offset in a tail's entry. */
export const INNER: usize = 16;
/** The longest quantity that a tail reads. */
export const MAX_TAIL_QUANTITY: i32 = 14;

/**
 * Fills the tables for prices that are multiples of 10^-decimals, on the ladder as it is now. They may be written with
 * more decimals, which are zeros: `96543.10` where the ladder has one.
 */
export function prepareFormats(decimals: i32): void {
  assert(decimals >= 0 && decimals < MAX_EXACT_DIGITS);
  prepareVectors();
  prepareTails();
  prepareNumbers();
  memory.fill(FORMATS, 0, 256 * FORMAT_BYTES);
  for (let point = 1; point <= MAX_PRICE_BYTES; point++) {
    store<i32>(headsOf(point) + TICK_OFFSET, 0);
    for (let length = 0; length <= MAX_PRICE_BYTES; length++) {
      const isReadable = isFormat(length, point, decimals);
      if (isReadable) prepareFormat(length, point, decimals);
      if (length > NO_PRICE_BYTES) continue;
      if (!isReadable || !prepareHead(length, point, decimals)) forbidHead(length, point);
    }
  }
}

/** The table of heads for prices with so many digits before the point. */
export function headsOf(point: i32): usize {
  return HEADS + <usize>point * 16 * HEAD_BYTES;
}

/** Writes the vectors that the scanner multiplies and compares with. */
function prepareVectors(): void {
  v128.store(ZEROS, i8x16.splat(<i8>ZERO));
  v128.store(TENS, i8x16.splat(10));
  v128.store(POINTS, i8x16.splat(<i8>POINT));
  v128.store(QUOTES, i8x16.splat(<i8>QUOTE));
  v128.store(LOW_BYTES, i16x8.splat(0xff));
  v128.store(TIMES_10, i16x8.splat(10));
  v128.store(TIMES_100, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  v128.store(TIMES_10000, i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1));
  v128.store(FIRST, i32x4(OPEN - COMMA, 0, 0, 0));
  v128.store(OTHER_BYTES, i32x4.splat(8));
  v128.store(INDEXES, i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

function isFormat(length: i32, point: i32, decimals: i32): bool {
  return point + decimals <= MAX_EXACT_DIGITS && (length === point || length > point + 1);
}

/** How many decimals a price has beyond those of the ladder. */
function furtherDecimals(length: i32, point: i32, decimals: i32): i32 {
  return max(length - point - 1 - decimals, 0);
}

/** The index of the byte that holds a price's `digit`th digit, -1 for a decimal that the price leaves out. */
function byteOfDigit(digit: i32, length: i32, point: i32): i32 {
  const at = digit < point ? digit : digit + 1;
  return at < length ? at : -1;
}

function prepareFormat(length: i32, point: i32, decimals: i32): void {
  const entry = FORMATS + <usize>((length << 4) | point) * FORMAT_BYTES;
  const zeros = DIGITS - point - decimals;
  for (let at = 0; at < DIGITS; at++) {
    const byte = at < zeros ? -1 : byteOfDigit(at - zeros, length, point);
    store<u8>(entry + at, byte < 0 ? ZERO_DIGIT : <u8>byte);
  }
  store<u8>(entry, 1, 16);
  store<u8>(entry, <u8>furtherDecimals(length, point, decimals), 17);
}

/** @returns false when heads cannot read prices of this format (FORMATS may), or none of them is on the ladder. */
function prepareHead(length: i32, point: i32, decimals: i32): bool {
  const heads = headsOf(point);
  const entry = heads + <usize>length * HEAD_BYTES;
  const digits = point + decimals;
  // What comes before the last 8 digits is that of the ladder's middle.
  let above = digits > HEAD_DIGITS ? max<i64>(base + LADDER_TICKS / 2, 0) / HEAD_RANGE : 0;
  const offset = above * HEAD_RANGE - base;
  if (length > MAX_HEAD_PRICE || offset <= -HEAD_RANGE || offset >= LADDER_TICKS) return false;
  v128.store(heads, i32x4.splat(<i32>offset), TICK_OFFSET);

  v128.store(entry, i8x16.splat(0));
  v128.store(entry, i8x16.splat(-1), LIMITS);
  v128.store(entry, i8x16.splat(<i8>ZERO_DIGIT), MOVES);
  expect(entry, 0, OPENING);
  expect(entry, OPENING_BYTES + length, MIDDLE);
  if (length > point) put(entry, OPENING_BYTES + point, POINT, 0);
  for (let at = length - furtherDecimals(length, point, decimals); at < length; at++) {
    put(entry, OPENING_BYTES + at, ZERO, 0);
  }
  for (let digit = digits - 1; digit >= 0; digit--) {
    const fromFirst = digit - (digits - HEAD_DIGITS);
    const byte = byteOfDigit(digit, length, point);
    const at = OPENING_BYTES + byte;
    if (fromFirst >= 0) {
      if (byte < 0) continue;
      put(entry, at, ZERO, 9);
      store<u8>(entry + fromFirst, <u8>at, MOVES);
    } else {
      if (byte < 0 && above % 10 !== 0) return false;
      if (byte >= 0) put(entry, at, ZERO + <u8>(above % 10), 0);
      above /= 10;
    }
  }
  return above === 0;
}

/** Demands three bytes of a head. */
function expect(entry: usize, at: i32, text: u32): void {
  for (let index = 0; index < 3; index++) put(entry, at + index, <u8>(text >> (index << 3)), 0);
}

function put(entry: usize, at: i32, expected: u8, limit: u8): void {
  assert(at >= 0 && at < 16);
  store<u8>(entry + at, expected);
  store<u8>(entry + at, limit, LIMITS);
}

/** Makes a head that no level matches: it demands that there be no quote where the quote was found that led here. */
function forbidHead(length: i32, point: i32): void {
  const entry = headsOf(point) + <usize>length * HEAD_BYTES;
  v128.store(entry, i8x16.splat(0));
  v128.store(entry, i8x16.splat(-1), LIMITS);
  v128.store(entry, i8x16.splat(<i8>ZERO_DIGIT), MOVES);
  if (length === 0) put(entry, OPENING_BYTES, ZERO, 9);
  else put(entry, OPENING_BYTES, QUOTE, 0);
}

function prepareTails(): void {
  const last = MAX_TAIL_QUANTITY - 1;
  for (let at = 0; at <= last; at++) store<u8>(TAIL + at, ZERO);
  // A level's last byte is a bracket for sure. Expecting the byte below it with a limit of 0 forbids an entry.
  store<u16>(TAIL + last + 1, 0x5c22);
  for (let length = 0; length < 16; length++) {
    const entry = TAILS + <usize>length * TAIL_BYTES;
    const first = max(0, MAX_TAIL_QUANTITY - max(1, length));
    v128.store(entry, i8x16.splat(-1));
    v128.store(entry, i8x16.splat(0), INNER);
    for (let at = first; at <= last; at++) store<u8>(entry + at, 9);
    for (let at = first + 1; at < last; at++) store<u8>(entry + at, 0xff, INNER);
    store<u8>(entry + last + 1, 0);
    store<u8>(entry + last + 2, length > MAX_TAIL_QUANTITY ? 0 : 1);
  }
}

/** Makes shuffles that move a number of n digits so that its last one is the sixteenth. */
function prepareNumbers(): void {
  for (let length = 0; length <= DIGITS; length++) {
    for (let at = 0; at < DIGITS; at++) {
      const byte = at - (DIGITS - length);
      store<u8>(NUMBERS + <usize>(length * 16 + at), byte < 0 ? ZERO_DIGIT : <u8>byte);
    }
  }
}
