/** The memory that both kernels share: what each needs is there, and nothing lies in another's place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_LINE_BYTES } from '../../src/book/lines.js';
import { MAX_LEVELS_PER_SIDE } from '../../src/book/reference-engine.js';
import { MAX_DEPTH } from '../../src/catalog/archive-name.js';
import { MAX_METRICS } from '../../src/metrics/columns.js';
import { acquireArena } from '../../src/wasm/arena.js';

const { kernel, inflater } = acquireArena();
/** All that kernel/layout.ts says, and more of it than the program reads. */
const layout = kernel as unknown as Record<string, number>;

const LOAD_BYTES = 16;
const LEVELS = 100_000;
const UPDATES = 65_536;

/** The regions in order: the bytes that each must have room for, and the width of what is loaded from its beginning on. */
const REGIONS: [name: string, bytes: number, alignment: number][] = [
  ['FORMATS', 16 * 16 * 32, 16],
  ['HEADS', 16 * 16 * 64, 16],
  ['TAILS', 16 * 32, 16],
  ['NUMBERS', 17 * LOAD_BYTES, 16],
  ['ZEROS', LOAD_BYTES, 16],
  ['TENS', LOAD_BYTES, 16],
  ['POINTS', LOAD_BYTES, 16],
  ['QUOTES', LOAD_BYTES, 16],
  ['LOW_BYTES', LOAD_BYTES, 16],
  ['TIMES_10', LOAD_BYTES, 16],
  ['TIMES_100', LOAD_BYTES, 16],
  ['TIMES_10000', LOAD_BYTES, 16],
  ['TAIL', LOAD_BYTES, 16],
  ['FIRST', LOAD_BYTES, 16],
  ['OTHER_BYTES', LOAD_BYTES, 16],
  ['INDEXES', LOAD_BYTES, 16],
  ['PART1', 256, 16],
  ['PART2', 256 + 4, 16], // an entry of the list that follows is before its first
  // What is waiting, a window that is all brackets, and a load from the last entry on.
  ['CLOSES', 4 * (UPDATES + 32_768) + LOAD_BYTES, 16],
  // Four ticks are stored behind the last.
  ['TICKS', 2 * (4 * UPDATES + LOAD_BYTES), 16],
  ['LENGTHS', 4 * UPDATES + LOAD_BYTES, 16],
  ['BEST', 2 * LEVELS * 8, 16],
  ['ROW', 2 * 9999 * 32, 16],
  ['VALUES', 4 * LEVELS * 8, 16],
  ['POWERS', 16 * 8, 8],
  ['LOG', 4096 * 6 * 8, 8],
  ['BOOKS', 64 * 32, 4],
  ['LISTS', 64 * 3 * 1024 * 4, 8],
  ['BOUNDARIES', 1024 * 8, 8],
  ['BOOK_TIMES', 1024 * 8, 8],
  ['ROW_FLAGS', 1024, 1],
  ['OUT', 4 * 1024 * 1024, 16],
  ['LADDERS', 2 * 524_288 * 4, 16],
  // Two full sides in each of the two pools.
  ['POOLS', 2 * 2 * LEVELS * 32, 16],
  ['CHOICES', 256 * 8, 8],
  ['HEARD', 2 * 3 * 8, 8],
  ['MEANS', 3 * 3 * 8, 8],
  ['FOUND', 2 * 256 * 4, 4],
  ['BOOK_ROW', 256 * 8, 8],
  ['KNOWN', 2 * 524_288 * 4, 16],
  ['AMOUNTS', 2 * 524_288 * 16, 16],
  ['CHANGED', (2 * 524_288) / 16, 16],
  ['PRESENT', (2 * 524_288) / 8, 16],
  ['UNREAD', (2 * 524_288) / 8, 16],
  ['LANES', 2 * 256 * 8, 8],
  // Eight ticks are stored at a time.
  ['PLACES', 2 * (LEVELS + 8) * 4, 16],
  ['SUMS', 2 * (1 + LEVELS + 3) * 16, 16],
  ['METRICS', 256 * (1024 + 8) * 8, 8],
  ['TEXT', 5 * 1024 * 1024 + 256, 16],
];

describe('the memory of the kernels', () => {
  test('regions come one after the other, each with room for what is kept in it, aligned as it is loaded', () => {
    const ends = [...REGIONS.slice(1).map(([name]) => layout[name]), kernel.MEMORY_BYTES];
    for (const [index, [name, bytes, alignment]] of REGIONS.entries()) {
      const start = layout[name] ?? Number.NaN;
      assert.equal(start % alignment, 0, `${name} begins at ${start}`);
      assert.ok(start + bytes <= (ends[index] ?? 0), `${name} has ${(ends[index] ?? 0) - start} of ${bytes} bytes`);
    }
  });

  test('the list above knows every region', () => {
    const addresses = Object.entries(layout).filter(([name, value]) => /^[A-Z_0-9]+$/.test(name) && value >= 0x10000);
    const sizes = /BYTES$|^MAX_|^LADDER_TICKS$|^VECTORS$/;
    const unknown = addresses.filter(([name]) => !sizes.test(name) && !REGIONS.some(([region]) => region === name));
    assert.deepEqual(unknown, []);
  });

  test('the inflater’s tables end before the book’s kernel begins, its areas begin where that has ended', () => {
    assert.ok(inflater.TABLES_END <= (layout['FORMATS'] ?? 0));
    assert.equal(inflater.areasStart, kernel.MEMORY_BYTES);
    assert.equal(inflater.areasStart % 16, 0);
    assert.equal(inflater.memory, kernel.memory);
  });

  test('both keep as much history as deflate may refer to', () => {
    assert.equal(kernel.HISTORY_BYTES, 32 * 1024);
    assert.equal(inflater.HISTORY_BYTES, kernel.HISTORY_BYTES);
  });

  test('the input has room for the longest line that is kept and a piece, with a line feed behind', () => {
    assert.ok(MAX_LINE_BYTES + kernel.PIECE_BYTES + 1 <= (layout['TEXT_BYTES'] ?? 0));
  });

  test('limits of the program are limits of the kernel', () => {
    assert.equal(layout['MAX_DEPTH'], MAX_DEPTH);
    assert.equal(kernel.MAX_METRICS, MAX_METRICS);
    assert.equal(kernel.MAX_LEVELS_PER_SIDE, MAX_LEVELS_PER_SIDE);
    assert.ok(10 ** kernel.MAX_EXACT_DIGITS <= Number.MAX_SAFE_INTEGER);
  });

  test('the sides are numbered as the host numbers them', () => {
    assert.deepEqual([kernel.BIDS, kernel.ASKS], [0, 1]);
  });
});
