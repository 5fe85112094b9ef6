/**
 * Encodes columns of a Parquet file: finds the distinct values of a column of doubles, and compresses with Snappy.
 *
 * Memory: the tables below, and from `AREAS` on what the host lays out (src/wasm/parquet-kernel.ts).
 *
 *     SLOTS      hash table of `dictionary` (linear probing), at most half full: number of an entry plus one, or 0
 *     ENTRIES    the distinct values, in order of appearance
 *     POSITIONS  hash table of `snappy`: where four bytes were last seen, from the input's start
 */

/** As many as a slot of two bytes tells apart, and from none. */
export const MAX_ENTRIES: i32 = 65_535;

const SLOTS: usize = 1024;
export const ENTRIES: usize = SLOTS + 131_072 * 2;
const POSITIONS: usize = ENTRIES + (<usize>MAX_ENTRIES + 1) * 8;
const POSITION_BITS: i32 = 14;
export const AREAS: usize = POSITIONS + (1 << POSITION_BITS) * 4;

/** What may be read or written behind an area: 16 bytes are copied at once. */
export const SLACK_BYTES: usize = 16;

/** 2^64 by the golden ratio: the upper bits of its multiples are spread evenly (Fibonacci hashing). */
const SPREAD: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;

/** What `dictionary` answers when there are too many entries. */
export const TOO_MANY: i32 = -1;

/** Smallest and greatest value, as `measureRange` found them. */
export let smallest: f64 = 0;
export let greatest: f64 = 0;

/** Finds the range of values that are numbers. */
export function measureRange(values: usize, count: i32): void {
  let low = f64x2.splat(Infinity);
  let high = f64x2.splat(-Infinity);
  const end = values + ((<usize>count) << 3);
  let at = values;
  for (; at + 16 <= end; at += 16) {
    const pair = v128.load(at);
    low = f64x2.pmin(low, pair);
    high = f64x2.pmax(high, pair);
  }
  smallest = min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  greatest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  if (at < end) {
    smallest = min(smallest, load<f64>(at));
    greatest = max(greatest, load<f64>(at));
  }
}

/** Makes 64-bit integers of doubles that are whole numbers, in place. */
export function toInt64(values: usize, count: i32): void {
  const end = values + ((<usize>count) << 3);
  for (let at = values; at < end; at += 8) store<i64>(at, <i64>load<f64>(at));
}

/**
 * Leaves NaNs out, in place, and writes for each value whether it is a number, as Parquet's levels have it: runs (RLE),
 * each its length times two as a varint and then 1, or 0 for NaN, in a byte.
 *
 * @param runs room for `count` times 2 bytes and 8 more.
 * @returns how many are left. `runsEnd` is where the runs end.
 */
export function leaveOutNaN(values: usize, count: i32, runs: usize): i32 {
  let out = values;
  let run = runs;
  let at = values;
  const end = values + ((<usize>count) << 3);
  while (at < end) {
    const start = at;
    let value = load<f64>(at);
    const isNumber = !Number.isNaN(value);
    do {
      if (isNumber) {
        store<f64>(out, value);
        out += 8;
      }
      at += 8;
      if (at === end) break;
      value = load<f64>(at);
    } while (!Number.isNaN(value) === isNumber);
    run = writeVarint(run, (<u32>((at - start) >> 3)) << 1);
    store<u8>(run++, <u8>isNumber);
  }
  runsEnd = run;
  return <i32>((out - values) >> 3);
}

export let runsEnd: usize = 0;

/**
 * Finds the distinct values, compared as bits, so that 0 and -0 stay what they are. They are in `ENTRIES` then, and at
 * `indexes` is the entry of each value, two bytes each, and zeros up to a multiple of eight.
 *
 * @returns how many entries, or `TOO_MANY`.
 */
export function dictionary(values: usize, count: i32, maxEntries: i32, indexes: usize): i32 {
  assert(maxEntries <= MAX_ENTRIES);
  const bits = 32 - clz<i32>(max(2 * maxEntries - 1, 1));
  memory.fill(SLOTS, 0, (<usize>2) << (<usize>bits));
  const shift: u64 = 64 - <u64>bits;
  const mask: usize = (((<usize>1) << (<usize>bits)) - 1) << 1;
  const end = values + ((<usize>count) << 3);
  let entries: i32 = 0;
  let index = indexes;
  for (let at = values; at < end; at += 8, index += 2) {
    const value = load<u64>(at);
    let slot = (<usize>((value * SPREAD) >> shift)) << 1;
    let entry = <i32>load<u16>(SLOTS + slot);
    while (entry !== 0 && load<u64>(ENTRIES - 8 + ((<usize>entry) << 3)) !== value) {
      slot = (slot + 2) & mask;
      entry = <i32>load<u16>(SLOTS + slot);
    }
    if (entry === 0) {
      if (entries >= maxEntries) return TOO_MANY;
      store<u64>(ENTRIES + ((<usize>entries) << 3), value);
      entry = ++entries;
      store<u16>(SLOTS + slot, <u16>entry);
    }
    store<u16>(index, <u16>(entry - 1));
  }
  for (let rest = -count & 7; rest > 0; rest--, index += 2) store<u16>(index, 0);
  return entries;
}

/**
 * Counts how many of `sample` values, taken from anywhere in `count`, are equal to another of them.
 *
 * @param sample 4096 at most.
 */
export function countRepeated(values: usize, count: i32, sample: i32): i32 {
  assert(sample <= 4096);
  const bits: u64 = 13;
  memory.fill(SLOTS, 0, (<usize>4) << (<usize>bits));
  let repeated = 0;
  for (let i: u32 = 0; i < <u32>sample; i++) {
    // Like chance, and the same each time: at even distances, none would meet another where values come in periods.
    let chance = (i + 1) * 0x9e3779b1;
    chance = (chance ^ (chance >>> 15)) * 0x85ebca6b;
    chance = (chance ^ (chance >>> 13)) * 0xc2b2ae35;
    chance ^= chance >>> 16;
    const at = values + ((<usize>((<u64>chance * <u64>count) >> 32)) << 3);
    const value = load<u64>(at);
    let slot = (<usize>((value * SPREAD) >> (64 - bits))) << 2;
    let place = <usize>load<u32>(SLOTS + slot);
    while (place !== 0 && load<u64>(place) !== value) {
      slot = (slot + 4) & (((1 << (<usize>bits)) - 1) << 2);
      place = <usize>load<u32>(SLOTS + slot);
    }
    if (place === 0) store<u32>(SLOTS + slot, <u32>at);
    else if (place !== at) repeated++;
  }
  return repeated;
}

/** Makes bytes of indexes below 256, in place; their count is a multiple of eight. */
export function narrow(indexes: usize, count: i32): void {
  let out = indexes;
  const end = indexes + ((<usize>count) << 1);
  for (let at = indexes; at < end; at += 16, out += 8) {
    const eight = v128.load(at);
    store<u64>(out, i64x2.extract_lane(i8x16.narrow_i16x8_u(eight, eight), 0));
  }
}

/** What `snappy` may write at most, for an input of so many bytes. */
export function snappyBound(bytes: i32): i32 {
  return 64 + bytes + bytes / 6;
}

/** A copy reaches back this far at most. */
const MAX_OFFSET: usize = 65_535;

/** Behind this distance from the input's end nothing is looked up, so that reads of 16 bytes stay within it. */
const MARGIN: usize = 16;

/**
 * Compresses into one Snappy block (https://github.com/google/snappy/blob/main/format_description.txt), by the method of
 * the reference implementation: four bytes are looked up in a hash table, at every position first, at ever fewer the
 * longer nothing is found.
 *
 * @param step 2 for a sequence of elements of two bytes, which matches consist of then; else 1.
 * @returns the compressed length.
 */
export function snappy(input: usize, bytes: i32, output: usize, step: i32): i32 {
  let out = writeVarint(output, <u32>bytes);
  const end = input + <usize>bytes;
  let emitted = input;
  if (<usize>bytes > MARGIN) {
    const bits = min(POSITION_BITS, 32 - clz<i32>(bytes)); // to clear a large table would take longer than a short input
    memory.fill(POSITIONS, 0, 4 << bits);
    const shift = <u32>(32 - bits);
    const limit = end - MARGIN;
    const stride = <usize>step;
    let at = input + stride + (<usize>bytes & (stride - 1)); // what stands before the elements has an odd length, perhaps
    let missed: usize = 32;
    while (at < limit) {
      const four = load<u32>(at);
      const slot = positionSlot(four, shift);
      const candidate = input + <usize>load<u32>(slot);
      store<u32>(slot, <u32>(at - input));
      if (load<u32>(candidate) !== four || at - candidate > MAX_OFFSET) {
        at += (missed++ >> 5) * stride;
        continue;
      }
      out = writeLiteral(out, emitted, at - emitted);
      let from = candidate;
      for (;;) {
        let matchEnd = endOfMatch(at + 4, from + 4, end);
        matchEnd -= (matchEnd - at) & (stride - 1);
        out = writeCopies(out, at - from, matchEnd - at);
        at = matchEnd;
        emitted = at;
        if (at >= limit) break;
        const before = at - stride;
        store<u32>(positionSlot(load<u32>(before), shift), <u32>(before - input));
        const next = load<u32>(at);
        const nextSlot = positionSlot(next, shift);
        from = input + <usize>load<u32>(nextSlot);
        store<u32>(nextSlot, <u32>(at - input));
        if (load<u32>(from) !== next || at - from > MAX_OFFSET) break;
      }
      at += stride;
      missed = 32;
    }
  }
  if (emitted < end) out = writeLiteral(out, emitted, end - emitted);
  return <i32>(out - output);
}

function positionSlot(four: u32, shift: u32): usize {
  return POSITIONS + ((<usize>((four * 0x1e35a7bd) >> shift)) << 2);
}

/** Where two stretches begin to differ, seen from the later one, which ends at `end`. */
function endOfMatch(later: usize, earlier: usize, end: usize): usize {
  while (later + 16 <= end) {
    const differing = ~i8x16.bitmask(i8x16.eq(v128.load(later), v128.load(earlier))) & 0xffff;
    if (differing !== 0) return later + <usize>ctz(differing);
    later += 16;
    earlier += 16;
  }
  while (later < end && load<u8>(later) === load<u8>(earlier)) {
    later++;
    earlier++;
  }
  return later;
}

function writeLiteral(start: usize, from: usize, length: usize): usize {
  let out = start;
  if (length === 0) return out;
  const less = <u32>(length - 1);
  if (less < 60) {
    store<u8>(out++, <u8>(less << 2));
    if (length <= 16) {
      v128.store(out, v128.load(from)); // what is too much is overwritten by what follows
      return out + length;
    }
  } else {
    const tag = out++;
    let bytes: u32 = 0;
    for (let rest = less; rest !== 0; rest >>= 8, bytes++) store<u8>(out++, <u8>rest);
    store<u8>(tag, <u8>((59 + bytes) << 2));
  }
  memory.copy(out, from, length);
  return out + length;
}

function writeCopies(start: usize, offset: usize, matched: usize): usize {
  let out = start;
  let length = matched;
  const head = <u32>(offset << 8);
  for (; length >= 68; length -= 64, out += 3) store<u32>(out, head | (2 + (63 << 2)));
  if (length > 64) {
    store<u32>(out, head | (2 + (59 << 2)));
    out += 3;
    length -= 60;
  }
  if (length < 12 && offset < 2048) {
    store<u8>(out, <u8>(1 + ((length - 4) << 2) + ((offset >> 8) << 5)));
    store<u8>(out, <u8>offset, 1);
    return out + 2;
  }
  store<u32>(out, head | (2 + ((<u32>length - 1) << 2)));
  return out + 3;
}

function writeVarint(start: usize, value: u32): usize {
  let out = start;
  let rest = value;
  while (rest > 127) {
    store<u8>(out++, <u8>(rest | 128));
    rest >>= 7;
  }
  store<u8>(out++, <u8>rest);
  return out;
}
