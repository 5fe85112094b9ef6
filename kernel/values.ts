/**
 * Levels as numbers: the doubles nearest to the decimals in the text. A whole number of up to 15 digits and a power of
 * ten up to 10^15 are exact, so that their quotient is rounded only once (Clinger's fast path).
 *
 *     VALUES + (2 × side)     × VALUES_BYTES   prices of a side, best first
 *     VALUES + (2 × side + 1) × VALUES_BYTES   quantities
 *     OBSERVED + 16 × side   best price, and quantity of the best levels, as last logged
 *     LOG, an entry: ts, best bid, best ask, quantity of the best bids, of the best asks, updates (8 B each)
 */
import { POINT, ZERO } from './ascii';
import { numberOf } from './digits';
import { ASKS, BIDS, base, bestOf, collect, isTouched, MARK, quantityOf } from './ladder';
import {
  BEST_BYTES,
  BEST_TEXT,
  LADDER_TICKS,
  LOG,
  LOG_ASK,
  LOG_BID,
  LOG_BID_QUANTITY,
  LOG_ENTRIES,
  LOG_ENTRY_BYTES,
  LOG_TS,
  LOG_UPDATES,
  MAX_EXACT_DIGITS,
  MAX_LEVELS_PER_SIDE,
  NUMBERS,
  OBSERVED,
  POINTS,
  POWERS,
  QUOTES,
  VALUES,
  VALUES_BYTES,
  ZEROS,
} from './layout';

/** How many ticks make the price 1: 10^decimals. */
let tickDivisor: f64 = 1;
let isLogging: bool = false;
let observedLevels: i32 = 0;
/** The worst tick that is observed of a side. */
let bidReach: i32 = 0;
let askReach: i32 = LADDER_TICKS;
/** The last entry has a NaN for a quantity that the host must read. */
let isLogOdd: bool = false;
/** Entries in LOG. */
export let logCount: i32 = 0;

export function prepareValues(decimals: i32): void {
  let power: f64 = 1;
  for (let exponent = 0; exponent < 16; exponent++, power *= 10) store<f64>(POWERS + ((<usize>exponent) << 3), power);
  tickDivisor = powerOf(decimals);
}

/** Sets whether each message leaves an entry in LOG, with the quantity of so many levels a side. */
export function setLogging(levels: i32): void {
  isLogging = levels > 0;
  observedLevels = levels;
}

export function clearLog(): void {
  logCount = 0;
  isLogOdd = false;
}

/** Whether the log must be read before another message: it has no room, or a quantity that only the host can read. */
export function isLogFull(): bool {
  return logCount === LOG_ENTRIES || isLogOdd;
}

/** Logs what the book's best is after a message, when logging is on. */
export function log(ts: i64, updates: i32): void {
  if (!isLogging) return;
  assert(logCount < LOG_ENTRIES);
  const entry = LOG + <usize>logCount * LOG_ENTRY_BYTES;
  logCount++;
  store<f64>(entry, <f64>ts, LOG_TS);
  logSide(entry, BIDS);
  logSide(entry + (LOG_ASK - LOG_BID), ASKS);
  store<f64>(entry, <f64>updates, LOG_UPDATES);
}

/** Writes best price and quantity of a side to an entry; the old ones when neither can have changed. */
function logSide(entry: usize, side: i32): void {
  const observed = OBSERVED + ((<usize>side) << 4);
  if (isTouched(side, side === BIDS ? bidReach : askReach)) observe(observed, side);
  store<f64>(entry, load<f64>(observed), LOG_BID);
  const quantity = load<f64>(observed, 8);
  store<f64>(entry, quantity, LOG_BID_QUANTITY);
  if (F64.isNaN(quantity)) isLogOdd = true;
}

function observe(observed: usize, side: i32): void {
  const count = collect(side, observedLevels);
  const level = bestOf(side);
  let quantity: f64 = 0;
  for (let index = 0; index < count; index++) {
    quantity += quantityAt(load<u32>(level + <usize>index * BEST_BYTES, BEST_TEXT));
  }
  store<f64>(observed, count === 0 ? NaN : priceAt(load<i32>(level)));
  store<f64>(observed, quantity, 8);
  // With fewer levels than are observed, any change counts.
  const isFull = count === observedLevels;
  const last = isFull ? load<i32>(level + <usize>(count - 1) * BEST_BYTES) : 0;
  if (side === BIDS) bidReach = isFull ? last : 0;
  else askReach = isFull ? last : LADDER_TICKS;
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
  let price = pricesOf(side);
  let quantity = quantitiesOf(side);
  let level = bestOf(side);
  for (let index = 0; index < count; index++, price += 8, quantity += 8, level += BEST_BYTES) {
    store<f64>(price, priceAt(load<i32>(level)));
    store<f64>(quantity, quantityAt(load<u32>(level, BEST_TEXT)));
  }
}

function priceAt(tick: i32): f64 {
  return <f64>(base + <i64>tick) / tickDivisor;
}

/** The quantity of a level's text; NaN when the host keeps the level, or the quantity is too long to be exact. */
function quantityAt(text: u32): f64 {
  if (text === MARK) return NaN;
  const start = quantityOf(text);
  const bytes = v128.load(start);
  const quotes = i8x16.bitmask(i8x16.eq(bytes, v128.load(QUOTES)));
  const points = i8x16.bitmask(i8x16.eq(bytes, v128.load(POINTS)));
  const length = ctz(quotes | 0x10000);
  if (length <= MAX_EXACT_DIGITS && (points & ((1 << length) - 1)) === 0) {
    const digits = i8x16.swizzle(i8x16.sub(bytes, v128.load(ZEROS)), v128.load(NUMBERS + ((<usize>length) << 4)));
    return <f64>numberOf(digits);
  }
  return pointedAt(start);
}

/** The same for a quantity with a point, or a long one. */
function pointedAt(start: usize): f64 {
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
