/**
 * What an audit wants to know of each level and message. Only the kernel for audits has it, which is compiled with
 * AUDIT (scripts/kernels.mjs): elsewhere these functions are not called, and so not part of the module.
 *
 * In that kernel a level of quantity zero leaves its slot empty at once, so that a slot tells whether there is a level.
 *
 *     QUANTITY_STEPS + 8 × n   the greatest common divisor of the digits of all quantities with n decimals, 0: none yet
 *     LOG, an entry            facts of a message, at FACT_…
 */
import { POINT, ZERO } from './ascii';
import { numberOf } from './digits';
import {
  ASKS,
  BIDS,
  base,
  countLevels,
  isCrossed,
  isZeroQuantity,
  ladderOf,
  levelsOf,
  quantityOf,
  reach,
} from './ladder';
import { LOG, LOG_ENTRIES, LOG_ENTRY_BYTES, NUMBERS, POINTS, QUOTES, VALUES, ZEROS } from './layout';

// Offsets in an entry of LOG: f64 each, then i32 each.
export const FACT_TS: usize = 0;
export const FACT_CTS: usize = 8;
export const FACT_UPDATE_ID: usize = 16;
export const FACT_UPDATES: usize = 24;
export const FACT_ABSENT_DELETES: usize = 28;
export const FACT_BID_LEVELS: usize = 32;
export const FACT_ASK_LEVELS: usize = 36;
export const FACT_IS_CROSSED: usize = 40;
/** An audit asks for no numbers of levels, so that their memory is free. */
export const QUANTITY_STEPS: usize = VALUES;
/** Decimals that a quantity may have, and more: it has 16 characters at most. */
export const QUANTITY_FORMS: i32 = 16;

/** The last bytes of a level: so many of its quantity, then a quote and a bracket. */
const TAIL_QUANTITY: i32 = 14;
/** Steps below this are divided by in 32 bits. */
const SMALL: i64 = 1 << 20;

/** Entries in LOG, and deletes of absent levels in the message at hand. */
export let factCount: i32 = 0;
let absentDeletes: i32 = 0;

/** The greatest common divisor of all prices, in units of the ladder's last decimal; 0: none yet. */
let priceStep: i64 = 0;
/** The same, when it is small, and what is left of `base` when divided by it. Else 0. */
let smallStep: u32 = 0;
let baseRest: u32 = 0;

/** Forgets what was observed of prices and quantities; the ladder may be laid out anew now. */
export function forgetSteps(): void {
  priceStep = 0;
  smallStep = 0;
  memory.fill(QUANTITY_STEPS, 0, QUANTITY_FORMS << 3);
}

/** Up to 15 digits, which a double holds. */
export function getPriceStep(): f64 {
  return <f64>priceStep;
}

export function clearFacts(): void {
  factCount = 0;
  absentDeletes = 0;
}

export function areFactsFull(): bool {
  return factCount === LOG_ENTRIES;
}

/** Sets levels of a side as `setLevels` does (ladder.ts), and observes each. */
export function observeLevels(side: i32, ticks: usize, closes: usize, count: i32): void {
  if (count === 0) return;
  reach(side, ticks, count);
  const ladder = ladderOf(side);
  let more = 0;
  for (let index: usize = 0; index < <usize>count; index++) {
    const tick = load<u32>(ticks + (index << 2));
    const entry = closes + (index << 2);
    const text = load<u32>(entry - 4) + 4;
    const slot = ladder + ((<usize>tick) << 2);
    const wasSet = load<u32>(slot) !== 0;
    const isSet = observeQuantity(text, load<u32>(entry));
    store<u32>(slot, isSet ? text : 0);
    more += i32(isSet) - i32(wasSet);
    absentDeletes += i32(!(isSet || wasSet));
    if (isSet) observePrice(tick);
  }
  countLevels(side, more);
}

/** @returns whether the quantity of a level is more than zero; then its step is observed too. */
function observeQuantity(text: usize, close: usize): bool {
  const tail = v128.load(close - (TAIL_QUANTITY + 1));
  // All bytes of the quantity, when the quote before it is among those that were loaded.
  const quotes = i8x16.bitmask(i8x16.eq(tail, v128.load(QUOTES))) & ((1 << TAIL_QUANTITY) - 1);
  if (quotes === 0) return observeLongQuantity(text);
  const start = 32 - clz(quotes);
  const inside = ((1 << TAIL_QUANTITY) - 1) & (-1 << start);
  if ((i8x16.bitmask(i8x16.gt_u(tail, v128.load(ZEROS))) & inside) === 0) return false;
  const points = i8x16.bitmask(i8x16.eq(tail, v128.load(POINTS))) & inside;
  const decimals = points === 0 ? 0 : TAIL_QUANTITY - 1 - ctz(points);
  const step = QUANTITY_STEPS + ((<usize>decimals) << 3);
  if (load<i64>(step) === 1) return true;
  const quantity = close - 1 - <usize>(TAIL_QUANTITY - start);
  refine(step, decimals === 0 ? wholeAt(quantity, TAIL_QUANTITY - start) : digitsAt(quantity));
  return true;
}

function observeLongQuantity(text: usize): bool {
  if (isZeroQuantity(text)) return false;
  const start = quantityOf(text);
  let end = start;
  let point: usize = 0;
  for (let byte = load<u8>(end); byte === POINT || <u8>(byte - ZERO) < 10; byte = load<u8>(++end)) {
    if (byte === POINT) point = end;
  }
  refine(QUANTITY_STEPS + (point === 0 ? 0 : (end - point - 1) << 3), digitsAt(start));
  return true;
}

/** The number that the digits of a decimal make, its point left out. */
function digitsAt(start: usize): i64 {
  let value: i64 = 0;
  for (let at = start; ; at++) {
    const byte = load<u8>(at);
    if (byte === POINT) continue;
    const digit = <u8>(byte - ZERO);
    if (digit > 9) break;
    value = value * 10 + <i64>digit;
  }
  return value;
}

function wholeAt(start: usize, bytes: i32): i64 {
  const digits = i8x16.sub(v128.load(start), v128.load(ZEROS));
  return numberOf(i8x16.swizzle(digits, v128.load(NUMBERS + ((<usize>bytes) << 4))));
}

function refine(step: usize, value: i64): void {
  const old = load<i64>(step);
  if (old === 0 || value % old !== 0) store<i64>(step, divisor(old, value));
}

function observePrice(tick: u32): void {
  if (smallStep === 1 || (smallStep !== 0 && (tick + baseRest) % smallStep === 0)) return;
  const price = base + <i64>tick;
  if (priceStep !== 0 && price % priceStep === 0) return;
  priceStep = divisor(priceStep, price);
  if (priceStep === 0 || priceStep >= SMALL) return;
  smallStep = <u32>priceStep;
  // A ladder may begin below zero; its levels do not.
  baseRest = <u32>(((base % priceStep) + priceStep) % priceStep);
}

/** The greatest common divisor, by Euclid's algorithm. */
function divisor(a: i64, b: i64): i64 {
  while (b !== 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** Logs the facts of a message that has just been applied. @param cts below zero: it has none. */
export function logFacts(ts: i64, cts: i64, updateId: i64, updates: i32): void {
  assert(factCount < LOG_ENTRIES);
  const entry = LOG + <usize>factCount * LOG_ENTRY_BYTES;
  factCount++;
  store<f64>(entry, <f64>ts, FACT_TS);
  store<f64>(entry, <f64>cts, FACT_CTS);
  store<f64>(entry, <f64>updateId, FACT_UPDATE_ID);
  store<i32>(entry, updates, FACT_UPDATES);
  store<i32>(entry, absentDeletes, FACT_ABSENT_DELETES);
  store<i32>(entry, levelsOf(BIDS), FACT_BID_LEVELS);
  store<i32>(entry, levelsOf(ASKS), FACT_ASK_LEVELS);
  // Of a side without levels all slots would be looked at.
  const hasBoth = levelsOf(BIDS) > 0 && levelsOf(ASKS) > 0;
  store<i32>(entry, i32(hasBoth && isCrossed()), FACT_IS_CROSSED);
  absentDeletes = 0;
}
