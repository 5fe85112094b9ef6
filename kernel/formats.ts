/**
 * Reading prices. A price's *format* is its length L and the position P of its point (P = L when it has none). For each
 * format a table holds how its digits move to where they stand in a number of 16 digits with the ladder's decimals:
 *
 *     entry (32 B) = FORMATS + (L × 16 + P) × 32
 *       0  16 B  for each digit of the number the index of its byte in the text, 0x80 where it is zero
 *      16   4 B  the bytes that must be digits, as a bit mask; 0: no price of this format can be read
 */
import { FORMATS } from './layout';

const ZERO_DIGIT: u8 = 0x80;
const DIGITS: i32 = 16;
/** So many digits are exact in the host's numbers too. */
const MAX_DIGITS: i32 = 15;
const MAX_LENGTH: i32 = 15;

/** Fills the table for prices that are whole multiples of 10^-decimals. */
export function prepareFormats(decimals: i32): void {
  memory.fill(FORMATS, 0, 256 * 32);
  for (let length = 1; length <= MAX_LENGTH; length++) {
    for (let point = 1; point <= length; point++) prepareFormat(length, point, decimals);
  }
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
  const all = (1 << length) - 1;
  store<i32>(entry, isWhole ? all : all & ~(1 << point), 16);
}
