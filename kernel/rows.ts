/** Writes levels as cells of a CSV row, `price,quantity,…`, from what `collect` has gathered. */
import { COMMA, QUOTE } from './ascii';
import { bestOf } from './ladder';
import { BEST_BYTES, BEST_TEXT, MAX_LEVELS_PER_SIDE, ROW, ROW_BYTES } from './layout';

/** Writes the cells of the levels [from, to) of a side to ROW, a comma after each. @returns the length in bytes. */
export function writeCells(side: i32, from: i32, to: i32): i32 {
  const end = writeLevels(ROW, side, from, to);
  assert(end <= ROW + ROW_BYTES);
  return <i32>(end - ROW);
}

/**
 * Writes the cells of the best `count` levels of a side, a comma after each, and empty ones up to `depth` levels.
 *
 * @returns where they end. Up to CELLS_SLACK_BYTES behind it may have been written.
 */
export function writeCellsAt(start: usize, side: i32, count: i32, depth: i32): usize {
  let out = writeLevels(start, side, 0, count);
  for (let index = count; index < depth; index++) {
    store<u16>(out, ((<u16>COMMA) << 8) | COMMA);
    out += 2;
  }
  return out;
}

function writeLevels(start: usize, side: i32, from: i32, to: i32): usize {
  assert(from >= 0 && from <= to && to <= MAX_LEVELS_PER_SIDE);
  let out = start;
  let level = bestOf(side) + <usize>from * BEST_BYTES;
  for (let index = from; index < to; index++, level += BEST_BYTES) out = writeLevel(out, load<u32>(level, BEST_TEXT));
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
