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
 *     LOG       4,096 × 48 B   facts of each message, in the kernel for audits                   (observe.ts)
 *     BOOKS     64 × 32 B      what is wanted of rows, an entry a depth                          (batch.ts)
 *     LISTS     64 × 3 × 1,032 × 4 B where cells end, and how many levels there are, of each row  (batch.ts)
 *     BOUNDARIES 1,024 × 8 B   labels of the rows of a batch                                     (batch.ts)
 *     BOOK_TIMES 1,024 × 8 B   `ts` of the last message in each                                  (batch.ts)
 *     ROW_FLAGS 1,024 × 1 B    their flags                                                       (batch.ts)
 *     OUT       4 MiB          cells and levels of the rows, in areas that the host chooses      (batch.ts)
 *     LADDERS   2 × 524,288 × 4 B a slot for each tick: the address of the level's text          (ladder.ts)
 *     POOLS     2 × 201,024 × 32 B texts of levels that no longer stand in the input             (ladder.ts)
 *     CHOICES   256 × 8 B      which levels, bands and amounts the metrics have                  (metrics.ts)
 *     HEARD     2 × 32 B       what was heard of each side last                                  (metrics.ts)
 *     MEANS     3 × 32 B       averages over time of the interval                                (metrics.ts)
 *     FOUND     2 × 256 × 4 B  where each band and amount ended at the last row, a side each     (metrics.ts)
 *     BOOK_ROW  256 × 8 B      the columns of the book at the last row                           (metrics.ts)
 *     KNOWN     2 × 524,288 × 4 B for each tick the text of which AMOUNTS is                     (amounts.ts)
 *     AMOUNTS   2 × 524,288 × 16 B quantity and notional of that text                            (amounts.ts)
 *     CHANGED   2 × 32,768 B   for each 16 ticks: whether a message has set one since the last row (amounts.ts)
 *     PRESENT   2 × 65,536 B   a bit for each tick: whether it has a level                       (amounts.ts)
 *     UNREAD    2 × 65,536 B   a bit for each tick: whether AMOUNTS are not of its text          (amounts.ts)
 *     LANES     2 × 256 × 8 B  which bits a byte of PRESENT has                                  (amounts.ts)
 *     PLACES    2 × 100,032 × 4 B the ticks of the levels of each side, best first               (amounts.ts)
 *     SUMS      2 × 100,032 × 16 B quantity and notional of the best n levels of each side       (amounts.ts)
 *     METRICS   256 × 1,032 × 8 B rows of metrics, column by column                              (metrics.ts)
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
/** Rows that a batch has at most. */
export const MAX_BATCH_ROWS: i32 = 1024;
/** Depths at which rows can be wanted at once. */
export const MAX_BOOKS: i32 = 64;
/** What is wanted at one depth, and where the next row of it goes: fields of 4 bytes in BOOKS. */
export const BOOK_BYTES: usize = 32;
/** Levels a side. */
export const BOOK_DEPTH: usize = 0;
/** Where cells go next; 0 when none are wanted. */
export const BOOK_CELLS_AT: usize = 4;
/** Where their area ends. */
export const BOOK_CELLS_END: usize = 8;
/** 1: the cells of missing levels are written, empty. */
export const BOOK_IS_PADDED: usize = 12;
/** Where the area of the levels begins: four columns, bid prices, bid quantities, ask prices, ask quantities; 0: none are wanted. */
export const BOOK_LEVELS: usize = 16;
/** Levels for which each column has room. */
export const BOOK_CAPACITY: usize = 20;
/** Levels that there are by now, bids and asks. */
export const BOOK_BIDS_AT: usize = 24;
export const BOOK_ASKS_AT: usize = 28;
/** Room behind the cells of a row, because they are written in whole vectors. */
export const CELLS_SLACK_BYTES: usize = 48;
/** Entries from one list of LISTS to the next: more than rows, so that lists do not share the sets of the cache. */
export const LIST_ENTRIES: i32 = 1032;
/** Of each book in LISTS: where the cells of each row end, counted from where the first begin; how many bids and asks it has. */
export const CELL_ENDS_LIST: i32 = 0;
export const BIDS_LIST: i32 = 1;
export const ASKS_LIST: i32 = 2;
/** The flags of a row (src/base/rows.ts). */
export const IS_FILLED: i32 = 1;
export const IS_SUSPECT: i32 = 2;
export const IS_CROSSED: i32 = 4;
/** Distance of the columns of metrics, in rows: with a power of two, all would meet in the same lines of the cache. */
export const METRIC_STRIDE_ROWS: i32 = MAX_BATCH_ROWS + 8;
export const MAX_METRICS: i32 = 256;
/** Of a side's best levels, what was heard last. */
export const HEARD_BYTES: usize = 32;
export const MEAN_BYTES: usize = 32;
/** Blocks of 16 ticks, whose slots are a line of the cache. */
export const BLOCKS: usize = <usize>LADDER_TICKS / 16;
export const TICK_BITS_BYTES: usize = <usize>LADDER_TICKS / 8;
export const LANES_BYTES: usize = 256 * 8;
/** Levels of a side, a sum of none before them, and what is stored at a time. */
const SUMMED_LEVELS: usize = <usize>MAX_LEVELS_PER_SIDE + 32;
export const PLACES_BYTES: usize = SUMMED_LEVELS * 4;
export const SUMS_BYTES: usize = SUMMED_LEVELS * 16;
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
export const LOG: usize = POWERS + 16 * 8;
export const BOOKS: usize = (LOG + <usize>LOG_ENTRIES * LOG_ENTRY_BYTES + 0xff) & ~0xff;
export const LISTS: usize = BOOKS + <usize>MAX_BOOKS * BOOK_BYTES;
export const BOUNDARIES: usize = LISTS + <usize>(MAX_BOOKS * 3 * LIST_ENTRIES * 4);
export const BOOK_TIMES: usize = BOUNDARIES + <usize>MAX_BATCH_ROWS * 8;
export const ROW_FLAGS: usize = BOOK_TIMES + <usize>MAX_BATCH_ROWS * 8;
export const OUT: usize = ROW_FLAGS + <usize>MAX_BATCH_ROWS;
/** Room for a row of four books of MAX_DEPTH, cells and levels. */
export const OUT_BYTES: usize = 4 << 20;
export const LADDERS: usize = (OUT + OUT_BYTES + 0xfff) & ~0xfff;
export const POOLS: usize = LADDERS + 2 * <usize>LADDER_TICKS * 4;
/** Room for two full sides, and for what the host adds before it notices. */
export const POOL_BYTES: usize = (2 * <usize>MAX_LEVELS_PER_SIDE + 1024) * SLOT_BYTES;
export const CHOICES: usize = POOLS + 2 * POOL_BYTES;
export const HEARD: usize = CHOICES + <usize>MAX_METRICS * 8;
export const MEANS: usize = HEARD + 2 * HEARD_BYTES;
export const FOUND: usize = MEANS + 3 * MEAN_BYTES;
export const BOOK_ROW: usize = FOUND + 2 * <usize>MAX_METRICS * 4;
export const KNOWN: usize = (BOOK_ROW + <usize>MAX_METRICS * 8 + 0xfff) & ~0xfff;
export const AMOUNTS: usize = KNOWN + 2 * <usize>LADDER_TICKS * 4;
export const CHANGED: usize = AMOUNTS + 2 * <usize>LADDER_TICKS * 16;
export const PRESENT: usize = CHANGED + 2 * BLOCKS;
export const UNREAD: usize = PRESENT + 2 * TICK_BITS_BYTES;
export const LANES: usize = UNREAD + 2 * TICK_BITS_BYTES;
export const PLACES: usize = LANES + 2 * LANES_BYTES;
export const SUMS: usize = PLACES + 2 * PLACES_BYTES;
export const METRICS: usize = (SUMS + 2 * SUMS_BYTES + 0xff) & ~0xff;
export const TEXT: usize = METRICS + <usize>(MAX_METRICS * METRIC_STRIDE_ROWS) * 8;
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
/** The index of each byte. */
export const INDEXES: usize = VECTORS + 176;
