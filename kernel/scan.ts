/**
 * The scanner: reads deltas of the one form that Bybit writes, and sets their levels on the ladder.
 *
 *     PART1 ts PART2 [["p","q"],…] ],"a":[ [["p","q"],…] ],"u": u [,"seq": n] } [,"cts": n] } \n
 *
 * PART1 and PART2, the template, come from the host, which has read such a line with `JSON.parse`. They are compared
 * byte for byte. Every byte of an accepted line is accounted for: it is one of the template's, a digit where a digit
 * may be, or a point with digits on both sides. A line is read whole before anything of it is applied. The host reads
 * every other line: snapshots, other keys, white space, a price that the ladder cannot hold, broken lines.
 *
 * Input: [cursor, textEnd) are bytes not read yet. Behind textEnd lie SLACK_BYTES that may be loaded but mean nothing:
 * a line is whole only when its line feed is before textEnd.
 */

import { setAndMark } from './amounts';
import { BRACE, CARRIAGE_RETURN, COMMA, LINE_FEED, ZERO } from './ascii';
import { findBrackets, forgetBrackets, passBracketsBefore } from './brackets';
import { numberOf } from './digits';
import { clearGrid, IRREGULAR, isPast, leaveInterval, passBoundaries, ROW_ODD, ROWS_FULL } from './grid';
import { getUnheardUpdates, hear, isFollowed } from './interval';
import { ASKS, BIDS, setLevels } from './ladder';
import {
  HISTORY_BYTES,
  MAX_PART_BYTES,
  MEMORY_BYTES,
  MIN_PART_BYTES,
  NUMBERS,
  PART1,
  PART2,
  PIECE_BYTES,
  TENS,
  TEXT,
  TEXT_BYTES,
  ZEROS,
} from './layout';
import { beginLevels, closesOf, countOf, FAILED, forgetForms, passLevels, readSide, SHORT, ticksOf } from './levels';
import { setMetrics } from './metrics';
import { areFactsFull, clearFacts, forgetSteps, logFacts, observeLevels } from './observe';

/** What {@link run} answers. */
export const NEEDS_BYTES: i32 = 0;
/** The message at the cursor is later than the limit, or earlier than the one before; it waits to be applied. */
export const AT_MESSAGE: i32 = 1;
/** The line at the cursor, `lineBytes` long, is for the host to read. */
export const FOREIGN_LINE: i32 = 2;
/** In the kernel for audits: the log must be read and cleared. */
export const LOG_FULL: i32 = 3;
/** The host must tell what the book is now, by `hearBook`. */
export const BOOK_UNHEARD: i32 = 4;
/** The batch has no room for the row that is next. */
export const NEEDS_ROOM: i32 = 5;
/** The row added last has what only the host can read; it must do so before another message. */
export const AT_ODD_ROW: i32 = 6;

export let cursor: usize = TEXT;
export let textEnd: usize = TEXT;
export let lineBytes: i32 = 0;

/** Lines that have been read and passed, by kernel and host. */
export let lines: i32 = 0;
/** Counts of the messages that the kernel has applied. */
let messages: i32 = 0;
export let updates: f64 = 0;
let breaks: i32 = 0;
export let outOfOrder: i32 = 0;
/** `ts` of the message before, the latest so far, and `u` of the message before, -1 when unknown. */
let previousTs: i64 = 0;
let latestTs: i64 = 0;
let previousU: i64 = -1;

/** The message at the cursor, when it has been read: where its line ends, or 0. */
let messageEnd: usize = 0;
let ts: i64 = 0;
let updateId: i64 = 0;
/** Kept only in the kernel for audits: below zero when there is none. */
let cts: i64 = 0;

let part1Bytes: i32 = 0;
let part2Bytes: i32 = 0;

const TS_BYTES: usize = 13;
const MAX_UPDATE_ID_BYTES: usize = 15;
const NO_NUMBER: i64 = -1;

/** Forgets everything, as if nothing had ever been read. */
export function resetScan(): void {
  cursor = textEnd = TEXT;
  lines = messages = breaks = outOfOrder = 0;
  updates = 0;
  previousTs = latestTs = 0;
  previousU = -1;
  messageEnd = 0;
  part1Bytes = part2Bytes = 0;
  forgetBrackets(TEXT);
  clearGrid();
  setMetrics(0, 0, 0, 0, 0, 0);
  if (isDefined(AUDIT)) {
    clearFacts();
    forgetSteps();
  }
}

/** Tells how long the parts of the template are that the host has written to PART1 and PART2. */
export function setTemplate(bytes1: i32, bytes2: i32): void {
  assert(min(bytes1, bytes2) >= MIN_PART_BYTES && max(bytes1, bytes2) <= MAX_PART_BYTES);
  part1Bytes = bytes1;
  part2Bytes = bytes2;
}

/** Takes over what the host knows from a message that it has applied itself. */
export function setPrevious(ts: f64, latest: f64, updateId: f64): void {
  previousTs = <i64>ts;
  latestTs = <i64>latest;
  previousU = <i64>updateId;
}

// What the host asks for at each row is a function, because it gets a global's value more slowly than a function's.
export function getMessages(): i32 {
  return messages;
}

/** `ts` of the message that {@link AT_MESSAGE} speaks of. */
export function getMessageTs(): f64 {
  return <f64>ts;
}

export function getBreaks(): i32 {
  return breaks;
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

/**
 * Moves what has not been read to the front. The texts of the book must have been settled.
 *
 * @returns where the host may write more.
 */
export function makeRoom(): usize {
  const rest = textEnd - cursor;
  assert(cursor <= textEnd && rest + PIECE_BYTES < TEXT_BYTES);
  if (cursor !== TEXT) memory.copy(TEXT, cursor, rest);
  cursor = TEXT;
  textEnd = TEXT + rest;
  forgetBrackets(TEXT);
  return textEnd;
}

/** Says how many bytes the host has written at `textEnd`. */
export function addText(bytes: i32): void {
  // Text that was adopted stands behind MEMORY_BYTES.
  assert(textEnd > MEMORY_BYTES || textEnd + <usize>bytes <= TEXT + TEXT_BYTES);
  textEnd += <usize>bytes;
}

/** Goes on with text elsewhere in the memory, and moves what has not been read directly before it, into its history. */
export function adoptText(at: usize, bytes: i32): void {
  const rest = textEnd - cursor;
  assert(cursor <= textEnd && rest <= HISTORY_BYTES && at - rest > MEMORY_BYTES);
  memory.copy(at - rest, cursor, rest);
  cursor = at - rest;
  textEnd = at + <usize>bytes;
  forgetBrackets(cursor);
}

/** Forgets everything that has not been read: the beginning of a line that is too long to be kept. */
export function dropText(): void {
  cursor = textEnd;
  forgetBrackets(cursor);
}

/** Counts a line that was dropped. */
export function countLine(): void {
  lines++;
}

/** Passes over the line that {@link FOREIGN_LINE} spoke of. */
export function passLine(): void {
  cursor += <usize>lineBytes + 1;
  assert(cursor <= textEnd);
  lines++;
  passBracketsBefore(cursor);
}

/** Applies messages in the order of time with `ts` up to `limit`, and adds the rows that are due before each. */
export function run(limit: f64): i32 {
  const limitTs = <i64>limit;
  while (true) {
    if (!isDefined(AUDIT) && getUnheardUpdates() >= 0) return BOOK_UNHEARD;
    if (messageEnd === 0) {
      assert(cursor <= textEnd);
      if (cursor >= textEnd) return NEEDS_BYTES;
      let end = readMessage();
      while (end === SHORT && findBrackets(textEnd)) {
        forgetForms();
        end = readMessage();
      }
      if (end <= SHORT) return handOver();
      assert(end > cursor && end <= textEnd);
      messageEnd = end;
    }
    if (isDefined(AUDIT) && areFactsFull()) return LOG_FULL;
    if (ts > limitTs || ts < latestTs) return AT_MESSAGE;
    if (isPast(ts)) {
      const outcome = passBoundaries(ts, previousTs, latestTs, breaks);
      if (outcome === ROWS_FULL) return NEEDS_ROOM;
      if (outcome === ROW_ODD) return AT_ODD_ROW;
      if (outcome === IRREGULAR) return AT_MESSAGE;
    }
    applyMessage();
  }
}

/** Applies the message that {@link AT_MESSAGE} spoke of, whatever its `ts`. */
export function applyMessage(): void {
  assert(messageEnd > cursor && messageEnd <= textEnd);
  if (isDefined(AUDIT)) {
    observeLevels(BIDS, ticksOf(BIDS), closesOf(BIDS), countOf(BIDS));
    observeLevels(ASKS, ticksOf(ASKS), closesOf(ASKS), countOf(ASKS));
  } else if (isFollowed()) {
    setAndMark(BIDS, ticksOf(BIDS), closesOf(BIDS), countOf(BIDS));
    setAndMark(ASKS, ticksOf(ASKS), closesOf(ASKS), countOf(ASKS));
  } else {
    setLevels(BIDS, ticksOf(BIDS), closesOf(BIDS), countOf(BIDS));
    setLevels(ASKS, ticksOf(ASKS), closesOf(ASKS), countOf(ASKS));
  }
  passLevels();
  cursor = messageEnd;
  messageEnd = 0;
  lines++;
  messages++;
  updates += <f64>(countOf(BIDS) + countOf(ASKS));
  if (previousU >= 0 && updateId !== previousU + 1) breaks++;
  previousU = updateId;
  previousTs = ts;
  if (ts < latestTs) outOfOrder++;
  else latestTs = ts;
  leaveInterval();
  if (isDefined(AUDIT)) {
    logFacts(ts, cts, updateId, countOf(BIDS) + countOf(ASKS));
  } else if (isFollowed()) {
    hear(latestTs, countOf(BIDS) + countOf(ASKS));
  }
}

/** Reads the line at the cursor. @returns where the next one begins, FAILED, or SHORT. */
function readMessage(): usize {
  if (part1Bytes === 0 || !isEqual(cursor, PART1, part1Bytes)) return FAILED;
  let p = cursor + <usize>part1Bytes;
  ts = readNumber(p);
  // Thirteen digits, which the ms since 1970 have from 2001 to 2286.
  if (ts === NO_NUMBER || numberEnd !== p + TS_BYTES) return FAILED;
  if (!isEqual(numberEnd, PART2, part2Bytes)) return FAILED;
  beginLevels();
  p = readSide(numberEnd + <usize>part2Bytes, BIDS);
  if (p <= SHORT) return p;
  if (load<u32>(p) !== 0x2261222c || load<u16>(p, 4) !== 0x5b3a) return FAILED; // ,"a":[
  p = readSide(p + 6, ASKS);
  if (p <= SHORT) return p;
  if (load<u32>(p) !== 0x2275222c || load<u8>(p, 4) !== 0x3a) return FAILED; // ,"u":
  p += 5;
  updateId = readNumber(p);
  if (updateId === NO_NUMBER || numberEnd - p > MAX_UPDATE_ID_BYTES) return FAILED;
  p = numberEnd;
  if (load<u8>(p) === COMMA) {
    if (load<u32>(p, 1) !== 0x71657322 || load<u16>(p, 5) !== 0x3a22) return FAILED; // ,"seq":
    if (readNumber(p + 7) === NO_NUMBER) return FAILED;
    p = numberEnd;
  }
  if (load<u8>(p++) !== BRACE) return FAILED;
  if (isDefined(AUDIT)) cts = NO_NUMBER;
  if (load<u8>(p) === COMMA) {
    if (load<u32>(p, 1) !== 0x73746322 || load<u16>(p, 5) !== 0x3a22) return FAILED; // ,"cts":
    const number = readNumber(p + 7);
    if (number === NO_NUMBER) return FAILED;
    if (isDefined(AUDIT)) cts = number;
    p = numberEnd;
  }
  if (load<u8>(p++) !== BRACE) return FAILED;
  if (load<u8>(p) === CARRIAGE_RETURN) p++;
  return load<u8>(p) === LINE_FEED && p < textEnd ? p + 1 : FAILED;
}

/** Where the number ends that {@link readNumber} has just read. */
let numberEnd: usize = 0;

/** Reads a JSON number of at most 16 digits without sign, fraction and exponent. @returns it, or NO_NUMBER. */
function readNumber(start: usize): i64 {
  const text = i8x16.sub(v128.load(start), v128.load(ZEROS));
  const bytes = ctz(i8x16.bitmask(i8x16.ge_u(text, v128.load(TENS))) | 0x10000);
  numberEnd = start + <usize>bytes;
  if (bytes === 0 || (bytes > 1 && load<u8>(start) === ZERO)) return NO_NUMBER;
  if (bytes === 16 && <u8>(load<u8>(numberEnd) - ZERO) < 10) return NO_NUMBER;
  const digits = i8x16.swizzle(text, v128.load(NUMBERS + ((<usize>bytes) << 4)));
  return numberOf(digits);
}

/** Compares at least MIN_PART_BYTES bytes, the last ones by a load that ends where they end. */
function isEqual(a: usize, b: usize, bytes: i32): bool {
  const last = bytes - MIN_PART_BYTES;
  for (let at = 0; at < last; at += 16) {
    if (v128.any_true(v128.xor(v128.load(a + at), v128.load(b + at)))) return false;
  }
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
}

/** Decides about a line that could not be read: when it is whole it is the host's, else more bytes are needed. */
function handOver(): i32 {
  const end = lineEnd();
  if (end === FAILED) return NEEDS_BYTES;
  lineBytes = <i32>(end - cursor);
  return FOREIGN_LINE;
}

/** The address of the line feed of the line at the cursor, or FAILED. */
function lineEnd(): usize {
  const feed = i8x16.splat(<i8>LINE_FEED);
  for (let p = cursor; p < textEnd; p += 16) {
    const feeds = i8x16.bitmask(i8x16.eq(v128.load(p), feed));
    if (feeds !== 0) {
      const end = p + <usize>ctz(feeds);
      return end < textEnd ? end : FAILED;
    }
  }
  return FAILED;
}
