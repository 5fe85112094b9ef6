/**
 * Turns decimal digits into numbers, sixteen at a time, by SIMD multiply-and-add: first neighbours make numbers of two
 * digits, then these make numbers of four, then of eight.
 */
import { LOW_BYTES, TIMES_10, TIMES_100, TIMES_10000 } from './layout';

/** The number that sixteen digits make, the first byte being the highest. */
export function numberOf(digits: v128): i64 {
  const fours = foursOf(digits);
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), v128.load(TIMES_10000));
  const both = i64x2.extract_lane(eights, 0);
  return (both & 0xffffffff) * 100_000_000 + (both >> 32);
}

/** The numbers that the first eight digits of four vectors make. */
export function numbersOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const fours = i16x8.narrow_i32x4_s(foursOf(v128.shuffle<i64>(a, b, 0, 2)), foursOf(v128.shuffle<i64>(c, d, 0, 2)));
  return i32x4.dot_i16x8_s(fours, v128.load(TIMES_10000));
}

/** The numbers that each four of sixteen digits make. */
function foursOf(digits: v128): v128 {
  const pairs = i16x8.add(
    i16x8.mul(v128.and(digits, v128.load(LOW_BYTES)), v128.load(TIMES_10)),
    i16x8.shr_u(digits, 8),
  );
  return i32x4.dot_i16x8_s(pairs, v128.load(TIMES_100));
}
