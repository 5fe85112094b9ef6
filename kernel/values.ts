/**
 * Levels as numbers: the doubles nearest to the decimals in the text. A whole number of up to 15 digits and a power of
 * ten up to 10^15 are exact, so that their quotient is rounded only once (Clinger's fast path).
 *
 *     VALUES + (2 × side)     × VALUES_BYTES   prices of a side, best first
 *     VALUES + (2 × side + 1) × VALUES_BYTES   quantities
 */
import { POINT, ZERO } from './ascii';
import { numberOf, numbersOf } from './digits';
import { base, bestOf, MARK, quantityOf } from './ladder';
import {
  BEST_BYTES,
  BEST_TEXT,
  INDEXES,
  MAX_EXACT_DIGITS,
  MAX_LEVELS_PER_SIDE,
  NUMBERS,
  POINTS,
  POWERS,
  QUOTES,
  TENS,
  VALUES,
  VALUES_BYTES,
  ZEROS,
} from './layout';

/** How many ticks make the price 1: 10^decimals. */
let tickDivisor: f64 = 1;

export function prepareValues(decimals: i32): void {
  let power: f64 = 1;
  for (let exponent = 0; exponent < 16; exponent++, power *= 10) store<f64>(POWERS + ((<usize>exponent) << 3), power);
  tickDivisor = powerOf(decimals);
}

/** Where {@link writeValues} leaves a side's prices, best first. */
export function pricesOf(side: i32): usize {
  return VALUES + <usize>(2 * side) * VALUES_BYTES;
}

/** The same of its quantities. */
export function quantitiesOf(side: i32): usize {
  return pricesOf(side) + VALUES_BYTES;
}

/**
 * Writes the first `count` levels that were collected of a side to VALUES; NaN for a quantity that the host must read.
 */
export function writeValues(side: i32, count: i32): void {
  assert(count >= 0 && count <= MAX_LEVELS_PER_SIDE);
  writeValuesAt(pricesOf(side), quantitiesOf(side), side, count);
}

/** The same to any two lists. @returns whether there is a NaN among them. */
export function writeValuesAt(prices: usize, quantities: usize, side: i32, count: i32): bool {
  let isOdd = false;
  let level = bestOf(side);
  let at: usize = 0;
  const end = (<usize>count) << 3;
  // A side that has a quantity of another form soon has more.
  for (; at + 24 < end; at += 32, level += 4 * BEST_BYTES) {
    if (!writeFour(prices + at, quantities + at, level)) break;
  }
  for (; at < end; at += 8, level += BEST_BYTES) {
    store<f64>(prices + at, priceAt(load<i32>(level)));
    const quantity = quantityAt(load<u32>(level, BEST_TEXT));
    store<f64>(quantities + at, quantity);
    if (F64.isNaN(quantity)) isOdd = true;
  }
  return isOdd;
}

/** Does so with four levels at once. @returns false when a quantity is not of one to eight digits and nothing else. */
function writeFour(prices: usize, quantities: usize, level: usize): bool {
  const first = v128.load(level);
  const second = v128.load(level, 16);
  const ticks = v128.shuffle<i32>(first, second, 0, 2, 4, 6);
  if (v128.any_true(i32x4.eq(v128.shuffle<i32>(first, second, 1, 3, 5, 7), i32x4.splat(MARK)))) return false;
  const quote = v128.load(QUOTES);
  const a = v128.load(quantityOf(load<u32>(level, BEST_TEXT)));
  const b = v128.load(quantityOf(load<u32>(level, BEST_BYTES + BEST_TEXT)));
  const c = v128.load(quantityOf(load<u32>(level, 2 * BEST_BYTES + BEST_TEXT)));
  const d = v128.load(quantityOf(load<u32>(level, 3 * BEST_BYTES + BEST_TEXT)));
  const aBytes = shortBytes(a, quote);
  const bBytes = shortBytes(b, quote);
  const cBytes = shortBytes(c, quote);
  const dBytes = shortBytes(d, quote);
  // 9 + 7 has a bit that no shorter length has.
  if ((((aBytes + 7) | (bBytes + 7) | (cBytes + 7) | (dBytes + 7)) & 16) !== 0) return false;
  const zero = v128.load(ZEROS);
  const aDigits = i8x16.swizzle(i8x16.sub(a, zero), lastEightOf(aBytes));
  const bDigits = i8x16.swizzle(i8x16.sub(b, zero), lastEightOf(bBytes));
  const cDigits = i8x16.swizzle(i8x16.sub(c, zero), lastEightOf(cBytes));
  const dDigits = i8x16.swizzle(i8x16.sub(d, zero), lastEightOf(dBytes));
  const highest = i8x16.max_u(i8x16.max_u(aDigits, bDigits), i8x16.max_u(cDigits, dDigits));
  if (i64x2.extract_lane(i8x16.ge_u(highest, v128.load(TENS)), 0) !== 0) return false;
  const numbers = numbersOf(aDigits, bDigits, cDigits, dDigits);
  v128.store(quantities, f64x2.convert_low_i32x4_s(numbers));
  v128.store(quantities, f64x2.convert_low_i32x4_s(v128.shuffle<i32>(numbers, numbers, 2, 3, 0, 1)), 16);
  // Whole numbers of so few digits are exact in doubles, and so is their sum.
  const zeroTick = f64x2.splat(<f64>base);
  const divisor = f64x2.splat(tickDivisor);
  const low = f64x2.add(f64x2.convert_low_i32x4_s(ticks), zeroTick);
  const high = f64x2.add(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(ticks, ticks, 2, 3, 0, 1)), zeroTick);
  v128.store(prices, f64x2.div(low, divisor));
  v128.store(prices, f64x2.div(high, divisor), 16);
  return true;
}

/** How many bytes stand before the quote, or 9 when there are more than eight. */
function shortBytes(text: v128, quote: v128): i32 {
  return ctz(i8x16.bitmask(i8x16.eq(text, quote)) | 0x200);
}

/** The half of an entry of NUMBERS that says where the last eight digits are; what follows is not used. */
function lastEightOf(bytes: i32): v128 {
  return v128.load(NUMBERS + ((<usize>bytes) << 4), 8);
}

/** The price of a tick. */
export function priceAt(tick: i32): f64 {
  return <f64>(base + <i64>tick) / tickDivisor;
}

/** The quantity of a level's text; NaN when the host keeps the level, or the quantity is too long to be exact. */
export function quantityAt(text: u32): f64 {
  if (text === MARK) return NaN;
  const start = quantityOf(text);
  const bytes = v128.load(start);
  const quotes = i8x16.bitmask(i8x16.eq(bytes, v128.load(QUOTES)));
  if (quotes === 0) return longAt(start);
  const length = ctz(quotes);
  const points = i8x16.bitmask(i8x16.eq(bytes, v128.load(POINTS))) & ((1 << length) - 1);
  const digits = i8x16.sub(bytes, v128.load(ZEROS));
  // As if the digits were the last ones of sixteen.
  const moved = i8x16.swizzle(digits, v128.load(NUMBERS + ((<usize>length) << 4)));
  if (points === 0) return <f64>numberOf(moved);
  // The digits before the point go one further, to where the point is.
  const further = i8x16.swizzle(digits, v128.load(NUMBERS + ((<usize>length - 1) << 4)));
  const decimals = length - 1 - ctz(points);
  const isDecimal = i8x16.gt_s(v128.load(INDEXES), i8x16.splat(<i8>(15 - decimals)));
  return <f64>numberOf(v128.bitselect(moved, further, isDecimal)) / powerOf(decimals);
}

/** The same for a quantity of 16 characters or more. */
function longAt(start: usize): f64 {
  let value: i64 = 0;
  let pointAt: usize = 0;
  let at = start;
  for (; ; at++) {
    const byte = <u32>load<u8>(at);
    const digit = byte - ZERO;
    if (digit < 10) value = value * 10 + <i64>digit;
    else if (byte === POINT) pointAt = at;
    else break;
  }
  if (<i32>(at - start) - i32(pointAt !== 0) > MAX_EXACT_DIGITS) return NaN;
  const decimals = pointAt === 0 ? 0 : <i32>(at - pointAt) - 1;
  return <f64>value / powerOf(decimals);
}

function powerOf(exponent: i32): f64 {
  assert(exponent >= 0 && exponent <= MAX_EXACT_DIGITS);
  return load<f64>(POWERS + ((<usize>exponent) << 3));
}
