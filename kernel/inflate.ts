/**
 * Inflates raw DEFLATE data (RFC 1951) straight into the kernel's memory.
 *
 * A resumable state machine: `inflate` stops at any byte of input and of output and goes on from there. While plenty of
 * both is left, `decodeFast` runs; everything else (headers, stored blocks, ends of pieces, rare symbols, errors) is
 * the careful path's, which takes one whole symbol or field at a time, or nothing. So no half symbol is ever a state.
 *
 * It accepts what zlib's inflate accepts, and refuses the rest with the same errors. The host checks the checksum.
 *
 * Memory: the caller's areas, and the static tables that are declared below.
 *
 *     inputPointer                 inputEnd                  outPointer                outEnd
 *     ├─ compressed, not yet used ─┤          ├─ history ────┼─ room for output ───────┼─ slack ─┤
 *                                              the last min(32768, all) bytes of output  64 bytes: may be overwritten
 *
 * The bit buffer `bits` is a u64 that holds its bits from bit 3 upwards, so that masking it gives the byte offset of
 * an 8-byte table entry without a shift. `bitEnd` is the position after its last bit: 3 when it is empty.
 *
 * Codes are canonical Huffman codes, decoded by table look-up. Table entries, 8 bytes, by the next bits of the stream:
 *
 *     byte   0           1          2..3            4..5               6              7
 *     code   bits used   literals   base            extra's mask       extra's shift  a distance's template
 *     run    bits used   literals   match length    literals' bytes    extra's shift  the distance's template
 *
 * - A *code entry* is one symbol: its value is base + (bits >> shift & mask). Bits used counts code and extra bits.
 *   It is the symbol's template plus its code's length in bytes 0 and 6. A literal's byte is in place of the mask.
 * - A *run entry* is what `decodeFast` does in one turn: one or two literals, or up to one and then a whole match, its
 *   distance included, as far as the codes fit in the index. Only the distance's extra bits may lie behind it.
 *   Its distance is base + (bits >> shift & mask) too, base and mask being those of the template at `MATCH_TEMPLATES` +
 *   byte 7. Literals alone are followed by a match of length 0.
 * - Lengths above 258 are flags: a match whose extra bits or distance did not fit (then bytes 4 to 6 are a code
 *   entry's), the block's end, a longer code.
 *
 * `LITERALS`, `DISTANCES` and the code length code have code entries, `RUNS` the runs made of the first two; a length
 * that does not come with all its extra bits is a code entry with a flag in its base.
 *
 * Invariants:
 * - Outside `decodeFast`, bits of `bits` at and above `bitEnd` are zero (bits below 3 are arbitrary).
 * - `decodeFast` commits whole runs only: when it leaves, the next bit begins a symbol.
 * - When `inflate` answers `NEEDS_INPUT`, every byte of the input is in `bits` or used, and what `bits` holds is the
 *   beginning of one symbol or field. So bytes given back at the end of the stream are from the last piece.
 */

import { HISTORY_BYTES } from './layout';

export { HISTORY_BYTES };

/** What may be overwritten behind the room for output. */
export const OUTPUT_SLACK_BYTES: usize = 64;

/** What `inflate` answers. */
export const DONE: i32 = 0;
export const NEEDS_INPUT: i32 = 1;
export const OUTPUT_FULL: i32 = 2;
export const ERROR_TRUNCATED: i32 = -1;
export const ERROR_BLOCK_TYPE: i32 = -2;
export const ERROR_STORED_LENGTH: i32 = -3;
export const ERROR_TOO_MANY_SYMBOLS: i32 = -4;
export const ERROR_CODE_LENGTHS_SET: i32 = -5;
export const ERROR_LENGTH_REPEAT: i32 = -6;
export const ERROR_NO_END_OF_BLOCK: i32 = -7;
export const ERROR_LITERAL_SET: i32 = -8;
export const ERROR_DISTANCE_SET: i32 = -9;
export const ERROR_LITERAL_CODE: i32 = -10;
export const ERROR_DISTANCE_CODE: i32 = -11;
export const ERROR_DISTANCE_TOO_FAR: i32 = -12;

/** What a step answers when `mode` says what comes next. */
const GO_ON: i32 = 3;

// The modes: what the next bits of the input are.
const BLOCK_HEADER: i32 = 0;
const STORED_LENGTH: i32 = 1;
const STORED_BYTES: i32 = 2;
const TABLE_SIZES: i32 = 3;
const CODE_LENGTH_LENGTHS: i32 = 4;
const CODE_LENGTHS: i32 = 5;
const SYMBOLS: i32 = 6;
const FINISHED: i32 = 7;

const MAX_MATCH: usize = 258;
const MAX_RUN_LITERALS: u32 = 2;
const MAX_CODE_BITS: u32 = 15;

/** Where bit 0 of the stream lies in an empty bit buffer. */
const BIT_START: u32 = 3;

// Bits that are looked up at once. On order book text one less of either is slower, and one more no faster.
const RUN_BITS: i32 = 11;
const DISTANCE_BITS: i32 = 9;
/** All of the code length code, whose codes have at most so many. */
const CODE_LENGTH_BITS: i32 = 7;

// The same as sizes of tables, and as the part of the bit buffer that is an offset in a table.
const RUN_TABLE_BYTES: i32 = 8 << RUN_BITS;
const DISTANCE_TABLE_BYTES: i32 = 8 << DISTANCE_BITS;
const RUN_MASK: u32 = RUN_TABLE_BYTES - 8;
const DISTANCE_MASK: u32 = DISTANCE_TABLE_BYTES - 8;
const CODE_LENGTH_MASK: u32 = (8 << CODE_LENGTH_BITS) - 8;

const LITERAL_SYMBOLS: u32 = 288;
const DISTANCE_SYMBOLS: u32 = 32;
const CODE_LENGTH_SYMBOLS: u32 = 19;
const END_OF_BLOCK: u32 = 256;

/** Added for each bit of a code: to the bits used, and to the shift that its extra bits lie at. */
const CODE_BIT: u64 = 1 | (1 << 48);

const ONE_LITERAL: u64 = 1 << 8;
const LITERAL_BYTE: u64 = 0xff << 32;

/** What a run takes from a distance's entry: bits used, shift, template. */
const DISTANCE_PART: u64 = 0xff | (0xffff << 48);

// Flags in place of a run's length.
/** Of a code entry: extra bits follow. Of a run: they, or the distance, or both follow. */
const UNFINISHED: u32 = 0x1000;
const BLOCK_END: u32 = 0x4000;
/** Says that the table does not have the code: it is longer than the index, or there is none. */
const RARE: u64 = (0x8000 << 16) | 64;

/** Says the same in tables other than `LITERALS`, whose entries are never 0. */
const ABSENT: u64 = 0;

/** A flag of what `findCode` answers where there is no symbol, or none that a stream may use. Base and mask are 0. */
const INVALID: u64 = 1 << 15;

const RUNS: usize = memory.data(RUN_TABLE_BYTES, 64);
const LITERALS: usize = memory.data(RUN_TABLE_BYTES, 64);
const DISTANCES: usize = memory.data(DISTANCE_TABLE_BYTES, 64);
/** What may follow a literal in a run, by the bits that are left then: used while runs are made. */
const SECONDS: usize = memory.data(RUN_TABLE_BYTES >> 1, 64);
/** Code lengths are read before the block's distances are known, and not after. */
const CODE_LENGTH_CODE: usize = DISTANCES;

/** For codes longer than the index, in canonical order: how many codes have each length, then the symbols; u16 each. */
const COUNTS_BYTES: usize = 2 * (MAX_CODE_BITS + 1);
const LITERAL_ORDER: usize = memory.data(<i32>(COUNTS_BYTES + 2 * LITERAL_SYMBOLS), 8);
const DISTANCE_ORDER: usize = memory.data(<i32>(COUNTS_BYTES + 2 * DISTANCE_SYMBOLS), 8);
const CODE_LENGTH_ORDER: usize = DISTANCE_ORDER;

// Entries by symbol, with a code of no bits. Zero: a symbol that the fixed code has, but no stream may use.
const LITERAL_TEMPLATES: usize = memory.data(8 * LITERAL_SYMBOLS, 8);
/**
 * The first is for runs without a match, so that they need no branch: a distance at which copying nothing is harmless.
 */
const MATCH_TEMPLATES: usize = memory.data(8 * (1 + DISTANCE_SYMBOLS), 8);
const DISTANCE_TEMPLATES: usize = MATCH_TEMPLATES + 8;
const CODE_LENGTH_TEMPLATES: usize = memory.data(8 * CODE_LENGTH_SYMBOLS, 8);

/** Code lengths as they are read, a byte each: literals and lengths, directly after them distances. */
const LENGTHS: usize = memory.data(LITERAL_SYMBOLS + DISTANCE_SYMBOLS, 8);
const CODE_LENGTH_LENGTHS_READ: usize = memory.data(CODE_LENGTH_SYMBOLS, 8);
/** Offsets of a code length's next symbol in an order, u16 by code length. */
const NEXT_IN_ORDER: usize = memory.data(<i32>COUNTS_BYTES, 8);

/** RFC 1951, 3.2.7: the order in which the lengths of the code length code are sent. */
const CODE_LENGTH_SENT: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

// The stream's state. The hot loop copies it into locals: V8 keeps globals in memory.
let mode: i32 = BLOCK_HEADER;
/** What `FINISHED` answers: `DONE` or an error. */
let outcome: i32 = DONE;
let isFinalBlock: bool = false;
let bits: u64 = 0;
let bitEnd: u32 = BIT_START;

let inputStart: usize = 0;
let input: usize = 0;
let inputEnd: usize = 0;
let isLastInput: bool = false;

let output: usize = 0;
let outputEnd: usize = 0;
/** Bytes of output so far, but at most the window: as far as a distance may reach back. */
let history: usize = 0;
/** The lowest address that a distance may reach in this call. */
let historyStart: usize = 0;

let storedLeft: u32 = 0;
let matchLeft: u32 = 0;
let matchDistance: usize = 0;

let literalLengthCount: u32 = 0;
let distanceLengthCount: u32 = 0;
let codeLengthCount: u32 = 0;
let lengthsRead: u32 = 0;
/** The literal and distance tables hold the fixed codes: a stream may have many small fixed blocks. */
let tablesAreFixed: bool = false;

makeTemplates();

/** Begins a new stream. */
export function inflateReset(): void {
  mode = BLOCK_HEADER;
  isFinalBlock = false;
  bits = 0;
  bitEnd = BIT_START;
  input = inputStart = inputEnd = 0;
  isLastInput = false;
  history = 0;
  matchLeft = 0;
}

/**
 * Gives the next piece of input, at the beginning and when `inflate` answered `NEEDS_INPUT`.
 * With the last piece, which may be empty, a stream that needs more is truncated.
 */
export function inflateInput(pointer: usize, length: usize, isLast: bool): void {
  inputStart = input = pointer;
  inputEnd = pointer + length;
  isLastInput = isLast;
}

/** Bytes of the current piece that are used, whole or in part. After `DONE`, what follows them is not the stream's. */
export function inflateInputUsed(): usize {
  return input - inputStart;
}

/** Where the output ends that the last call of `inflate` began at its `outPointer`. */
export function inflateOutputPointer(): usize {
  return output;
}

/** Inflates until the answer is one of the above. An error stays. */
export function inflate(outPointer: usize, outEnd: usize): i32 {
  output = outPointer;
  outputEnd = outEnd;
  historyStart = outPointer - history;
  assert(outPointer <= outEnd && input <= inputEnd && historyStart >= TABLES_END);
  let answer = GO_ON;
  while (answer === GO_ON) {
    switch (mode) {
      case BLOCK_HEADER:
        answer = readBlockHeader();
        break;
      case STORED_LENGTH:
        answer = readStoredLength();
        break;
      case STORED_BYTES:
        answer = copyStored();
        break;
      case TABLE_SIZES:
        answer = readTableSizes();
        break;
      case CODE_LENGTH_LENGTHS:
        answer = readCodeLengthLengths();
        break;
      case CODE_LENGTHS:
        answer = readCodeLengths();
        break;
      case SYMBOLS:
        answer = decodeSymbols();
        break;
      default:
        answer = outcome;
    }
  }
  assert(output >= outPointer && output <= outEnd && input <= inputEnd);
  history = min(history + (output - outPointer), HISTORY_BYTES);
  return answer;
}

function finish(withOutcome: i32): i32 {
  mode = FINISHED;
  outcome = withOutcome;
  return withOutcome;
}

// ── Bits ──

/** Takes in bytes while there are any and they fit: afterwards 53 bits or more, or all the input. */
function fill(): void {
  while (bitEnd <= 55 && input < inputEnd) {
    bits |= (<u64>load<u8>(input++)) << bitEnd;
    bitEnd += 8;
  }
}

function bitsHeld(): u32 {
  return bitEnd - BIT_START;
}

function peek(count: u32): u32 {
  assert(count <= bitsHeld());
  return <u32>(bits >> BIT_START) & ((1 << count) - 1);
}

function drop(count: u32): void {
  assert(count <= bitsHeld());
  bits >>= count;
  bitEnd -= count;
}

function take(count: u32): u32 {
  const value = peek(count);
  drop(count);
  return value;
}

/** The answer when the input ends within a symbol or a field. */
function inputEnds(): i32 {
  return isLastInput ? finish(ERROR_TRUNCATED) : NEEDS_INPUT;
}

// ── Blocks ──

function readBlockHeader(): i32 {
  if (isFinalBlock) {
    const bytesNotUsed = bitsHeld() >> 3;
    input -= bytesNotUsed;
    return finish(DONE);
  }
  fill();
  if (bitsHeld() < 3) return inputEnds();
  isFinalBlock = take(1) === 1;
  switch (take(2)) {
    case 0:
      drop(bitsHeld() & 7);
      mode = STORED_LENGTH;
      return GO_ON;
    case 1:
      makeFixedTables();
      mode = SYMBOLS;
      return GO_ON;
    case 2:
      mode = TABLE_SIZES;
      return GO_ON;
    default:
      return finish(ERROR_BLOCK_TYPE);
  }
}

function readStoredLength(): i32 {
  fill();
  if (bitsHeld() < 32) return inputEnds();
  storedLeft = take(16);
  if (take(16) !== (storedLeft ^ 0xffff)) return finish(ERROR_STORED_LENGTH);
  mode = STORED_BYTES;
  return GO_ON;
}

function copyStored(): i32 {
  // The bit buffer holds whole bytes, which come first.
  while (storedLeft > 0 && bitsHeld() > 0 && output < outputEnd) {
    store<u8>(output++, take(8));
    storedLeft--;
  }
  if (bitsHeld() === 0) {
    const length = min(<usize>storedLeft, min(inputEnd - input, outputEnd - output));
    memory.copy(output, input, length);
    input += length;
    output += length;
    storedLeft -= <u32>length;
  }
  if (storedLeft === 0) {
    mode = BLOCK_HEADER;
    return GO_ON;
  }
  return output === outputEnd ? OUTPUT_FULL : inputEnds();
}

function readTableSizes(): i32 {
  fill();
  if (bitsHeld() < 14) return inputEnds();
  literalLengthCount = take(5) + 257;
  distanceLengthCount = take(5) + 1;
  codeLengthCount = take(4) + 4;
  // The fixed codes have more of both, but a header cannot.
  if (literalLengthCount > 286 || distanceLengthCount > 30) return finish(ERROR_TOO_MANY_SYMBOLS);
  memory.fill(CODE_LENGTH_LENGTHS_READ, 0, CODE_LENGTH_SYMBOLS);
  lengthsRead = 0;
  mode = CODE_LENGTH_LENGTHS;
  return GO_ON;
}

function readCodeLengthLengths(): i32 {
  while (lengthsRead < codeLengthCount) {
    fill();
    if (bitsHeld() < 3) return inputEnds();
    store<u8>(CODE_LENGTH_LENGTHS_READ + load<u8>(CODE_LENGTH_SENT + lengthsRead++), take(3));
  }
  tablesAreFixed = false;
  if (
    !makeTable(
      CODE_LENGTH_LENGTHS_READ,
      CODE_LENGTH_SYMBOLS,
      CODE_LENGTH_TEMPLATES,
      CODE_LENGTH_CODE,
      CODE_LENGTH_BITS,
      CODE_LENGTH_ORDER,
      ABSENT,
      COMPLETE,
    )
  ) {
    return finish(ERROR_CODE_LENGTHS_SET);
  }
  lengthsRead = 0;
  mode = CODE_LENGTHS;
  return GO_ON;
}

function readCodeLengths(): i32 {
  const lengthsInAll = literalLengthCount + distanceLengthCount;
  while (lengthsRead < lengthsInAll) {
    fill();
    const entry = findCode(bits, CODE_LENGTH_CODE, CODE_LENGTH_MASK, ABSENT, CODE_LENGTH_ORDER, CODE_LENGTH_TEMPLATES);
    if (bitsHeld() < bitsUsed(entry)) return inputEnds();
    let length = baseOf(entry);
    let times = 1;
    if (length >= 16) {
      times = valueWithExtra(entry, bits) - length + (length === 18 ? 11 : 3);
      if (length === 16) {
        if (lengthsRead === 0) return finish(ERROR_LENGTH_REPEAT);
        length = load<u8>(LENGTHS + lengthsRead - 1);
      } else {
        length = 0;
      }
      if (lengthsRead + times > lengthsInAll) return finish(ERROR_LENGTH_REPEAT);
    }
    drop(bitsUsed(entry));
    assert(lengthsRead + times <= LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
    memory.fill(LENGTHS + lengthsRead, <u8>length, times);
    lengthsRead += times;
  }
  if (load<u8>(LENGTHS + END_OF_BLOCK) === 0) return finish(ERROR_NO_END_OF_BLOCK);
  if (
    !makeTable(
      LENGTHS,
      literalLengthCount,
      LITERAL_TEMPLATES,
      LITERALS,
      RUN_BITS,
      LITERAL_ORDER,
      RARE,
      COMPLETE_OR_LONE,
    )
  ) {
    return finish(ERROR_LITERAL_SET);
  }
  const distanceLengths = LENGTHS + literalLengthCount;
  if (
    !makeTable(
      distanceLengths,
      distanceLengthCount,
      DISTANCE_TEMPLATES,
      DISTANCES,
      DISTANCE_BITS,
      DISTANCE_ORDER,
      ABSENT,
      COMPLETE_OR_LONE,
    )
  ) {
    return finish(ERROR_DISTANCE_SET);
  }
  makeRuns();
  mode = SYMBOLS;
  return GO_ON;
}

// ── Symbols ──

function decodeSymbols(): i32 {
  let answer: i32;
  do {
    if (matchLeft === 0) decodeFast();
    answer = decodeSymbol();
  } while (answer === GO_ON && mode === SYMBOLS);
  return answer;
}

/** The careful path: ends the match that is under way, then takes one symbol and its distance, or nothing. */
function decodeSymbol(): i32 {
  if (matchLeft > 0 && !copyMatch()) return OUTPUT_FULL;
  fill();
  const entry = findCode(bits, LITERALS, RUN_MASK, RARE, LITERAL_ORDER, LITERAL_TEMPLATES);
  let used = bitsUsed(entry);
  if (bitsHeld() < used) return inputEnds();
  if (entry & INVALID) return finish(ERROR_LITERAL_CODE);
  if (baseOf(entry) === BLOCK_END) {
    drop(used);
    mode = BLOCK_HEADER;
    return GO_ON;
  }
  if (output === outputEnd) return OUTPUT_FULL;
  if (baseOf(entry) === 0) {
    drop(used);
    store<u8>(output++, entry >> 32);
    return GO_ON;
  }
  const bitsOfDistance = bits >> used;
  const distanceEntry = findCode(bitsOfDistance, DISTANCES, DISTANCE_MASK, ABSENT, DISTANCE_ORDER, DISTANCE_TEMPLATES);
  used += bitsUsed(distanceEntry);
  if (bitsHeld() < used) return inputEnds();
  if (distanceEntry & INVALID) return finish(ERROR_DISTANCE_CODE);
  matchLeft = valueWithExtra(entry, bits) & ~UNFINISHED;
  matchDistance = valueWithExtra(distanceEntry, bitsOfDistance);
  if (matchDistance > output - historyStart) return finish(ERROR_DISTANCE_TOO_FAR);
  drop(used);
  return copyMatch() ? GO_ON : OUTPUT_FULL;
}

/**
 * Copies what is left of the match, byte for byte, because it may overlap. False: the output is full before its end.
 */
function copyMatch(): bool {
  while (matchLeft > 0 && output < outputEnd) {
    assert(output - matchDistance >= historyStart && matchDistance > 0);
    store<u8>(output, load<u8>(output - matchDistance));
    output++;
    matchLeft--;
  }
  return matchLeft === 0;
}

/** Output of one call of `decodeFast`: V8 has faster code for it only from the next call on. */
const FAST_OUTPUT_BYTES: usize = 32768;
/** A turn writes at most this much, and less than the slack behind it. */
const TURN_OUTPUT_BYTES: usize = <usize>MAX_RUN_LITERALS + MAX_MATCH;
/** A turn moves the input by at most 7 bytes, and reads 8 from there. */
const TURN_INPUT_BYTES: usize = 16;

/**
 * The hot loop: a run a turn, while there is room for a whole turn and nothing is rare.
 * What limits it is the number of its instructions, some 65 a turn; then branches guessed wrong. The way from a run's
 * bits used to the next index to the next run takes half of a turn's time: only what must be is on that way.
 * The order of statements matters to V8's register allocation: measure after each change (`npm run bench`).
 */
function decodeFast(): void {
  fill();
  let to = output;
  let from = input;
  if (to + TURN_OUTPUT_BYTES > outputEnd || from + TURN_INPUT_BYTES > inputEnd) return;
  const toLimit = min(outputEnd - TURN_OUTPUT_BYTES, to + FAST_OUTPUT_BYTES);
  const fromLimit = inputEnd - TURN_INPUT_BYTES;
  const lowest = historyStart;
  let buffer = bits;
  let end = <u64>bitEnd; // Only its low 6 bits count: entries are subtracted whole.

  let runAt: usize = <u32>buffer & RUN_MASK;
  let run = load<u64>(runAt, RUNS);
  do {
    if (to > toLimit) break;
    // Here `buffer` holds 53 bits or more. A run uses at most 24 of them (11 of codes and 13 extra), or unfinished
    // 38 (11 of a code and 5 extra, 9 of a code and 13 extra).
    store<u32>(to, load<u32>(runAt, RUNS + 4));
    const copyTo = to + load<u8>(runAt, RUNS + 1);
    let length = <usize>load<u16>(runAt, RUNS + 2);
    const template = <usize>load<u8>(runAt, RUNS + 7);
    let distance =
      <usize>load<u16>(template, MATCH_TEMPLATES + 2) +
      (<usize>(buffer >> load<u8>(runAt, RUNS + 6)) & <usize>load<u16>(template, MATCH_TEMPLATES + 4));
    if (length > MAX_MATCH) {
      if (length >= BLOCK_END) break;
      length = valueWithExtra(run, buffer) & ~UNFINISHED;
      const afterLength = buffer >> run;
      const distanceEntry = load<u64>(<u32>afterLength & DISTANCE_MASK, DISTANCES);
      distance = valueWithExtra(distanceEntry, afterLength);
      if (distance === 0) break; // A long code, or none.
      run += distanceEntry; // From here on only its bits used count.
    }
    let source = copyTo - distance;
    if (source < lowest) break;
    buffer >>= run;
    end -= run;
    // The next run is looked up first, with the 15 bits or more that are left, so that it does not wait for the refill.
    runAt = <u32>buffer & RUN_MASK;
    run = load<u64>(runAt, RUNS);
    // The refill puts 8 bytes above what is held and counts as many as fit whole; bits above them are right already.
    buffer |= load<u64>(from) << end;
    from += (<u32>(end ^ 63) >> 3) & 7;
    end |= 56;
    to = copyTo + length;
    assert(to <= outputEnd && source < copyTo && from <= inputEnd);
    if (distance < 16) {
      for (let at = copyTo; at < to; at++) store<u8>(at, load<u8>(source++));
      continue;
    }
    // Nearly every match is shorter than 16 bytes: to copy as many always is cheaper than to ask.
    v128.store(copyTo, v128.load(source));
    if (length <= 16) continue;
    let at = copyTo + 16;
    do {
      source += 16;
      v128.store(at, v128.load(source));
      at += 16;
    } while (at < to);
  } while (from <= fromLimit);

  end &= 63;
  // The refill leaves bits that are not counted; from the careful path's view they are still input.
  bits = buffer & (((<u64>1) << end) - 1);
  assert(end >= BIT_START);
  bitEnd = <u32>end;
  input = from;
  output = to;
}

// ── Codes ──

function bitsUsed(entry: u64): u32 {
  return <u32>entry & 0xff;
}

function baseOf(entry: u64): u32 {
  return <u32>(entry >> 16) & 0xffff;
}

/** A length, a distance or a count of repeats, extra bits added; `atCode` begins with the symbol's code. */
function valueWithExtra(entry: u64, atCode: u64): u32 {
  return baseOf(entry) + (<u32>(atCode >> (entry >> 48)) & (<u32>(entry >> 32) & 0xffff));
}

/** The entry for the next bits, which may end within the code: it then uses more bits than there are. */
function findCode(atCode: u64, table: usize, mask: u32, absent: u64, order: usize, templates: usize): u64 {
  const entry = load<u64>(table + (<u32>atCode & mask));
  return entry !== absent ? entry : findLongCode(atCode, order, templates);
}

/** Goes through the code's lengths; there the codes of a length are consecutive numbers, first bit highest. */
function findLongCode(atCode: u64, order: usize, templates: usize): u64 {
  let rest = atCode >> BIT_START;
  let code: i32 = 0;
  let symbolsBefore: i32 = 0;
  for (let length: u64 = 1; length <= MAX_CODE_BITS; length++) {
    code = (code << 1) | (<i32>rest & 1);
    rest >>= 1;
    const count = <i32>load<u16>(order + 2 * <usize>length);
    if (code < count) {
      const symbol = load<u16>(order + COUNTS_BYTES + 2 * (symbolsBefore + code));
      const template = load<u64>(templates + 8 * <usize>symbol);
      return template ? template + length * CODE_BIT : INVALID | length;
    }
    code -= count;
    symbolsBefore += count;
  }
  return INVALID | 1; // zlib takes one bit to find that out.
}

/** Whether one code of one bit will do for a set, until the other bit is met. */
const COMPLETE: bool = false;
const COMPLETE_OR_LONE: bool = true;

/** Makes a code's table and order from its symbols' code lengths; false if they are no code. */
function makeTable(
  lengths: usize,
  symbolCount: u32,
  templates: usize,
  table: usize,
  indexBits: u32,
  order: usize,
  absent: u64,
  mayBeLone: bool,
): bool {
  memory.fill(order, 0, COUNTS_BYTES);
  for (let symbol: u32 = 0; symbol < symbolCount; symbol++) {
    const count = order + 2 * <usize>load<u8>(lengths + symbol);
    store<u16>(count, load<u16>(count) + 1);
  }
  store<u16>(order, 0); // Length 0 is no code.

  let codesLeft: i32 = 1;
  let longest: u32 = 0;
  let symbolsBefore: u32 = 0;
  for (let length: u32 = 1; length <= MAX_CODE_BITS; length++) {
    const count: u32 = load<u16>(order + 2 * length);
    codesLeft = (codesLeft << 1) - count;
    if (codesLeft < 0) return false;
    if (count > 0) longest = length;
    store<u16>(NEXT_IN_ORDER + 2 * length, symbolsBefore);
    symbolsBefore += count;
  }
  // An empty set will do as long as no symbol is asked for, as zlib has it.
  if (codesLeft > 0 && (longest > 1 || (longest === 1 && !mayBeLone))) return false;

  const symbols = order + COUNTS_BYTES;
  for (let symbol: u32 = 0; symbol < symbolCount; symbol++) {
    const length = load<u8>(lengths + symbol);
    if (length === 0) continue;
    const next = NEXT_IN_ORDER + 2 * <usize>length;
    const place = load<u16>(next);
    assert(<u32>place < symbolCount);
    store<u16>(symbols + 2 * <usize>place, symbol);
    store<u16>(next, place + 1);
  }

  const tableEnd: u32 = 8 << indexBits;
  putEvery(8, table, tableEnd, 0, absent);
  let code: u32 = 0;
  let next = symbols;
  for (let length: u32 = 1; length <= indexBits; length++) {
    for (let count: u32 = load<u16>(order + 2 * length); count > 0; count--) {
      const template = load<u64>(templates + 8 * <usize>load<u16>(next));
      next += 2;
      if (template) putEntry(table, indexBits, code, length, template + length * CODE_BIT);
      code = nextCode(code, length);
    }
  }
  return true;
}

/** Codes count up, but come first bit first: they are kept mirrored, as byte offsets of a table. */
function nextCode(code: u32, length: u32): u32 {
  let carry: u32 = 4 << length;
  while (code & carry) carry >>= 1;
  return (code & (carry - 1)) | carry;
}

/**
 * Puts an entry wherever the index begins with its code. A length whose extra bits are in the index too is put by its
 * value.
 */
function putEntry(table: usize, indexBits: u32, code: u32, codeBits: u32, entry: u64): void {
  const tableEnd: u32 = 8 << indexBits;
  const used = bitsUsed(entry);
  if (!(baseOf(entry) & UNFINISHED) || used > indexBits) {
    putEvery(8 << codeBits, table, tableEnd, code, entry);
    return;
  }
  let value = (entry & 0xffffffff & ~((<u64>UNFINISHED) << 16)) | ((<u64>(BIT_START + used)) << 48);
  const codeEnd: u32 = 8 << codeBits;
  const extraEnd: u32 = 8 << used;
  for (let at = code; at < extraEnd; at += codeEnd) {
    putEvery(extraEnd, table, tableEnd, at, value);
    value += 1 << 16;
  }
}

function putEvery(step: u32, table: usize, tableEnd: u32, start: u32, entry: u64): void {
  assert((start & 7) === 0 && table + tableEnd <= TABLES_END);
  for (let at = start; at < tableEnd; at += step) store<u64>(table + at, entry);
}

/** Makes `RUNS` of `LITERALS` and `DISTANCES`: first lengths get their distances, then literals what follows them. */
function makeRuns(): void {
  memory.copy(RUNS, LITERALS, RUN_TABLE_BYTES);
  eachEntry(false);
  memory.copy(SECONDS, RUNS, RUN_TABLE_BYTES >> 1);
  eachEntry(true);
}

/** Takes each entry of `LITERALS` once, literals or else lengths, where its index has zeros after its bits. */
function eachEntry(ofLiterals: bool): void {
  let code: u32 = 0;
  for (let codeBits: u32 = 1; codeBits <= <u32>RUN_BITS; codeBits++) {
    for (let count: u32 = load<u16>(LITERAL_ORDER + 2 * codeBits); count > 0; count--) {
      const first = load<u64>(code, LITERALS);
      const end = min<u32>(8 << bitsUsed(first), RUN_TABLE_BYTES);
      for (let at = code; at < end; at += 8 << codeBits) {
        const entry = load<u64>(at, LITERALS);
        const isLiteral = (entry & ONE_LITERAL) !== 0;
        if (<usize>baseOf(entry) > MAX_MATCH || isLiteral !== ofLiterals) continue;
        if (isLiteral) putLiteralRuns(at, entry);
        else putMatches(at, entry);
      }
      code = nextCode(code, codeBits);
    }
  }
}

// In both, `rest` goes through all that the index may hold after the entry's bits. What is found there counts only if
// its codes end within the index. Without branches, which would be guesses.

function putMatches(start: u32, entry: u64): void {
  const used = bitsUsed(entry);
  const lastShift: u32 = RUN_BITS - used + BIT_START;
  const alone = entry | (UNFINISHED << 16);
  const length = entry - ((<u64>BIT_START) << 48); // The distance's shift begins with it too.
  let rest: u32 = 0;
  for (let at = start; at < <u32>RUN_TABLE_BYTES; at += 8 << used) {
    const distance = load<u64>(rest, DISTANCES);
    const run = length + (distance & DISTANCE_PART);
    const fits = <u32>load<u8>(rest, DISTANCES + 6) - 1 < lastShift; // An absent one has 0.
    store<u64>(at, select<u64>(run, alone, fits), RUNS);
    rest = (rest + 8) & DISTANCE_MASK;
  }
}

function putLiteralRuns(start: u32, entry: u64): void {
  const used = bitsUsed(entry);
  const lastShift: u32 = RUN_BITS - used + BIT_START;
  const literal = entry - ((<u64>BIT_START) << 48);
  let rest: u32 = 0;
  for (let at = start; at < <u32>RUN_TABLE_BYTES; at += 8 << used) {
    const second = load<u64>(rest, SECONDS);
    const run = literal + (second & ~LITERAL_BYTE) + ((second & LITERAL_BYTE) << 8);
    const fits = load<u8>(rest, SECONDS + 6) <= lastShift;
    const isWhole = <usize>load<u16>(rest, SECONDS + 2) <= MAX_MATCH;
    store<u64>(at, select<u64>(select<u64>(run, entry, fits), entry, isWhole), RUNS);
    rest += 8;
  }
}

/** RFC 1951, 3.2.6. */
function makeFixedTables(): void {
  if (tablesAreFixed) return;
  memory.fill(LENGTHS, 8, 144);
  memory.fill(LENGTHS + 144, 9, 256 - 144);
  memory.fill(LENGTHS + 256, 7, 280 - 256);
  memory.fill(LENGTHS + 280, 8, LITERAL_SYMBOLS - 280);
  makeTable(LENGTHS, LITERAL_SYMBOLS, LITERAL_TEMPLATES, LITERALS, RUN_BITS, LITERAL_ORDER, RARE, COMPLETE);
  memory.fill(LENGTHS, 5, DISTANCE_SYMBOLS);
  makeTable(LENGTHS, DISTANCE_SYMBOLS, DISTANCE_TEMPLATES, DISTANCES, DISTANCE_BITS, DISTANCE_ORDER, ABSENT, COMPLETE);
  makeRuns();
  tablesAreFixed = true;
}

/** RFC 1951, 3.2.5: bases follow from the numbers of extra bits. */
function makeTemplates(): void {
  for (let symbol: u32 = 0; symbol < END_OF_BLOCK; symbol++) {
    store<u64>(LITERAL_TEMPLATES + 8 * symbol, ONE_LITERAL | ((<u64>symbol) << 32) | ((<u64>BIT_START) << 48));
  }
  store<u64>(LITERAL_TEMPLATES + 8 * END_OF_BLOCK, template(BLOCK_END, 0));
  let base: u32 = 3;
  for (let symbol: u32 = 257; symbol < 285; symbol++) {
    const extraBits = symbol < 265 ? 0 : (symbol - 261) >> 2;
    store<u64>(LITERAL_TEMPLATES + 8 * symbol, template(extraBits ? base | UNFINISHED : base, extraBits));
    base += 1 << extraBits;
  }
  store<u64>(LITERAL_TEMPLATES + 8 * 285, template(<u32>MAX_MATCH, 0));

  store<u64>(MATCH_TEMPLATES, template(64, 0));
  base = 1;
  for (let symbol: u32 = 0; symbol < 30; symbol++) {
    const extraBits = symbol < 4 ? 0 : (symbol - 2) >> 1;
    store<u64>(DISTANCE_TEMPLATES + 8 * symbol, template(base, extraBits) | ((<u64>(8 * (symbol + 1))) << 56));
    base += 1 << extraBits;
  }

  for (let symbol: u32 = 0; symbol < CODE_LENGTH_SYMBOLS; symbol++) {
    const extraBits = symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
    store<u64>(CODE_LENGTH_TEMPLATES + 8 * symbol, template(symbol, extraBits));
  }
}

/** A template of a symbol whose value is `base` and the next `extraBits` bits. */
function template(base: u32, extraBits: u32): u64 {
  const mask = ((<u64>1) << extraBits) - 1;
  return extraBits | ((<u64>base) << 16) | (mask << 32) | ((<u64>BIT_START) << 48);
}

/** Where the static tables end. */
export const TABLES_END: usize = __heap_base;
