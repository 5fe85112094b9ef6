/**
 * The formulas that the book's and the interval's metrics share, operation for operation as docs/metrics.md states them,
 * so that another implementation in IEEE doubles gets the same bits. What has no value is NaN: the price of an empty
 * side, what is made of it, and 0/0.
 */

/** Halfway between the best prices, in the quote currency. */
export function midOf(bid: number, ask: number): number {
  return (bid + ask) / 2;
}

/** A difference of prices in basis points of mid, 1/100 %. No value for a mid of 0, which only forged prices have. */
export function bpsOf(difference: number, mid: number): number {
  return mid === 0 ? Number.NaN : (difference / mid) * 1e4;
}

/** From −1, nothing but asks, to 1, nothing but bids. */
export function imbalanceOf(bidQuantity: number, askQuantity: number): number {
  return (bidQuantity - askQuantity) / (bidQuantity + askQuantity);
}
