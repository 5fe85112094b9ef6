import {
  type BookBatch,
  bestLevels,
  type Levels,
  type RowBatch,
  type RowState,
  stateOf,
  type TextLevels,
} from '../base/rows.js';

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

/** The rows of a batch, copied one after the other, each when it is asked for. */
export function* keptRows(rows: RowBatch, depth: number): Generator<SnapshotRow> {
  const book = rows.books[0] as BookBatch;
  let [cellsAt, bidsAt, asksAt] = [0, 0, 0];
  for (let row = 0; row < rows.length; row++) {
    const cellsEnd = book.cellEnds[row] ?? 0;
    const bidsEnd = bidsAt + (book.bidCounts[row] ?? 0);
    const asksEnd = asksAt + (book.askCounts[row] ?? 0);
    yield new KeptRow(stateOf(rows, row), depth, {
      bidPrices: book.bidPrices.slice(bidsAt, bidsEnd),
      bidQuantities: book.bidQuantities.slice(bidsAt, bidsEnd),
      askPrices: book.askPrices.slice(asksAt, asksEnd),
      askQuantities: book.askQuantities.slice(asksAt, asksEnd),
      cells: book.cellEnds.length === 0 ? undefined : Buffer.from(book.cells.subarray(cellsAt, cellsEnd)),
    });
    [cellsAt, bidsAt, asksAt] = [cellsEnd, bidsEnd, asksEnd];
  }
}

/** A row with levels of its own. */
class KeptRow implements SnapshotRow {
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

  constructor(state: RowState, depth: number, { cells, ...levels }: Levels & { cells: Buffer | undefined }) {
    this.boundaryMs = state.boundaryMs;
    this.bookTsMs = state.bookTsMs;
    this.isFilled = state.isFilled;
    this.isSuspect = state.isSuspect;
    this.isCrossed = state.isCrossed;
    this.isPartial = state.isPartial;
    this.#depth = depth;
    this.#levels = levels;
    this.#cells = cells;
  }

  levels(depth = this.#depth): Levels {
    this.#check(depth);
    return bestLevels(this.#levels, depth);
  }

  text(depth = this.#depth): TextLevels {
    this.#check(depth);
    if (!this.#cells) throw new TypeError('the row has no texts: the option keepTexts is false');
    this.#text ??= parseCells(this.#cells.toString('latin1'), this.#levels.bidPrices.length);
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

/** Takes the cells of a row apart: those of so many bids, then those of the asks. */
function parseCells(text: string, bids: number): TextLevels {
  const cells = text === '' ? [] : text.split(',');
  const side = (start: number, end: number) => {
    const levels: [price: string, quantity: string][] = [];
    for (let at = start; at < end; at += 2) levels.push([cells[at] ?? '', cells[at + 1] ?? '']);
    return levels;
  };
  return { bids: side(0, 2 * bids), asks: side(2 * bids, cells.length) };
}
