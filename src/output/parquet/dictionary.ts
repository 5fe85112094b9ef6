/**
 * The distinct values of a column, and which of them each value is. Prices and quantities of a book come again and
 * again, and indexes of one or two whole bytes are copied and compressed many times faster than doubles or texts. Those of
 * doubles are found by kernel/parquet.ts.
 */
export interface TextDictionary {
  /** In order of appearance. */
  entries: Uint8Array;
  count: number;
  /** The entry of each value, then zeros: Parquet packs indexes in groups of eight. */
  indexes: Uint16Array;
}

/** As many as indexes of two bytes can tell apart. */
const MAX_ENTRIES = 65_536;
const INDEX_BYTES = 2;

/** Hash table (linear probing), at most half full, and entries. Calls share them, since none waits for anything. */
const slots = new Int32Array(2 * MAX_ENTRIES);
const textStarts = new Int32Array(MAX_ENTRIES);

/**
 * @param texts each as its length, four bytes, and then its bytes; the entries are the same.
 * @returns `undefined` when the texts are hardly longer without.
 */
export function textDictionary(texts: Uint8Array, textCount: number): TextDictionary | undefined {
  const maxEntries = worthwhileEntries(textCount, texts.length / textCount);
  const table = emptyTable(maxEntries);
  const mask = table.length - 1;
  const indexes = newIndexes(textCount);
  let entryBytes = 0;
  let count = 0;
  let start = 0;
  for (let i = 0; i < textCount; i++) {
    const end = textEnd(texts, start);
    let hash = 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (texts[at] as number), 0x01000193);
    let slot = mixed(hash) & mask;
    let entry = table[slot] as number;
    while (entry !== 0 && !isEqual(texts, textStarts[entry - 1] as number, start, end)) {
      slot = (slot + 1) & mask;
      entry = table[slot] as number;
    }
    if (entry === 0) {
      if (count >= maxEntries) return undefined;
      textStarts[count] = start;
      entryBytes += end - start;
      entry = ++count;
      table[slot] = entry;
    }
    indexes[i] = entry - 1;
    start = end;
  }
  if (count === 0) return undefined;
  const entries = new Uint8Array(entryBytes);
  let used = 0;
  for (const from of textStarts.subarray(0, count)) {
    const entry = texts.subarray(from, textEnd(texts, from));
    entries.set(entry, used);
    used += entry.length;
  }
  return { entries, count, indexes };
}

/** Finds the end (exclusive) of the text whose length begins at `start`. */
export function textEnd(texts: Uint8Array, start: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [texts[start], texts[start + 1], texts[start + 2], texts[start + 3]];
  return start + 4 + (a | (b << 8) | (c << 16) | (d << 24));
}

/** Tells whether the text at `other` is the one from `start` to `end`; their lengths are compared as a part of them. */
function isEqual(texts: Uint8Array, other: number, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (texts[at] !== texts[other + at - start]) return false;
  return true;
}

/**
 * Computes how many entries a dictionary may have so that, with its indexes, it takes at most half the bytes of the
 * values. To save less is not worth the reader's time.
 */
export function worthwhileEntries(values: number, bytesOfValue: number): number {
  return Math.max(0, Math.min(MAX_ENTRIES, Math.floor(values * (1 / 2 - INDEX_BYTES / bytesOfValue))));
}

/**
 * What stands before indexes that are encoded as one bit-packed run. Each gets one or two whole bytes, which is more than
 * needed. So they are copied instead of packed, and the compressor, which sees bytes, finds the sequences that come again.
 *
 *     u8      bits an index
 *     varint  groups of eight indexes, times two, plus one
 *     …       the indexes, little-endian
 */
export function indexHead(count: number, bytesOfIndex: number): number[] {
  const head = [bytesOfIndex * 8];
  let rest = (count / 8) * 2 + 1;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return head;
}

/**
 * Clears a part of the hash table. A slot holds the number of an entry plus one, or 0 when it is free. Where another
 * entry has the slot, the next one is looked at.
 */
function emptyTable(maxEntries: number): Int32Array {
  // The smallest power of two that leaves half of them free.
  const length = 2 ** (32 - Math.clz32(2 * Math.max(1, maxEntries) - 1));
  return slots.subarray(0, length).fill(0);
}

function newIndexes(values: number): Uint16Array {
  return new Uint16Array(Math.ceil(values / 8) * 8);
}

/** Spreads a hash over all its bits. */
function mixed(hash: number): number {
  const product = Math.imul(hash, 0x85ebca6b);
  return product ^ (product >>> 15);
}
