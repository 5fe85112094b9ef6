/** Writes rows as CSV cells, `bid_price_1,bid_qty_1,…,ask_price_1,ask_qty_1,…`, from what `collect` has gathered. */
import { COMMA, QUOTE } from './ascii';
import { ASKS, BIDS, bestOf } from './ladder';
import { BEST_BYTES, BEST_TEXT, MAX_DEPTH, MAX_LEVELS_PER_SIDE, ROW, ROW_BYTES } from './layout';

/**
 * Writes the cells of the best `depth` levels a side to ROW; `bids` and `asks` are how many levels there are.
 *
 * @returns the length in bytes.
 */
export function writeRow(depth: i32, bids: i32, asks: i32): i32 {
  assert(depth > 0 && depth <= MAX_DEPTH);
  let out = writeSide(ROW, BIDS, depth, bids);
  out = writeSide(out, ASKS, depth, asks);
  return <i32>(out - ROW) - 1; // without the comma after the last cell
}

/** Writes the cells of the levels [from, to) of a side to ROW, a comma after each. @returns the length in bytes. */
export function writeCells(side: i32, from: i32, to: i32): i32 {
  return <i32>(writeLevels(ROW, side, from, to) - ROW);
}

function writeSide(start: usize, side: i32, depth: i32, count: i32): usize {
  const filled = min(depth, count);
  let out = writeLevels(start, side, 0, filled);
  for (let index = filled; index < depth; index++) {
    store<u16>(out, ((<u16>COMMA) << 8) | COMMA);
    out += 2;
  }
  return out;
}

function writeLevels(start: usize, side: i32, from: i32, to: i32): usize {
  assert(from >= 0 && from <= to && to <= MAX_LEVELS_PER_SIDE);
  let out = start;
  let level = bestOf(side) + <usize>from * BEST_BYTES;
  for (let index = from; index < to; index++, level += BEST_BYTES) {
    out = writeLevel(out, load<u32>(level, BEST_TEXT));
    assert(out <= ROW + ROW_BYTES);
  }
  return out;
}

/**
 * Copies `price","quantity"` as `price,quantity,`. It may write up to 16 bytes more, which the next cell overwrites.
 */
function writeLevel(start: usize, text: usize): usize {
  const quote = i8x16.splat(<i8>QUOTE);
  const head = v128.load(text);
  const priceBytes = <usize>ctz(i8x16.bitmask(i8x16.eq(head, quote)));
  v128.store(start, head);
  let out = start + priceBytes;
  store<u8>(out++, COMMA);
  const tail = v128.load(text + priceBytes + 3);
  const mask = i8x16.bitmask(i8x16.eq(tail, quote));
  v128.store(out, tail);
  if (mask !== 0) {
    out += <usize>ctz(mask);
  } else {
    // A quantity of 16 bytes or more: the host has written it, and it ends within the slot.
    const rest = v128.load(text + priceBytes + 19);
    v128.store(out, rest, 16);
    out += 16 + <usize>ctz(i8x16.bitmask(i8x16.eq(rest, quote)));
  }
  store<u8>(out++, COMMA);
  return out;
}
