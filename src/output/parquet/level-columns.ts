import type { BookRow } from '../../base/rows.js';
import type { BookOptions } from '../book-writer.js';
import { LEVEL_COLUMNS, wideNames } from '../columns.js';
import { type Column, DECIMAL, DOUBLE, INT32, NumberColumn, type Shape, STRING, TextColumn } from './column.js';

/** The columns that hold the levels of the book. */
export interface LevelColumns {
  columns: Column<never>[];
  /** @returns how many rows of the file the levels of one boundary became. */
  append(row: BookRow): number;
}

type LevelOptions = Pick<BookOptions, 'depth' | 'layout' | 'decimals'>;

/**
 * Creates the columns of a layout.
 *
 * @param capacity boundaries in a row group, at most.
 */
export function levelColumnsOf(options: LevelOptions, capacity: number): LevelColumns {
  const { depth, decimals } = options;
  if (!decimals) return layOut(DOUBLES, options, capacity);
  return layOut(textsAs(decimals === 'decimal' ? DECIMAL : STRING, depth), options, capacity);
}

/** Bid prices, bid quantities, ask prices, ask quantities; best first. */
type LevelLists<V> = readonly [ArrayLike<V>, ArrayLike<V>, ArrayLike<V>, ArrayLike<V>];

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

function layOut<V>(form: ValueForm<V>, { depth, layout }: LevelOptions, capacity: number): LevelColumns {
  switch (layout) {
    case 'lists':
      return listColumns(form, depth * capacity);
    case 'wide':
      return wideColumns(form, depth, capacity);
    case 'long':
      return longColumns(form, 2 * depth * capacity);
  }
}

function listColumns<V>(form: ValueForm<V>, capacity: number): LevelColumns {
  const columns = LEVEL_COLUMNS.lists.map(({ name }) => form.column(name, 'list', capacity));
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
  const columns = wideNames(depth).map((name) => form.column(name, 'optional', capacity));
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
  const names = LEVEL_COLUMNS.long;
  const side = new TextColumn(names[0].name, 'required', STRING);
  const level = new NumberColumn(names[1].name, 'required', INT32, capacity);
  const price = form.column(names[2].name, 'required', capacity);
  const quantity = form.column(names[3].name, 'required', capacity);
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
