/**
 * The second pass: turns the levels of a side, `[["price","quantity"],…]`, into ticks. It does not change the book.
 *
 *     TICKS + side × TICKS_BYTES      the tick of each level, in order, 4 bytes each
 *     CLOSES, from `closesOf` on      the address of each level's closing bracket; the entry before the first one is
 *                                     set to where it would be, so that a level lies between an entry and the next:
 *
 *         ],["0.1234","5.6"]
 *         ^                ^
 *         entry i-1        entry i
 *
 * Levels are read four at a time without a branch on what they hold. What is wrong is gathered in a vector that is
 * tested once, at the end of the side. A side in which something is wrong is read again, level by level, by slower code
 * that reads every form of price that the ladder can hold. If that code refuses a level, the host reads the line.
 */
import { CLOSE, COMMA, ZERO } from './ascii';
import { closesEnd, closesNext, passBrackets } from './brackets';
import { numberOf, numbersOf } from './digits';
import { headsOf, INNER, LIMITS, MOVES, NO_PRICE_BYTES, TICK_OFFSET } from './formats';
import { BIDS, base } from './ladder';
import {
  CLOSES,
  FIRST,
  FORMAT_BYTES,
  FORMATS,
  HEAD_BYTES,
  LADDER_TICKS,
  LENGTHS,
  MAX_UPDATES,
  OTHER_BYTES,
  POINTS,
  QUOTES,
  SLOT_BYTES,
  TAIL,
  TAILS,
  TENS,
  TICKS,
  TICKS_BYTES,
  ZEROS,
} from './layout';

/** The line is not of the form that the kernel reads. */
export const FAILED: usize = 0;
/** The line may be of the form, but not all its brackets have been found yet. */
export const SHORT: usize = 1;

/** A tick of more bits is not on the ladder. */
const TICK_BITS: i32 = 31 - clz(LADDER_TICKS);
const NO_TICK: i32 = -1;

/** What {@link readSide} has read: how many levels, and where the first one's closing bracket is listed. */
let bidCount: i32 = 0;
let askCount: i32 = 0;
let bidCloses: usize = 0;
let askCloses: usize = 0;
/** The first bracket in the list that the message has not used. */
let closes: usize = 0;
/** The table of heads for prices like the last one that {@link readLevel} has read. */
let heads: usize = headsOf(1);
/** Whether the simpler loops have read all levels since the last window: they are tried first. */
let pricesAreEven: bool = true;
let quantitiesAreWhole: bool = true;

export function countOf(side: i32): i32 {
  return side === BIDS ? bidCount : askCount;
}

export function closesOf(side: i32): usize {
  return side === BIDS ? bidCloses : askCloses;
}

export function ticksOf(side: i32): usize {
  return TICKS + <usize>side * TICKS_BYTES;
}

/** Begins a message. */
export function beginLevels(): void {
  closes = closesNext;
}

/** Lets the simpler forms of levels be tried again. */
export function forgetForms(): void {
  pricesAreEven = true;
  quantitiesAreWhole = true;
}

/** Ends a message: its brackets are used. */
export function passLevels(): void {
  passBrackets(closes);
}

/**
 * Reads a side from after its opening bracket on.
 *
 * @returns the address behind its closing bracket, FAILED, or SHORT.
 */
export function readSide(start: usize, side: i32): usize {
  const first = closes;
  assert(first >= CLOSES && first <= closesEnd);
  let count = 0;
  let end = start + 1;
  if (load<u8>(start) === CLOSE) {
    if (first === closesEnd) return SHORT;
    if (load<u32>(first) !== <u32>start) return FAILED;
    closes = first + 4;
  } else {
    const last = findSideEnd(first);
    if (last >= closesEnd) return SHORT;
    count = <i32>((last - first) >> 2);
    if (count > MAX_UPDATES) return FAILED;
    closes = last + 4;
    store<u32>(first - 4, <u32>start - 2);
    if (!readLevels(first, count, ticksOf(side))) return FAILED;
    end = <usize>load<u32>(last - 4) + 2;
    assert(end > start);
  }
  if (side === BIDS) {
    bidCount = count;
    bidCloses = first;
  } else {
    askCount = count;
    askCloses = first;
  }
  return end;
}

/** The entry of the first bracket that directly follows another, `]]`; one from `closesEnd` on if there is none. */
function findSideEnd(first: usize): usize {
  const one = i32x4.splat(1);
  for (let at = first; at < closesEnd; at += 16) {
    const ends = i32x4.bitmask(i32x4.eq(i32x4.sub(v128.load(at, 4), v128.load(at)), one));
    if (ends !== 0) return at + 4 + ((<usize>ctz(ends)) << 2);
  }
  return closesEnd;
}

/** @returns whether all levels are of the form, and have a tick. */
function readLevels(closes: usize, count: i32, ticks: usize): bool {
  if (count >= 4 && readHeads(closes, count, ticks) && readTails(closes, count)) return true;
  for (let index = 0; index < count; index++) {
    const tick = readLevel(closes + ((<usize>index) << 2), index > 0);
    if (tick === NO_TICK) return false;
    store<i32>(ticks + ((<usize>index) << 2), tick);
  }
  return true;
}

function readHeads(closes: usize, count: i32, ticks: usize): bool {
  if (pricesAreEven && readEvenHeads(closes, count, ticks)) return true;
  pricesAreEven = false;
  return readAnyHeads(closes, count, ticks);
}

function readTails(closes: usize, count: i32): bool {
  if (quantitiesAreWhole && readWholeTails(closes, count)) return true;
  quantitiesAreWhole = false;
  return readAnyTails(closes, count);
}

/** The offset of the next four entries. The last four end where the list ends, so they may overlap those before. */
function nextFour(at: usize, last: usize): usize {
  return min(at + 16, last);
}

/** Reads prices that are all as long as the first. */
function readEvenHeads(closes: usize, count: i32, ticks: usize): bool {
  const first = v128.load(load<u32>(closes - 4), 1);
  const bytes = priceBytes(first, v128.load(QUOTES));
  assert(bytes <= <usize>NO_PRICE_BYTES && count <= MAX_UPDATES);
  const head = heads + bytes * HEAD_BYTES;
  const expected = v128.load(head);
  const limits = v128.load(head, LIMITS);
  const moves = v128.load(head, MOVES);
  const offset = v128.load(heads, TICK_OFFSET);
  const lengths = i32x4.splat(<i32>bytes);
  const last = ((<usize>count) << 2) - 16;
  let wrong = i8x16.sub_sat_u(i8x16.sub(i8x16.sub(first, expected), v128.load(FIRST)), limits);
  let tooFar = i32x4.splat(0);
  let at: usize = 0;
  while (true) {
    const entry = closes + at;
    const a = i8x16.sub(v128.load(load<u32>(entry - 4), 1), expected);
    const b = i8x16.sub(v128.load(load<u32>(entry), 1), expected);
    const c = i8x16.sub(v128.load(load<u32>(entry, 4), 1), expected);
    const d = i8x16.sub(v128.load(load<u32>(entry, 8), 1), expected);
    if (at !== 0) wrong = v128.or(wrong, i8x16.sub_sat_u(a, limits));
    wrong = v128.or(wrong, i8x16.sub_sat_u(b, limits));
    wrong = v128.or(wrong, i8x16.sub_sat_u(c, limits));
    wrong = v128.or(wrong, i8x16.sub_sat_u(d, limits));
    const found = i32x4.add(
      numbersOf(i8x16.swizzle(a, moves), i8x16.swizzle(b, moves), i8x16.swizzle(c, moves), i8x16.swizzle(d, moves)),
      offset,
    );
    tooFar = v128.or(tooFar, found);
    v128.store(ticks + at, found);
    v128.store(LENGTHS + at, lengths);
    if (at === last) return !v128.any_true(v128.or(wrong, i32x4.shr_u(tooFar, TICK_BITS)));
    at = nextFour(at, last);
  }
}

/** Reads prices of any length. */
function readAnyHeads(closes: usize, count: i32, ticks: usize): bool {
  const quote = v128.load(QUOTES);
  const table = heads;
  const offset = v128.load(table, TICK_OFFSET);
  const last = ((<usize>count) << 2) - 16;
  // The first level of a side has the side's bracket where others have a comma.
  let opening = v128.load(FIRST);
  let wrong = i32x4.splat(0);
  let at: usize = 0;
  while (true) {
    const entry = closes + at;
    const aText = v128.load(load<u32>(entry - 4), 1);
    const aBytes = priceBytes(aText, quote);
    const aHead = table + aBytes * HEAD_BYTES;
    const a = i8x16.sub(i8x16.sub(aText, v128.load(aHead)), opening);
    wrong = v128.or(wrong, i8x16.sub_sat_u(a, v128.load(aHead, LIMITS)));
    store<u32>(LENGTHS + at, aBytes);
    const bText = v128.load(load<u32>(entry), 1);
    const bBytes = priceBytes(bText, quote);
    const bHead = table + bBytes * HEAD_BYTES;
    const b = i8x16.sub(bText, v128.load(bHead));
    wrong = v128.or(wrong, i8x16.sub_sat_u(b, v128.load(bHead, LIMITS)));
    store<u32>(LENGTHS + at, bBytes, 4);
    const cText = v128.load(load<u32>(entry, 4), 1);
    const cBytes = priceBytes(cText, quote);
    const cHead = table + cBytes * HEAD_BYTES;
    const c = i8x16.sub(cText, v128.load(cHead));
    wrong = v128.or(wrong, i8x16.sub_sat_u(c, v128.load(cHead, LIMITS)));
    store<u32>(LENGTHS + at, cBytes, 8);
    const dText = v128.load(load<u32>(entry, 8), 1);
    const dBytes = priceBytes(dText, quote);
    const dHead = table + dBytes * HEAD_BYTES;
    const d = i8x16.sub(dText, v128.load(dHead));
    wrong = v128.or(wrong, i8x16.sub_sat_u(d, v128.load(dHead, LIMITS)));
    store<u32>(LENGTHS + at, dBytes, 12);
    const found = i32x4.add(
      numbersOf(
        i8x16.swizzle(a, v128.load(aHead, MOVES)),
        i8x16.swizzle(b, v128.load(bHead, MOVES)),
        i8x16.swizzle(c, v128.load(cHead, MOVES)),
        i8x16.swizzle(d, v128.load(dHead, MOVES)),
      ),
      offset,
    );
    wrong = v128.or(wrong, i32x4.shr_u(found, TICK_BITS));
    v128.store(ticks + at, found);
    if (at === last) return !v128.any_true(wrong);
    at = nextFour(at, last);
    opening = i32x4.splat(0);
  }
}

/** Checks quantities without a point. */
function readWholeTails(closes: usize, count: i32): bool {
  const tail = v128.load(TAIL);
  const others = v128.load(OTHER_BYTES);
  const last = ((<usize>count) << 2) - 16;
  let wrong = i32x4.splat(0);
  let at: usize = 0;
  while (true) {
    const entry = closes + at;
    const lengths = quantityBytes(entry, at, others);
    wrong = v128.or(wrong, i32x4.shr_u(lengths, 4));
    wrong = v128.or(
      wrong,
      i8x16.sub_sat_u(
        i8x16.sub(v128.load(load<u32>(entry) - 15), tail),
        v128.load(tailOf(i32x4.extract_lane(lengths, 0))),
      ),
    );
    wrong = v128.or(
      wrong,
      i8x16.sub_sat_u(
        i8x16.sub(v128.load(load<u32>(entry, 4) - 15), tail),
        v128.load(tailOf(i32x4.extract_lane(lengths, 1))),
      ),
    );
    wrong = v128.or(
      wrong,
      i8x16.sub_sat_u(
        i8x16.sub(v128.load(load<u32>(entry, 8) - 15), tail),
        v128.load(tailOf(i32x4.extract_lane(lengths, 2))),
      ),
    );
    wrong = v128.or(
      wrong,
      i8x16.sub_sat_u(
        i8x16.sub(v128.load(load<u32>(entry, 12) - 15), tail),
        v128.load(tailOf(i32x4.extract_lane(lengths, 3))),
      ),
    );
    if (at === last) return !v128.any_true(wrong);
    at = nextFour(at, last);
  }
}

/** Checks quantities with or without a point. */
function readAnyTails(closes: usize, count: i32): bool {
  const tail = v128.load(TAIL);
  const point = v128.load(POINTS);
  const others = v128.load(OTHER_BYTES);
  const last = ((<usize>count) << 2) - 16;
  let wrong = i32x4.splat(0);
  let tooMany = 0;
  let at: usize = 0;
  while (true) {
    const entry = closes + at;
    const lengths = quantityBytes(entry, at, others);
    wrong = v128.or(wrong, i32x4.shr_u(lengths, 4));
    const aTable = tailOf(i32x4.extract_lane(lengths, 0));
    const aText = v128.load(load<u32>(entry) - 15);
    const a = v128.and(i8x16.eq(aText, point), v128.load(aTable, INNER));
    wrong = v128.or(wrong, i8x16.sub_sat_u(v128.andnot(i8x16.sub(aText, tail), a), v128.load(aTable)));
    const bTable = tailOf(i32x4.extract_lane(lengths, 1));
    const bText = v128.load(load<u32>(entry, 4) - 15);
    const b = v128.and(i8x16.eq(bText, point), v128.load(bTable, INNER));
    wrong = v128.or(wrong, i8x16.sub_sat_u(v128.andnot(i8x16.sub(bText, tail), b), v128.load(bTable)));
    const cTable = tailOf(i32x4.extract_lane(lengths, 2));
    const cText = v128.load(load<u32>(entry, 8) - 15);
    const c = v128.and(i8x16.eq(cText, point), v128.load(cTable, INNER));
    wrong = v128.or(wrong, i8x16.sub_sat_u(v128.andnot(i8x16.sub(cText, tail), c), v128.load(cTable)));
    const dTable = tailOf(i32x4.extract_lane(lengths, 3));
    const dText = v128.load(load<u32>(entry, 12) - 15);
    const d = v128.and(i8x16.eq(dText, point), v128.load(dTable, INNER));
    wrong = v128.or(wrong, i8x16.sub_sat_u(v128.andnot(i8x16.sub(dText, tail), d), v128.load(dTable)));
    tooMany |= secondBit(a) | secondBit(b) | secondBit(c) | secondBit(d);
    if (at === last) return tooMany === 0 && !v128.any_true(wrong);
    at = nextFour(at, last);
  }
}

/** The length of the price in a level's first 16 bytes, or NO_PRICE_BYTES. */
function priceBytes(text: v128, quote: v128): usize {
  return <usize>ctz((i8x16.bitmask(i8x16.eq(text, quote)) >>> 3) | (1 << NO_PRICE_BYTES));
}

/** The lengths of four quantities, supposing that their levels hold only the price and eight other bytes beside. */
function quantityBytes(entry: usize, at: usize, others: v128): v128 {
  const bytes = i32x4.sub(v128.load(entry), v128.load(entry - 4));
  return i32x4.sub(i32x4.sub(bytes, v128.load(LENGTHS + at)), others);
}

/** The tail's entry for a quantity of so many bytes; of any entry when they are 16 or more. */
function tailOf(bytes: i32): usize {
  return TAILS + ((<usize>bytes & 15) << 5);
}

/** Not zero when more than one byte is set. */
function secondBit(bytes: v128): i32 {
  const bits = i8x16.bitmask(bytes);
  return bits & (bits - 1);
}

/** Reads one level by itself, and chooses the heads for those after it. @returns its tick, or NO_TICK. */
function readLevel(entry: usize, isAfterAnother: bool): i32 {
  const open = <usize>load<u32>(entry - 4) + 2;
  const close = <usize>load<u32>(entry);
  if (isAfterAnother && load<u8>(open - 1) !== COMMA) return NO_TICK;
  if (load<u16>(open) !== 0x225b) return NO_TICK; // ["
  const point = v128.load(POINTS);
  const zero = v128.load(ZEROS);
  const ten = v128.load(TENS);

  const price = v128.load(open, 2);
  const quotes = i8x16.bitmask(i8x16.eq(price, v128.load(QUOTES)));
  if (quotes === 0) return NO_TICK;
  const bytes = <usize>ctz(quotes);
  const pointAt = <usize>ctz(i8x16.bitmask(i8x16.eq(price, point)) | quotes);
  const format = FORMATS + ((bytes << 4) | pointAt) * FORMAT_BYTES;
  if (load<u8>(format, 16) === 0 || load<u32>(open + bytes + 1) >> 8 !== 0x222c22) return NO_TICK; // ","
  const digits = i8x16.swizzle(i8x16.sub(price, zero), v128.load(format));
  if (v128.any_true(i8x16.ge_u(digits, ten))) return NO_TICK;
  for (let at = bytes - <usize>load<u8>(format, 17); at < bytes; at++) {
    if (load<u8>(open + 2 + at) !== ZERO) return NO_TICK;
  }
  const tick = numberOf(digits) - base;
  if (<u64>tick >= <u64>LADDER_TICKS) return NO_TICK;

  const quantityAt = open + bytes + 5;
  const quantity = v128.load(quantityAt);
  const points = i8x16.bitmask(i8x16.eq(quantity, point));
  const firstPoint = points & -points;
  // The quantity ends at the first byte that is no digit, one point aside.
  const others = i8x16.bitmask(i8x16.ge_u(i8x16.sub(quantity, zero), ten)) & ~firstPoint;
  const quantityBytes = <usize>ctz(others | 0x10000);
  const isWrong =
    quantityAt + quantityBytes + 1 !== close ||
    load<u8>(close - 1) !== 0x22 ||
    ((others | firstPoint) & 1) !== 0 ||
    (firstPoint & ((1 << (<i32>quantityBytes)) >> 1)) !== 0 ||
    bytes + quantityBytes > SLOT_BYTES - 4;
  if (isWrong) return NO_TICK;
  heads = headsOf(<i32>pointAt);
  return <i32>tick;
}
