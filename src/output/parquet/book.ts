import type { BookRow } from '../../base/rows.js';
import type { BookOptions, BookWriter, ByteSink, Layout } from '../book-writer.js';
import { FLAGS, levelColumns } from '../columns.js';
import {
  BooleanColumn,
  type Column,
  DECIMAL,
  DOUBLE,
  INT32,
  INT64,
  NumberColumn,
  type Shape,
  STRING,
  TextColumn,
  TIMESTAMP_MS,
} from './column.js';
import { ParquetFile } from './parquet-file.js';

/**
 * Values in a row group: what is kept in memory is 8 bytes each, and a day of minutes at 500 levels is two groups of
 * lists. A column a level has as many chunks a group as columns, each with some 100 bytes in the footer, so its groups
 * are larger: that day is one.
 */
const ROW_GROUP_VALUES: Record<Layout, number> = { lists: 2 ** 21, wide: 2 ** 22, long: 2 ** 21 };

/** What of a format Parquet asks for. */
export type ParquetFormat = Pick<BookOptions, 'depth' | 'layout' | 'quality' | 'decimals' | 'metadata'>;

/** Texts that are kept before a row group ends, however few they are: a forged archive has long ones. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** Snapshots as Parquet, sorted by time. */
export class ParquetBookWriter implements BookWriter {
  readonly #file: ParquetFile;
  readonly #state: StateColumns;
  readonly #levels: LevelColumns;
  /** Boundaries in a row group. */
  readonly #capacity: number;
  #boundaries = 0;
  #rows = 0;

  /** @param rowGroupValues kept in memory at most, unless a single row has more. */
  constructor(
    sink: ByteSink,
    { depth, layout, quality, decimals, metadata }: ParquetFormat,
    rowGroupValues = ROW_GROUP_VALUES[layout],
  ) {
    const stateColumns = quality ? 3 + FLAGS.length : 1;
    const valuesOfBoundary = layout === 'long' ? 2 * depth * (stateColumns + 4) : stateColumns + 4 * depth;
    this.#capacity = Math.max(1, Math.floor(rowGroupValues / valuesOfBoundary));
    this.#state = new StateColumns(quality, layout === 'long' ? 2 * depth * this.#capacity : this.#capacity);
    const size = { depth, capacity: this.#capacity };
    this.#levels = decimals
      ? levelColumnsOf(layout, textsAs(decimals === 'decimal' ? DECIMAL : STRING, depth), size)
      : levelColumnsOf(layout, DOUBLES, size);
    this.#file = new ParquetFile(sink, [...this.#state.columns, ...this.#levels.columns], metadata);
  }

  write(row: BookRow): void {
    const rows = this.#levels.append(row);
    for (let i = 0; i < rows; i++) this.#state.append(row);
    this.#rows += rows;
    const bytes = this.#levels.columns.reduce((sum, column) => sum + column.bytes, 0);
    if (++this.#boundaries === this.#capacity || bytes > MAX_TEXT_BYTES) this.#endRowGroup();
  }

  finish(): void {
    this.#endRowGroup();
    this.#file.finish();
  }

  #endRowGroup(): void {
    if (this.#rows > 0) this.#file.writeRowGroup(this.#rows);
    this.#boundaries = 0;
    this.#rows = 0;
  }
}

/** `timestamp`, and with quality `book_ts`, `age_ms` and a column a flag. */
class StateColumns {
  readonly columns: Column<never>[];
  readonly #timestamp: NumberColumn;
  readonly #quality: { bookTs: NumberColumn; ageMs: NumberColumn; flags: BooleanColumn[] } | undefined;

  constructor(quality: boolean, capacity: number) {
    this.#timestamp = new NumberColumn('timestamp', 'required', TIMESTAMP_MS, capacity);
    if (!quality) {
      this.columns = [this.#timestamp];
      return;
    }
    const bookTs = new NumberColumn('book_ts', 'required', TIMESTAMP_MS, capacity);
    const ageMs = new NumberColumn('age_ms', 'required', INT64, capacity);
    const flags = FLAGS.map(([name]) => new BooleanColumn(name, 'required', capacity));
    this.#quality = { bookTs, ageMs, flags };
    this.columns = [this.#timestamp, bookTs, ageMs, ...flags];
  }

  append(row: BookRow): void {
    this.#timestamp.append(row.boundaryMs);
    if (!this.#quality) return;
    const { bookTs, ageMs, flags } = this.#quality;
    bookTs.append(row.bookTsMs);
    ageMs.append(row.boundaryMs - row.bookTsMs);
    for (const [i, [, key]] of FLAGS.entries()) flags[i]?.append(row[key]);
  }
}

/** The columns that hold the levels. */
interface LevelColumns {
  columns: Column<never>[];
  /** @returns how many rows of the file the levels of one boundary became. */
  append(row: BookRow): number;
}

/** Bid prices, bid quantities, ask prices, ask quantities; best first. */
type LevelLists<V> = readonly [ArrayLike<V>, ArrayLike<V>, ArrayLike<V>, ArrayLike<V>];
const LISTS = ['bid_price', 'bid_qty', 'ask_price', 'ask_qty'] as const;

/** In what form prices and quantities are taken from rows and kept in columns. */
interface ValueForm<V> {
  column(name: string, shape: Shape, capacity: number): Column<V>;
  listsOf(row: BookRow): LevelLists<V>;
}

const DOUBLES: ValueForm<number> = {
  column: (name, shape, capacity) => new NumberColumn(name, shape, DOUBLE, capacity),
  listsOf: ({ levels }) => [levels.bidPrices, levels.bidQuantities, levels.askPrices, levels.askQuantities],
};

function textsAs(type: typeof DECIMAL | typeof STRING, depth: number): ValueForm<string> {
  return {
    column: (name, shape) => new TextColumn(name, shape, type),
    listsOf: ({ cells }) => splitCells(cells, depth),
  };
}

/** @param cells a cell each for price and quantity of every bid, then of every ask; missing levels are empty. */
function splitCells(cells: Uint8Array, depth: number): LevelLists<string> {
  const texts = Buffer.from(cells.buffer, cells.byteOffset, cells.length).toString('latin1').split(',');
  const every2nd = (from: number) => {
    const list: string[] = [];
    for (let i = from; i < from + 2 * depth && texts[i]; i += 2) list.push(texts[i] as string);
    return list;
  };
  return [every2nd(0), every2nd(1), every2nd(2 * depth), every2nd(2 * depth + 1)];
}

/** @param size levels a side, and boundaries in a row group. */
function levelColumnsOf<V>(
  layout: Layout,
  form: ValueForm<V>,
  size: { depth: number; capacity: number },
): LevelColumns {
  switch (layout) {
    case 'lists':
      return listColumns(form, size.depth * size.capacity);
    case 'wide':
      return wideColumns(form, size.depth, size.capacity);
    case 'long':
      return longColumns(form, 2 * size.depth * size.capacity);
  }
}

function listColumns<V>(form: ValueForm<V>, capacity: number): LevelColumns {
  const columns = LISTS.map((name) => form.column(name, 'list', capacity));
  return {
    columns,
    append(row) {
      for (const [i, list] of form.listsOf(row).entries()) columns[i]?.appendList(list);
      return 1;
    },
  };
}

/** The CSV's columns, null where a level is missing. */
function wideColumns<V>(form: ValueForm<V>, depth: number, capacity: number): LevelColumns {
  const columns = levelColumns(depth).map((name) => form.column(name, 'optional', capacity));
  return {
    columns,
    append(row) {
      const [bidPrices, bidQuantities, askPrices, askQuantities] = form.listsOf(row);
      let at = 0;
      for (const [prices, quantities] of [[bidPrices, bidQuantities] as const, [askPrices, askQuantities] as const]) {
        for (let level = 0; level < depth; level++) {
          columns[at++]?.append(prices[level] ?? null);
          columns[at++]?.append(quantities[level] ?? null);
        }
      }
      return 1;
    },
  };
}

/** A row a level: bids best first, then asks. */
function longColumns<V>(form: ValueForm<V>, capacity: number): LevelColumns {
  const side = new TextColumn('side', 'required', STRING);
  const level = new NumberColumn('level', 'required', INT32, capacity);
  const price = form.column('price', 'required', capacity);
  const quantity = form.column('qty', 'required', capacity);
  const appendSide = (name: string, prices: ArrayLike<V>, quantities: ArrayLike<V>) => {
    for (let i = 0; i < prices.length; i++) {
      side.append(name);
      level.append(i + 1);
      price.append(prices[i] as V);
      quantity.append(quantities[i] as V);
    }
    return prices.length;
  };
  return {
    columns: [side, level, price, quantity],
    append(row) {
      const [bidPrices, bidQuantities, askPrices, askQuantities] = form.listsOf(row);
      return appendSide('bid', bidPrices, bidQuantities) + appendSide('ask', askPrices, askQuantities);
    },
  };
}
