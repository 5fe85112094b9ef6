/**
 * Rows of metrics: the columns of src/metrics/columns.ts, in their order, by the operations of src/metrics/book-metrics.ts.
 *
 *     METRICS + (c × METRIC_STRIDE_ROWS + r) × 8   column c of row r, NaN where there is no value
 *     CHOICES                                      what {@link setMetrics} is told of, 8 bytes each
 *     FOUND + (side × MAX_METRICS + n) × 4         how many levels the n-th band held at the last row, and behind the
 *                                                  bands, how many levels the n-th amount took whole
 *     BOOK_ROW                                     the last row, column after column
 */
import {
  areAmountsRead,
  doSumsAscend,
  levelCount,
  notionalOfBest,
  prepareLists,
  priceOf,
  quantityOfBest,
  readBook,
  summed,
  sumTo,
  takeBook,
} from './amounts';
import { bpsOf, closeInterval, knowsBook, resetInterval } from './interval';
import { ASKS, BIDS, changes } from './ladder';
import { BOOK_ROW, CHOICES, FOUND, MAX_BATCH_ROWS, MAX_METRICS, METRIC_STRIDE_ROWS, METRICS } from './layout';

/** Columns beside those of each choice: of the best prices, and of the interval. */
const BEST_COLUMNS: i32 = 10;
const INTERVAL_COLUMNS: i32 = 10;
/** So many levels more are summed up when an amount reaches beyond those that are. */
const SUM_STEP: i32 = 64;

let imbalances: i32 = 0;
let vwaps: i32 = 0;
let bands: i32 = 0;
let impacts: i32 = 0;
/** Columns of a row. */
let metricColumns: i32 = 0;
/** The greatest number of levels that an imbalance or an average price is of. */
let mostLevels: i32 = 0;
/** Where the columns of the book end in BOOK_ROW, and the state of the ladder that they are of, -1 when of none. */
let bookEnd: usize = BOOK_ROW;
let bookChanges: i32 = -1;

/**
 * Begins to follow metrics; with 0 ms, none are followed. The host has written to CHOICES, 8 bytes each and ascending:
 * numbers of levels whose imbalance, and whose average price is wanted, bands in bps, and amounts.
 *
 * @param heardLevels levels whose imbalance is averaged over time.
 */
export function setMetrics(
  intervalMs: f64,
  heardLevels: i32,
  imbalanceCount: i32,
  vwapCount: i32,
  bandCount: i32,
  impactCount: i32,
): void {
  imbalances = imbalanceCount;
  vwaps = vwapCount;
  bands = bandCount;
  impacts = impactCount;
  metricColumns =
    intervalMs === 0 ? 0 : BEST_COLUMNS + imbalances + 2 * (vwaps + 2 * bands + impacts) + INTERVAL_COLUMNS;
  assert(metricColumns <= MAX_METRICS);
  mostLevels = 0;
  for (let index = 0; index < imbalances + vwaps; index++) mostLevels = max(mostLevels, <i32>choice(index));
  memory.fill(FOUND, 0, 2 * <usize>MAX_METRICS * 4);
  bookChanges = -1;
  if (intervalMs !== 0) prepareLists();
  resetInterval(intervalMs, heardLevels);
}

function choice(index: i32): f64 {
  return load<f64>(CHOICES + ((<usize>index) << 3));
}

/**
 * Writes a row of a batch; all messages up to the boundary must have been heard.
 *
 * @returns false, and nothing is written, when the host must write the book to VALUES and call {@link writeMetricsOf}.
 */
export function writeMetrics(row: i32, boundaryMs: f64): bool {
  if (!knowsBook()) return false;
  if (bookChanges !== changes) {
    if (!readBook() || !writeBook()) return false;
    bookChanges = changes;
  }
  writeRowOf(row, boundaryMs);
  return true;
}

/** Does so with so many levels a side, whose prices and quantities the host has written to VALUES, best first. */
export function writeMetricsOf(row: i32, boundaryMs: f64, bidCount: i32, askCount: i32): void {
  takeBook(bidCount, askCount);
  const isWritten = writeBook();
  assert(isWritten);
  bookChanges = -1;
  writeRowOf(row, boundaryMs);
}

/** Completes the row with the columns of the interval, and puts it into the batch. */
function writeRowOf(row: i32, boundaryMs: f64): void {
  assert(row >= 0 && row < MAX_BATCH_ROWS);
  const end = closeInterval(boundaryMs, bookEnd);
  assert(end === BOOK_ROW + ((<usize>metricColumns) << 3));
  let out = METRICS + ((<usize>row) << 3);
  for (let at = BOOK_ROW; at < end; at += 8, out += (<usize>METRIC_STRIDE_ROWS) << 3) store<f64>(out, load<f64>(at));
}

/** Writes the columns of the book to BOOK_ROW. @returns false when they need a level that only the host can read. */
function writeBook(): bool {
  const hasBids = levelCount(BIDS) > 0;
  const hasAsks = levelCount(ASKS) > 0;
  const bid = hasBids ? priceOf(BIDS, 0) : NaN;
  const ask = hasAsks ? priceOf(ASKS, 0) : NaN;
  const mid = (bid + ask) / 2;
  const hasMid = !F64.isNaN(mid);
  const firstBand = imbalances + vwaps;
  if (hasMid) for (let band = 0; band < bands; band++) findBand(band, mid, choice(firstBand + band));
  const lastBand = hasMid && bands > 0 ? max(foundOf(BIDS, bands - 1), foundOf(ASKS, bands - 1)) : 0;
  sumTo(max(max(mostLevels, lastBand), 1));

  const bidQuantity = hasBids ? quantityOfBest(BIDS, 1) : NaN;
  const askQuantity = hasAsks ? quantityOfBest(ASKS, 1) : NaN;
  let out = BOOK_ROW;
  store<f64>(out, bid);
  store<f64>(out, bidQuantity, 8);
  store<f64>(out, ask, 16);
  store<f64>(out, askQuantity, 24);
  store<f64>(out, mid, 32);
  store<f64>(out, (bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity), 40);
  store<f64>(out, ask - bid, 48);
  store<f64>(out, bpsOf(ask - bid, mid), 56);
  store<f64>(out, <f64>levelCount(BIDS), 64);
  store<f64>(out, <f64>levelCount(ASKS), 72);
  out += 80;

  for (let index = 0; index < imbalances; index++, out += 8) {
    const bids = quantityOfBest(BIDS, <i32>choice(index));
    const asks = quantityOfBest(ASKS, <i32>choice(index));
    store<f64>(out, (bids - asks) / (bids + asks));
  }
  for (let index = imbalances; index < firstBand; index++, out += 16) {
    const count = <i32>choice(index);
    store<f64>(out, notionalOfBest(BIDS, count) / quantityOfBest(BIDS, count));
    store<f64>(out, notionalOfBest(ASKS, count) / quantityOfBest(ASKS, count), 8);
  }
  for (let band = 0; band < bands; band++, out += 32) {
    const bids = foundOf(BIDS, band);
    const asks = foundOf(ASKS, band);
    store<f64>(out, hasMid ? quantityOfBest(BIDS, bids) : NaN);
    store<f64>(out, hasMid ? notionalOfBest(BIDS, bids) : NaN, 8);
    store<f64>(out, hasMid ? quantityOfBest(ASKS, asks) : NaN, 16);
    store<f64>(out, hasMid ? notionalOfBest(ASKS, asks) : NaN, 24);
  }
  for (let index = 0; index < impacts; index++, out += 16) {
    const amount = choice(firstBand + bands + index);
    store<f64>(out, bpsOf(averagePrice(ASKS, amount, bands + index) - mid, mid));
    store<f64>(out, bpsOf(mid - averagePrice(BIDS, amount, bands + index), mid), 8);
  }
  bookEnd = out;
  return areAmountsRead;
}

/** The address of what was found last of a band or an amount. */
function foundAt(side: i32, index: i32): usize {
  return FOUND + ((<usize>(side * MAX_METRICS + index)) << 2);
}

function foundOf(side: i32, index: i32): i32 {
  return load<i32>(foundAt(side, index));
}

/**
 * Finds how many levels a band of `bps` holds on each side. From row to row that changes little, so that the search
 * begins where the last one ended.
 */
function findBand(band: i32, mid: f64, bps: f64): void {
  const lowest = mid * (1 + -bps * 1e-4);
  const highest = mid * (1 + bps * 1e-4);
  let count = levelCount(BIDS);
  let held = min(foundOf(BIDS, band), count);
  while (held > 0 && priceOf(BIDS, held - 1) < lowest) held--;
  while (held < count && !(priceOf(BIDS, held) < lowest)) held++;
  store<i32>(foundAt(BIDS, band), held);
  count = levelCount(ASKS);
  held = min(foundOf(ASKS, band), count);
  while (held > 0 && priceOf(ASKS, held - 1) > highest) held--;
  while (held < count && !(priceOf(ASKS, held) > highest)) held++;
  store<i32>(foundAt(ASKS, band), held);
}

/** The average price at which an order worth `amount` fills on a side; NaN when the side is not deep enough. */
function averagePrice(side: i32, amount: f64, index: i32): f64 {
  const count = levelCount(side);
  // The levels that the order takes whole.
  let whole = doSumsAscend() ? min(foundOf(side, index), count) : 0;
  sumTo(min(whole + 1, count));
  while (whole > 0 && notionalOfBest(side, whole) >= amount) whole--;
  for (; whole < count; whole++) {
    if (whole >= summed) sumTo(min(whole + SUM_STEP, count));
    if (notionalOfBest(side, whole + 1) >= amount) break;
  }
  store<i32>(foundAt(side, index), whole);
  if (whole === count) return NaN;
  return amount / (quantityOfBest(side, whole) + (amount - notionalOfBest(side, whole)) / priceOf(side, whole));
}
