import type { BookColumns } from './book-columns.js';

/** Numbers of each row, NaN where there is none: the lines beside the picture. */
export interface BookSeries {
  bestBid: Float64Array;
  bestAsk: Float64Array;
  mid: Float64Array;
  spreadBps: Float64Array;
  /** Of the best five levels a side, from −1 to 1. */
  imbalance: Float64Array;
  /** Quantity within so many bps of mid, in the base currency. */
  bidQuantity10Bps: Float64Array;
  askQuantity10Bps: Float64Array;
  bidQuantity50Bps: Float64Array;
  askQuantity50Bps: Float64Array;
}

export type SeriesName = keyof BookSeries;

export const SERIES_NAMES: readonly SeriesName[] = [
  'bestBid',
  'bestAsk',
  'mid',
  'spreadBps',
  'imbalance',
  'bidQuantity10Bps',
  'askQuantity10Bps',
  'bidQuantity50Bps',
  'askQuantity50Bps',
];

const IMBALANCE_LEVELS = 5;

/**
 * Computes the lines of rows, by the formulas of docs/metrics.md.
 *
 * @param fileDepth levels a side of the file. Where the columns have fewer, a band that reaches beyond them has no number.
 */
export function seriesOf(columns: BookColumns, fileDepth: number): BookSeries {
  const { rows, depth, bidCounts, askCounts, bidPrices, askPrices, bidQuantities, askQuantities } = columns;
  const series = Object.fromEntries(
    SERIES_NAMES.map((name) => [name, new Float64Array(rows).fill(Number.NaN)]),
  ) as unknown as BookSeries;
  const isCut = depth < fileDepth;
  for (let row = 0; row < rows; row++) {
    const first = row * depth;
    const bids = bidCounts[row] as number;
    const asks = askCounts[row] as number;
    const bid = bids > 0 ? (bidPrices[first] as number) : Number.NaN;
    const ask = asks > 0 ? (askPrices[first] as number) : Number.NaN;
    const mid = (bid + ask) / 2;
    series.bestBid[row] = bid;
    series.bestAsk[row] = ask;
    series.mid[row] = mid;
    series.spreadBps[row] = ((ask - bid) / mid) * 1e4;
    const bidSum = sum(bidQuantities, first, Math.min(bids, IMBALANCE_LEVELS));
    const askSum = sum(askQuantities, first, Math.min(asks, IMBALANCE_LEVELS));
    series.imbalance[row] = (bidSum - askSum) / (bidSum + askSum);
    if (Number.isNaN(mid)) continue;
    for (const [bps, bidQuantity, askQuantity] of [
      [10, series.bidQuantity10Bps, series.askQuantity10Bps],
      [50, series.bidQuantity50Bps, series.askQuantity50Bps],
    ] as const) {
      const part = bps * 1e-4;
      bidQuantity[row] = within(bidPrices, bidQuantities, first, bids, mid * (1 - part), Infinity, isCut, depth);
      askQuantity[row] = within(askPrices, askQuantities, first, asks, -Infinity, mid * (1 + part), isCut, depth);
    }
  }
  return series;
}

function sum(values: Float64Array, first: number, count: number): number {
  let total = 0;
  for (let at = first; at < first + count; at++) total += values[at] as number;
  return total;
}

/** The quantity of levels with prices from low to high. */
function within(
  prices: Float64Array,
  quantities: Float64Array,
  first: number,
  count: number,
  low: number,
  high: number,
  isCut: boolean,
  depth: number,
): number {
  let total = 0;
  for (let at = first; at < first + count; at++) {
    const price = prices[at] as number;
    if (price < low || price > high) return total;
    total += quantities[at] as number;
  }
  return isCut && count === depth ? Number.NaN : total;
}
