import type { BookBatch } from '../../base/rows.js';
import type { BookOptions } from '../book-writer.js';
import { LEVEL_COLUMNS, wideNames } from '../columns.js';
import { type Column, DECIMAL, DOUBLE, ListLevels, STRING } from './column.js';
import { LevelNumberColumn } from './level-number-column.js';
import { ListColumn, NumberColumn, OptionalColumn } from './number-column.js';
import type { RowGroupMemory } from './row-group-memory.js';
import { TextColumn, TextRunColumn } from './text-column.js';

/** The columns that hold the levels of the book. */
export interface LevelColumns {
  readonly columns: readonly Column[];
  /** What of a batch they take. */
  readonly needs: 'cells' | 'levels';
  /** Memory that values of unbounded size take now. */
  readonly bytes: number;
  /** Adds the rows [from, to) of a batch. */
  add(book: BookBatch, from: BookPlace, to: BookPlace): void;
}

/** A row of a batch, and what of the batch lies before it. */
export interface BookPlace {
  row: number;
  bids: number;
  asks: number;
}

type LevelOptions = Pick<BookOptions, 'depth' | 'layout' | 'decimals'>;

/**
 * Creates the columns of a layout.
 *
 * @param capacity boundaries in a row group, at most.
 * @param memory where numbers go: {@link numbersOfBoundary} for each boundary.
 */
export function levelColumnsOf(options: LevelOptions, capacity: number, memory: RowGroupMemory): LevelColumns {
  const { depth, decimals, layout } = options;
  if (decimals) {
    const type = decimals === 'decimal' ? DECIMAL : STRING;
    switch (layout) {
      case 'lists':
        return new TextLists(type, depth);
      case 'wide':
        return new WideTexts(type, depth);
      case 'long':
        return new LongTexts(type, depth, capacity);
    }
  }
  switch (layout) {
    case 'lists':
      return new NumberLists(depth * capacity, memory);
    case 'wide':
      return new WideNumbers(depth, capacity, memory);
    case 'long':
      return new LongNumbers(depth, capacity, memory);
  }
}

/** How many numbers of the levels a boundary has at most. */
export function numbersOfBoundary({ depth, decimals }: LevelOptions): number {
  return decimals ? 0 : 4 * depth;
}

class NumberLists implements LevelColumns {
  readonly needs = 'levels';
  readonly bytes = 0;
  readonly #bidLevels = new ListLevels();
  readonly #askLevels = new ListLevels();
  readonly columns: readonly [ListColumn, ListColumn, ListColumn, ListColumn];

  /** @param capacity levels of a side in a row group, at most. */
  constructor(capacity: number, memory: RowGroupMemory) {
    const [bidPrice, bidQuantity, askPrice, askQuantity] = LEVEL_COLUMNS.lists;
    const create = ({ name }: { name: string }, levels: ListLevels) =>
      new ListColumn(name, memory.numbers(capacity), levels);
    this.columns = [
      create(bidPrice, this.#bidLevels),
      create(bidQuantity, this.#bidLevels),
      create(askPrice, this.#askLevels),
      create(askQuantity, this.#askLevels),
    ];
  }

  add(book: BookBatch, from: BookPlace, to: BookPlace): void {
    const [bidPrice, bidQuantity, askPrice, askQuantity] = this.columns;
    bidPrice.addAll(book.bidPrices.subarray(from.bids, to.bids));
    bidQuantity.addAll(book.bidQuantities.subarray(from.bids, to.bids));
    askPrice.addAll(book.askPrices.subarray(from.asks, to.asks));
    askQuantity.addAll(book.askQuantities.subarray(from.asks, to.asks));
    addLists(this.#bidLevels, this.#askLevels, book, from, to);
  }
}

function addLists(
  bids: ListLevels,
  asks: ListLevels,
  { bidCounts, askCounts }: BookBatch,
  from: BookPlace,
  to: BookPlace,
) {
  for (let row = from.row; row < to.row; row++) bids.add(bidCounts[row] as number);
  for (let row = from.row; row < to.row; row++) asks.add(askCounts[row] as number);
}

/** The CSV's columns, null where a level is missing. */
class WideNumbers implements LevelColumns {
  readonly needs = 'levels';
  readonly bytes = 0;
  readonly columns: readonly OptionalColumn[];
  readonly #depth: number;

  constructor(depth: number, capacity: number, memory: RowGroupMemory) {
    this.#depth = depth;
    this.columns = wideNames(depth).map((name) => new OptionalColumn(name, memory.numbers(capacity)));
  }

  add(book: BookBatch, from: BookPlace, to: BookPlace): void {
    const half = 2 * this.#depth;
    this.#addSide(0, book.bidPrices, book.bidCounts, from.bids, from.row, to.row);
    this.#addSide(1, book.bidQuantities, book.bidCounts, from.bids, from.row, to.row);
    this.#addSide(half, book.askPrices, book.askCounts, from.asks, from.row, to.row);
    this.#addSide(half + 1, book.askQuantities, book.askCounts, from.asks, from.row, to.row);
  }

  /** Writes what lies row by row level by level, to every second column from `first` on. */
  #addSide(
    first: number,
    values: Float64Array,
    counts: Int32Array,
    start: number,
    fromRow: number,
    toRow: number,
  ): void {
    for (let level = 0; level < this.#depth; level++) {
      const column = this.columns[first + 2 * level] as OptionalColumn;
      const to = column.values;
      let at = column.length;
      let rowStart = start;
      for (let row = fromRow; row < toRow; row++) {
        const count = counts[row] as number;
        to[at++] = level < count ? (values[rowStart + level] as number) : Number.NaN;
        rowStart += count;
      }
      column.length = at;
    }
  }
}

/** A row a level: bids best first, then asks. */
class LongNumbers implements LevelColumns {
  readonly needs = 'levels';
  readonly bytes = 0;
  readonly #labels: LongLabels;
  readonly #price: NumberColumn;
  readonly #quantity: NumberColumn;
  readonly columns: readonly Column[];

  constructor(depth: number, capacity: number, memory: RowGroupMemory) {
    const [, , price, quantity] = LEVEL_COLUMNS.long;
    this.#labels = new LongLabels(depth, capacity);
    this.#price = new NumberColumn(price.name, DOUBLE, memory.numbers(2 * depth * capacity));
    this.#quantity = new NumberColumn(quantity.name, DOUBLE, memory.numbers(2 * depth * capacity));
    this.columns = [...this.#labels.columns, this.#price, this.#quantity];
  }

  add(book: BookBatch, from: BookPlace, to: BookPlace): void {
    let { bids, asks } = from;
    for (let row = from.row; row < to.row; row++) {
      const [bidCount, askCount] = [book.bidCounts[row] as number, book.askCounts[row] as number];
      this.#labels.add(bidCount, askCount);
      this.#price.addAll(book.bidPrices.subarray(bids, bids + bidCount));
      this.#price.addAll(book.askPrices.subarray(asks, asks + askCount));
      this.#quantity.addAll(book.bidQuantities.subarray(bids, bids + bidCount));
      this.#quantity.addAll(book.askQuantities.subarray(asks, asks + askCount));
      bids += bidCount;
      asks += askCount;
    }
  }
}

/** Side and number of each level. */
class LongLabels {
  readonly #side: TextRunColumn;
  readonly #level: LevelNumberColumn;
  readonly columns: readonly [TextRunColumn, LevelNumberColumn];

  constructor(depth: number, capacity: number) {
    const [side, level] = LEVEL_COLUMNS.long;
    this.#side = new TextRunColumn(side.name, 'bid', 'ask');
    this.#level = new LevelNumberColumn(level.name, depth, 2 * depth * capacity);
    this.columns = [this.#side, this.#level];
  }

  /** Adds those of a row. */
  add(bidCount: number, askCount: number): void {
    this.#side.add(0, bidCount);
    this.#side.add(1, askCount);
    this.#level.add(bidCount);
    this.#level.add(askCount);
  }
}

type TextType = typeof DECIMAL | typeof STRING;

/** What the columns of prices and quantities as the archive's own text have in common. They take a text a level. */
abstract class TextLevels implements LevelColumns {
  readonly needs = 'cells';
  abstract readonly columns: readonly Column[];
  protected abstract readonly texts: readonly TextColumn[];
  readonly #depth: number;

  constructor(depth: number) {
    this.#depth = depth;
  }

  get bytes(): number {
    return this.texts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  add(book: BookBatch, from: BookPlace, to: BookPlace): void {
    for (let row = from.row; row < to.row; row++) {
      const start = row === 0 ? 0 : (book.cellEnds[row - 1] as number);
      const cells = book.cells.subarray(start, book.cellEnds[row]);
      const texts = Buffer.from(cells.buffer, cells.byteOffset, cells.length).toString('latin1').split(',');
      const askStart = 2 * this.#depth;
      this.addRow(
        texts.slice(0, 2 * (book.bidCounts[row] as number)),
        texts.slice(askStart, askStart + 2 * (book.askCounts[row] as number)),
      );
    }
  }

  /** @param bids price, quantity, price, quantity, … of the levels that are there, best first. */
  protected abstract addRow(bids: string[], asks: string[]): void;
}

class TextLists extends TextLevels {
  readonly #bidLevels = new ListLevels();
  readonly #askLevels = new ListLevels();
  readonly columns: readonly TextColumn[];
  protected readonly texts: readonly TextColumn[];

  constructor(type: TextType, depth: number) {
    super(depth);
    this.columns = LEVEL_COLUMNS.lists.map(
      ({ name }, i) => new TextColumn(name, 'list', type, i < 2 ? this.#bidLevels : this.#askLevels),
    );
    this.texts = this.columns;
  }

  protected addRow(bids: string[], asks: string[]): void {
    bids.forEach((text, i) => {
      this.columns[i & 1]?.add(text);
    });
    asks.forEach((text, i) => {
      this.columns[2 + (i & 1)]?.add(text);
    });
    this.#bidLevels.add(bids.length / 2);
    this.#askLevels.add(asks.length / 2);
  }
}

class WideTexts extends TextLevels {
  readonly columns: readonly TextColumn[];
  protected readonly texts: readonly TextColumn[];

  constructor(type: TextType, depth: number) {
    super(depth);
    this.columns = wideNames(depth).map((name) => new TextColumn(name, 'optional', type));
    this.texts = this.columns;
  }

  protected addRow(bids: string[], asks: string[]): void {
    const half = this.columns.length / 2;
    this.columns.forEach((column, i) => {
      column.add((i < half ? bids[i] : asks[i - half]) ?? null);
    });
  }
}

class LongTexts extends TextLevels {
  readonly #labels: LongLabels;
  readonly columns: readonly Column[];
  protected readonly texts: readonly TextColumn[];

  constructor(type: TextType, depth: number, capacity: number) {
    super(depth);
    const [, , price, quantity] = LEVEL_COLUMNS.long;
    this.#labels = new LongLabels(depth, capacity);
    this.texts = [price, quantity].map(({ name }) => new TextColumn(name, 'required', type));
    this.columns = [...this.#labels.columns, ...this.texts];
  }

  protected addRow(bids: string[], asks: string[]): void {
    this.#labels.add(bids.length / 2, asks.length / 2);
    for (const side of [bids, asks]) {
      side.forEach((text, i) => {
        this.texts[i & 1]?.add(text);
      });
    }
  }
}
