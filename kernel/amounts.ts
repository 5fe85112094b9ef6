/**
 * The whole book as numbers, for the metrics. Most levels are the same from one row to the next, and most are deeper than
 * any column asks for. So a row looks at the ticks that messages have set since the last one, to know which levels there
 * are; but it reads a quantity only when a sum needs it, and then keeps it.
 *
 *     KNOWN   + (side × LADDER_TICKS + tick) × 4    address of the text that was looked at, 0: none
 *     AMOUNTS + (side × LADDER_TICKS + tick) × 16   its quantity, and its notional: price × quantity
 *     CHANGED + side × BLOCKS                       a byte for each 16 ticks, a block: 1 when a message has set one of
 *                                                   them since the last row
 *     PRESENT + side × TICK_BITS_BYTES              a bit for each tick: there is a level
 *     UNREAD  + side × TICK_BITS_BYTES              a bit for each tick: AMOUNTS are not of the text that is known
 *     LANES   + side × LANES_BYTES + byte × 8       which bits a byte has, in the order of the side's levels
 *     PLACES  + side × PLACES_BYTES                 the list: the tick of each level, best first, as far as needed
 *     SUMS    + side × SUMS_BYTES + n × 16          quantity and notional of the n best levels, 0 of none
 *
 * An address tells a text only as long as no text moves, and messages that the host has applied mark nothing. After
 * either (`moves`), all is looked at anew.
 */
import { ASKS, BIDS, bestTickOf, ladderOf, lastEmpty, moves, reach, setBestTick, worstTickOf } from './ladder';
import {
  AMOUNTS,
  BLOCKS,
  CHANGED,
  KNOWN,
  LADDER_TICKS,
  LANES,
  LANES_BYTES,
  MAX_LEVELS_PER_SIDE,
  PLACES,
  PLACES_BYTES,
  PRESENT,
  QUOTES,
  SUMS,
  SUMS_BYTES,
  TICK_BITS_BYTES,
  UNREAD,
  ZEROS,
} from './layout';
import { priceAt, pricesOf, quantitiesOf, quantityAt } from './values';

/** A quantity that the scanner reads is at most so long. */
const MAX_QUANTITY_BYTES: usize = 16;

/** The side has a level that only the host can read. */
export const UNREADABLE: i32 = -1;

/** The state of the ladder that KNOWN and PRESENT are of, -1 when of none. */
let knownMoves: i32 = -1;
/** The ticks of which anything is noted in the regions above, a side each. */
let bidNotedLow: i32 = LADDER_TICKS;
let bidNotedHigh: i32 = -1;
let askNotedLow: i32 = LADDER_TICKS;
let askNotedHigh: i32 = -1;

/** Levels of the book, and how many of them are listed. */
let bidLevels: i32 = 0;
let askLevels: i32 = 0;
let bidsListed: i32 = 0;
let asksListed: i32 = 0;
/** The word of PRESENT, 64 ticks, from which on the list goes on. */
let bidWord: i32 = 0;
let askWord: i32 = 0;
/** So many of the best levels have been summed up. */
export let summed: i32 = 0;
/** All amounts that were to be summed up could be read; else the sums mean nothing. */
export let areAmountsRead: bool = true;
/** The host has read the levels: prices are in VALUES, and the lists number the amounts that stand where their sums will. */
let isOfHost: bool = false;

function knownOf(side: i32): usize {
  return KNOWN + <usize>side * <usize>LADDER_TICKS * 4;
}

function amountsOf(side: i32): usize {
  return AMOUNTS + <usize>side * <usize>LADDER_TICKS * 16;
}

function placesOf(side: i32): usize {
  return PLACES + <usize>side * PLACES_BYTES;
}

function changedOf(side: i32): usize {
  return CHANGED + <usize>side * BLOCKS;
}

function presentOf(side: i32): usize {
  return PRESENT + <usize>side * TICK_BITS_BYTES;
}

function unreadOf(side: i32): usize {
  return UNREAD + <usize>side * TICK_BITS_BYTES;
}

function lanesOf(side: i32): usize {
  return LANES + <usize>side * LANES_BYTES;
}

function sumsOf(side: i32): usize {
  return SUMS + <usize>side * SUMS_BYTES;
}

/** Forgets what is known when addresses may stand for other texts now: all of the ladder counts as changed. */
function forgetMoved(): void {
  if (knownMoves === moves) return;
  knownMoves = moves;
  forget(BIDS, bidNotedLow, bidNotedHigh);
  forget(ASKS, askNotedLow, askNotedHigh);
  bidLevels = askLevels = 0;
  bidNotedLow = askNotedLow = LADDER_TICKS;
  bidNotedHigh = askNotedHigh = -1;
  changeAll(BIDS);
  changeAll(ASKS);
}

function forget(side: i32, low: i32, high: i32): void {
  if (low > high) return;
  const firstBlock = <usize>low >> 4;
  const blocks = (<usize>high >> 4) - firstBlock + 1;
  memory.fill(knownOf(side) + (firstBlock << 6), 0, blocks << 6);
  memory.fill(changedOf(side) + firstBlock, 0, blocks);
  memory.fill(presentOf(side) + (firstBlock << 1), 0, blocks << 1);
  memory.fill(unreadOf(side) + (firstBlock << 1), 0, blocks << 1);
}

function changeAll(side: i32): void {
  if (isEmpty(side)) return;
  note(side);
  const low = <usize>notedLow(side) >> 4;
  memory.fill(changedOf(side) + low, 1, (<usize>notedHigh(side) >> 4) - low + 1);
}

/** Says that something may be noted of each tick that the ladder may have in use. */
function note(side: i32): void {
  if (side === BIDS) {
    bidNotedLow = min(bidNotedLow, worstTickOf(BIDS));
    bidNotedHigh = max(bidNotedHigh, bestTickOf(BIDS));
  } else {
    askNotedLow = min(askNotedLow, bestTickOf(ASKS));
    askNotedHigh = max(askNotedHigh, worstTickOf(ASKS));
  }
}

function notedLow(side: i32): i32 {
  return side === BIDS ? bidNotedLow : askNotedLow;
}

function notedHigh(side: i32): i32 {
  return side === BIDS ? bidNotedHigh : askNotedHigh;
}

/**
 * Sets levels of a side as `setLevels` does (ladder.ts), and marks their blocks. A level of quantity zero empties its
 * slot, so that every slot in use has a level: the end of the text, which has just been read, tells it at little cost.
 */
export function setAndMark(side: i32, ticks: usize, closes: usize, count: i32): void {
  if (count === 0) return;
  reach(side, ticks, count);
  note(side);
  const ladder = ladderOf(side);
  const changed = changedOf(side);
  const quote = v128.load(QUOTES);
  const zero = v128.load(ZEROS);
  for (let at: usize = 0; at < (<usize>count) << 2; at += 4) {
    const tick = <usize>load<u32>(ticks + at);
    const text = load<u32>(closes + at - 4) + 4;
    // All of the quantity, whose digits from 1 on are above '0'. Before it, when it is short, is a quote.
    const tail = v128.load(<usize>load<u32>(closes + at) - (MAX_QUANTITY_BYTES + 1));
    const digits = i8x16.bitmask(i8x16.gt_s(tail, zero));
    const quotes = i8x16.bitmask(i8x16.eq(tail, quote));
    // The last such digit is behind the last quote. Without a branch, since one level in some has a zero.
    store<u32>(ladder + (tick << 2), text & -i32(digits > quotes));
    store<u8>(changed + (tick >> 4), 1);
  }
}

/** Reads the amounts of a text. @returns false when only the host can. */
function readAmounts(side: i32, tick: i32, text: u32): bool {
  const quantity = quantityAt(text);
  if (F64.isNaN(quantity)) return false;
  const amounts = amountsOf(side) + ((<usize>tick) << 4);
  store<f64>(amounts, quantity);
  store<f64>(amounts, priceAt(tick) * quantity, 8);
  return true;
}

/** Reads the text in a slot whose amounts are not known. @returns false when only the host can read it. */
function readLevel(side: i32, tick: i32, text: u32): bool {
  assert(tick >= notedLow(side) && tick <= notedHigh(side));
  if (!readAmounts(side, tick, text)) return false;
  store<u32>(knownOf(side) + ((<usize>tick) << 2), text);
  const unread = unreadOf(side) + (<usize>tick >> 3);
  store<u8>(unread, load<u8>(unread) & ~((<u8>1) << (<u8>(tick & 7))));
  return true;
}

/** Whether AMOUNTS are not of the text that is known. */
function isUnread(side: i32, tick: i32): bool {
  return ((load<u8>(unreadOf(side) + (<usize>tick >> 3)) >> (tick & 7)) & 1) !== 0;
}

/** Ticks of the best and the worst level that {@link sumBest} has seen, and what it has found. */
export let worstTick: i32 = 0;
export let bestPrice: f64 = NaN;
export let bestQuantity: f64 = 0;
export let sumOfBest: f64 = 0;

/**
 * Sums the quantity of the best `depth` levels of a side; NaN is the price of an empty side.
 *
 * @returns how many there are, or UNREADABLE.
 */
export function sumBest(side: i32, depth: i32): i32 {
  forgetMoved();
  bestPrice = NaN;
  bestQuantity = 0;
  sumOfBest = 0;
  if (isEmpty(side)) return 0;
  const ladder = ladderOf(side);
  const known = knownOf(side);
  const amounts = amountsOf(side);
  const step: i32 = side === BIDS ? -1 : 1;
  const stop = worstTickOf(side) + step;
  let count = 0;
  for (let tick = bestTickOf(side); tick !== stop && count < depth; tick += step) {
    const text = load<u32>(ladder + ((<usize>tick) << 2));
    if (text === 0) {
      tick = lastEmpty(ladder, tick, stop, step);
      continue;
    }
    if (text !== load<u32>(known + ((<usize>tick) << 2)) || isUnread(side, tick)) {
      if (!readLevel(side, tick, text)) return UNREADABLE;
    }
    const quantity = load<f64>(amounts + ((<usize>tick) << 4));
    if (count === 0) {
      setBestTick(side, tick);
      bestPrice = priceAt(tick);
      bestQuantity = quantity;
    }
    sumOfBest += quantity;
    worstTick = tick;
    count++;
  }
  return count;
}

/** Whether no slot of a side is in use. */
function isEmpty(side: i32): bool {
  return side === BIDS ? bestTickOf(BIDS) < 0 : worstTickOf(ASKS) < 0;
}

/** Looks at the whole book. @returns false when it has more levels than there may be. */
export function readBook(): bool {
  forgetMoved();
  isOfHost = false;
  areAmountsRead = true;
  summed = bidsListed = asksListed = 0;
  bidWord = bestTickOf(BIDS) >> 6;
  askWord = bestTickOf(ASKS) >> 6;
  readChanged(BIDS);
  readChanged(ASKS);
  return max(bidLevels, askLevels) <= MAX_LEVELS_PER_SIDE;
}

/** Takes the book from VALUES, where the host has written so many levels. */
export function takeBook(bids: i32, asks: i32): void {
  assert(min(bids, asks) >= 0 && max(bids, asks) <= MAX_LEVELS_PER_SIDE);
  isOfHost = true;
  areAmountsRead = true;
  summed = 0;
  knownMoves = -1;
  bidLevels = bidsListed = bids;
  askLevels = asksListed = asks;
  takeSide(BIDS, bids);
  takeSide(ASKS, asks);
}

function takeSide(side: i32, count: i32): void {
  const places = placesOf(side);
  const amounts = sumsOf(side) + 16;
  for (let index: usize = 0; index < <usize>count; index++) {
    const quantity = load<f64>(quantitiesOf(side) + (index << 3));
    store<u32>(places + (index << 2), <u32>index);
    store<f64>(amounts + (index << 4), quantity);
    store<f64>(amounts + (index << 4), load<f64>(pricesOf(side) + (index << 3)) * quantity, 8);
  }
}

/** Looks at the blocks that messages have marked, and counts the levels. */
function readChanged(side: i32): void {
  if (notedLow(side) > notedHigh(side)) return;
  const changed = changedOf(side);
  const end = (<usize>notedHigh(side) >> 4) + 1;
  let more = 0;
  // The marks of eight blocks at a time.
  for (let at = (<usize>notedLow(side) >> 7) << 3; at < end; at += 8) {
    let marks = load<u64>(changed + at);
    if (marks === 0) continue;
    store<u64>(changed + at, 0);
    for (; marks !== 0; marks &= marks - 1) more += readBlock(side, at + (<usize>ctz(marks) >> 3));
  }
  if (side === BIDS) bidLevels += more;
  else askLevels += more;
}

/** Looks at the slots of a block. @returns how many levels it has more than before. */
function readBlock(side: i32, block: usize): i32 {
  const slots = ladderOf(side) + (block << 6);
  const known = knownOf(side) + (block << 6);
  const present = presentOf(side) + (block << 1);
  const unread = unreadOf(side) + (block << 1);
  const a = v128.load(slots);
  const b = v128.load(slots, 16);
  const c = v128.load(slots, 32);
  const d = v128.load(slots, 48);
  const none = i32x4.splat(0);
  const isSet = ~bitsOf(i32x4.eq(a, none), i32x4.eq(b, none), i32x4.eq(c, none), i32x4.eq(d, none)) & 0xffff;
  const isKnown = bitsOf(
    i32x4.eq(a, v128.load(known)),
    i32x4.eq(b, v128.load(known, 16)),
    i32x4.eq(c, v128.load(known, 32)),
    i32x4.eq(d, v128.load(known, 48)),
  );
  v128.store(known, a);
  v128.store(known, b, 16);
  v128.store(known, c, 32);
  v128.store(known, d, 48);
  const before = popcnt(<i32>load<u16>(present));
  store<u16>(present, <u16>isSet);
  store<u16>(unread, <u16>((<i32>load<u16>(unread) | ~isKnown) & isSet));
  return popcnt(isSet) - before;
}

/** A bit for each of sixteen lanes. */
function bitsOf(a: v128, b: v128, c: v128, d: v128): i32 {
  return i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
}

/** Makes the tables of LANES. */
export function prepareLists(): void {
  for (let byte = 0; byte < 256; byte++) {
    let up = lanesOf(ASKS) + ((<usize>byte) << 3);
    let down = lanesOf(BIDS) + ((<usize>byte) << 3);
    for (let bit = 0; bit < 8; bit++) {
      store<u8>(up, <u8>bit);
      store<u8>(down, <u8>(7 - bit));
      up += (byte >> bit) & 1;
      down += (byte >> (7 - bit)) & 1;
    }
  }
}

/** Lists the levels of a side until at least `count` are, or all: eight ticks at a time, by a table of what a byte has. */
function list(side: i32, count: i32): void {
  const isBid = side === BIDS;
  const listed = isBid ? bidsListed : asksListed;
  const wanted = min(count, levelCount(side));
  if (listed >= wanted) return;
  const places = placesOf(side);
  const end = places + ((<usize>wanted) << 2);
  const lanes = lanesOf(side);
  const step = isBid ? -1 : 1;
  const first = isBid ? 7 : 0;
  let place = places + ((<usize>listed) << 2);
  let word = isBid ? bidWord : askWord;
  for (; place < end; word += step) {
    const present = presentOf(side) + ((<usize>word) << 3);
    if (load<u64>(present) === 0) continue;
    for (let index = 0, byte = first; index < 8; index++, byte += step) {
      const bits = <usize>load<u8>(present + <usize>byte);
      const ticks = i32x4.splat((word << 6) + (byte << 3));
      const offsets = v128.load_ext<u8>(lanes + (bits << 3));
      v128.store(place, i32x4.add(ticks, i32x4.extend_low_i16x8_u(offsets)));
      v128.store(place, i32x4.add(ticks, i32x4.extend_high_i16x8_u(offsets)), 16);
      place += popcnt(bits) << 2;
    }
  }
  if (listed === 0) setBestTick(side, load<i32>(places));
  if (isBid) {
    bidsListed = <i32>((place - places) >> 2);
    bidWord = word;
  } else {
    asksListed = <i32>((place - places) >> 2);
    askWord = word;
  }
  assert(max(bidsListed - bidLevels, asksListed - askLevels) <= 0);
}

export function levelCount(side: i32): i32 {
  return side === BIDS ? bidLevels : askLevels;
}

/** The price of a level, counted from the best. */
export function priceOf(side: i32, index: i32): f64 {
  assert(index >= 0 && index < levelCount(side));
  if (isOfHost) return load<f64>(pricesOf(side) + ((<usize>index) << 3));
  if (index >= (side === BIDS ? bidsListed : asksListed)) list(side, index + 1);
  return priceAt(load<i32>(placesOf(side) + ((<usize>index) << 2)));
}

/** The quantity of the `count` best levels of a side, which {@link sumTo} must have reached; of all if there are fewer. */
export function quantityOfBest(side: i32, count: i32): f64 {
  assert(min(count, levelCount(side)) <= summed);
  return load<f64>(sumsOf(side) + ((<usize>min(count, levelCount(side))) << 4));
}

/** What these levels are worth. */
export function notionalOfBest(side: i32, count: i32): f64 {
  assert(min(count, levelCount(side)) <= summed);
  return load<f64>(sumsOf(side) + ((<usize>min(count, levelCount(side))) << 4), 8);
}

/** Whether only numbers went into the sums, so that they ascend. The host's may be infinite. */
export function doSumsAscend(): bool {
  return !isOfHost;
}

/** Reads the amounts of the levels that are to be summed up, or finds that only the host can. */
function readTo(side: i32, count: i32): void {
  if (isOfHost || summed >= count) return;
  list(side, count);
  const places = placesOf(side);
  const step = side === BIDS ? -1 : 1;
  const stop = (load<i32>(places + ((<usize>count - 1) << 2)) >> 6) + step;
  for (let word = load<i32>(places + ((<usize>summed) << 2)) >> 6; word !== stop; word += step) {
    const unread = unreadOf(side) + ((<usize>word) << 3);
    let rest = load<u64>(unread);
    if (rest === 0) continue;
    const slots = ladderOf(side) + ((<usize>word) << 8);
    for (; rest !== 0; rest &= rest - 1) {
      const bit = <i32>ctz(rest);
      if (!readAmounts(side, (word << 6) + bit, load<u32>(slots + ((<usize>bit) << 2)))) {
        areAmountsRead = false;
        return;
      }
    }
    store<u64>(unread, 0);
  }
}

/**
 * Sums up the best `count` levels of both sides at once: an addition waits for the one before, but not for that of the
 * other side.
 */
export function sumTo(count: i32): void {
  if (count <= summed) return;
  const bidEnd = min(count, bidLevels);
  const askEnd = min(count, askLevels);
  readTo(BIDS, bidEnd);
  readTo(ASKS, askEnd);
  const end = min(bidEnd, askEnd);
  const bids = sumsOf(BIDS);
  const asks = sumsOf(ASKS);
  const bidPlaces = placesOf(BIDS);
  const askPlaces = placesOf(ASKS);
  const bidAmounts = isOfHost ? bids + 16 : amountsOf(BIDS);
  const askAmounts = isOfHost ? asks + 16 : amountsOf(ASKS);
  if (summed === 0) {
    v128.store(bids, i64x2.splat(0));
    v128.store(asks, i64x2.splat(0));
  }
  let bid = v128.load(bids + ((<usize>min(summed, bidEnd)) << 4));
  let ask = v128.load(asks + ((<usize>min(summed, askEnd)) << 4));
  let at = <usize>summed;
  for (; at < <usize>end; at++) {
    bid = f64x2.add(bid, v128.load(bidAmounts + ((<usize>load<u32>(bidPlaces + (at << 2))) << 4)));
    ask = f64x2.add(ask, v128.load(askAmounts + ((<usize>load<u32>(askPlaces + (at << 2))) << 4)));
    v128.store(bids + (at << 4), bid, 16);
    v128.store(asks + (at << 4), ask, 16);
  }
  for (let alone = at; alone < <usize>bidEnd; alone++) {
    bid = f64x2.add(bid, v128.load(bidAmounts + ((<usize>load<u32>(bidPlaces + (alone << 2))) << 4)));
    v128.store(bids + (alone << 4), bid, 16);
  }
  for (let alone = at; alone < <usize>askEnd; alone++) {
    ask = f64x2.add(ask, v128.load(askAmounts + ((<usize>load<u32>(askPlaces + (alone << 2))) << 4)));
    v128.store(asks + (alone << 4), ask, 16);
  }
  summed = count;
}
