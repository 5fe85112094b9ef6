import type { Kernel } from '../wasm/book-kernel.js';
import { canonical, compareDecimals } from './decimal.js';

/** As many prices as tell where a book lies: more than any real one has. */
const SAMPLE = 4096;

/** How many ticks a ladder has, and digits the price of one. */
type LadderSize = Pick<Kernel, 'LADDER_TICKS' | 'MAX_EXACT_DIGITS'>;

/**
 * How prices are laid out on the kernel's ladder: tick t is the price (`baseTick` + t) × 10^-`decimals`. Prices are
 * canonical decimals.
 */
export class LadderLayout {
  readonly decimals: number;
  /** May be below zero: then the first ticks are no prices. */
  readonly baseTick: number;
  readonly #size: LadderSize;

  constructor(decimals: number, baseTick: number, size: LadderSize) {
    this.decimals = decimals;
    this.baseTick = baseTick;
    this.#size = size;
  }

  /** The tick of a price; `undefined` when the ladder has none for it. */
  tickOf(price: string): number | undefined {
    if (decimalsOf(price) > this.decimals) return undefined;
    const digits = scale(price, this.decimals);
    if (digits.length > this.#size.MAX_EXACT_DIGITS) return undefined;
    const tick = Number(digits) - this.baseTick;
    return tick >= 0 && tick < this.#size.LADDER_TICKS ? tick : undefined;
  }

  /** The price of a tick. */
  priceOf(tick: number): string {
    const { decimals } = this;
    const digits = String(this.baseTick + tick).padStart(decimals + 1, '0');
    return canonical(decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
  }

  /** The last tick whose price is not above this one; it may be none of the ladder's. */
  floorTick(price: string): number {
    return Number(BigInt(scale(price, this.decimals)) - BigInt(this.baseTick));
  }
}

/**
 * The layout that holds the most of these prices, or of a sample of them, and reads them as they are written: `96543.10` wants two decimals. A
 * stray price of many decimals, or one far away, must not cost all others their place.
 *
 * @param texts prices in the archive's own text.
 */
export function chooseLayout(texts: string[], size: LadderSize): LadderLayout {
  const { LADDER_TICKS, MAX_EXACT_DIGITS } = size;
  const step = Math.ceil(texts.length / SAMPLE);
  const prices = texts
    .filter((_, index) => index % step === 0)
    .map((text) => ({ price: canonical(text), decimals: decimalsOf(text) }));
  const middle = prices.map(({ price }) => price).sort(compareDecimals)[prices.length >> 1] ?? '0';
  const mostDecimals = Math.min(MAX_EXACT_DIGITS - 1, Math.max(0, ...prices.map(({ decimals }) => decimals)));
  let best = new LadderLayout(0, 0, size);
  let mostHeld = -1;
  for (let decimals = 0; decimals <= mostDecimals; decimals++) {
    const center = scale(middle, decimals);
    if (center.length > MAX_EXACT_DIGITS) break;
    const layout = new LadderLayout(decimals, Number(center) - LADDER_TICKS / 2, size);
    const isHeld = (price: (typeof prices)[number]) =>
      price.decimals <= decimals && layout.tickOf(price.price) !== undefined;
    const held = prices.filter(isHeld).length;
    if (held > mostHeld) [best, mostHeld] = [layout, held];
  }
  return best;
}

/** A price as a whole number of 10^-decimals; what is finer is cut off. */
function scale(price: string, decimals: number): string {
  const [integer = '', fraction = ''] = price.split('.');
  return integer + fraction.slice(0, decimals).padEnd(decimals, '0');
}

/** How many decimals a price is written with. */
export function decimalsOf(price: string): number {
  const point = price.indexOf('.');
  return point < 0 ? 0 : price.length - point - 1;
}
