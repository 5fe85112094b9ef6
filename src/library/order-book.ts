import type { Levels, TextLevels } from '../base/rows.js';
import { isDecimal } from '../book/decimal.js';
import type { BookChange } from '../book/message.js';
import { ReferenceBook } from '../book/reference-book.js';

/** The best level of a side. */
export interface BestLevel {
  /** In the quote currency. */
  price: number;
  /** In the base currency, or in contracts. */
  quantity: number;
}

/**
 * An order book to be driven by hand, from {@link readMessages} or from a feed of one's own.
 *
 * Prices are compared as decimals and never as floats: `0.65` and `0.650` are one level, however many digits there are. A
 * quantity that is numerically zero removes its level. Sides are sorted when they are asked for.
 *
 * @example
 * ```ts
 * const book = new OrderBook();
 * book.apply({ type: 'snapshot', bids: [['0.65', '100']], asks: [['0.66', '80'], ['0.67', '40']] });
 * book.apply({ type: 'delta', bids: [['0.650', '0']], asks: [['0.660', '90']] });
 * book.bestBid; // undefined
 * book.bestAsk; // { price: 0.66, quantity: 90 }
 * book.text(1).asks; // [['0.660', '90']]
 * ```
 */
export class OrderBook {
  readonly #book = new ReferenceBook();

  /**
   * Applies a message: a snapshot replaces both sides, then each update sets or removes its level.
   *
   * @throws RangeError when a price or a quantity is not plain decimal text, such as `1e-7` or `-1`. The book is then as it
   * was.
   */
  apply(change: BookChange): void {
    for (const update of [...change.bids, ...change.asks]) {
      if (!update.every(isDecimal)) {
        throw new RangeError(`["price","quantity"] in plain decimals was expected, found ${JSON.stringify(update)}`);
      }
    }
    this.#book.apply(change);
  }

  /** The highest bid; `undefined` when there is none. */
  get bestBid(): BestLevel | undefined {
    const { bidPrices, bidQuantities } = this.#book.levels(1);
    return bestOf(bidPrices, bidQuantities);
  }

  /** The lowest ask; `undefined` when there is none. */
  get bestAsk(): BestLevel | undefined {
    const { askPrices, askQuantities } = this.#book.levels(1);
    return bestOf(askPrices, askQuantities);
  }

  /** Whether the best bid is at or above the best ask, which an exchange's own book never shows for long. */
  get isCrossed(): boolean {
    return this.#book.isCrossed;
  }

  /** The number of levels of the deeper side. */
  get depth(): number {
    return this.#book.depth;
  }

  /**
   * The best levels of both sides as the nearest doubles, best first; fewer where there are fewer.
   *
   * @param depth levels a side. Default: all.
   * @returns arrays that are the caller's to keep.
   */
  levels(depth = Number.POSITIVE_INFINITY): Levels {
    return this.#book.levels(depth);
  }

  /**
   * The best levels of both sides as the latest text of each, best first; fewer where there are fewer.
   *
   * @param depth levels a side. Default: all.
   */
  text(depth = Number.POSITIVE_INFINITY): TextLevels {
    return this.#book.text(depth);
  }
}

function bestOf([price]: Float64Array, [quantity]: Float64Array): BestLevel | undefined {
  return price === undefined || quantity === undefined ? undefined : { price, quantity };
}
