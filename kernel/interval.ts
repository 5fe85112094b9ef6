/**
 * What happens in an interval (T − interval, T], message by message: docs/metrics.md, "The interval up to T". The
 * operations are those of src/metrics/interval-metrics.ts, in the same order, so that the same bits come out.
 *
 *     HEARD + side × 32   best price, quantity there, and quantity of the best levels, as the kernel last read them
 *     MEANS + n × 32      of the averages of mid, spread and imbalance: origin, sum of (value − origin) · ms, and ms
 */
import { bestPrice, bestQuantity, sumBest, sumOfBest, UNREADABLE, worstTick } from './amounts';
import { ASKS, BIDS, isTouched } from './ladder';
import { HEARD, HEARD_BYTES, LADDER_TICKS, MEAN_BYTES, MEANS } from './layout';

// Offsets in an entry of HEARD.
const QUANTITY: usize = 8;
const SUM: usize = 16;
// Offsets in an entry of MEANS.
const MEAN_SUM: usize = 8;
const MEAN_MS: usize = 16;

const MID: usize = MEANS;
const SPREAD: usize = MEANS + MEAN_BYTES;
const IMBALANCE: usize = MEANS + 2 * MEAN_BYTES;

/** 0: nobody asks for metrics. */
let intervalMs: f64 = 0;
let heardLevels: i32 = 0;
/** The worst tick of a side that is listened to. */
let bidReach: i32 = 0;
let askReach: i32 = LADDER_TICKS;
/** There are levels that the host keeps, of which nothing is known here. */
let hasStrays: bool = false;
/** Levels in a message whose book the host must tell of, -1 when there is none. */
let unheardUpdates: i32 = -1;

/** Where the interval that is followed now closes. */
let closesMs: f64 = -Infinity;
/** Up to when the time that the book has held is in the averages. */
let countedUntilMs: f64 = NaN;
let messages: f64 = 0;
let updates: f64 = 0;
let flow: f64 = 0;
let open: f64 = NaN;
let high: f64 = NaN;
let low: f64 = NaN;

/** The book after the latest message; `hasBook`: there was one. */
let hasBook: bool = false;
let bid: f64 = NaN;
let bidQuantity: f64 = 0;
let ask: f64 = NaN;
let askQuantity: f64 = 0;
let mid: f64 = NaN;
let spreadBps: f64 = NaN;
let imbalance: f64 = NaN;

/** Begins anew with intervals of so many ms, of which the best `levels` of a side are told; 0 ms: not at all. */
export function resetInterval(ms: f64, levels: i32): void {
  intervalMs = ms;
  heardLevels = levels;
  hasStrays = false;
  unheardUpdates = -1;
  closesMs = -Infinity;
  countedUntilMs = NaN;
  hasBook = false;
  bid = ask = mid = spreadBps = imbalance = NaN;
  bidQuantity = askQuantity = 0;
  // All of the ladder, until it has been read.
  bidReach = 0;
  askReach = LADDER_TICKS;
  readSide(BIDS);
  readSide(ASKS);
  clearInterval();
}

/** Tells whether the host keeps levels. */
export function setStrays(has: bool): void {
  hasStrays = has;
}

/** Whether metrics are asked for. */
export function isFollowed(): bool {
  return intervalMs !== 0;
}

/** Whether the kernel can read the whole book. */
export function knowsBook(): bool {
  return !hasStrays && unheardUpdates < 0;
}

/** How many levels the message had whose book the host must tell of by {@link hearBook}; -1 when there is none. */
export function getUnheardUpdates(): i32 {
  return unheardUpdates;
}

/** Hears of a message that has just been applied; only when metrics are asked for. */
export function hear(ts: i64, updates: i32): void {
  assert(unheardUpdates < 0);
  if (hasStrays || !readBest()) {
    unheardUpdates = updates;
    return;
  }
  const bids = HEARD;
  const asks = HEARD + HEARD_BYTES;
  hearBook(
    <f64>ts,
    load<f64>(bids),
    load<f64>(bids, QUANTITY),
    load<f64>(asks),
    load<f64>(asks, QUANTITY),
    load<f64>(bids, SUM),
    load<f64>(asks, SUM),
    <f64>updates,
  );
}

/** Reads of each side what can have changed. @returns false when only the host can read it. */
function readBest(): bool {
  if (isTouched(BIDS, bidReach)) readSide(BIDS);
  if (isTouched(ASKS, askReach)) readSide(ASKS);
  return !F64.isNaN(load<f64>(HEARD, SUM)) && !F64.isNaN(load<f64>(HEARD + HEARD_BYTES, SUM));
}

function readSide(side: i32): void {
  const heard = HEARD + <usize>side * HEARD_BYTES;
  const count = sumBest(side, heardLevels);
  store<f64>(heard, bestPrice);
  store<f64>(heard, bestQuantity, QUANTITY);
  store<f64>(heard, count === UNREADABLE ? NaN : sumOfBest, SUM);
  // With fewer levels than are listened to, any change counts.
  const isFull = count === heardLevels;
  if (side === BIDS) bidReach = isFull ? worstTick : 0;
  else askReach = isFull ? worstTick : LADDER_TICKS;
}

/**
 * Hears of the book after a message.
 *
 * @param tsMs the latest `ts` so far: never before an earlier one.
 * @param newBid best bid and best ask; NaN when the side is empty. Quantities are 0 then.
 * @param bidSum quantity of the best levels that are listened to.
 * @param more levels in the message.
 */
export function hearBook(
  tsMs: f64,
  newBid: f64,
  newBidQuantity: f64,
  newAsk: f64,
  newAskQuantity: f64,
  bidSum: f64,
  askSum: f64,
  more: f64,
): void {
  unheardUpdates = -1;
  if (tsMs > closesMs) beginInterval(ceil(tsMs / intervalMs) * intervalMs);
  hold(tsMs);
  messages++;
  updates += more;
  if (hasBook) {
    // A side without a price compares as neither better nor worse, and its quantity is 0.
    const bids = flowOf(!(newBid < bid), !(newBid > bid), newBidQuantity, bidQuantity);
    const asks = flowOf(!(newAsk > ask), !(newAsk < ask), newAskQuantity, askQuantity);
    flow += bids - asks;
  }
  hasBook = true;
  bid = newBid;
  bidQuantity = newBidQuantity;
  ask = newAsk;
  askQuantity = newAskQuantity;
  mid = (bid + ask) / 2;
  spreadBps = bpsOf(ask - bid, mid);
  imbalance = (bidSum - askSum) / (bidSum + askSum);
}

/** What has come to the best price of a side, less what has gone from it: all of it when the price has changed. */
function flowOf(isSameOrBetter: bool, isSameOrWorse: bool, now: f64, before: f64): f64 {
  return (isSameOrBetter ? now : 0) - (isSameOrWorse ? before : 0);
}

function beginInterval(boundaryMs: f64): void {
  closesMs = boundaryMs;
  countedUntilMs = boundaryMs - intervalMs;
  clearInterval();
}

function clearInterval(): void {
  messages = updates = flow = 0;
  open = high = low = NaN;
  clearMean(MID);
  clearMean(SPREAD);
  clearMean(IMBALANCE);
}

/** Adds the time that the book has held until now. */
function hold(nowMs: f64): void {
  const heldMs = nowMs - countedUntilMs;
  if (heldMs === 0) return;
  countedUntilMs = nowMs;
  widenRange();
  addToMean(MID, mid, heldMs);
  addToMean(SPREAD, spreadBps, heldMs);
  addToMean(IMBALANCE, imbalance, heldMs);
}

function widenRange(): void {
  if (F64.isNaN(mid)) return;
  if (F64.isNaN(open)) open = high = low = mid;
  else if (mid > high) high = mid;
  else if (mid < low) low = mid;
}

function clearMean(mean: usize): void {
  store<f64>(mean, 0, MEAN_SUM);
  store<f64>(mean, 0, MEAN_MS);
}

function addToMean(mean: usize, value: f64, heldMs: f64): void {
  if (F64.isNaN(value)) return;
  const ms = load<f64>(mean, MEAN_MS);
  if (ms === 0) store<f64>(mean, value);
  store<f64>(mean, load<f64>(mean, MEAN_SUM) + (value - load<f64>(mean)) * heldMs, MEAN_SUM);
  store<f64>(mean, ms + heldMs, MEAN_MS);
}

/** @param last the value now, which is the mean when no value has held for any time. */
function meanOf(mean: usize, last: f64): f64 {
  const ms = load<f64>(mean, MEAN_MS);
  return ms === 0 ? last : load<f64>(mean) + load<f64>(mean, MEAN_SUM) / ms;
}

/** Writes the columns of the interval that closes at `boundaryMs` to a list. @returns where it ends. */
export function closeInterval(boundaryMs: f64, out: usize): usize {
  if (boundaryMs > closesMs) beginInterval(boundaryMs);
  hold(boundaryMs);
  widenRange(); // by the mid of a message just on the boundary, which has held for no time
  store<f64>(out, messages);
  store<f64>(out, updates, 8);
  store<f64>(out, flow, 16);
  store<f64>(out, open, 24);
  store<f64>(out, high, 32);
  store<f64>(out, low, 40);
  store<f64>(out, mid, 48);
  store<f64>(out, meanOf(MID, mid), 56);
  store<f64>(out, meanOf(SPREAD, spreadBps), 64);
  store<f64>(out, meanOf(IMBALANCE, imbalance), 72);
  return out + 80;
}

/** A difference of prices in basis points of mid. */
export function bpsOf(difference: f64, mid: f64): f64 {
  return mid === 0 ? NaN : (difference / mid) * 1e4;
}
