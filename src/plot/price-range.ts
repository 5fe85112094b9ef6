import type { Measured } from './measure.js';

/** Above and below the best prices, so many times the way that these have gone is shown of the levels. */
const WAYS_SHOWN = 1;
/** … and at least so many prices that levels can have. */
const TICKS_SHOWN = 40;

/**
 * The prices to show: those of the best bid and ask, and as much of the levels beside them as they reach, but no more than
 * that the way of the price is still seen.
 *
 * @param hasDepth whether the levels were limited by the user, who then wants to see them all.
 * @returns `undefined` when no row has both sides.
 */
export function priceRange(
  { bid, ask, reach, grain: { tick } }: Measured,
  hasDepth: boolean,
): { lowPrice: number; highPrice: number } | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const line of [bid, ask]) {
    for (const [least, most] of line.extremes()) {
      low = Math.min(low, least);
      high = Math.max(high, most);
    }
  }
  if (low > high) return undefined;
  const shown = Math.max(WAYS_SHOWN * (high - low), TICKS_SHOWN * tick);
  const levels = Number.isNaN(reach) ? tick : reach;
  const beside = Math.max(2 * tick, hasDepth ? levels : Math.min(levels, shown));
  return { lowPrice: low - beside, highPrice: high + beside };
}
