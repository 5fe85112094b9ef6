/**
 * Reading prices. A price's *format* is its length L and the position P of its point (P = L when it has none). For each
 * format a table holds how its digits move to where they stand in a number of 16 digits with the ladder's decimals:
 *
 *     entry (32 B) = FORMATS + (L × 16 + P) × 32
 *       0  16 B  for each digit of the number the index of its byte in the text, 0x80 where it is zero
 *      16   1 B  whether a price of this format can be read at all
 */
import { FORMATS, LOW_BYTES, POINTS, TENS, TIMES_10, TIMES_100, TIMES_10000, ZEROS } from './layout';

const ZERO_DIGIT: u8 = 0x80;
const DIGITS: i32 = 16;
/** So many digits are exact in the host's numbers too. */
const MAX_DIGITS: i32 = 15;
const MAX_LENGTH: i32 = 15;

/** Fills the table for prices that are whole multiples of 10^-decimals. */
export function prepareFormats(decimals: i32): void {
  prepareVectors();
  memory.fill(FORMATS, 0, 256 * 32);
  for (let length = 1; length <= MAX_LENGTH; length++) {
    for (let point = 1; point <= length; point++) prepareFormat(length, point, decimals);
  }
}

/** What the scanner multiplies and compares with. */
function prepareVectors(): void {
  v128.store(ZEROS, i8x16.splat(0x30));
  v128.store(TENS, i8x16.splat(10));
  v128.store(POINTS, i8x16.splat(0x2e));
  v128.store(LOW_BYTES, i16x8.splat(0xff));
  v128.store(TIMES_10, i16x8.splat(10));
  v128.store(TIMES_100, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  v128.store(TIMES_10000, i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1));
}

function prepareFormat(length: i32, point: i32, decimals: i32): void {
  const isWhole = point === length;
  const fraction = isWhole ? 0 : length - point - 1;
  const digits = point + decimals;
  if ((!isWhole && fraction === 0) || fraction > decimals || digits > MAX_DIGITS) return;
  const entry = FORMATS + <usize>((length << 4) | point) * 32;
  let at: i32 = 0;
  for (; at < DIGITS - digits; at++) store<u8>(entry + at, ZERO_DIGIT);
  for (let index = 0; index < point; index++, at++) store<u8>(entry + at, <u8>index);
  for (let index = 0; index < decimals; index++, at++) {
    store<u8>(entry + at, index < fraction ? <u8>(point + 1 + index) : ZERO_DIGIT);
  }
  store<u8>(entry, 1, 16);
}
