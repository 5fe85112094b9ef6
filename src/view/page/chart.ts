/** The heatmap as people use it: wheel, drag, keys; it asks the worker for cells as the view moves. */
import { rowAt } from '../book-columns.js';
import {
  type Aggregate,
  type Coloring,
  clipOf,
  type Grain,
  type HeatGrid,
  type HeatView,
  layOutGrid,
} from '../heatmap.js';
import { type PaletteName, paletteTable, type Theme } from '../palettes.js';
import type { QuantityScale } from '../scales.js';
import type { RowsWorker } from './backend.js';
import { GlHeatCanvas, PaintedHeatCanvas } from './heat-canvas.js';
import type { LoadedDay } from './messages.js';
import { drawOverlay, GUTTER } from './overlay.js';
import { type PageState, roundView } from './state.js';

/** How cells look. */
export interface ChartStyle {
  theme: Theme;
  palette: PaletteName;
  scale: QuantityScale['kind'];
  percentile: number;
  aggregate: Aggregate;
  hasLines: boolean;
}

export interface ChartEvents {
  /** The view was moved by the user; called at most once a frame. */
  onMove(view: HeatView): void;
  /** A row was pointed at, without a press. */
  onPoint(ms: number | undefined): void;
  /** A row was chosen. */
  onChoose(ms: number): void;
  onSelect(selection: readonly [fromMs: number, toMs: number] | undefined): void;
  onScale(scale: QuantityScale): void;
}

interface Content {
  days: LoadedDay[];
  grain: Grain & { priceDecimals: number; quantityDecimals: number };
}

/** Cells are made for this part of the view beyond each of its edges, so that a drag finds them. */
const MARGIN = 0.25;
/** While the view moves, cells are made for it this often at most: to make and take them costs frames. */
const MS_BETWEEN_RASTERS = 250;
/** … and at once when it has not moved for so long. */
const REST_MS = 70;
/** A press that moves less, in CSS pixels, is a click. */
const CLICK_PX = 4;
const ZOOM_OF_WHEEL = 0.0016;
/** Levels closer together than this many pixels need no closer look. */
const MAX_PX_OF_TICK = 60;

export class Chart {
  readonly #worker: RowsWorker;
  readonly #events: ChartEvents;
  readonly #root: HTMLElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #heat: GlHeatCanvas | PaintedHeatCanvas;
  #style: ChartStyle;
  #content: Content | undefined;
  #view: HeatView = { fromMs: 0, toMs: 1, lowPrice: 0, highPrice: 1 };
  #fit: HeatView = this.#view;
  #size = { width: 0, height: 0, ratio: 1, plotWidthPx: 0, plotHeightPx: 0 };
  #table: Uint8Array;
  #scale: QuantityScale;
  #detail: HeatGrid | undefined;
  #atMs: number | undefined;
  #pointer: { x: number; y: number } | undefined;
  #selection: readonly [number, number] | undefined;
  #isFrameAsked = false;
  #isMoved = false;
  #isRastering = false;
  #movedMs = -Infinity;
  #rasteredMs = -Infinity;
  #restTimer = 0;
  /** What the cells were made for that are shown, or on the way; another one: they are made again. */
  #rastered = '';

  constructor(root: HTMLElement, worker: RowsWorker, style: ChartStyle, draw: PageState['draw'], events: ChartEvents) {
    this.#root = root;
    this.#worker = worker;
    this.#style = style;
    this.#events = events;
    this.#table = paletteTable(style.palette, style.theme);
    this.#scale = { kind: style.scale, clip: 1 };
    const canvas = root.querySelector<HTMLCanvasElement>('.heat') as HTMLCanvasElement;
    this.#canvas = canvas;
    this.#overlay = root.querySelector<HTMLCanvasElement>('.overlay') as HTMLCanvasElement;
    this.#heat =
      (draw === 'worker' ? undefined : GlHeatCanvas.create(canvas, draw === 'webgl')) ?? new PaintedHeatCanvas(canvas);
    root.dataset['drawnBy'] = this.#heat.kind;
    new ResizeObserver(() => this.#resize()).observe(root);
    this.#resize();
    this.#listen();
  }

  get view(): HeatView {
    return this.#view;
  }

  get drawnBy(): string {
    return this.#heat.kind;
  }

  /** Shows other rows. @param view absent: all of them. */
  setContent(content: Content | undefined, view?: HeatView): void {
    this.#content = content;
    this.#heat.clear();
    this.#detail = undefined;
    this.#rastered = '';
    this.#selection = undefined;
    this.#fit = content ? fitOf(content.days) : this.#fit;
    this.setView(view ?? this.#fit);
    if (content) void this.#makeOverview();
  }

  setStyle(style: ChartStyle): void {
    const isOtherCells = style.aggregate !== this.#style.aggregate;
    this.#style = style;
    this.#table = paletteTable(style.palette, style.theme);
    this.#rescale();
    if (isOtherCells) void this.#makeOverview();
    this.requestDraw();
  }

  setView(view: HeatView): void {
    this.#view = this.#bounded(view);
    this.requestDraw();
  }

  /** How quantities are coloured now. */
  get scale(): QuantityScale {
    return this.#scale;
  }

  fit(): void {
    this.#move(this.#fit);
  }

  moveTo(view: HeatView): void {
    this.#move(view);
  }

  setCursor(atMs: number | undefined): void {
    if (atMs === this.#atMs) return;
    this.#atMs = atMs;
    this.requestDraw();
  }

  /** Moves along time until a moment is in view. */
  reveal(ms: number): void {
    const { fromMs, toMs } = this.#view;
    if (ms >= fromMs && ms < toMs) return;
    const half = (toMs - fromMs) / 2;
    this.#move({ ...this.#view, fromMs: ms - half, toMs: ms + half });
  }

  select(selection: readonly [number, number] | undefined): void {
    this.#selection = selection;
    this.#events.onSelect(selection);
    this.requestDraw();
  }

  /** Zooms by factors (below 1: in) around a place, by default the middle. */
  zoom(timeFactor: number, priceFactor: number, at: { ms?: number; price?: number } = {}): void {
    const { fromMs, toMs, lowPrice, highPrice } = this.#view;
    const ms = at.ms ?? (fromMs + toMs) / 2;
    const price = at.price ?? (lowPrice + highPrice) / 2;
    this.#move({
      fromMs: ms - (ms - fromMs) * timeFactor,
      toMs: ms + (toMs - ms) * timeFactor,
      lowPrice: price - (price - lowPrice) * priceFactor,
      highPrice: price + (highPrice - price) * priceFactor,
    });
  }

  /** Moves by parts of what is seen. */
  pan(timePart: number, pricePart: number): void {
    const { fromMs, toMs, lowPrice, highPrice } = this.#view;
    const ms = (toMs - fromMs) * timePart;
    const price = (highPrice - lowPrice) * pricePart;
    this.#move({ fromMs: fromMs + ms, toMs: toMs + ms, lowPrice: lowPrice + price, highPrice: highPrice + price });
  }

  /** The picture with its axes, as it is now. */
  copyTo(context: CanvasRenderingContext2D): void {
    this.#draw();
    const { left } = GUTTER;
    const { ratio } = this.#size;
    context.drawImage(this.#canvas, Math.round(left * ratio), 0);
    context.drawImage(this.#overlay, 0, 0);
  }

  /** Whether what is seen is made of cells for just this view. */
  get #isSettled(): boolean {
    return !this.#isRastering && !this.#isFrameAsked && (!this.#content || this.#rastered === this.#wantedRaster());
  }

  requestDraw(): void {
    if (this.#isFrameAsked) return;
    this.#isFrameAsked = true;
    requestAnimationFrame(() => {
      this.#isFrameAsked = false;
      this.#draw();
      if (this.#isMoved) {
        this.#isMoved = false;
        this.#events.onMove(this.#view);
      }
      void this.#makeDetail();
      this.#root.dataset['settled'] = String(this.#isSettled);
    });
  }

  #move(view: HeatView): void {
    if (!this.#content) return;
    this.#isMoved = true;
    this.#movedMs = performance.now();
    this.setView(view);
  }

  /** Keeps some of the rows in view, and a sensible size. */
  #bounded(view: HeatView): HeatView {
    if (!this.#content) return view;
    const { intervalMs, tick } = this.#content.grain;
    const fit = this.#fit;
    const [fitMs, fitPrice] = [fit.toMs - fit.fromMs, fit.highPrice - fit.lowPrice];
    const leastPrice = tick * Math.max(2, this.#size.height / MAX_PX_OF_TICK);
    const [fromMs, toMs] = boundedRange(
      view.fromMs,
      view.toMs,
      Math.min(fitMs, intervalMs * 4),
      fitMs * 1.5,
      fit.fromMs,
      fit.toMs,
    );
    const [lowPrice, highPrice] = boundedRange(
      ...[view.lowPrice, view.highPrice, Math.min(fitPrice, leastPrice), fitPrice * 4],
      ...([fit.lowPrice, fit.highPrice] as const),
    );
    // As the address has it, so that who opens that sees the same to the pixel.
    return roundView({ fromMs, toMs, lowPrice, highPrice });
  }

  #resize(): void {
    const { width, height } = this.#root.getBoundingClientRect();
    const ratio = window.devicePixelRatio;
    const plotWidthPx = Math.max(1, Math.round((width - GUTTER.left - GUTTER.right) * ratio));
    const plotHeightPx = Math.max(1, Math.round((height - GUTTER.bottom) * ratio));
    this.#size = { width, height, ratio, plotWidthPx, plotHeightPx };
    this.#heat.resize(plotWidthPx, plotHeightPx);
    // A pixel of the canvas is one of the screen.
    this.#canvas.style.width = `${plotWidthPx / ratio}px`;
    this.#canvas.style.height = `${plotHeightPx / ratio}px`;
    this.#overlay.width = Math.round(width * ratio);
    this.#overlay.height = Math.round(height * ratio);
    this.requestDraw();
  }

  #coloring(): Coloring {
    return { table: this.#table, theme: this.#style.theme, scale: this.#scale };
  }

  #draw(): void {
    const { width, height, ratio } = this.#size;
    const context = this.#overlay.getContext('2d');
    if (!context) return;
    this.#heat.draw(this.#view, this.#coloring());
    if (!this.#content) {
      context.clearRect(0, 0, this.#overlay.width, this.#overlay.height);
      return;
    }
    drawOverlay(context, width, height, ratio, {
      view: this.#view,
      days: this.#content.days,
      theme: this.#style.theme,
      hasLines: this.#style.hasLines,
      priceDecimals: this.#content.grain.priceDecimals,
      atMs: this.#atMs,
      pointerPrice: this.#pointer && this.#priceAt(this.#pointer.y),
      selection: this.#selection,
    });
  }

  #wantedRaster(): string {
    const { plotWidthPx, plotHeightPx } = this.#size;
    const { aggregate, palette, scale, percentile, theme } = this.#style;
    const ofColors = this.#heat instanceof PaintedHeatCanvas ? [palette, scale, percentile, theme] : [];
    return JSON.stringify([this.#view, plotWidthPx, plotHeightPx, aggregate, ...ofColors]);
  }

  /** Has cells made for the view, if they are not, one request at a time: of all views meanwhile, only the last counts. */
  async #makeDetail(): Promise<void> {
    const wanted = this.#wantedRaster();
    const content = this.#content;
    if (!content || this.#isRastering || wanted === this.#rastered) return;
    const nowMs = performance.now();
    if (nowMs - this.#movedMs < REST_MS && nowMs - this.#rasteredMs < MS_BETWEEN_RASTERS) {
      clearTimeout(this.#restTimer);
      this.#restTimer = setTimeout(() => this.requestDraw(), REST_MS);
      return;
    }
    this.#rasteredMs = nowMs;
    this.#isRastering = true;
    try {
      const { plotWidthPx: width, plotHeightPx: height } = this.#size;
      const { view, aggregate, heat } = { view: this.#view, aggregate: this.#style.aggregate, heat: this.#heat };
      if (heat instanceof PaintedHeatCanvas) {
        const { palette, theme, scale: scaleKind, percentile } = this.#style;
        const wide = widened(view, width, height);
        const layout = layOutGrid(wide.view, wide.width, wide.height, content.grain);
        const painting = {
          view: wide.view,
          widthPx: wide.width,
          heightPx: wide.height,
          palette,
          theme,
          scaleKind,
          percentile,
        };
        const { pixels, clip } = await this.#worker.ask({ kind: 'raster', layout, aggregate, painting });
        if (content !== this.#content) return;
        if (pixels) heat.setPixels(pixels, wide.view, wide.width, wide.height);
        this.#setScale({ kind: scaleKind, clip });
      } else {
        const wide = widened(view, width, height);
        const layout = layOutGrid(wide.view, wide.width, wide.height, content.grain);
        const { grid } = await this.#worker.ask({ kind: 'raster', layout, aggregate });
        if (content !== this.#content) return;
        heat.setGrid('detail', grid);
        this.#detail = grid;
        this.#rescale();
      }
      this.#rastered = wanted;
    } finally {
      this.#isRastering = false;
      this.requestDraw();
    }
  }

  /** Cells of everything, which are seen where those of the view are still on the way. */
  async #makeOverview(): Promise<void> {
    const { grain } = this.#content ?? {};
    if (!grain || this.#heat instanceof PaintedHeatCanvas) return;
    const content = this.#content;
    const { plotWidthPx, plotHeightPx } = this.#size;
    const layout = layOutGrid(this.#fit, plotWidthPx, plotHeightPx, grain);
    const { grid } = await this.#worker.ask({ kind: 'raster', layout, aggregate: this.#style.aggregate });
    if (content !== this.#content) return;
    this.#heat.setGrid('overview', grid);
    this.requestDraw();
  }

  /** Finds the clip for what is seen. */
  #rescale(): void {
    const { scale: kind, percentile } = this.#style;
    if (!this.#detail) this.#setScale({ kind, clip: this.#scale.clip });
    else this.#setScale({ kind, clip: clipOf(this.#detail, percentile) });
  }

  #setScale(scale: QuantityScale): void {
    this.#root.dataset['clip'] = String(scale.clip);
    if (scale.kind === this.#scale.kind && scale.clip === this.#scale.clip) return;
    this.#scale = scale;
    this.#events.onScale(scale);
  }

  #msAt(x: number): number {
    const { width } = this.#size;
    const { fromMs, toMs } = this.#view;
    return fromMs + ((x - GUTTER.left) / (width - GUTTER.left - GUTTER.right)) * (toMs - fromMs);
  }

  #priceAt(y: number): number {
    const { lowPrice, highPrice } = this.#view;
    return highPrice - (y / (this.#size.height - GUTTER.bottom)) * (highPrice - lowPrice);
  }

  /** The row at a moment; `undefined`: there is none. */
  #rowTimeAt(ms: number): number | undefined {
    for (const { columns, intervalMs } of this.#content?.days ?? []) {
      const row = rowAt(columns.timesMs, ms);
      const timeMs = columns.timesMs[row];
      if (timeMs !== undefined && ms < timeMs + intervalMs) return timeMs;
    }
    return undefined;
  }

  #listen(): void {
    const root = this.#root;
    let drag: { x: number; y: number; view: HeatView; isSelecting: boolean; isMoved: boolean } | undefined;
    const placeOf = (event: MouseEvent) => {
      const box = root.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    root.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const { x, y } = placeOf(event);
        const factor = Math.exp((event.deltaY || event.deltaX) * ZOOM_OF_WHEEL * (event.deltaMode === 1 ? 18 : 1));
        const isPriceOnly = x < GUTTER.left || event.altKey;
        const isTimeOnly = y > this.#size.height - GUTTER.bottom || event.shiftKey;
        const at = { ms: this.#msAt(x), price: this.#priceAt(y) };
        this.zoom(isPriceOnly ? 1 : factor, isTimeOnly ? 1 : factor, at);
      },
      { passive: false },
    );
    root.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      const place = placeOf(event);
      drag = { ...place, view: this.#view, isSelecting: event.shiftKey, isMoved: false };
      root.setPointerCapture(event.pointerId);
    });
    root.addEventListener('pointermove', (event) => {
      const place = placeOf(event);
      if (!drag) {
        this.#pointAt(place);
        return;
      }
      drag.isMoved ||= Math.hypot(place.x - drag.x, place.y - drag.y) >= CLICK_PX;
      if (!drag.isMoved) return;
      if (drag.isSelecting) {
        const [from, to] = [this.#msAt(drag.x), this.#msAt(place.x)].sort((a, b) => a - b) as [number, number];
        this.select([from, to]);
        return;
      }
      root.dataset['dragging'] = '';
      const { view } = drag;
      const ms = ((drag.x - place.x) / (this.#size.width - GUTTER.left - GUTTER.right)) * (view.toMs - view.fromMs);
      const isTimeOnly = drag.y > this.#size.height - GUTTER.bottom;
      const price = isTimeOnly
        ? 0
        : ((place.y - drag.y) / (this.#size.height - GUTTER.bottom)) * (view.highPrice - view.lowPrice);
      const shift = drag.x < GUTTER.left ? 0 : ms;
      this.#move({
        ...{ fromMs: view.fromMs + shift, toMs: view.toMs + shift },
        ...{ lowPrice: view.lowPrice + price, highPrice: view.highPrice + price },
      });
    });
    const end = (event: PointerEvent, isCancelled: boolean) => {
      const ended = drag;
      drag = undefined;
      delete root.dataset['dragging'];
      if (!ended || isCancelled || ended.isMoved) return;
      if (ended.isSelecting) this.select(undefined);
      const ms = this.#rowTimeAt(this.#msAt(placeOf(event).x));
      if (ms !== undefined) this.#events.onChoose(ms);
    };
    root.addEventListener('pointerup', (event) => end(event, false));
    root.addEventListener('pointercancel', (event) => end(event, true));
    root.addEventListener('pointerleave', () => this.#pointAt(undefined));
    root.addEventListener('dblclick', () => this.fit());
  }

  #pointAt(place: { x: number; y: number } | undefined): void {
    const isInside =
      place &&
      place.x >= GUTTER.left &&
      place.x <= this.#size.width - GUTTER.right &&
      place.y <= this.#size.height - GUTTER.bottom;
    this.#pointer = isInside ? place : undefined;
    this.#events.onPoint(isInside ? this.#rowTimeAt(this.#msAt(place.x)) : undefined);
    this.requestDraw();
  }
}

function boundedRange(
  from: number,
  to: number,
  least: number,
  most: number,
  low: number,
  high: number,
): [number, number] {
  const middle = (from + to) / 2;
  const size = Math.min(Math.max(to - from, least), most);
  // The middle of what is seen stays among the rows.
  const center = Math.min(Math.max(middle, low), high);
  return size === to - from && center === middle ? [from, to] : [center - size / 2, center + size / 2];
}

/** A view with a margin of whole pixels, so that its pixels are those of the view. */
function widened(view: HeatView, widthPx: number, heightPx: number) {
  const [marginX, marginY] = [Math.round(widthPx * MARGIN), Math.round(heightPx * MARGIN)];
  const ms = ((view.toMs - view.fromMs) / widthPx) * marginX;
  const price = ((view.highPrice - view.lowPrice) / heightPx) * marginY;
  return {
    view: {
      ...{ fromMs: view.fromMs - ms, toMs: view.toMs + ms },
      ...{ lowPrice: view.lowPrice - price, highPrice: view.highPrice + price },
    },
    width: widthPx + 2 * marginX,
    height: heightPx + 2 * marginY,
  };
}

/** All times, and the prices that nearly all rows reach: a few outliers must not make all others a thin line. */
function fitOf(days: readonly LoadedDay[]): HeatView {
  const fromMs = days.reduce((least, { firstMs }) => Math.min(least, firstMs), Infinity);
  const toMs = days.reduce((most, { lastMs, intervalMs }) => Math.max(most, lastMs + intervalMs), -Infinity);
  const low = quantile(
    days.map(({ lowestBid }) => lowestBid),
    0.01,
  );
  const high = quantile(
    days.map(({ highestAsk }) => highestAsk),
    0.99,
  );
  const mids = days.flatMap(({ series }) => [series.bestBid, series.bestAsk]);
  const [lowPrice, highPrice] = [
    Math.min(low ?? Infinity, quantile(mids, 0) ?? Infinity),
    Math.max(high ?? -Infinity, quantile(mids, 1) ?? -Infinity),
  ];
  const hasPrices = Number.isFinite(lowPrice) && Number.isFinite(highPrice);
  if (!(toMs > fromMs)) return { fromMs: 0, toMs: 1, lowPrice: 0, highPrice: 1 };
  if (!hasPrices) return { fromMs, toMs, lowPrice: 0, highPrice: 1 };
  const air = Math.max((highPrice - lowPrice) * 0.02, highPrice * 1e-6);
  return { fromMs, toMs, lowPrice: lowPrice - air, highPrice: highPrice + air };
}

function quantile(arrays: readonly Float64Array[], part: number): number | undefined {
  const values = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let count = 0;
  for (const array of arrays) for (const value of array) if (!Number.isNaN(value)) values[count++] = value;
  const sorted = values.subarray(0, count).sort();
  return sorted[Math.min(count - 1, Math.floor(part * count))];
}
