import type { Kernel } from '../wasm/book-kernel.js';
import { canonical } from './decimal.js';

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
  readonly #ticksPerUnit: number;

  constructor(decimals: number, baseTick: number, size: LadderSize) {
    this.decimals = decimals;
    this.baseTick = baseTick;
    this.#size = size;
    this.#ticksPerUnit = Number(`1e${decimals}`);
  }

  /** The tick of a price; `undefined` when the ladder has none for it. */
  tickOf(price: string): number | undefined {
    const decimals = decimalsOf(price);
    if (decimals > this.decimals) return undefined;
    const digits = price.length - (decimals > 0 ? 1 : 0) - decimals + this.decimals;
    if (digits > this.#size.MAX_EXACT_DIGITS) return undefined;
    // Exact: of so few digits, float and product are off by less than half a tick together.
    const tick = Math.round(Number(price) * this.#ticksPerUnit) - this.baseTick;
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
 * The layout that holds the most of these prices, or of a sample of them. Zeros at the end of all of them are no
 * decimals, so that a ladder of prices like `96543.10` has no nine slots in ten that no level will ever be in. A stray
 * price of many decimals, or one far away, must not cost all others their place.
 *
 * @param texts prices in the archive's own text.
 */
export function chooseLayout(texts: string[], size: LadderSize): LadderLayout {
  const { LADDER_TICKS, MAX_EXACT_DIGITS } = size;
  const step = Math.ceil(texts.length / SAMPLE);
  const prices = (step > 1 ? texts.filter((_, index) => index % step === 0) : texts).map(canonical);
  // As floats, which is close enough to find the middle and the ends.
  const values = Float64Array.from(prices, Number).sort();
  const priceOf = (value: number | undefined) => prices.find((price) => Number(price) === value) ?? '0';
  const middle = priceOf(values[values.length >> 1]);
  const mostDecimals = Math.min(
    MAX_EXACT_DIGITS - 1,
    prices.reduce((most, price) => Math.max(most, decimalsOf(price)), 0),
  );
  const layOut = (decimals: number) =>
    new LadderLayout(decimals, Number(scale(middle, decimals)) - LADDER_TICKS / 2, size);
  const isHeld = (price: string, layout: LadderLayout) =>
    decimalsOf(price) <= layout.decimals && layout.tickOf(price) !== undefined;
  // Nearly every book fits: then no price need be looked at but the lowest and the highest.
  const finest = layOut(mostDecimals);
  const ends = [values[0], values.at(-1)].map(priceOf);
  if (prices.every((price) => decimalsOf(price) <= mostDecimals) && ends.every((price) => isHeld(price, finest))) {
    return finest;
  }
  let best = new LadderLayout(0, 0, size);
  let mostHeld = -1;
  for (let decimals = 0; decimals <= mostDecimals; decimals++) {
    if (scale(middle, decimals).length > MAX_EXACT_DIGITS) break;
    const layout = layOut(decimals);
    const held = prices.filter((price) => isHeld(price, layout)).length;
    if (held > mostHeld) [best, mostHeld] = [layout, held];
  }
  return best;
}

/** A price as a whole number of 10^-decimals, in digits; what is finer is cut off. */
function scale(price: string, decimals: number): string {
  const [integer = '', fraction = ''] = price.split('.');
  return integer + fraction.slice(0, decimals).padEnd(decimals, '0');
}

/** How many decimals a price is written with. */
export function decimalsOf(price: string): number {
  const point = price.indexOf('.');
  return point < 0 ? 0 : price.length - point - 1;
}
