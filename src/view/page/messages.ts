/** What the page asks its worker, which has the rows, and what it is told. */

import type { Aggregate, Grain, HeatGrid, HeatView } from '../heatmap.js';
import type { PaletteName, Theme } from '../palettes.js';
import type { QuantityScale } from '../scales.js';
import type { BookSeries } from '../series.js';

/** A file to be loaded. */
export interface Source {
  /** As people read it. */
  day: string;
  url: string;
  /** The first and last boundary of whole days; absent: those of its rows. */
  firstMs?: number | undefined;
  lastMs?: number | undefined;
  /** Absent: the least distance of its rows. */
  intervalMs?: number | undefined;
  /** Levels a side of the file; absent: as many as its rows have. */
  fileDepth?: number | undefined;
}

export interface Painting {
  view: HeatView;
  widthPx: number;
  heightPx: number;
  palette: PaletteName;
  theme: Theme;
  scaleKind: QuantityScale['kind'];
  percentile: number;
}

export type Request =
  /** Forgets what was loaded, and loads files. */
  | { kind: 'load'; sources: Source[] }
  | { kind: 'raster'; layout: Omit<HeatGrid, 'cells'>; aggregate: Aggregate; painting?: Painting | undefined }
  | { kind: 'row'; ms: number };

/** What the page keeps of a file. */
export interface LoadedDay {
  day: string;
  intervalMs: number;
  firstMs: number;
  lastMs: number;
  columns: { rows: number; timesMs: Float64Array; flags: Uint8Array };
  hasQuality: boolean;
  /** Levels a side that were loaded, at most. */
  depth: number;
  series: BookSeries;
  /** Of each row the outermost prices. */
  lowestBid: Float64Array;
  highestAsk: Float64Array;
}

export interface LadderRow {
  timeMs: number;
  flags: number;
  bidPrices: Float64Array;
  bidQuantities: Float64Array;
  askPrices: Float64Array;
  askQuantities: Float64Array;
}

/** What each kind of request is answered with. */
export interface Results {
  load: { grain: Grain & { priceDecimals: number; quantityDecimals: number } };
  /** With a painting: its pixels, instead of the cells, which the worker keeps. */
  raster: { grid: HeatGrid; clip: number; pixels?: Uint8ClampedArray<ArrayBuffer> | undefined };
  /** `null`: nothing was known then. */
  row: LadderRow | null;
}

/** What the worker tells while it loads. */
export type Event =
  | { kind: 'progress'; rows: number }
  | { kind: 'day'; day: LoadedDay }
  | { kind: 'failed'; day: string; message: string };

export type Reply =
  | { id: number; result: Results[Request['kind']] }
  | { id: number; error: string }
  | { id: number; event: Event };
