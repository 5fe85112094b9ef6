import type { Levels, TextLevels } from '../base/rows.js';
import { canonical, compareDecimals, isZero } from './decimal.js';
import type { BookChange, Update } from './message.js';

interface Level {
  /** Canonical, the level's identity. */
  key: string;
  /** The nearest float: rounding may make two prices equal, but never swaps them. */
  value: number;
  /** The latest text of each in the archive. */
  price: string;
  quantity: string;
}

/**
 * An order book as plainly as it can be written: a map of levels a side, sorted when a row is asked for. What it
 * says is the truth that anything faster is tested against.
 */
export class ReferenceBook {
  readonly #bids = new Side((a, b) => comparePrices(b, a));
  readonly #asks = new Side(comparePrices);

  /**
   * Applies a message: a snapshot replaces both sides, then every update sets or removes its level.
   *
   * @param keepZeros leaves the levels of quantity zero that a snapshot may hold in the book.
   */
  apply(message: BookChange, { keepZeros = false } = {}): void {
    const isSnapshot = message.type === 'snapshot';
    this.#bids.apply(message.bids, isSnapshot, keepZeros);
    this.#asks.apply(message.asks, isSnapshot, keepZeros);
  }

  /**
   * The best `depth` levels a side as the cells of a CSV row: `bid_price_1,bid_qty_1,…,ask_price_1,ask_qty_1,…`,
   * best first, missing levels empty. 4 × `depth` cells, no line end.
   */
  row(depth: number): string {
    return `${this.#bids.cells(depth)},${this.#asks.cells(depth)}`;
  }

  /** The best `depth` levels a side as numbers. */
  levels(depth: number): Levels {
    const [bids, asks] = [this.#bids.best(depth), this.#asks.best(depth)];
    return {
      bidPrices: Float64Array.from(bids, ({ price }) => Number(price)),
      bidQuantities: Float64Array.from(bids, ({ quantity }) => Number(quantity)),
      askPrices: Float64Array.from(asks, ({ price }) => Number(price)),
      askQuantities: Float64Array.from(asks, ({ quantity }) => Number(quantity)),
    };
  }

  /** The best `depth` levels a side in the archive's own text. */
  text(depth: number): TextLevels {
    const [bids, asks] = [this.#bids.best(depth), this.#asks.best(depth)];
    return {
      bids: bids.map(({ price, quantity }) => [price, quantity]),
      asks: asks.map(({ price, quantity }) => [price, quantity]),
    };
  }

  /** The number of levels of the deeper side. */
  get depth(): number {
    return Math.max(this.#bids.depth, this.#asks.depth);
  }

  /** Whether the best bid is at or above the best ask, which an exchange's own book never shows for long. */
  get isCrossed(): boolean {
    const [bid] = this.#bids.best(1);
    const [ask] = this.#asks.best(1);
    return bid !== undefined && ask !== undefined && comparePrices(bid, ask) >= 0;
  }
}

/** Floats decide where they differ, far faster than text, and text where they do not. */
function comparePrices(a: Level, b: Level): number {
  return a.value - b.value || compareDecimals(a.key, b.key);
}

class Side {
  readonly #levels = new Map<string, Level>();
  readonly #bestFirst: (a: Level, b: Level) => number;
  #sorted: Level[] | undefined;

  constructor(bestFirst: (a: Level, b: Level) => number) {
    this.#bestFirst = bestFirst;
  }

  get depth(): number {
    return this.#levels.size;
  }

  best(depth: number): Level[] {
    if (depth === 1 && !this.#sorted) return this.#first();
    return this.#sort().slice(0, depth);
  }

  apply(updates: readonly Update[], isSnapshot: boolean, keepZeros: boolean): void {
    this.#sorted = undefined;
    if (isSnapshot) this.#levels.clear();
    for (const [price, quantity] of updates) {
      const key = canonical(price);
      if (isZero(quantity) && !(isSnapshot && keepZeros)) this.#levels.delete(key);
      else this.#levels.set(key, { key, value: Number(key), price, quantity });
    }
  }

  cells(depth: number): string {
    const levels = this.best(depth);
    const filled = levels.map(({ price, quantity }) => `${price},${quantity}`);
    return filled.concat(new Array<string>(depth - levels.length).fill(',')).join(',');
  }

  /** The best level, or none: asked for after every message, it must not wait for a sort. */
  #first(): Level[] {
    let first: Level | undefined;
    for (const level of this.#levels.values()) if (!first || this.#bestFirst(level, first) < 0) first = level;
    return first ? [first] : [];
  }

  #sort(): Level[] {
    this.#sorted ??= [...this.#levels.values()].sort(this.#bestFirst);
    return this.#sorted;
  }
}
