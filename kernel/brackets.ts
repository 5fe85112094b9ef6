/**
 * The first pass over the input: finds the closing brackets. Each level ends with one, and so does each side:
 *
 *     …"b":[["0.1","2"],["0.2","3"]],"a":[],"u":…
 *                     ^           ^^      ^
 *     CLOSES    the addresses of all of them, in order, 4 bytes each
 *
 * Such a list is called a structural index (simdjson has one of all of JSON's marks). With it the second pass knows
 * where its levels end before it has read any, so that the processor need not finish one level to begin the next.
 */
import { CLOSE } from './ascii';
import { CLOSES, CLOSES_BYTES, MAX_UPDATES, TEXT, WINDOW_BYTES } from './layout';

/** The brackets that have been found and not used: [next, end) of the list. */
export let closesNext: usize = CLOSES;
export let closesEnd: usize = CLOSES;
/** How far the input has been searched. */
let lookedTo: usize = TEXT;

const BLOCK_BYTES: usize = 64;

/** Forgets the list, and begins a new one at an address of the input. */
export function forgetBrackets(from: usize): void {
  closesNext = closesEnd = CLOSES;
  lookedTo = from;
}

/** Says which brackets have been used. */
export function passBrackets(next: usize): void {
  assert(next >= closesNext && next <= closesEnd);
  closesNext = next;
}

/** Drops all brackets before an address: those of a line that the host has read. */
export function passBracketsBefore(address: usize): void {
  if (lookedTo < address) forgetBrackets(address);
  while (closesNext < closesEnd && load<u32>(closesNext) < <u32>address) closesNext += 4;
}

/**
 * Searches the next window of the input, which ends at `textEnd`.
 *
 * @returns false when there is no more input, or no room for more brackets than are waiting already.
 */
export function findBrackets(textEnd: usize): bool {
  const waiting = closesEnd - closesNext;
  assert(closesNext <= closesEnd && lookedTo <= textEnd);
  if (lookedTo === textEnd || waiting > (<usize>MAX_UPDATES) << 2) return false;
  memory.copy(CLOSES, closesNext, waiting);
  closesNext = CLOSES;
  const end = min(lookedTo + WINDOW_BYTES, textEnd);
  let closes = CLOSES + waiting;
  for (let at = lookedTo; at < end; at += BLOCK_BYTES) {
    let found =
      bracketsIn(at) | (bracketsIn(at + 16) << 16) | (bracketsIn(at + 32) << 32) | (bracketsIn(at + 48) << 48);
    if (end - at < BLOCK_BYTES) found &= ((<u64>1) << (end - at)) - 1;
    const next = closes + ((<usize>popcnt(found)) << 2);
    // Stores four without asking how many there are: more are rare, and what is too many is overwritten next.
    store<u32>(closes, <u32>at + <u32>ctz(found));
    found &= found - 1;
    store<u32>(closes, <u32>at + <u32>ctz(found), 4);
    found &= found - 1;
    store<u32>(closes, <u32>at + <u32>ctz(found), 8);
    found &= found - 1;
    store<u32>(closes, <u32>at + <u32>ctz(found), 12);
    for (closes += 16; closes < next; closes += 4) {
      found &= found - 1;
      store<u32>(closes, <u32>at + <u32>ctz(found));
    }
    closes = next;
    assert(closes <= CLOSES + CLOSES_BYTES - 16);
  }
  closesEnd = closes;
  lookedTo = end;
  return true;
}

/** Returns a bit for each of sixteen bytes, 1 for a bracket. */
function bracketsIn(at: usize): u64 {
  return <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>CLOSE))));
}
