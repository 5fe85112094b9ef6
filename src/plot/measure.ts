import { type BookColumns, FLAG, newBookColumns } from '../view/book-columns.js';
import { findGrain, type Grain, marksOf } from '../view/heatmap.js';
import { seriesOf } from '../view/series.js';
import { PixelLine } from './pixel-line.js';
import type { PlotSpan } from './plot-span.js';

/** What the rows are, before any colour: all that lines, axes and the strip of marks are drawn by. */
export interface Measured {
  rows: number;
  /** Rows with each mark, and boundaries without a row. */
  filled: number;
  suspect: number;
  crossed: number;
  missing: number;
  hasQuality: boolean;
  /** Bits of `FLAG` and `MISSING` of each column of pixels. */
  marks: Uint8Array;
  bid: PixelLine;
  ask: PixelLine;
  mid: PixelLine;
  spreadBps: PixelLine;
  medianSpreadBps: number;
  /** How far from mid the last level of a side is, in the median column of pixels. */
  reach: number;
  grain: Grain;
  priceDecimals: number;
  /** Most levels a side of a row. */
  depth: number;
}

/** Adds parts of files, in order, up to a {@link Measured}. */
export class Measurer {
  readonly #span: PlotSpan;
  readonly #width: number;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #bid = new PixelLine();
  readonly #ask = new PixelLine();
  readonly #mid = new PixelLine();
  readonly #spread = new PixelLine();
  readonly #marks: Uint8Array;
  readonly #spreads = new Samples();
  readonly #reaches = new Samples();
  readonly #counts = { rows: 0, filled: 0, suspect: 0, crossed: 0, missing: 0 };
  #nextMs: number;
  #hasQuality = true;
  #grain: { tick: number; priceDecimals: number } | undefined;
  #depth = 0;

  /** @param width columns of pixels. */
  constructor(span: PlotSpan, width: number) {
    this.#span = span;
    this.#width = width;
    this.#marks = new Uint8Array(width);
    this.#startMs = span.firstMs;
    this.#endMs = span.lastMs + span.intervalMs;
    this.#nextMs = span.firstMs;
  }

  add(part: BookColumns): void {
    const { intervalMs } = this.#span;
    this.#mark(part, part.timesMs.at(-1) ?? this.#nextMs);
    const { bestBid, bestAsk, mid, spreadBps } = seriesOf(part, part.depth);
    for (let row = 0; row < part.rows; row++) {
      const timeMs = part.timesMs[row] as number;
      const isAfterGap = timeMs > this.#nextMs;
      const [startX, endX] = [this.#toX(timeMs), this.#toX(timeMs + intervalMs)];
      for (const [line, values] of [
        [this.#bid, bestBid],
        [this.#ask, bestAsk],
        [this.#mid, mid],
        [this.#spread, spreadBps],
      ] as const) {
        if (isAfterGap) line.breakOff();
        line.add(startX, endX, values[row] as number);
      }
      if (isAfterGap) this.#counts.missing += Math.round((timeMs - this.#nextMs) / intervalMs);
      this.#nextMs = timeMs + intervalMs;
      this.#spreads.add(spreadBps[row] as number);
      this.#reaches.add(reachOf(part, row, mid[row] as number));
      this.#count(part.flags[row] as number);
    }
    this.#hasQuality &&= part.hasQuality;
    this.#depth = Math.max(this.#depth, part.depth);
    this.#refineGrain(part);
  }

  finish(): Measured {
    const { intervalMs, lastMs } = this.#span;
    this.#counts.missing += Math.max(0, Math.round((lastMs + intervalMs - this.#nextMs) / intervalMs));
    this.#mark(newBookColumns(0, 0, false), lastMs);
    const { tick = 1, priceDecimals = 0 } = this.#grain ?? {};
    return {
      ...this.#counts,
      hasQuality: this.#hasQuality,
      marks: this.#marks,
      bid: this.#bid,
      ask: this.#ask,
      mid: this.#mid,
      spreadBps: this.#spread,
      medianSpreadBps: this.#spreads.median,
      reach: this.#reaches.median,
      grain: { intervalMs, tick },
      priceDecimals,
      depth: this.#depth,
    };
  }

  /** Marks the rows, and the boundaries without one from the row that was to come next up to the last. */
  #mark(columns: BookColumns, lastMs: number): void {
    const day = { columns, intervalMs: this.#span.intervalMs, firstMs: this.#nextMs, lastMs };
    const marks = marksOf([day], this.#startMs, this.#endMs, this.#width);
    for (let x = 0; x < marks.length; x++) this.#marks[x] = (this.#marks[x] as number) | (marks[x] as number);
  }

  #count(flags: number): void {
    this.#counts.rows++;
    for (const name of ['filled', 'suspect', 'crossed'] as const) if (flags & FLAG[name]) this.#counts[name]++;
  }

  /** Prices of all parts are multiples of the finest that any has. */
  #refineGrain(columns: BookColumns): void {
    const { intervalMs } = this.#span;
    const grain = findGrain([{ columns, intervalMs, firstMs: 0, lastMs: 0 }]);
    const { tick = Infinity, priceDecimals = 0 } = this.#grain ?? {};
    this.#grain = {
      tick: Math.min(tick, grain.tick),
      priceDecimals: Math.max(priceDecimals, grain.priceDecimals),
    };
  }

  #toX(ms: number): number {
    return ((ms - this.#startMs) / (this.#endMs - this.#startMs)) * this.#width;
  }
}

/** The distance from mid to the last level of the side that reaches less far. */
function reachOf({ depth, bidCounts, askCounts, bidPrices, askPrices }: BookColumns, row: number, mid: number): number {
  const [bids, asks] = [bidCounts[row] as number, askCounts[row] as number];
  if (bids === 0 || asks === 0) return Number.NaN;
  const first = row * depth;
  return Math.min(mid - (bidPrices[first + bids - 1] as number), (askPrices[first + asks - 1] as number) - mid);
}

const MOST_SAMPLES = 2 ** 16;

/** The median of numbers; of very many, of every second, fourth … of them. */
class Samples {
  #values: number[] = [];
  #stride = 1;
  #seen = 0;

  add(value: number): void {
    if (Number.isNaN(value) || this.#seen++ % this.#stride !== 0) return;
    this.#values.push(value);
    if (this.#values.length < MOST_SAMPLES) return;
    this.#values = this.#values.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** NaN when there are none. */
  get median(): number {
    const sorted = Float64Array.from(this.#values).sort();
    return sorted[sorted.length >>> 1] ?? Number.NaN;
  }
}
