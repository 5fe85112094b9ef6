/**
 * The book. Each side is a *ladder*, a direct-address table: one slot for each tick from `base` on, which holds the
 * address of the level's text `price","quantity"`, or 0. Setting a level is one store; nothing is searched, moved or
 * removed. A quantity of zero is stored like any other and passed over when the side is read.
 *
 * A text stays in the input until that memory is needed again. Then `settle` copies the texts that are still in the
 * book to a pool. It is a copying collector: there are two pools, used in turn, and what lives moves from the input and
 * from one pool to the other.
 *
 * Invariants: outside [low, high] of a side every slot is 0. A slot holds 0, an address in the input or in the pool in
 * use, or MARK, which says that the host keeps the level because its text does not fit.
 */
import { POINT, QUOTE, ZERO } from './ascii';
import {
  BEST,
  BEST_BYTES,
  BEST_TEXT,
  LADDER_TICKS,
  LADDERS,
  MAX_LEVELS_PER_SIDE,
  POOL_BYTES,
  POOLS,
  SLOT_BYTES,
  TEXT,
} from './layout';

export const BIDS: i32 = 0;
export const ASKS: i32 = 1;
/** Stands for a text's address when the host keeps the level. */
export const MARK: i32 = 1;

export let base: i64 = 0;
/** The range of slots that may be in use, a side each. Empty: low > high. */
let bidLow: i32 = LADDER_TICKS;
let bidHigh: i32 = -1;
let askLow: i32 = LADDER_TICKS;
let askHigh: i32 = -1;
/** The best tick of a side that may have changed since {@link isTouched} was last asked. */
let bidTouched: i32 = LADDER_TICKS;
let askTouched: i32 = -1;
/** Grows when the book changes. */
export let changes: i32 = 0;
/**
 * Grows when the book changes other than by `setLevels`, or when memory may come to hold other texts, so that an address
 * does not tell any more which text it is.
 */
export let moves: i32 = 0;
/** Slots in use, a side each: counted only in the kernel for audits (observe.ts). */
let bidLevels: i32 = 0;
let askLevels: i32 = 0;
let pool: usize = POOLS;
let poolEnd: usize = POOLS;
/** Where in the pool the bids end that the last {@link settle} has copied, and the asks begin. */
let bidsEnd: usize = POOLS;

export function ladderOf(side: i32): usize {
  return LADDERS + <usize>side * <usize>LADDER_TICKS * 4;
}

/** The address of a tick's slot. */
function slotOf(side: i32, tick: i32): usize {
  assert(tick >= 0 && tick < LADDER_TICKS);
  return ladderOf(side) + ((<usize>tick) << 2);
}

/** Empties the book. Tick 0 becomes the price `newBase`, in units of the ladder's last decimal. */
export function clear(newBase: f64): void {
  if (bidLow <= bidHigh) memory.fill(ladderOf(BIDS) + ((<usize>bidLow) << 2), 0, (<usize>(bidHigh - bidLow + 1)) << 2);
  if (askLow <= askHigh) memory.fill(ladderOf(ASKS) + ((<usize>askLow) << 2), 0, (<usize>(askHigh - askLow + 1)) << 2);
  bidLow = askLow = LADDER_TICKS;
  bidHigh = askHigh = -1;
  bidTouched = LADDER_TICKS;
  askTouched = -1;
  bidLevels = askLevels = 0;
  poolEnd = pool;
  changes++;
  moves++;
  base = <i64>newBase;
}

/** The best tick of a side that may be in use, and the worst; the other way round when none is. */
export function bestTickOf(side: i32): i32 {
  return side === BIDS ? bidHigh : askLow;
}

export function worstTickOf(side: i32): i32 {
  return side === BIDS ? bidLow : askHigh;
}

/** Says that nothing better than `tick` is in use of a side. */
export function setBestTick(side: i32, tick: i32): void {
  if (side === BIDS) bidHigh = tick;
  else askLow = tick;
}

/** Says that slots from `low` to `high` of a side may be in use. */
function widen(side: i32, low: i32, high: i32): void {
  assert(low >= 0 && low <= high && high < LADDER_TICKS);
  if (side === BIDS) {
    bidLow = min(bidLow, low);
    bidHigh = max(bidHigh, high);
  } else {
    askLow = min(askLow, low);
    askHigh = max(askHigh, high);
  }
  touch(side, side === BIDS ? high : low);
}

function touch(side: i32, tick: i32): void {
  changes++;
  if (side === BIDS) bidTouched = max(bidTouched, tick);
  else askTouched = min(askTouched, tick);
}

/** Whether a side may have changed at `tick` or better since this was last asked. */
export function isTouched(side: i32, tick: i32): bool {
  const isBid = side === BIDS;
  const touched = isBid ? bidTouched >= tick : askTouched <= tick;
  if (isBid) bidTouched = -1;
  else askTouched = LADDER_TICKS;
  return touched;
}

/** Counts levels that were set, or removed when below zero. */
export function countLevels(side: i32, more: i32): void {
  if (side === BIDS) bidLevels += more;
  else askLevels += more;
}

/** How many levels a side has, those with a mark among them. */
export function levelsOf(side: i32): i32 {
  return side === BIDS ? bidLevels : askLevels;
}

/** Sets levels of a side, given the lists of their ticks and of their closing brackets. */
export function setLevels(side: i32, ticks: usize, closes: usize, count: i32): void {
  if (count === 0) return;
  reach(side, ticks, count);
  const ladder = ladderOf(side);
  const end = ticks + ((<usize>count) << 2);
  let close = closes;
  let at = ticks;
  for (; at + 12 < end; at += 16, close += 16) {
    setLevel(ladder, at, close);
    setLevel(ladder, at + 4, close + 4);
    setLevel(ladder, at + 8, close + 8);
    setLevel(ladder, at + 12, close + 12);
  }
  for (; at < end; at += 4, close += 4) setLevel(ladder, at, close);
}

/** Says that slots of a list of ticks, which is not empty, may be in use. */
export function reach(side: i32, ticks: usize, count: i32): void {
  const end = ticks + ((<usize>count) << 2);
  let low = i32x4.splat(LADDER_TICKS);
  let high = i32x4.splat(-1);
  v128.store(end, v128.load32_splat(end - 4));
  for (let at = ticks; at < end; at += 16) {
    const four = v128.load(at);
    low = i32x4.min_s(low, four);
    high = i32x4.max_s(high, four);
  }
  widen(side, lowest(low), highest(high));
}

/** The level's text stands behind the bracket of the level before: `],["price","quantity"`. */
function setLevel(ladder: usize, tick: usize, close: usize): void {
  // --noAssert removes an assertion's test, but not what it loads.
  if (!ASC_NO_ASSERT) {
    assert(load<u32>(tick) < <u32>LADDER_TICKS);
    assert(load<u32>(close - 4) >= <u32>TEXT && load<u32>(close - 4) < load<u32>(close));
  }
  store<u32>(ladder + ((<usize>load<u32>(tick)) << 2), load<u32>(close - 4) + 4);
}

function lowest(ticks: v128): i32 {
  const two = i32x4.min_s(ticks, v128.shuffle<i32>(ticks, ticks, 2, 3, 0, 1));
  return min(i32x4.extract_lane(two, 0), i32x4.extract_lane(two, 1));
}

function highest(ticks: v128): i32 {
  const two = i32x4.max_s(ticks, v128.shuffle<i32>(ticks, ticks, 2, 3, 0, 1));
  return max(i32x4.extract_lane(two, 0), i32x4.extract_lane(two, 1));
}

/** Sets a level whose text the host has written where {@link poolSlot} said. */
export function place(side: i32, tick: i32): void {
  assert(poolEnd + SLOT_BYTES <= pool + POOL_BYTES);
  if (isDefined(AUDIT)) countLevels(side, i32(!isSet(side, tick)));
  store<u32>(slotOf(side, tick), <u32>poolEnd);
  moves++;
  poolEnd += SLOT_BYTES;
  widen(side, tick, tick);
}

/** Marks a level that the host keeps. */
export function mark(side: i32, tick: i32): void {
  if (isDefined(AUDIT)) countLevels(side, i32(!isSet(side, tick)));
  store<i32>(slotOf(side, tick), MARK);
  moves++;
  widen(side, tick, tick);
}

/** Removes a level. */
export function remove(side: i32, tick: i32): void {
  if (isDefined(AUDIT)) countLevels(side, -i32(isSet(side, tick)));
  store<i32>(slotOf(side, tick), 0);
  moves++;
  touch(side, tick);
}

/** Whether a slot is in use; by a level that there is, in the kernel for audits. */
function isSet(side: i32, tick: i32): bool {
  return load<i32>(slotOf(side, tick)) !== 0;
}

/** Whether the level of a tick is still the one that the host keeps. */
export function isMarked(side: i32, tick: i32): bool {
  return load<i32>(slotOf(side, tick)) === MARK;
}

/** Where the host writes the next level's text; 0 when the pool is full, so that {@link settle} must come first. */
export function poolSlot(): usize {
  return poolEnd + SLOT_BYTES <= pool + POOL_BYTES ? poolEnd : 0;
}

/**
 * Copies every text of the book into the other pool, so that the input's memory is free.
 *
 * @returns false when a side has more levels than there may be.
 */
export function settle(): bool {
  moves++;
  const target = pool === POOLS ? POOLS + POOL_BYTES : POOLS;
  let end = settleSide(BIDS, target);
  bidsEnd = end;
  if (end !== 0) end = settleSide(ASKS, end);
  if (end === 0) return false;
  pool = target;
  poolEnd = end;
  return true;
}

/** How many levels of a side the last {@link settle} has copied. */
export function settledLevels(side: i32): i32 {
  return <i32>((side === BIDS ? bidsEnd - pool : poolEnd - bidsEnd) / SLOT_BYTES);
}

function settleSide(side: i32, target: usize): usize {
  const ladder = ladderOf(side);
  const limit = target + <usize>MAX_LEVELS_PER_SIDE * SLOT_BYTES;
  const last = ladder + ((<usize>(side === BIDS ? bidHigh : askHigh)) << 2);
  let slot = ladder + ((<usize>(side === BIDS ? bidLow : askLow)) << 2);
  let low: usize = 0;
  let high: usize = 0;
  let end = target;
  if ((side === BIDS ? bidHigh : askHigh) < 0) return target;
  for (; slot <= last; slot += 4) {
    // Four empty slots at a time: most of a wide ladder is empty.
    while (slot + 12 <= last && !v128.any_true(v128.load(slot))) slot += 16;
    if (slot > last) break;
    const text = load<u32>(slot);
    if (text === 0) continue;
    if (text !== MARK) {
      assert(isText(text));
      if (isZeroQuantity(text)) {
        store<i32>(slot, 0);
        continue;
      }
      if (end >= limit) return 0;
      v128.store(end, v128.load(text));
      v128.store(end, v128.load(text, 16), 16);
      store<i32>(slot, <i32>end);
      end += SLOT_BYTES;
    }
    if (low === 0) low = slot;
    high = slot;
  }
  const lowTick = low === 0 ? LADDER_TICKS : <i32>((low - ladder) >> 2);
  const highTick = low === 0 ? -1 : <i32>((high - ladder) >> 2);
  if (side === BIDS) {
    bidLow = lowTick;
    bidHigh = highTick;
  } else {
    askLow = lowTick;
    askHigh = highTick;
  }
  return end;
}

/** Whether an address can be a text's: it is in the pool in use, or in the input, whose end is not known here. */
function isText(address: u32): bool {
  return (address >= <u32>pool && address < <u32>poolEnd) || address >= <u32>TEXT;
}

/** Whether the text `price","quantity"` has a quantity of nothing but zeros and perhaps a point. */
export function isZeroQuantity(text: usize): bool {
  assert(isText(<u32>text));
  let at = quantityOf(text);
  if (load<u8>(at) !== ZERO) return false;
  for (let byte = load<u8>(at); byte === ZERO || byte === POINT; byte = load<u8>(at)) at++;
  return load<u8>(at) === QUOTE;
}

/** The address of the quantity in a level's text. */
export function quantityOf(text: usize): usize {
  return text + 3 + <usize>ctz(i8x16.bitmask(i8x16.eq(v128.load(text), i8x16.splat(<i8>QUOTE))));
}

/** Where {@link collect} leaves a side's best levels, BEST_BYTES each. */
export function bestOf(side: i32): usize {
  return BEST + <usize>side * <usize>MAX_LEVELS_PER_SIDE * BEST_BYTES;
}

/** The tick of a level that {@link collect} has gathered, counted from the best. */
export function tickAt(side: i32, index: i32): i32 {
  return load<i32>(bestOf(side) + <usize>index * BEST_BYTES);
}

/** The address of its text, or MARK. */
export function textAt(side: i32, index: i32): u32 {
  return load<u32>(bestOf(side) + <usize>index * BEST_BYTES, BEST_TEXT);
}

/**
 * Gathers the best `depth` levels of a side, best first. Levels kept by the host are among them, with MARK.
 *
 * @returns how many there are.
 */
export function collect(side: i32, depth: i32): i32 {
  assert(depth >= 0 && depth <= MAX_LEVELS_PER_SIDE);
  const isBid = side === BIDS;
  const ladder = ladderOf(side);
  const step: i32 = isBid ? -1 : 1;
  const stop: i32 = isBid ? bidLow - 1 : askHigh + 1;
  const first: i32 = isBid ? bidHigh : askLow;
  let out = bestOf(side);
  const end = out + <usize>depth * BEST_BYTES;
  if ((isBid ? bidHigh : askHigh) < 0) return 0;
  let best: i32 = -1;
  for (let tick = first; tick !== stop && out < end; tick += step) {
    const slot = ladder + ((<usize>tick) << 2);
    const text = load<u32>(slot);
    if (text === 0) {
      tick = lastEmpty(ladder, tick, stop, step);
      continue;
    }
    if (text !== MARK && isZeroQuantity(text)) {
      store<i32>(slot, 0);
      continue;
    }
    if (best < 0) best = tick;
    store<i32>(out, tick);
    store<u32>(out, text, BEST_TEXT);
    out += BEST_BYTES;
  }
  // Everything better than the best level found is empty.
  if (best >= 0) setBestTick(side, best);
  return <i32>((out - bestOf(side)) / BEST_BYTES);
}

/**
 * Passes over empty slots, sixteen at a time: most of a wide ladder is empty.
 *
 * @param tick of an empty slot.
 * @returns the last tick of those that are known to be empty, before `stop`.
 */
export function lastEmpty(ladder: usize, tick: i32, stop: i32, step: i32): i32 {
  while (true) {
    const to = tick + 16 * step;
    if (step < 0 ? to <= stop : to >= stop) return tick;
    const slots = ladder + ((<usize>(step < 0 ? to : tick + 1)) << 2);
    const near = v128.or(v128.load(slots), v128.load(slots, 16));
    if (v128.any_true(v128.or(near, v128.or(v128.load(slots, 32), v128.load(slots, 48))))) return tick;
    tick = to;
  }
}

/** Whether the best bid is at or above the best ask. */
export function isCrossed(): bool {
  return areCrossed(collect(BIDS, 1), collect(ASKS, 1));
}

/** The same of so many levels that {@link collect} has gathered of each side. */
export function areCrossed(bids: i32, asks: i32): bool {
  return bids > 0 && asks > 0 && tickAt(BIDS, 0) >= tickAt(ASKS, 0);
}
