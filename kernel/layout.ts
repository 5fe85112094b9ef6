/**
 * Where everything lies in the memory. There is no allocator: each region has its place and its size. The book's kernel
 * shares the memory with the inflater (src/wasm/arena.ts), whose tables are in the page below and whose areas for input
 * and output are behind. test/wasm/layout.test.ts holds this together.
 *
 *     FORMATS   256 × 32 B     how to read a price of each length and position of the point      (formats.ts)
 *     HEADS     16 × 16 × 64 B what a level begins with, for each such price                     (formats.ts)
 *     TAILS     16 × 32 B      what a level ends with, for each length of its quantity           (formats.ts)
 *     NUMBERS   17 × 16 B      how the digits of a whole number move, for each length            (formats.ts)
 *     VECTORS   16 × 16 B      vectors that the scanner needs                                    (formats.ts)
 *     PART1     256 B          what stands before `ts` in a delta                                  (scan.ts)
 *     PART2     256 B          what stands after it                                              (scan.ts)
 *     CLOSES    98,320 × 4 B   addresses of closing brackets in the input                        (brackets.ts)
 *     TICKS     2 × 65,552 × 4 B  ticks of the levels of the message at hand, a side each        (levels.ts)
 *     LENGTHS   65,552 × 4 B   how long the prices of a side are                                 (levels.ts)
 *     BEST      2 × 100,000 × 8 B tick and text of the best levels of each side, for a row       (ladder.ts)
 *     ROW       9,999 × 2 × 32 B  the text of a row                                              (rows.ts)
 *     VALUES    4 × 100,000 × 8 B prices and quantities as numbers                               (values.ts)
 *     POWERS    16 × 8 B       10^0 to 10^15                                                     (values.ts)
 *     OBSERVED  2 × 16 B       what was logged of each side last                                 (values.ts)
 *     LOG       4,096 × 48 B   the best of the book after each message                           (values.ts)
 *     LADDERS   2 × 524,288 × 4 B a slot for each tick: the address of the level's text          (ladder.ts)
 *     POOLS     2 × 201,024 × 32 B texts of levels that no longer stand in the input             (ladder.ts)
 *     TEXT      5 MiB          the input, filled by the host                                     (scan.ts)
 *     SLACK     256 B          may be read behind the input, and is not used
 */

/** The inflater's tables end before this. */
const START: usize = 0x10000;

/** Levels a side that a row may have: four digits, like the folders of the outputs. */
export const MAX_DEPTH: i32 = 9999;
/** Ticks that a ladder spans. A side of 500 levels needs some thousands; the price of a day wanders over the rest. */
export const LADDER_TICKS: i32 = 1 << 19;
/** A level's text, `price","quantity"`, is at most so long; a longer one is kept by the host. */
export const SLOT_BYTES: usize = 32;
/** A price that ends within one load of 16 bytes, its quote included; a longer one is kept by the host. */
export const MAX_PRICE_BYTES: i32 = 15;
/** Whole numbers of so many digits, and powers of ten up to 10^15, are exact in a double: here and in the host. */
export const MAX_EXACT_DIGITS: i32 = 15;
/** The deepest book that Bybit publishes has 1,000 levels a side; this bounds what a forged archive can take. */
export const MAX_LEVELS_PER_SIDE: i32 = 100_000;
/** Levels of one side of one message that the kernel reads; the host reads messages of more. */
export const MAX_UPDATES: i32 = 1 << 16;
/** How much of the input is searched for brackets at a time: it stays in the first-level cache until it is read. */
export const WINDOW_BYTES: usize = 1 << 15;
/** What the host adds at a time: large enough to make settling cheap, small enough to stay in the cache. */
export const PIECE_BYTES: usize = 1 << 19;
/** More than the longest line that the host keeps (src/book/lines.ts) and a piece. */
export const TEXT_BYTES: usize = 5 << 20;
/** What the widest load may read beyond. */
export const SLACK_BYTES: usize = 256;
/** As far back as deflate may refer (RFC 1951, 3.2.5): so much of the text stays before a chunk that was inflated. */
export const HISTORY_BYTES: usize = 1 << 15;

export const FORMAT_BYTES: usize = 32;
export const HEAD_BYTES: usize = 64;
export const TAIL_BYTES: usize = 32;
/** The two parts of the template for deltas are compared 16 bytes at a time. */
export const MIN_PART_BYTES: i32 = 16;
export const MAX_PART_BYTES: i32 = 256;
/** Of a level that was collected, in BEST: its tick, 4 bytes, and at BEST_TEXT the address of its text. */
export const BEST_BYTES: usize = 8;
export const BEST_TEXT: usize = 4;
export const LOG_ENTRIES: i32 = 4096;
export const LOG_ENTRY_BYTES: usize = 48;
// Offsets in an entry of the log, f64 each.
export const LOG_TS: usize = 0;
export const LOG_BID: usize = 8;
export const LOG_ASK: usize = 16;
export const LOG_BID_QUANTITY: usize = 24;
export const LOG_ASK_QUANTITY: usize = 32;
export const LOG_UPDATES: usize = 40;
/**
 * Room behind a list, because four entries are stored at a time, and before CLOSES for the entry that levels.ts sets.
 */
const SPARE_BYTES: usize = 64;
export const CLOSES_BYTES: usize = ((<usize>MAX_UPDATES + WINDOW_BYTES) << 2) + SPARE_BYTES;
export const TICKS_BYTES: usize = ((<usize>MAX_UPDATES) << 2) + SPARE_BYTES;

export const FORMATS: usize = START;
export const HEADS: usize = FORMATS + 256 * FORMAT_BYTES;
export const TAILS: usize = HEADS + 256 * HEAD_BYTES;
export const NUMBERS: usize = TAILS + 16 * TAIL_BYTES;
export const VECTORS: usize = NUMBERS + 17 * 16;
export const PART1: usize = VECTORS + 16 * 16;
export const PART2: usize = PART1 + <usize>MAX_PART_BYTES;
export const CLOSES: usize = PART2 + <usize>MAX_PART_BYTES + SPARE_BYTES;
export const TICKS: usize = CLOSES + CLOSES_BYTES;
export const LENGTHS: usize = TICKS + 2 * TICKS_BYTES;
export const BEST: usize = LENGTHS + TICKS_BYTES;
export const ROW: usize = BEST + 2 * <usize>MAX_LEVELS_PER_SIDE * BEST_BYTES;
export const ROW_BYTES: usize = 2 * <usize>MAX_DEPTH * SLOT_BYTES;
export const VALUES: usize = (ROW + ROW_BYTES + 0xff) & ~0xff;
export const VALUES_BYTES: usize = <usize>MAX_LEVELS_PER_SIDE * 8;
export const POWERS: usize = VALUES + 4 * VALUES_BYTES;
export const OBSERVED: usize = POWERS + 16 * 8;
export const LOG: usize = OBSERVED + 2 * 16;
export const LADDERS: usize = (LOG + <usize>LOG_ENTRIES * LOG_ENTRY_BYTES + 0xfff) & ~0xfff;
export const POOLS: usize = LADDERS + 2 * <usize>LADDER_TICKS * 4;
/** Room for two full sides, and for what the host adds before it notices. */
export const POOL_BYTES: usize = (2 * <usize>MAX_LEVELS_PER_SIDE + 1024) * SLOT_BYTES;
export const TEXT: usize = POOLS + 2 * POOL_BYTES;
export const MEMORY_BYTES: usize = TEXT + TEXT_BYTES + SLACK_BYTES;

// Vectors that the scanner needs: V8 keeps what is loaded in a register, but makes a constant anew in every turn.
export const ZEROS: usize = VECTORS;
export const TENS: usize = VECTORS + 16;
export const POINTS: usize = VECTORS + 32;
export const QUOTES: usize = VECTORS + 48;
export const LOW_BYTES: usize = VECTORS + 64;
export const TIMES_10: usize = VECTORS + 80;
export const TIMES_100: usize = VECTORS + 96;
export const TIMES_10000: usize = VECTORS + 112;
/** The last bytes of a level whose quantity is all zeros. */
export const TAIL: usize = VECTORS + 128;
/** What the first level of a side has more than others in its first byte: the side's bracket instead of a comma. */
export const FIRST: usize = VECTORS + 144;
/** How many bytes of a level are neither price nor quantity. */
export const OTHER_BYTES: usize = VECTORS + 160;
