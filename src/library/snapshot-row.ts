import { bestLevels, type Levels, type RowState, type TextLevels } from '../base/rows.js';
import type { Engine } from '../book/engine.js';

/**
 * The book at one boundary, to the greatest of the depths that were asked for. It is a copy: what it says never changes,
 * and it may be kept, also after the sequence that gave it has ended.
 */
export interface SnapshotRow extends Readonly<RowState> {
  /**
   * The best levels of both sides as the nearest doubles, best first; fewer where there are fewer.
   *
   * @param depth levels a side. Default: all that the row holds.
   * @returns views of the row's own arrays, the same values each time.
   * @throws RangeError when the row does not hold so many.
   */
  levels(depth?: number): Levels;
  /**
   * The same levels in the archive's own text, to the character.
   *
   * @param depth levels a side. Default: all that the row holds.
   * @throws RangeError when the row does not hold so many; TypeError when texts were not to be kept.
   */
  text(depth?: number): TextLevels;
  /**
   * Whether a side has fewer levels than `depth`.
   *
   * @throws RangeError when the row does not hold so many.
   */
  isThin(depth: number): boolean;
}

/** A row with levels copied from an engine. */
export class KeptRow implements SnapshotRow {
  readonly boundaryMs: number;
  readonly bookTsMs: number;
  readonly isFilled: boolean;
  readonly isSuspect: boolean;
  readonly isCrossed: boolean;
  readonly isPartial: boolean;
  readonly #depth: number;
  readonly #levels: Levels;
  /** Bytes: most texts are never asked for, and to make them costs far more than to copy these. */
  readonly #cells: Buffer | undefined;
  #text: TextLevels | undefined;

  constructor(state: RowState, engine: Engine, { depth, keepTexts }: { depth: number; keepTexts: boolean }) {
    this.boundaryMs = state.boundaryMs;
    this.bookTsMs = state.bookTsMs;
    this.isFilled = state.isFilled;
    this.isSuspect = state.isSuspect;
    this.isCrossed = state.isCrossed;
    this.isPartial = state.isPartial;
    this.#depth = depth;
    const { bidPrices, bidQuantities, askPrices, askQuantities } = engine.levels(depth);
    this.#levels = {
      bidPrices: bidPrices.slice(),
      bidQuantities: bidQuantities.slice(),
      askPrices: askPrices.slice(),
      askQuantities: askQuantities.slice(),
    };
    // No deeper than the book: the row of a shallow one would be commas.
    const cellDepth = Math.max(1, bidPrices.length, askPrices.length);
    this.#cells = keepTexts ? Buffer.from(engine.row(cellDepth)) : undefined;
  }

  levels(depth = this.#depth): Levels {
    this.#check(depth);
    return bestLevels(this.#levels, depth);
  }

  text(depth = this.#depth): TextLevels {
    this.#check(depth);
    if (!this.#cells) throw new TypeError('the row has no texts: the option keepTexts is false');
    this.#text ??= parseCells(this.#cells.toString('latin1'));
    const { bids, asks } = this.#text;
    return { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
  }

  isThin(depth: number): boolean {
    this.#check(depth);
    return Math.min(this.#levels.bidPrices.length, this.#levels.askPrices.length) < depth;
  }

  #check(depth: number): void {
    if (!(depth <= this.#depth)) {
      throw new RangeError(
        `the row holds ${this.#depth} levels a side, not ${depth}: ask for them by the option depths`,
      );
    }
  }
}

/** Takes the cells of a CSV row apart: all of the bids, then all of the asks, empty ones last on each side. */
function parseCells(text: string): TextLevels {
  const cells = text.split(',');
  const side = (start: number, end: number) => {
    const levels: [price: string, quantity: string][] = [];
    for (let at = start; at < end && cells[at]; at += 2) levels.push([cells[at] ?? '', cells[at + 1] ?? '']);
    return levels;
  };
  return { bids: side(0, cells.length / 2), asks: side(cells.length / 2, cells.length) };
}
