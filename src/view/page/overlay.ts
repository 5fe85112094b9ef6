/** Draws what lies over and beside the heatmap: axes, lines of best prices, marks of quality, crosshair, selection. */
import { FLAG, rowAt } from '../book-columns.js';
import { type HeatView, MISSING, marksOf } from '../heatmap.js';
import { BACKGROUND, cssColor, LINES, type Rgb, type Theme } from '../palettes.js';
import { niceTicks, timeTicks } from '../scales.js';
import type { LoadedDay } from './messages.js';
import { formatTime } from './state.js';

/** Room around the picture in CSS pixels; the panels below have the same to the left and right. */
export const GUTTER = { left: 76, right: 10, bottom: 38 } as const;
const STRIP_HEIGHT = 6;

/** Marks in the order in which they cover each other. */
export const MARKS = [
  { bits: FLAG.partial | FLAG.thin, name: 'thin', color: { dark: [110, 118, 132], light: [150, 156, 166] } },
  { bits: FLAG.filled, name: 'filled', color: { dark: [96, 156, 230], light: [40, 110, 190] } },
  { bits: FLAG.suspect, name: 'suspect', color: { dark: [240, 180, 60], light: [190, 120, 0] } },
  { bits: FLAG.crossed, name: 'crossed', color: { dark: [238, 110, 200], light: [180, 30, 130] } },
  { bits: MISSING, name: 'missing', color: { dark: [240, 96, 88], light: [200, 40, 36] } },
] as const satisfies readonly { bits: number; name: string; color: Record<Theme, Rgb> }[];

const TEXT: Record<
  Theme,
  { axis: string; grid: string; label: string; labelText: string; cross: string; select: string }
> = {
  dark: {
    axis: '#a9b1bf',
    grid: '#ffffff14',
    label: '#e6e9ef',
    labelText: '#0d1017',
    cross: '#e6e9efb0',
    select: '#ffffff24',
  },
  light: {
    axis: '#4b5361',
    grid: '#00000012',
    label: '#1c2230',
    labelText: '#ffffff',
    cross: '#1c2230b0',
    select: '#00000018',
  },
};

const FONT = '11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';

export interface OverlayScene {
  view: HeatView;
  days: readonly LoadedDay[];
  theme: Theme;
  hasLines: boolean;
  priceDecimals: number;
  /** The row in the ladder. */
  atMs: number | undefined;
  /** Where the pointer is; absent: not over the picture. */
  pointerPrice: number | undefined;
  selection: readonly [fromMs: number, toMs: number] | undefined;
}

/** @param width of the whole, with the gutters, in CSS pixels. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  pixelRatio: number,
  scene: OverlayScene,
): void {
  const { view, theme } = scene;
  const plot = { left: GUTTER.left, top: 0, width: width - GUTTER.left - GUTTER.right, height: height - GUTTER.bottom };
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  const place: Place = {
    ...plot,
    x: (ms) => plot.left + ((ms - view.fromMs) / (view.toMs - view.fromMs)) * plot.width,
    y: (price) => ((view.highPrice - price) / (view.highPrice - view.lowPrice)) * plot.height,
  };
  drawAxes(context, place, scene);
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.width, plot.height);
  context.clip();
  if (scene.hasLines) drawLines(context, place, scene, pixelRatio);
  drawSelection(context, place, scene);
  context.restore();
  drawMarks(context, place, scene);
  drawCrosshair(context, place, scene);
  context.strokeStyle = TEXT[theme].grid;
}

interface Place {
  left: number;
  top: number;
  width: number;
  height: number;
  x(ms: number): number;
  y(price: number): number;
}

function drawAxes(context: CanvasRenderingContext2D, place: Place, { view, theme, priceDecimals }: OverlayScene): void {
  const { left, width, height } = place;
  const style = TEXT[theme];
  context.fillStyle = style.axis;
  context.strokeStyle = style.grid;
  context.lineWidth = 1;
  context.beginPath();
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const price of niceTicks(view.lowPrice, view.highPrice, Math.max(2, height / 48))) {
    const y = Math.round(place.y(price)) + 0.5;
    if (y > 6 && y < height - 4) context.fillText(priceText(price, priceDecimals), left - 8, y);
    context.moveTo(left, y);
    context.lineTo(left + width, y);
  }
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (const { ms, label } of timeTicks(view.fromMs, view.toMs, Math.max(2, width / 110))) {
    const x = Math.round(place.x(ms)) + 0.5;
    const half = context.measureText(label).width / 2;
    context.fillText(label, Math.min(Math.max(x, left + half), left + width - half), height + STRIP_HEIGHT + 18);
    context.moveTo(x, 0);
    context.lineTo(x, height);
  }
  context.stroke();
  context.textAlign = 'right';
  context.fillText('UTC', left - 8, height + STRIP_HEIGHT + 18);
}

/** Digits as the prices of the file have them, fewer where the marks are round. */
function priceText(price: number, decimals: number): string {
  return price.toFixed(Math.min(Math.max(decimals, 0), 12));
}

function drawLines(
  context: CanvasRenderingContext2D,
  place: Place,
  { view, days, theme }: OverlayScene,
  ratio: number,
): void {
  for (const { columns, series, intervalMs } of days) {
    const { timesMs } = columns;
    const first = Math.max(0, rowAt(timesMs, view.fromMs));
    const last = rowAt(timesMs, view.toMs); // inclusive
    if (last < first) continue;
    const rowsOfPx = (last - first) / (place.width * ratio);
    for (const [name, values] of [
      ['bid', series.bestBid],
      ['ask', series.bestAsk],
      ['mid', series.mid],
    ] as const) {
      const path =
        rowsOfPx > BLOCK_ROWS
          ? blockLine(place, timesMs, values, view, intervalMs)
          : rowsOfPx > 1
            ? denseLine(place, timesMs, values, first, last, intervalMs, ratio)
            : stepLine(place, timesMs, values, first, last, intervalMs);
      if (rowsOfPx <= 1 || name === 'mid') {
        context.strokeStyle = cssColor(BACKGROUND[theme]);
        context.globalAlpha = 0.75;
        context.lineWidth = name === 'mid' ? 3 : 3.5;
        context.stroke(path);
        context.globalAlpha = 1;
      }
      context.strokeStyle = cssColor(LINES[theme][name]);
      context.lineWidth = name === 'mid' ? 1 : 1.5;
      context.setLineDash(name === 'mid' && rowsOfPx <= 1 ? [3, 3] : []);
      context.stroke(path);
      context.setLineDash([]);
    }
  }
}

/** A value holds from its row up to the next. */
function stepLine(
  place: Place,
  timesMs: Float64Array,
  values: Float64Array,
  first: number,
  last: number,
  intervalMs: number,
): Path2D {
  const path = new Path2D();
  let endMs = Number.NaN;
  for (let row = first; row <= last; row++) {
    const value = values[row] as number;
    const startMs = timesMs[row] as number;
    if (Number.isNaN(value)) {
      endMs = Number.NaN;
      continue;
    }
    const y = place.y(value);
    if (startMs === endMs) path.lineTo(place.x(startMs), y);
    else path.moveTo(place.x(startMs), y);
    endMs = startMs + intervalMs;
    path.lineTo(place.x(endMs), y);
  }
  return path;
}

/** Rows of a block, of which only the least and the largest value are looked at where a pixel has as many. */
const BLOCK_ROWS = 32;
const blocksOf = new WeakMap<Float64Array, { timesMs: Float64Array; least: Float64Array; most: Float64Array }>();

/** The least and the largest value of each block; a block ends early where a row is missing, so that gaps stay. */
function blocks(timesMs: Float64Array, values: Float64Array, intervalMs: number) {
  const known = blocksOf.get(values);
  if (known) return known;
  const starts: number[] = [];
  const lows: number[] = [];
  const highs: number[] = [];
  let rows = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    const isNew = rows === 0 || rows === BLOCK_ROWS || timesMs[row] !== (timesMs[row - 1] as number) + intervalMs;
    if (isNew) {
      starts.push(timesMs[row] as number);
      lows.push(value);
      highs.push(value);
      rows = 0;
    } else {
      // NaN when it was: the first number takes its place.
      const last = lows.length - 1;
      if (!(value >= (lows[last] as number)) && !Number.isNaN(value)) lows[last] = value;
      if (!(value <= (highs[last] as number)) && !Number.isNaN(value)) highs[last] = value;
    }
    rows++;
  }
  const made = { timesMs: Float64Array.from(starts), least: Float64Array.from(lows), most: Float64Array.from(highs) };
  blocksOf.set(values, made);
  return made;
}

/** A line of blocks, each from its least value to its largest. */
function blockLine(
  place: Place,
  timesMs: Float64Array,
  values: Float64Array,
  view: HeatView,
  intervalMs: number,
): Path2D {
  const { timesMs: starts, least, most } = blocks(timesMs, values, intervalMs);
  const path = new Path2D();
  let lastMs = Number.NaN;
  for (let block = Math.max(0, rowAt(starts, view.fromMs)); block < starts.length; block++) {
    const startMs = starts[block] as number;
    if (startMs > view.toMs) break;
    const x = place.x(startMs);
    if (startMs - lastMs <= BLOCK_ROWS * intervalMs) path.lineTo(x, place.y(least[block] as number));
    else path.moveTo(x, place.y(least[block] as number));
    path.lineTo(x, place.y(most[block] as number));
    lastMs = startMs;
  }
  return path;
}

/** Of several rows in a pixel, the stretch from the least value to the largest: none is left out. */
function denseLine(
  place: Place,
  timesMs: Float64Array,
  values: Float64Array,
  first: number,
  last: number,
  intervalMs: number,
  ratio: number,
): Path2D {
  const path = new Path2D();
  let pixel = Number.NaN;
  let least = Infinity;
  let most = -Infinity;
  let endMs = Number.NaN;
  const flush = () => {
    if (most < least) return;
    path.lineTo(pixel / ratio, place.y(least));
    path.lineTo(pixel / ratio, place.y(most));
  };
  for (let row = first; row <= last; row++) {
    const value = values[row] as number;
    if (Number.isNaN(value)) continue;
    const startMs = timesMs[row] as number;
    const at = Math.floor(place.x(startMs) * ratio);
    if (startMs !== endMs) {
      flush();
      path.moveTo(at / ratio, place.y(value));
      least = Infinity;
      most = -Infinity;
      pixel = at;
    } else if (at !== pixel) {
      flush();
      least = value;
      most = value;
      pixel = at;
    }
    least = Math.min(least, value);
    most = Math.max(most, value);
    endMs = startMs + intervalMs;
  }
  flush();
  return path;
}

function drawSelection(context: CanvasRenderingContext2D, place: Place, { selection, theme }: OverlayScene): void {
  if (!selection) return;
  const [from, to] = [place.x(selection[0]), place.x(selection[1])];
  context.fillStyle = TEXT[theme].select;
  context.fillRect(from, 0, to - from, place.height);
  context.strokeStyle = TEXT[theme].cross;
  context.lineWidth = 1;
  context.strokeRect(Math.round(from) + 0.5, -1, Math.round(to - from), place.height + 2);
}

/** A strip below the picture: what is to be known of the rows, and where there are none. */
function drawMarks(context: CanvasRenderingContext2D, place: Place, { view, days, theme }: OverlayScene): void {
  const stretches = Math.max(1, Math.floor(place.width));
  const marks = marksOf(days, view.fromMs, view.toMs, stretches);
  const top = place.height + 3;
  for (const { bits, color } of MARKS) {
    context.fillStyle = cssColor(color[theme]);
    for (let start = 0; start < stretches; start++) {
      if (((marks[start] as number) & bits) === 0) continue;
      let end = start + 1;
      while (end < stretches && ((marks[end] as number) & bits) !== 0) end++;
      context.fillRect(place.left + start, top, Math.max(1.5, end - start), STRIP_HEIGHT);
      start = end;
    }
  }
}

function drawCrosshair(context: CanvasRenderingContext2D, place: Place, scene: OverlayScene): void {
  const { atMs, pointerPrice, theme, priceDecimals, days } = scene;
  const { left, width, height } = place;
  const style = TEXT[theme];
  context.strokeStyle = style.cross;
  context.lineWidth = 1;
  if (atMs !== undefined) {
    const intervalMs = days.find(({ firstMs, lastMs }) => atMs >= firstMs && atMs <= lastMs)?.intervalMs ?? 0;
    const middle = place.x(atMs + intervalMs / 2);
    const x = Math.round(middle) + 0.5;
    if (x >= left && x <= left + width) {
      line(context, x, 0, x, height + 2 + STRIP_HEIGHT);
      label(
        context,
        formatTime(atMs).replace('T', ' '),
        x,
        height + STRIP_HEIGHT + 14,
        'center',
        style,
        left,
        left + width,
      );
    }
  }
  if (pointerPrice !== undefined) {
    const y = Math.round(place.y(pointerPrice)) + 0.5;
    context.setLineDash([2, 3]);
    line(context, left, y, left + width, y);
    context.setLineDash([]);
    label(context, priceText(pointerPrice, priceDecimals), left - 4, y, 'right', style, 0, left);
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function label(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  align: 'center' | 'right',
  style: (typeof TEXT)[Theme],
  low: number,
  high: number,
): void {
  const width = context.measureText(text).width + 10;
  const start = align === 'center' ? x - width / 2 : x - width;
  const at = Math.min(Math.max(start, low), high - width);
  context.fillStyle = style.label;
  context.beginPath();
  context.roundRect(at, y - 9, width, 17, 3);
  context.fill();
  context.fillStyle = style.labelText;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, at + 5, y);
}
