import { ROW_FLAG, type RowBatch } from '../base/rows.js';
import { DAY_MS, midnightMs } from '../base/time.js';
import { Random } from './random.js';

export interface BookDayOptions {
  /** UTC, `YYYY-MM-DD`. */
  date: string;
  depth: number;
  seed: number;
  /** Default: a minute. */
  intervalMs?: number;
  /** Ticks of the first mid. Default 24,000. */
  startTicks?: number;
  /** Digits behind the point of prices: a tick is one of the last. Default 4. */
  decimals?: number;
  /** Stretches without rows, and those with a flag, ms from midnight. */
  holes?: readonly Stretch[];
  filled?: readonly Stretch[];
  suspect?: readonly Stretch[];
}

interface Stretch {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
}

/** An order that rests for a while. */
interface Wall {
  ticks: number;
  quantity: number;
  fromRow: number;
  toRow: number;
}

/**
 * The rows of a synthetic day that looks like one: quiet and busy hours, quantity that grows with the distance from the best
 * price, and large orders that come, rest, and go when the price reaches them. For pictures, tests and benchmarks of what
 * reads outputs; {@link marketText} makes archives.
 *
 * @returns batches of one row at one depth.
 */
export function* bookDay(options: BookDayOptions): Generator<RowBatch, void, undefined> {
  const { date, depth, seed, intervalMs = 60_000, startTicks = 24_000, decimals = 4 } = options;
  const random = new Random(seed);
  const rows = DAY_MS / intervalMs;
  const walls = makeWalls(random, rows, startTicks, depth);
  const pull = startTicks * 0.012;
  // A price has a character of its own, which stays: how much rests there.
  const characters = Float64Array.from({ length: 4 * startTicks }, () => 0.25 + draw(random) ** 3 * 3.2);
  let mid = startTicks;
  let drift = 0;
  let busy = 0.5;
  for (let row = 1; row <= rows; row++) {
    busy = Math.min(1, Math.max(0.08, busy + (draw(random) - 0.5) * 0.09));
    drift = drift * 0.985 + (draw(random) - 0.5) * 1.6;
    const step = Math.sqrt((intervalMs / 60_000) * startTicks) * 0.02;
    mid += (drift + (draw(random) + draw(random) + draw(random) - 1.5) * 3.4 * busy) * step;
    mid += (startTicks - mid) * 0.004 * Math.min(2, Math.abs(startTicks - mid) / pull);
    for (const wall of walls) if (Math.abs(wall.ticks - mid) < 2) wall.toRow = Math.min(wall.toRow, row);
    const resting = restingAt(walls, row);
    const boundaryMs = midnightMs(date) + row * intervalMs;
    if (isIn(options.holes, row * intervalMs)) continue;
    const spread = 1 + Math.floor(draw(random) ** 4 * 5 * (1.2 - busy));
    const bestBid = Math.floor(mid);
    const side = (sign: -1 | 1, best: number) =>
      Array.from({ length: depth }, (_, level): [ticks: number, quantity: number] => {
        const ticks = best + sign * level;
        const profile = 180 + 52 * Math.sqrt(level) * (1.3 - 0.6 * busy) + (level < 3 ? -90 : 0);
        const quantity = profile * (characters[ticks] ?? 1) * (0.94 + 0.12 * draw(random));
        return [ticks, Math.max(1, Math.round(quantity + (resting.get(ticks) ?? 0)))];
      });
    yield toRow(boundaryMs, side(-1, bestBid), side(1, bestBid + spread), decimals, options, row * intervalMs);
  }
}

function draw(random: Random): number {
  return random.bits() / 2 ** 32;
}

function makeWalls(random: Random, rows: number, startTicks: number, depth: number): Wall[] {
  const walls: Wall[] = [];
  for (let count = 0; count < 160; count++) {
    const fromRow = random.below(rows);
    const isRound = random.below(3) > 0;
    const ticks = startTicks + random.below(3 * depth) - Math.floor(1.5 * depth);
    walls.push({
      ticks: isRound ? Math.round(ticks / 50) * 50 : ticks,
      quantity: 4_000 + random.below(16_000) * (isRound ? 1.8 : 1),
      fromRow,
      toRow: fromRow + Math.floor(rows * (0.02 + 0.4 * draw(random) ** 2)),
    });
  }
  // Those at the roundest prices are there all day.
  for (let ticks = startTicks - 2 * depth; ticks <= startTicks + 2 * depth; ticks += 250) {
    walls.push({ ticks: Math.round(ticks / 250) * 250, quantity: 9_000, fromRow: 0, toRow: rows });
  }
  return walls;
}

/** Quantity by price. */
function restingAt(walls: readonly Wall[], row: number): Map<number, number> {
  const resting = new Map<number, number>();
  for (const { ticks, quantity, fromRow, toRow } of walls) {
    if (row >= fromRow && row < toRow) resting.set(ticks, (resting.get(ticks) ?? 0) + quantity);
  }
  return resting;
}

function isIn(stretches: readonly Stretch[] = [], ms: number): boolean {
  return stretches.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
}

function toRow(
  boundaryMs: number,
  bids: [number, number][],
  asks: [number, number][],
  decimals: number,
  { filled, suspect }: BookDayOptions,
  ms: number,
): RowBatch {
  const unit = 10 ** decimals;
  const prices = (side: [number, number][]) => Float64Array.from(side, ([ticks]) => ticks / unit);
  const quantities = (side: [number, number][]) => Float64Array.from(side, ([, quantity]) => quantity);
  const text = [...bids, ...asks]
    .map(([ticks, quantity]) => `${(ticks / unit).toFixed(decimals)},${quantity}`)
    .join(',');
  const isFilled = isIn(filled, ms);
  const cells = Buffer.from(text);
  const book = {
    depth: bids.length,
    bidCounts: Int32Array.of(bids.length),
    askCounts: Int32Array.of(asks.length),
    cells,
    cellEnds: Int32Array.of(cells.length),
    bidPrices: prices(bids),
    bidQuantities: quantities(bids),
    askPrices: prices(asks),
    askQuantities: quantities(asks),
  };
  return {
    length: 1,
    boundaryMs: Float64Array.of(boundaryMs),
    bookTsMs: Float64Array.of(boundaryMs - (isFilled ? 60_000 : 37)),
    flags: Uint8Array.of((isFilled ? ROW_FLAG.isFilled : 0) | (isIn(suspect, ms) ? ROW_FLAG.isSuspect : 0)),
    books: [book],
    metrics: [],
  };
}
