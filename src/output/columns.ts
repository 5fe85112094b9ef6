/**
 * The one table of a book output's columns, of which those of a metrics output take the first. Headers and schemas are
 * made of it. docs/outputs.md shows it to users, and test/output/columns.test.ts holds that page to it. T stands for the
 * row's boundary.
 */
import { type BookBatch, ROW_FLAG, type RowBatch } from '../base/rows.js';
import type { BookOptions, Layout } from './book-writer.js';

/**
 * What the cells of a column are:
 *
 *     time     ms since the epoch, UTC: a whole number in CSV, a timestamp in Parquet
 *     int32    a whole number
 *     int64    a whole number that may be larger
 *     flag     true or false; 1 or 0 in CSV
 *     clock    a time as text, `2025-01-15T00:01:00.0000`; CSV only
 *     text     ASCII
 *     symbol   the symbol, the same text in every row of a file
 *     decimal  a price or quantity: the archive's own text in CSV, as `decimals` says in Parquet
 */
export type ColumnType = 'time' | 'int32' | 'int64' | 'flag' | 'clock' | 'text' | 'symbol' | 'decimal';

export interface ColumnInfo {
  /** `{k}` stands for the number of a level, 1 being the best. */
  name: string;
  type: ColumnType;
  /** Empty when there is none. */
  unit: string;
  meaning: string;
}

/**
 * A column that says something of the whole row, and how its cells come from a batch of rows: times as ms, flags as bits.
 *
 * @typeParam Book what is known of the rows' levels.
 */
export type StateColumn<Book = BookBatch> = Omit<ColumnInfo, 'type'> & {
  /** The only kind of file that has the column; absent: both. */
  only?: 'csv' | 'parquet';
  /** The option that adds the column; absent: it is always there. */
  option?: 'formattedTimestamp' | 'quality' | 'symbol';
} & (
    | { type: 'time' | 'int64' | 'clock'; value: (rows: RowBatch, row: number) => number }
    | { type: 'flag'; value: (rows: RowBatch, row: number, book: Book) => boolean }
    | { type: 'symbol' }
  );

/** How a flag that a row has by itself is read. */
const flag = (bit: number) => (rows: RowBatch, row: number) => ((rows.flags[row] as number) & bit) !== 0;

/** Whether a side has fewer levels than the row has room for. */
function isThin(_: RowBatch, row: number, { depth, bidCounts, askCounts }: BookBatch): boolean {
  return (bidCounts[row] as number) < depth || (askCounts[row] as number) < depth;
}

const FLAGS: { name: string; meaning: string; value: (rows: RowBatch, row: number, book: BookBatch) => boolean }[] = [
  { name: 'is_filled', meaning: 'no message came in the interval that T closes', value: flag(ROW_FLAG.isFilled) },
  { name: 'is_suspect', meaning: 'a message was missed since the last full book', value: flag(ROW_FLAG.isSuspect) },
  { name: 'is_crossed', meaning: 'the best bid is at or above the best ask', value: flag(ROW_FLAG.isCrossed) },
  { name: 'is_thin', meaning: 'a side has fewer levels than the row has room for', value: isThin },
  {
    name: 'is_partial',
    meaning: 'the archive ended within the interval that T closes',
    value: flag(ROW_FLAG.isPartial),
  },
];

/** What the rows of every output begin with, books and metrics, in order. */
export const LABEL_COLUMNS: readonly StateColumn<unknown>[] = [
  {
    name: 'timestamp_formatted',
    type: 'clock',
    unit: 'UTC',
    meaning: 'T as text, `2025-01-15T00:01:00.0000`',
    only: 'csv',
    option: 'formattedTimestamp',
    value: boundaryOf,
  },
  {
    name: 'timestamp',
    type: 'time',
    unit: 'ms since the epoch, UTC',
    meaning: 'T, the boundary',
    value: boundaryOf,
  },
  {
    name: 'symbol',
    type: 'symbol',
    unit: '',
    meaning: 'the pair, the same in every row',
    only: 'parquet',
    option: 'symbol',
  },
];

/** In order; the columns of the levels follow. */
export const STATE_COLUMNS: readonly StateColumn[] = [
  ...LABEL_COLUMNS,
  {
    name: 'book_ts',
    type: 'time',
    unit: 'ms since the epoch, UTC',
    meaning: '`ts` of the last message in the row',
    option: 'quality',
    value: (rows, row) => rows.bookTsMs[row] as number,
  },
  {
    name: 'age_ms',
    type: 'int64',
    unit: 'ms',
    meaning: '`timestamp` − `book_ts`',
    option: 'quality',
    value: (rows, row) => boundaryOf(rows, row) - (rows.bookTsMs[row] as number),
  },
  ...FLAGS.map((flag) => ({ ...flag, type: 'flag', unit: '', option: 'quality' }) as const),
];

/** Of some columns, those that a file of one kind has. */
export function columnsOfFile<Book>(
  columns: readonly StateColumn<Book>[],
  kind: 'csv' | 'parquet',
  options: Partial<Pick<BookOptions, 'formattedTimestamp' | 'quality' | 'symbol'>>,
): StateColumn<Book>[] {
  return columns.filter(
    ({ only, option }) => (only === undefined || only === kind) && (option === undefined || Boolean(options[option])),
  );
}

const PRICE = { type: 'decimal', unit: 'quote' } as const;
const QUANTITY = { type: 'decimal', unit: 'base' } as const;

/** The columns of the levels, in order; those of CSV are `wide`. */
export const LEVEL_COLUMNS = {
  lists: [
    { name: 'bid_price', meaning: 'prices of the bids, best (highest) first', ...PRICE },
    { name: 'bid_qty', meaning: 'quantities at these prices', ...QUANTITY },
    { name: 'ask_price', meaning: 'prices of the asks, best (lowest) first', ...PRICE },
    { name: 'ask_qty', meaning: 'quantities at these prices', ...QUANTITY },
  ],
  wide: [
    { name: 'bid_price_{k}', meaning: 'price of the k-th best bid', ...PRICE },
    { name: 'bid_qty_{k}', meaning: 'quantity at this price', ...QUANTITY },
    { name: 'ask_price_{k}', meaning: 'price of the k-th best ask', ...PRICE },
    { name: 'ask_qty_{k}', meaning: 'quantity at this price', ...QUANTITY },
  ],
  long: [
    { name: 'side', type: 'text', unit: '', meaning: '`bid` or `ask`' },
    { name: 'level', type: 'int32', unit: '', meaning: 'number of the level on its side, 1 being the best' },
    { name: 'price', meaning: 'price of the level', ...PRICE },
    { name: 'qty', meaning: 'quantity at this price', ...QUANTITY },
  ],
} as const satisfies Record<Layout, readonly ColumnInfo[]>;

/** `bid_price_1, bid_qty_1, …, ask_price_N, ask_qty_N`: a column a level, as in {@link BookBatch.cells}. */
export function wideNames(depth: number): string[] {
  const [bidPrice, bidQuantity, askPrice, askQuantity] = LEVEL_COLUMNS.wide.map(({ name }) => name.replace('{k}', ''));
  const names: string[] = [];
  // Thousands for each output: to write them by patterns costs a small archive as much as its messages.
  for (let k = 1; k <= depth; k++) names.push(`${bidPrice}${k}`, `${bidQuantity}${k}`);
  for (let k = 1; k <= depth; k++) names.push(`${askPrice}${k}`, `${askQuantity}${k}`);
  return names;
}

function boundaryOf({ boundaryMs }: RowBatch, row: number): number {
  return boundaryMs[row] as number;
}
