import { compareDecimals } from './decimal.js';

/** 0 for bids, 1 for asks, as the kernel numbers them. */
export type Side = 0 | 1;

/** A level that the kernel's ladder cannot hold: its price has no slot, or its text is too long for one. */
export interface Stray {
  /** The price, canonical. */
  key: string;
  price: string;
  quantity: string;
  /** The slot that is marked for it; `undefined` when its price has none. */
  tick: number | undefined;
  /** The last slot whose price is not above this one; outside of the ladder for prices outside of it. */
  floorTick: number;
}

/** A stretch of a side in order: a stray, or the levels [from, to) of those that the kernel has collected. */
export type Part = Stray | { from: number; to: number };

/** The strays of one side. */
export class Strays {
  readonly #isBid: boolean;
  readonly #isMarked: (tick: number) => boolean;
  readonly #byPrice = new Map<string, Stray>();
  #bytes = 0;
  #unplaced = 0;
  /** Best first, and kept so once a row has been made: sorting them all for each row would take longer than the row. */
  #sorted: Stray[] | undefined;

  /** @param isMarked whether a slot still has the mark that it belongs to a stray. */
  constructor(side: Side, isMarked: (tick: number) => boolean) {
    this.#isBid = side === 0;
    this.#isMarked = isMarked;
  }

  /** How many there are; some may have been replaced on the ladder since the last {@link prune}. */
  get size(): number {
    return this.#byPrice.size;
  }

  /** What their texts take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Those whose price has no slot. */
  get unplaced(): number {
    return this.#unplaced;
  }

  set(stray: Stray): void {
    const old = this.#byPrice.get(stray.key);
    if (!old && stray.tick === undefined) this.#unplaced++;
    this.#bytes += bytesOf(stray) - (old ? bytesOf(old) : 0);
    this.#byPrice.set(stray.key, stray);
    this.#sorted?.splice(this.#placeOf(stray.key), old ? 1 : 0, stray);
  }

  delete(key: string): void {
    const stray = this.#byPrice.get(key);
    if (!stray) return;
    this.#byPrice.delete(key);
    if (stray.tick === undefined) this.#unplaced--;
    this.#bytes -= bytesOf(stray);
    this.#sorted?.splice(this.#placeOf(key), 1);
  }

  /** Forgets those that have been replaced on the ladder. */
  prune(): void {
    for (const stray of this.#byPrice.values()) if (this.#isReplaced(stray)) this.delete(stray.key);
  }

  clear(): void {
    this.#byPrice.clear();
    this.#bytes = 0;
    this.#unplaced = 0;
    this.#sorted = undefined;
  }

  /**
   * The side in order, best first, down to `depth` levels.
   *
   * @param ticks of the best levels on the ladder, marked ones among them.
   */
  interleave(ticks: number[], depth: number): Part[] {
    const parts: Part[] = [];
    let left = depth;
    let from = 0;
    const take = (to: number) => {
      const end = Math.min(to, from + left);
      if (end > from) parts.push({ from, to: end });
      left -= end - from;
      from = to;
    };
    for (const stray of this.#inOrder()) {
      if (left === 0) break;
      if (this.#isReplaced(stray)) continue;
      let to = from;
      while (to < ticks.length && this.#isBefore(ticks[to] as number, stray)) to++;
      take(to);
      if (left === 0) break;
      if (stray.tick !== undefined && ticks[to] === stray.tick) from = to + 1;
      parts.push(stray);
      left--;
    }
    take(ticks.length);
    return parts;
  }

  /** Whether a level of the ladder comes before a stray, which is not on it or has a marked slot of its own. */
  #isBefore(tick: number, stray: Stray): boolean {
    return this.#isBid ? tick > stray.floorTick : tick < (stray.tick ?? stray.floorTick + 1);
  }

  #isReplaced({ tick }: Stray): boolean {
    return tick !== undefined && !this.#isMarked(tick);
  }

  #inOrder(): Stray[] {
    this.#sorted ??= [...this.#byPrice.values()].sort((a, b) => this.#compare(a.key, b.key));
    return this.#sorted;
  }

  /** Where in {@link #sorted} the price is, or would be. */
  #placeOf(key: string): number {
    const sorted = this.#inOrder();
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare((sorted[middle] as Stray).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Orders canonical prices, the best first. */
  #compare(a: string, b: string): number {
    return this.#isBid ? compareDecimals(b, a) : compareDecimals(a, b);
  }
}

function bytesOf({ price, quantity }: Stray): number {
  return price.length + quantity.length;
}
