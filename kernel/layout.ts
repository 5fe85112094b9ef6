/**
 * Where everything lies in the kernel's memory. There is no allocator: each region has its place and its size.
 *
 *     FORMATS   256 × 32 B     how to read a price of each length and position of the point      (formats.ts)
 *     HEAD      2 × 256 B      what stands before and after `ts` in a message                    (scan.ts)
 *     VECTORS   7 × 16 B       vectors of one value each                                          (formats.ts)
 *     UNDO      65,536 × 8 B   ladder slots that the message at hand has changed, with old values (ladder.ts)
 *     BEST      2 × 100,000 × 8 B  tick and text of the best levels of each side, for a row       (ladder.ts)
 *     ROW       9,999 × 2 × 32 B the text of a row                                               (rows.ts)
 *     LADDERS   2 × 524,288 × 4 B  a slot for each tick: the address of the level's text         (ladder.ts)
 *     POOLS     2 × 201,024 × 32 B texts of levels that no longer stand in the input             (ladder.ts)
 *     TEXT      the input, filled by the host, with slack behind it that may be read, not used   (scan.ts)
 */

/** Levels a side that a row may have; four digits, like the folders of the outputs. */
export const MAX_DEPTH: i32 = 9999;
/** Ticks that a ladder spans. A side of 500 levels needs some thousands; the price of a day wanders over the rest. */
export const LADDER_TICKS: i32 = 1 << 19;
/** A level's text, `price","quantity"`, is at most so long; a longer one is kept by the host. */
export const SLOT_BYTES: usize = 32;
export const MAX_LEVELS_PER_SIDE: i32 = 100_000;
/** The longest line there may be, what a host adds at a time, and what the widest load may read beyond. */
export const TEXT_BYTES: usize = 5 << 20;
export const SLACK_BYTES: usize = 256;

export const MAX_UNDO: i32 = 1 << 16;
export const HEAD_BYTES: usize = 256;

export const FORMATS: usize = 0x1000;
export const HEAD: usize = FORMATS + 256 * 32;
/** Vectors of one value: V8 keeps what is loaded in a register, but makes a constant anew in every turn. */
export const VECTORS: usize = HEAD + 2 * HEAD_BYTES;
export const ZEROS: usize = VECTORS;
export const TENS: usize = VECTORS + 16;
export const POINTS: usize = VECTORS + 32;
export const LOW_BYTES: usize = VECTORS + 48;
export const TIMES_10: usize = VECTORS + 64;
export const TIMES_100: usize = VECTORS + 80;
export const TIMES_10000: usize = VECTORS + 96;
export const UNDO: usize = VECTORS + 112;
export const BEST: usize = UNDO + <usize>MAX_UNDO * 8;
export const ROW: usize = BEST + 2 * <usize>MAX_LEVELS_PER_SIDE * 8;
export const LADDERS: usize = (ROW + 2 * <usize>MAX_DEPTH * SLOT_BYTES + 0xfff) & ~0xfff;
export const POOLS: usize = LADDERS + 2 * <usize>LADDER_TICKS * 4;
/** Room for two full sides, and for what the host adds before it notices. */
export const POOL_BYTES: usize = (2 * <usize>MAX_LEVELS_PER_SIDE + 1024) * SLOT_BYTES;
export const TEXT: usize = POOLS + 2 * POOL_BYTES;
export const MEMORY_BYTES: usize = TEXT + TEXT_BYTES + SLACK_BYTES;
