/** Computes what the book is at the boundary: docs/metrics.md, "The book at T". */
import type { Levels } from '../base/rows.js';
import { type MetricsChoice, VWAP_LEVELS } from './columns.js';
import { bpsOf, imbalanceOf, midOf } from './formulas.js';

/**
 * Computes the metrics of a book, in the order of `bookColumns`; NaN where there is no value.
 *
 * @param levels all that the source has, best first.
 */
export function bookMetrics(levels: Levels, { imbalanceLevels, bandsBps, impacts }: MetricsChoice): number[] {
  const { bidPrices, bidQuantities, askPrices, askQuantities } = levels;
  const [bid = Number.NaN, ask = Number.NaN] = [bidPrices[0], askPrices[0]];
  const [bidQuantity = Number.NaN, askQuantity = Number.NaN] = [bidQuantities[0], askQuantities[0]];
  const mid = midOf(bid, ask);
  const microprice = (bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity);
  const values = [bid, bidQuantity, ask, askQuantity, mid, microprice, ask - bid, bpsOf(ask - bid, mid)];
  values.push(bidPrices.length, askPrices.length);

  const bidSums = sumsOfBest(bidQuantities, imbalanceLevels);
  const askSums = sumsOfBest(askQuantities, imbalanceLevels);
  for (const i of imbalanceLevels.keys()) values.push(imbalanceOf(bidSums[i] as number, askSums[i] as number));

  for (const count of VWAP_LEVELS) {
    values.push(averageOfBest(bidPrices, bidQuantities, count), averageOfBest(askPrices, askQuantities, count));
  }

  const bidBands = sumsWithin(bidPrices, bidQuantities, mid, bandsBps, -1);
  const askBands = sumsWithin(askPrices, askQuantities, mid, bandsBps, 1);
  for (const i of bandsBps.keys()) values.push(...(bidBands[i] as Band), ...(askBands[i] as Band));

  for (const amount of impacts) {
    const bought = averagePrice(askPrices, askQuantities, amount);
    const sold = averagePrice(bidPrices, bidQuantities, amount);
    values.push(bpsOf(bought - mid, mid), bpsOf(mid - sold, mid));
  }
  return values;
}

/** Sums the first quantities, for each of some ascending counts; all when there are fewer. */
function sumsOfBest(quantities: Float64Array, counts: readonly number[]): number[] {
  let sum = 0;
  let level = 0;
  return counts.map((count) => {
    for (; level < count && level < quantities.length; level++) sum += quantities[level] as number;
    return sum;
  });
}

/** Computes the average price of the best `count` levels, each weighed by its quantity; NaN without levels. */
function averageOfBest(prices: Float64Array, quantities: Float64Array, count: number): number {
  let quantity = 0;
  let notional = 0;
  for (let level = 0; level < count && level < prices.length; level++) {
    quantity += quantities[level] as number;
    notional += (prices[level] as number) * (quantities[level] as number);
  }
  return notional / quantity;
}

type Band = [quantity: number, notional: number];

/**
 * Sums what a side has within each of some ascending distances from mid; NaN without a mid.
 *
 * @param sign −1 for bids, 1 for asks.
 */
function sumsWithin(
  prices: Float64Array,
  quantities: Float64Array,
  mid: number,
  bandsBps: readonly number[],
  sign: -1 | 1,
): Band[] {
  let quantity = Number.isNaN(mid) ? Number.NaN : 0;
  let notional = quantity;
  let level = 0;
  return bandsBps.map((x) => {
    const limit = mid * (1 + sign * x * 1e-4);
    for (; level < prices.length; level++) {
      const price = prices[level] as number;
      // Each band holds the one before, and levels come best first: the first one outside ends the band.
      if (sign * price > sign * limit) break;
      quantity += quantities[level] as number;
      notional += price * (quantities[level] as number);
    }
    return [quantity, notional];
  });
}

/** Computes the average price at which an order worth `amount` fills on a side; NaN when the side is not deep enough. */
function averagePrice(prices: Float64Array, quantities: Float64Array, amount: number): number {
  let notional = 0;
  let filled = 0;
  for (let level = 0; level < prices.length; level++) {
    const price = prices[level] as number;
    const quantity = quantities[level] as number;
    if (notional + price * quantity >= amount) return amount / (filled + (amount - notional) / price);
    notional += price * quantity;
    filled += quantity;
  }
  return Number.NaN;
}
