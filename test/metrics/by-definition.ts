/**
 * The metrics of a sequence of messages, written as docs/metrics.md reads and with nothing of the program's own: every
 * row is computed from scratch, from the books after each message. Slow.
 */
import type { MetricsChoice } from '../../src/metrics/columns.js';
import type { TestMessage } from '../support/oracle.js';

type Side = { price: number; quantity: number }[];

/** A book, and when it came to be. Best levels first. */
export interface BookState {
  tsMs: number;
  bids: Side;
  asks: Side;
  /** Levels in the message that made it. */
  updates: number;
}

/** The book after each message from the first snapshot on. One with an earlier `ts` than one before comes at that one's. */
export function bookStates(all: TestMessage[]): BookState[] {
  const start = all.findIndex(({ type }) => type === 'snapshot');
  const messages = start < 0 ? [] : all.slice(start);
  return messages.map(({ bids, asks }, index) => {
    const past = messages.slice(0, index + 1);
    return {
      tsMs: Math.max(...past.map(({ tsMs }) => tsMs)),
      bids: sideAfter(past, 'bids').reverse(),
      asks: sideAfter(past, 'asks'),
      updates: bids.length + asks.length,
    };
  });
}

/** Levels by ascending price. */
function sideAfter(messages: TestMessage[], side: 'bids' | 'asks'): Side {
  const levels = new Map<bigint, { price: number; quantity: number }>();
  for (const message of messages.slice(messages.findLastIndex(({ type }) => type === 'snapshot'))) {
    for (const [price, quantity] of message[side]) {
      if (scaled(quantity) === 0n) levels.delete(scaled(price));
      else levels.set(scaled(price), { price: Number(price), quantity: Number(quantity) });
    }
  }
  return [...levels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, level]) => level);
}

/** A decimal as a whole number of 10⁻⁴⁰. */
function scaled(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(40, '0'));
}

/** The columns of the book at `boundaryMs`, by name. */
export function bookValues(
  states: BookState[],
  boundaryMs: number,
  { imbalanceLevels, bandsBps, impacts }: MetricsChoice,
): Map<string, number> {
  const { bids, asks } = asOf(states, boundaryMs);
  const [bid, bidQuantity] = [bids[0]?.price ?? Number.NaN, bids[0]?.quantity ?? Number.NaN];
  const [ask, askQuantity] = [asks[0]?.price ?? Number.NaN, asks[0]?.quantity ?? Number.NaN];
  const mid = (bid + ask) / 2;
  const values = new Map([
    ['best_bid', bid],
    ['best_bid_qty', bidQuantity],
    ['best_ask', ask],
    ['best_ask_qty', askQuantity],
    ['mid', mid],
    ['microprice', (bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity)],
    ['spread', ask - bid],
    ['spread_bps', spreadBps({ bids, asks })],
    ['bid_levels', bids.length],
    ['ask_levels', asks.length],
  ]);
  for (const count of imbalanceLevels) values.set(`imbalance_${count}`, imbalance({ bids, asks }, count));
  for (const count of [5, 20]) {
    for (const [name, side] of [['bid', bids] as const, ['ask', asks] as const]) {
      const best = side.slice(0, count);
      values.set(`vwap_${name}_${count}`, notionalOf(best) / quantityOf(best));
    }
  }
  for (const x of bandsBps) {
    const bidBand = bids.filter(({ price }) => price >= mid * (1 - x * 1e-4));
    const askBand = asks.filter(({ price }) => price <= mid * (1 + x * 1e-4));
    const hasMid = !Number.isNaN(mid);
    values.set(`bid_qty_${x}bps`, hasMid ? quantityOf(bidBand) : Number.NaN);
    values.set(`bid_notional_${x}bps`, hasMid ? notionalOf(bidBand) : Number.NaN);
    values.set(`ask_qty_${x}bps`, hasMid ? quantityOf(askBand) : Number.NaN);
    values.set(`ask_notional_${x}bps`, hasMid ? notionalOf(askBand) : Number.NaN);
  }
  for (const amount of impacts) {
    values.set(`buy_impact_${amount}_bps`, ((averagePrice(asks, amount) - mid) / mid) * 1e4);
    values.set(`sell_impact_${amount}_bps`, ((mid - averagePrice(bids, amount)) / mid) * 1e4);
  }
  return values;
}

/** The columns of the interval up to `boundaryMs`, by name. */
export function intervalValues(states: BookState[], boundaryMs: number, intervalMs: number): Map<string, number> {
  const startMs = boundaryMs - intervalMs;
  const inside = states.filter(({ tsMs }) => tsMs > startMs && tsMs <= boundaryMs);
  /** The moments since which a book holds, the last of them none but the boundary itself. */
  const moments = [startMs, ...inside.map(({ tsMs }) => tsMs), boundaryMs];
  const steps = moments.map((tsMs, index) => ({
    book: asOf(states, tsMs),
    heldMs: (moments[index + 1] ?? boundaryMs) - tsMs,
  }));
  const mids = steps.map(({ book }) => mid(book)).filter((value) => !Number.isNaN(value));
  const average = (metricOf: (book: Sides) => number) => {
    const values = steps
      .map(({ book, heldMs }) => ({ value: metricOf(book), heldMs }))
      .filter(({ value }) => !Number.isNaN(value));
    const weightMs = sum(values.map(({ heldMs }) => heldMs));
    if (weightMs === 0) return metricOf(asOf(states, boundaryMs));
    return sum(values.map(({ value, heldMs }) => value * (heldMs / weightMs)));
  };
  return new Map([
    ['messages', inside.length],
    ['updates', sum(inside.map(({ updates }) => updates))],
    ['ofi', orderFlow(states, inside)],
    ['mid_open', mids[0] ?? Number.NaN],
    ['mid_high', mids.length > 0 ? Math.max(...mids) : Number.NaN],
    ['mid_low', mids.length > 0 ? Math.min(...mids) : Number.NaN],
    ['mid_close', mid(asOf(states, boundaryMs))],
    ['mid_twap', average(mid)],
    ['spread_bps_twap', average(spreadBps)],
    ['imbalance_5_twap', average((book) => imbalance(book, 5))],
  ]);
}

type Sides = Pick<BookState, 'bids' | 'asks'>;

/** The book at a moment: after all messages with `ts` up to it. Before the first, both sides are empty. */
function asOf(states: BookState[], tsMs: number): Sides {
  return states.findLast((state) => state.tsMs <= tsMs) ?? { bids: [], asks: [] };
}

function mid({ bids, asks }: Sides): number {
  const [bid, ask] = [bids[0], asks[0]];
  return bid && ask ? (bid.price + ask.price) / 2 : Number.NaN;
}

function spreadBps({ bids, asks }: Sides): number {
  const [bid, ask] = [bids[0], asks[0]];
  return bid && ask ? ((ask.price - bid.price) / mid({ bids, asks })) * 1e4 : Number.NaN;
}

function imbalance({ bids, asks }: Sides, count: number): number {
  const [bidQuantity, askQuantity] = [quantityOf(bids.slice(0, count)), quantityOf(asks.slice(0, count))];
  return bidQuantity + askQuantity === 0 ? Number.NaN : (bidQuantity - askQuantity) / (bidQuantity + askQuantity);
}

/** Cont, Kukanov and Stoikov 2014, equation 4, summed over messages: e_n of each book against the one before it. */
function orderFlow(states: BookState[], inside: BookState[]): number {
  return sum(
    inside.map((state) => {
      const before = states[states.indexOf(state) - 1];
      if (!before) return 0;
      const [bid, bidBefore] = [state, before].map(({ bids }) => bids[0] ?? { price: -Infinity, quantity: 0 });
      const [ask, askBefore] = [state, before].map(({ asks }) => asks[0] ?? { price: Infinity, quantity: 0 });
      if (!(bid && bidBefore && ask && askBefore)) throw new Error('there are two books');
      let [bidFlow, askFlow] = [0, 0];
      if (bid.price >= bidBefore.price) bidFlow += bid.quantity;
      if (bid.price <= bidBefore.price) bidFlow -= bidBefore.quantity;
      if (ask.price <= askBefore.price) askFlow += ask.quantity;
      if (ask.price >= askBefore.price) askFlow -= askBefore.quantity;
      return bidFlow - askFlow;
    }),
  );
}

function averagePrice(side: Side, amount: number): number {
  const last = side.findIndex((_, index) => notionalOf(side.slice(0, index + 1)) >= amount);
  const whole = side.slice(0, last);
  const price = side[last]?.price;
  return price === undefined ? Number.NaN : amount / (quantityOf(whole) + (amount - notionalOf(whole)) / price);
}

function quantityOf(levels: Side): number {
  return sum(levels.map(({ quantity }) => quantity));
}

function notionalOf(levels: Side): number {
  return sum(levels.map(({ price, quantity }) => price * quantity));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
