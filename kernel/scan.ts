/**
 * The scanner: deltas of the one form that Bybit writes, straight from the input into the ladder.
 *
 *     HEAD1 ts HEAD2 [["p","q"],…] ],"a":[ [["p","q"],…] ],"u": u [,"seq": n] } [,"cts": n] } \n
 *
 * HEAD1 and HEAD2 are told by the host, which has read such a line with `JSON.parse`; here they are compared to the
 * byte. Every byte of an accepted line is accounted for: it is one of the template's, a digit where a digit may be, or a
 * point with digits on both sides. Whatever else a line is (a snapshot, other keys, white space, a price the ladder
 * cannot hold, a broken line), its changes are undone and the host is asked to read it.
 *
 * Input: [cursor, textEnd) are bytes not read yet. Beyond textEnd lie SLACK_BYTES that may be loaded and must not be
 * believed: a line counts only when its line feed is before textEnd.
 */
import { ASKS, BIDS, base, beginUndo, getUndoEnd, ladderOf, setUndoEnd, undo, widen } from './ladder';
import {
  FORMATS,
  HEAD,
  HEAD_BYTES,
  LADDER_TICKS,
  LOW_BYTES,
  MAX_UNDO,
  POINTS,
  SLOT_BYTES,
  TENS,
  TEXT,
  TIMES_10,
  TIMES_100,
  TIMES_10000,
  UNDO,
  ZEROS,
} from './layout';

/** What {@link run} answers. */
export const NEEDS_BYTES: i32 = 0;
/** The message at the cursor is later than the limit, or earlier than the one before; it has not been applied. */
export const AT_MESSAGE: i32 = 1;
/** The line at the cursor, `lineBytes` long, is for the host to read. */
export const FOREIGN_LINE: i32 = 2;

export let cursor: usize = TEXT;
export let textEnd: usize = TEXT;
export let lineBytes: i32 = 0;
/** `ts` of the message that {@link AT_MESSAGE} speaks of. */
export let messageTs: f64 = 0;

/** Lines that have been read and passed, by kernel and host. */
export let lines: i32 = 0;
/** Of the messages that the kernel has applied. */
export let messages: i32 = 0;
export let updates: f64 = 0;
export let breaks: i32 = 0;
export let outOfOrder: i32 = 0;
/** `ts` of the message before, the latest so far, and `u` of the message before, -1 when unknown. */
let previousTs: i64 = 0;
let latestTs: i64 = 0;
let previousU: i64 = -1;

let head1Bytes: i32 = 0;
let head2Bytes: i32 = 0;

const TS_DIGITS: usize = 13;
const FAILED: usize = 0;

const QUOTE: i32 = 0x22;
const COMMA: u8 = 0x2c;
const CLOSE: u8 = 0x5d;
const BRACE: u8 = 0x7d;

/** Tells how long the two parts of the template are that the host has written to HEAD and HEAD + HEAD_BYTES. */
export function setHeads(bytes1: i32, bytes2: i32): void {
  head1Bytes = bytes1;
  head2Bytes = bytes2;
}

/** Takes over what the host knows from a message that it has applied itself. */
export function setPrevious(ts: f64, latest: f64, u: f64): void {
  previousTs = <i64>ts;
  latestTs = <i64>latest;
  previousU = <i64>u;
}

export function getPreviousTs(): f64 {
  return <f64>previousTs;
}

export function getLatestTs(): f64 {
  return <f64>latestTs;
}

export function getPreviousU(): f64 {
  return <f64>previousU;
}

/** Moves what has not been read to the front, and answers where the host may write more. Texts must be settled. */
export function makeRoom(): usize {
  const rest = textEnd - cursor;
  if (cursor !== TEXT) memory.copy(TEXT, cursor, rest);
  cursor = TEXT;
  textEnd = TEXT + rest;
  return textEnd;
}

/** Says how many bytes the host has written where {@link makeRoom} said. */
export function addText(bytes: i32): void {
  textEnd += <usize>bytes;
}

/** Forgets everything that has not been read: the beginning of a line that is too long to be kept. */
export function dropText(): void {
  cursor = textEnd;
}

/** Counts a line that was dropped. */
export function countLine(): void {
  lines++;
}

/** Passes over the line that {@link FOREIGN_LINE} spoke of. */
export function passLine(): void {
  cursor += <usize>lineBytes + 1;
  lines++;
}

/**
 * Applies messages in the order of time with `ts` up to `limit`; or a `single` one, whatever its `ts`, which the answer
 * AT_MESSAGE then says was applied.
 */
export function run(limit: f64, single: bool): i32 {
  const limitTs = <i64>limit;
  while (true) {
    if (cursor >= textEnd) return NEEDS_BYTES;
    const tsAt = matchHead(cursor);
    if (tsAt === FAILED) return handOver();
    const ts = readTs(tsAt);
    if (ts < 0 || !isHead2(tsAt + TS_DIGITS)) return handOver();
    const end = read(tsAt + TS_DIGITS + head2Bytes);
    if (end === FAILED) {
      undo();
      return handOver();
    }
    if (single) {
      accept(ts, end);
      return AT_MESSAGE;
    }
    if (ts > limitTs || ts < latestTs) {
      undo();
      messageTs = <f64>ts;
      return AT_MESSAGE;
    }
    accept(ts, end);
  }
}

/** `u` of the message that {@link read} has read. */
let messageU: i64 = 0;

/** Reads a message from its first bid on, into the ladders. @returns where the line ends, or FAILED. */
function read(start: usize): usize {
  beginUndo();
  let p = readSide(start, BIDS);
  if (p === FAILED || load<u32>(p) !== 0x2261222c || load<u16>(p, 4) !== 0x5b3a) return FAILED; // ,"a":[
  p = readSide(p + 6, ASKS);
  if (p === FAILED || load<u32>(p) !== 0x2275222c || load<u8>(p, 4) !== 0x3a) return FAILED; // ,"u":
  const uAt = p + 5;
  p = skipNumber(uAt);
  if (p === FAILED || p - uAt > 15) return FAILED;
  messageU = readNumber(uAt, p);
  if (load<u8>(p) === COMMA) {
    if (load<u32>(p, 1) !== 0x71657322 || load<u16>(p, 5) !== 0x3a22) return FAILED; // ,"seq":
    p = skipNumber(p + 7);
    if (p === FAILED) return FAILED;
  }
  if (load<u8>(p++) !== BRACE) return FAILED;
  if (load<u8>(p) === COMMA) {
    if (load<u32>(p, 1) !== 0x73746322 || load<u16>(p, 5) !== 0x3a22) return FAILED; // ,"cts":
    p = skipNumber(p + 7);
    if (p === FAILED) return FAILED;
  }
  if (load<u8>(p++) !== BRACE) return FAILED;
  if (load<u8>(p) === 0x0d) p++;
  return load<u8>(p) === 0x0a && p < textEnd ? p : FAILED;
}

function accept(ts: i64, end: usize): void {
  cursor = end + 1;
  lines++;
  messages++;
  updates += <f64>((getUndoEnd() - UNDO) >> 3);
  if (previousU >= 0 && messageU !== previousU + 1) breaks++;
  previousU = messageU;
  previousTs = ts;
  if (ts < latestTs) outOfOrder++;
  else latestTs = ts;
}

/**
 * Reads the levels of a side, from after their `[` on, into its ladder.
 *
 * @returns where the side's `]` is passed; FAILED when a level is not of the form `["p","q"]`, or does not fit.
 */
function readSide(start: usize, side: i32): usize {
  if (load<u8>(start) === CLOSE) return start + 1;
  const ladder = ladderOf(side);
  const baseTick = base;
  const zero = v128.load(ZEROS);
  const ten = v128.load(TENS);
  const point = v128.load(POINTS);
  const low8 = v128.load(LOW_BYTES);
  const times10 = v128.load(TIMES_10);
  const times100 = v128.load(TIMES_100);
  const times10000 = v128.load(TIMES_10000);
  let log = getUndoEnd();
  const logLimit = UNDO + <usize>MAX_UNDO * 8;
  let low: i32 = LADDER_TICKS;
  let high: i32 = -1;
  let p = start;
  // The format of a price is most often that of the level before: a guess that is checked costs less than to look.
  let priceBytes: usize = 0;
  let pointAt: usize = 0;
  let pointByte: u8 = 0;
  let moves = zero;
  let notDigits = i8x16.splat(0);
  while (true) {
    // ["
    if (load<u16>(p) !== 0x225b || log >= logLimit) break;
    const text = p + 2;
    const price = v128.load(text);
    if (load<u32>(text + priceBytes - 1) >> 8 !== 0x222c22 || load<u8>(text + pointAt) !== pointByte) {
      const quotes = i8x16.bitmask(i8x16.eq(price, i8x16.splat(<i8>QUOTE)));
      if (quotes === 0) break;
      priceBytes = <usize>ctz(quotes);
      pointAt = <usize>ctz(i8x16.bitmask(i8x16.eq(price, point)) | quotes);
      const format = FORMATS + (((priceBytes << 4) | pointAt) << 5);
      if (load<u8>(format, 16) === 0 || load<u32>(text + priceBytes - 1) >> 8 !== 0x222c22) break;
      moves = v128.load(format);
      pointByte = load<u8>(text + pointAt);
    }
    const quantityAt = text + priceBytes + 3;
    const quantity = v128.load(quantityAt);
    const points = i8x16.bitmask(i8x16.eq(quantity, point));
    const firstPoint = points & -points;
    // The quantity ends at the first byte that is no digit, one point aside.
    const others = i8x16.bitmask(i8x16.ge_u(i8x16.sub(quantity, zero), ten)) & ~firstPoint;
    const quantityBytes = ctz(others | 0x10000);

    const digits = i8x16.swizzle(i8x16.sub(price, zero), moves);
    notDigits = v128.or(notDigits, i8x16.ge_u(digits, ten));
    const pairs = i16x8.add(i16x8.mul(v128.and(digits, low8), times10), i16x8.shr_u(digits, 8));
    const fours = i32x4.dot_i16x8_s(pairs, times100);
    const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), times10000);
    const both = i64x2.extract_lane(eights, 0);
    const tick = (both & 0xffffffff) * 100_000_000 + (both >> 32) - baseTick;

    const after = quantityAt + <usize>quantityBytes;
    const wrong =
      (load<u16>(after) ^ 0x5d22) | // "]
      ((others | firstPoint) & 1) |
      (firstPoint & ((1 << quantityBytes) >> 1)) |
      i32(priceBytes + <usize>quantityBytes > SLOT_BYTES - 4);
    if (wrong !== 0 || <u64>tick >= <u64>LADDER_TICKS) break;

    const slot = ladder + ((<usize>tick) << 2);
    store<u32>(log, <u32>slot);
    store<i32>(log, load<i32>(slot), 4);
    log += 8;
    store<u32>(slot, <u32>text);
    low = min(low, <i32>tick);
    high = max(high, <i32>tick);

    const next = load<u8>(after, 2);
    p = after + 3;
    if (next === COMMA) continue;
    if (next !== CLOSE || v128.any_true(notDigits)) break;
    setUndoEnd(log);
    widen(side, low, high);
    return p;
  }
  setUndoEnd(log);
  return FAILED;
}

/** At most 20 digits of a JSON number without sign, fraction and exponent. @returns where they end, or FAILED. */
function skipNumber(start: usize): usize {
  let p = start;
  while (<u32>(load<u8>(p) - 0x30) < 10) p++;
  if (p === start || p - start > 20 || (load<u8>(start) === 0x30 && p !== start + 1)) return FAILED;
  return p;
}

function readNumber(start: usize, end: usize): i64 {
  let value: i64 = 0;
  for (let p = start; p < end; p++) value = value * 10 + <i64>(load<u8>(p) - 0x30);
  return value;
}

/** Thirteen digits, which the ms since 1970 have from 2001 to 2286, or -1. */
function readTs(start: usize): i64 {
  const end = skipNumber(start);
  return end === start + TS_DIGITS ? readNumber(start, end) : -1;
}

function matchHead(line: usize): usize {
  return head1Bytes > 0 && isEqual(line, HEAD, head1Bytes) ? line + <usize>head1Bytes : FAILED;
}

function isHead2(at: usize): bool {
  return isEqual(at, HEAD + HEAD_BYTES, head2Bytes);
}

/** Compares at least 16 bytes, the last ones by a load that ends where they end. */
function isEqual(a: usize, b: usize, bytes: i32): bool {
  const last = bytes - 16;
  for (let at = 0; at < last; at += 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false;
  }
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
}

/** The line at the cursor could not be read: is it whole, and so the host's, or just not there yet? */
function handOver(): i32 {
  const end = lineEnd();
  if (end === FAILED) return NEEDS_BYTES;
  lineBytes = <i32>(end - cursor);
  return FOREIGN_LINE;
}

/** Where the line feed of the line at the cursor is. */
function lineEnd(): usize {
  const feed = i8x16.splat(0x0a);
  for (let p = cursor; p < textEnd; p += 16) {
    const feeds = i8x16.bitmask(i8x16.eq(v128.load(p), feed));
    if (feeds !== 0) {
      const end = p + <usize>ctz(feeds);
      return end < textEnd ? end : FAILED;
    }
  }
  return FAILED;
}
