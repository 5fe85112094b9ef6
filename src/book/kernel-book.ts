import type { Levels } from '../base/rows.js';
import type { Kernel } from '../wasm/book-kernel.js';
import { canonical, compareDecimals, isZero } from './decimal.js';
import { chooseLayout, decimalsOf, type LadderLayout } from './ladder-layout.js';
import type { BookChange, Update } from './message.js';
import { type Part, type Side, Strays } from './strays.js';

/** So many levels beside the ladder are no exception any more. */
const STRAY_LIMIT = 64;

/** Texts of strays that are kept: those of a real book take some kilobytes at most. */
const MAX_STRAY_BYTES = 256 * 1024 * 1024;

/** So many prices of more decimals are no exception any more. */
const MAX_MISFITS = 1000;

/** Levels in a message from which on the book is counted at once. */
const LARGE_MESSAGE = 10_000;

const SIDES: readonly Side[] = [0, 1];

/** What an audit hears of a book, with a kernel that counts levels. */
export interface BookHooks {
  /** The levels of a side that have a slot on the ladder. */
  levelsOf(side: Side): number;
  /** A delta removes a level that is not there. */
  onAbsentDelete(): void;
  /** The ladder, of so many decimals until now, is about to be laid out anew. */
  beforeLayOut(decimals: number): void;
}

/**
 * The host's half of the book. The levels are on the kernel's ladder (kernel/ladder.ts). The host decides which price
 * the ladder begins at and how fine it is, sets level by level what the kernel has not read by itself, and keeps the
 * *strays*: levels that the ladder cannot hold, by their price or by the length of their text. A row is made of both.
 */
export class KernelBook {
  readonly #kernel: Kernel;
  readonly #memory: Buffer;
  readonly #keepZeros: boolean;
  readonly #hooks: BookHooks | undefined;
  readonly #strays: readonly [Strays, Strays];
  #layout: LadderLayout;
  /** The ladder is laid out anew when there are more strays than this. */
  #strayLimit = STRAY_LIMIT;
  /** How many levels must still be set before a ladder may be laid out anew, so that its cost stays in proportion. */
  #levelsUntilLayout = 0;
  /** Prices written with more decimals than the ladder has, since it was laid out: the kernel cannot read them. */
  #misfits = 0;

  /** @param keepZeros leaves levels of quantity zero from a snapshot in the book. */
  constructor(kernel: Kernel, keepZeros: boolean, hooks?: BookHooks) {
    this.#kernel = kernel;
    this.#hooks = hooks;
    this.#memory = Buffer.from(kernel.memory.buffer);
    this.#keepZeros = keepZeros;
    this.#layout = chooseLayout([], kernel);
    const strays = (side: Side) => new Strays(side, (tick) => kernel.isMarked(side, tick) !== 0);
    this.#strays = [strays(0), strays(1)];
  }

  /** Whether there are levels that the kernel does not know. */
  get hasStrays(): boolean {
    return this.#strayCount() > 0;
  }

  /** Decimals that the ladder's prices have at most. */
  get decimals(): number {
    return this.#layout.decimals;
  }

  /** How many levels a side has, for an audit. */
  levelCount(side: Side): number {
    return (this.#hooks?.levelsOf(side) ?? 0) + this.#strays[side].unplaced;
  }

  /** Whether the best bid is at or above the best ask. */
  get isCrossed(): boolean {
    if (!this.hasStrays) return this.#kernel.isCrossed() !== 0;
    const [bid, ask] = SIDES.map((side) => this.#best(side));
    return bid !== undefined && ask !== undefined && compareDecimals(bid, ask) >= 0;
  }

  /**
   * Applies a message that the host has read.
   *
   * @throws RangeError when the book becomes larger than a real one can be.
   */
  apply({ type, bids, asks }: BookChange): void {
    const isSnapshot = type === 'snapshot';
    if (isSnapshot) {
      for (const strays of this.#strays) strays.clear();
      this.#layOut([...bids, ...asks]);
    }
    for (const update of bids) this.#set(0, update, isSnapshot);
    for (const update of asks) this.#set(1, update, isSnapshot);
    // It was laid out for just these levels, and would not be otherwise.
    if (isSnapshot) this.#acceptLayout(0);
    if (this.#strays[0].bytes + this.#strays[1].bytes > MAX_STRAY_BYTES) {
      throw new RangeError(
        `line ${this.#kernel.lines.value}: prices and quantities are too long, by far, for a real book`,
      );
    }
    const isOff = this.#strayCount() > this.#strayLimit || this.#misfits > MAX_MISFITS;
    if (isOff && this.#levelsUntilLayout <= 0) this.#layOutAnew();
    if (bids.length + asks.length > LARGE_MESSAGE) this.settle();
  }

  /**
   * Moves the texts of levels out of the input, whose memory is then free, and counts the levels that there are.
   *
   * @throws RangeError when a side has more levels than the kernel has room for.
   */
  settle(): void {
    for (const strays of this.#strays) strays.prune();
    const { lines, settle, settledLevels, MAX_LEVELS_PER_SIDE } = this.#kernel;
    const fits = (side: Side) => settledLevels(side) + this.#strays[side].size <= MAX_LEVELS_PER_SIDE;
    if (settle() !== 0 && SIDES.every(fits)) return;
    throw new RangeError(
      `line ${lines.value}: the book has grown past ${MAX_LEVELS_PER_SIDE} levels a side, which no real one does`,
    );
  }

  /**
   * The best `depth` levels a side as the cells of a CSV row, in new memory.
   *
   * @param isPadded with empty cells for levels that are missing.
   */
  cells(depth: number, isPadded: boolean): Uint8Array {
    const bids = this.#collect(0, depth);
    const asks = this.#collect(1, depth);
    const cells = [...this.#mixedCells(0, bids, depth, isPadded), ...this.#mixedCells(1, asks, depth, isPadded)];
    return Buffer.concat(cells).subarray(0, -1); // without the comma after the last cell
  }

  /** The quantity of a level that the kernel has collected, counted from the best. */
  quantityAt(side: Side, index: number): number {
    const [level] = this.#levelsOf(side, { from: index, to: index + 1 });
    return Number(level?.[1]);
  }

  /** The best `depth` levels a side as numbers. Valid until they are asked for again, or the book is changed. */
  levels(depth: number): Levels {
    const [bidPrices, bidQuantities] = this.#values(0, depth);
    const [askPrices, askQuantities] = this.#values(1, depth);
    return { bidPrices, bidQuantities, askPrices, askQuantities };
  }

  /** Sets or removes one level, wherever it is kept. */
  #set(side: Side, [price, quantity]: Update, isSnapshot: boolean): void {
    const kernel = this.#kernel;
    this.#levelsUntilLayout--;
    const key = canonical(price);
    const tick = this.#layout.tickOf(key);
    if (decimalsOf(key) > this.#layout.decimals) this.#misfits++;
    const isEmpty = isZero(quantity);
    const text = `${price}","${quantity}"`;
    const fitsSlot = text.length <= kernel.SLOT_BYTES && price.length <= kernel.MAX_PRICE_BYTES;
    if (isEmpty && !(isSnapshot && this.#keepZeros)) {
      const levels = this.levelCount(side);
      this.#strays[side].delete(key);
      if (tick !== undefined) kernel.remove(side, tick);
      if (!isSnapshot && levels === this.levelCount(side)) this.#hooks?.onAbsentDelete();
    } else if (tick !== undefined && !isEmpty && fitsSlot) {
      this.#strays[side].delete(key);
      this.#memory.write(text, this.#poolSlot(), 'latin1');
      kernel.place(side, tick);
    } else {
      this.#strays[side].set({ key, price, quantity, tick, floorTick: this.#layout.floorTick(key) });
      if (tick !== undefined) kernel.mark(side, tick);
    }
  }

  #poolSlot(): number {
    const slot = this.#kernel.poolSlot();
    if (slot !== 0) return slot;
    this.settle();
    return this.#kernel.poolSlot(); // there is room for more than two full sides
  }

  /** Empties the ladder and lays it out so that most of these levels have a slot. */
  #layOut(levels: Update[]): void {
    const prices = levels.map(([price]) => price);
    this.#hooks?.beforeLayOut(this.#layout.decimals);
    this.#layout = chooseLayout(prices, this.#kernel);
    this.#kernel.clear(this.#layout.baseTick);
    this.#kernel.prepareFormats(this.#layout.decimals);
    this.#kernel.prepareValues(this.#layout.decimals);
  }

  /** Lays out a new ladder for the book as it is, because the price has wandered off, or its decimals have changed. */
  #layOutAnew(): void {
    this.settle();
    const sides = SIDES.map((side) => {
      const count = this.#collect(side, Number.POSITIVE_INFINITY);
      const levels = this.#parts(side, count, Number.POSITIVE_INFINITY).flatMap((part) => this.#levelsOf(side, part));
      this.#strays[side].clear();
      return levels;
    });
    this.#layOut(sides.flat());
    // Zeros that were kept stay, as if the book had come in a snapshot.
    for (const side of SIDES) for (const level of sides[side] ?? []) this.#set(side, level, true);
    this.#acceptLayout(sides.flat().length);
  }

  /** Takes what does not fit now as given. @param levels whose setting the next layout must wait for. */
  #acceptLayout(levels: number): void {
    this.#misfits = 0;
    this.#strayLimit = 2 * this.#strayCount() + STRAY_LIMIT;
    this.#levelsUntilLayout = levels;
  }

  #strayCount(): number {
    return this.#strays[0].size + this.#strays[1].size;
  }

  /** A side of a row to which strays may belong, a comma after each cell. */
  *#mixedCells(side: Side, count: number, depth: number, isPadded: boolean): Generator<Buffer> {
    let left = depth;
    for (const part of this.#parts(side, count, depth)) {
      if ('price' in part) {
        yield Buffer.from(`${part.price},${part.quantity},`, 'latin1');
        left--;
      } else {
        const { ROW, writeCells } = this.#kernel;
        const bytes = writeCells(side, part.from, part.to);
        yield Buffer.from(this.#memory.subarray(ROW, ROW + bytes));
        left -= part.to - part.from;
      }
    }
    if (isPadded) yield Buffer.alloc(2 * left, ',');
  }

  /** The best `depth` levels of ladder and strays. Of the ladder's the kernel has collected `count`. */
  #parts(side: Side, count: number, depth: number): Part[] {
    const ticks = Array.from({ length: count }, (_, index) => this.#kernel.tickAt(side, index));
    return this.#strays[side].interleave(ticks, depth);
  }

  #levelsOf(side: Side, part: Part): Update[] {
    if ('price' in part) return [[part.price, part.quantity]];
    return Array.from({ length: part.to - part.from }, (_, index) => {
      const address = this.#kernel.textAt(side, part.from + index);
      const text = this.#memory.toString('latin1', address, address + this.#kernel.SLOT_BYTES);
      const [price = '', , quantity = ''] = text.split('"');
      return [price, quantity];
    });
  }

  /** The best `depth` prices and quantities of a side. */
  #values(side: Side, depth: number): [prices: Float64Array, quantities: Float64Array] {
    const count = this.#collect(side, depth);
    if (this.hasStrays) {
      const levels = this.#parts(side, count, depth).flatMap((part) => this.#levelsOf(side, part));
      return [
        Float64Array.from(levels, ([price]) => Number(price)),
        Float64Array.from(levels, ([, text]) => Number(text)),
      ];
    }
    const { memory, pricesOf, quantitiesOf, writeValues } = this.#kernel;
    writeValues(side, count);
    const prices = new Float64Array(memory.buffer, pricesOf(side), count);
    const quantities = new Float64Array(memory.buffer, quantitiesOf(side), count);
    // What the kernel cannot read exactly.
    for (let at = 0; at < count; at++) if (Number.isNaN(quantities[at])) quantities[at] = this.quantityAt(side, at);
    return [prices, quantities];
  }

  #collect(side: Side, depth: number): number {
    return this.#kernel.collect(side, Math.min(depth, this.#kernel.MAX_LEVELS_PER_SIDE));
  }

  /** The best price of a side, canonical. */
  #best(side: Side): string | undefined {
    const [best] = this.#parts(side, this.#collect(side, 1), 1);
    if (!best) return undefined;
    return 'key' in best ? best.key : this.#layout.priceOf(this.#kernel.tickAt(side, 0));
  }
}
