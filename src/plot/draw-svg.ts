/** Draws measured rows and their heatmap as an SVG picture: axes as text, the heatmap as an embedded PNG. */
import { formatInterval, toDate } from '../base/time.js';
import { clipOf, type HeatView, paint } from '../view/heatmap.js';
import {
  BACKGROUND,
  cssColor,
  LINES,
  NO_ROWS,
  paletteTable,
  RAMP_ENTRIES,
  type Rgb,
  type Theme,
} from '../view/palettes.js';
import { decimalsOf, niceTicks, type QuantityScale, quantityAt, shortNumber, timeTicks } from '../view/scales.js';
import type { Heat } from './heat.js';
import type { Box, Layout } from './layout.js';
import type { Measured } from './measure.js';
import { type PixelLine, round } from './pixel-line.js';
import type { PlotSpan } from './plot-span.js';
import { encodePng, FONT_FAMILY } from './png.js';

export interface Drawing {
  span: PlotSpan;
  measured: Measured;
  heat: Heat;
  view: HeatView;
  layout: Layout;
  theme: Theme;
  scale: QuantityScale['kind'];
}

const PALETTE = 'blue-orange';
/** A few large orders would leave no colours for the others. */
const CLIP_PERCENTILE = 99;

interface Ink {
  text: Rgb;
  dim: Rgb;
  grid: Rgb;
}

const INKS: Record<Theme, Ink> = {
  dark: { text: [222, 226, 232], dim: [150, 158, 170], grid: [52, 58, 68] },
  light: { text: [30, 34, 40], dim: [98, 106, 118], grid: [214, 219, 226] },
};

/** @returns the text of an `.svg` file. */
export function drawSvg(drawing: Drawing): string {
  const { layout, theme, heat, scale: kind } = drawing;
  const scale: QuantityScale = { kind, clip: clipOf(heat.grid, CLIP_PERCENTILE) };
  const table = paletteTable(PALETTE, theme);
  const { width, height } = layout;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT_FAMILY}, 'Helvetica Neue', Arial, sans-serif" font-size="12">`,
    `<title>${escapeXml(titleOf(drawing))}</title>`,
    `<rect width="${width}" height="${height}" fill="${cssColor(BACKGROUND[theme])}"/>`,
    ...drawHeading(drawing),
    ...drawLegend(drawing, table, scale),
    ...drawHeat(drawing, table, scale),
    ...drawStrips(drawing),
    ...drawSpread(drawing),
    ...drawTimes(drawing),
    '</svg>',
    '',
  ].join('\n');
}

function titleOf({ span: { title, firstMs, lastMs } }: Drawing): string {
  const [from, to] = [toDate(firstMs), toDate(lastMs - 1)];
  return [title.symbol ?? 'Order book', title.market, from === to ? from : `${from} to ${to}`]
    .filter(Boolean)
    .join(' ');
}

function drawHeading(drawing: Drawing): string[] {
  const { span, measured, layout, theme } = drawing;
  const { text, dim } = INKS[theme];
  const { rows, filled, suspect, crossed, missing, hasQuality, depth, medianSpreadBps } = measured;
  const what = [
    `order book every ${formatInterval(span.intervalMs)}`,
    `${depth} levels a side`,
    ...(Number.isNaN(medianSpreadBps) ? [] : [`median spread ${formatBps(medianSpreadBps)} bps`]),
  ];
  const quality = [
    `${rows} rows`,
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(hasQuality ? [`${filled} filled`, `${suspect} suspect`] : []),
    `${crossed} crossed`,
  ];
  return [
    svgText(titleOf(drawing), layout.left, 23, { color: text, size: 18 }),
    svgText(what.join(' · '), layout.left, 41, { color: dim }),
    svgText(quality.join(' · '), layout.left, 57, { color: dim }),
  ];
}

function formatBps(bps: number): string {
  return Math.abs(bps) < 1 ? bps.toPrecision(2) : bps.toFixed(2);
}

const LEGEND_WIDTH = 150;
/** A narrower picture has no room for the names of the lines beside the heading. */
const LINES_NAMED_FROM = 860;

/** The colours of quantities, and the lines. */
function drawLegend({ layout, theme }: Drawing, table: Uint8Array, scale: QuantityScale): string[] {
  const { text, dim } = INKS[theme];
  const x = layout.width - layout.right - LEGEND_WIDTH;
  const ramp = (side: number) => {
    const pixels = table.subarray(4 * (side * RAMP_ENTRIES + 1), 4 * (side + 1) * RAMP_ENTRIES);
    return imageOf(new Uint8ClampedArray(pixels), RAMP_ENTRIES - 1, 1);
  };
  const marks = [0, 0.5, 1].map((fraction) => {
    const more = fraction === 1 ? '+' : '';
    const anchor = (['start', 'middle', 'end'] as const)[2 * fraction];
    const label = `${shortNumber(Number(quantityAt(scale, fraction).toPrecision(2)))}${more}`;
    return svgText(label, x + fraction * LEGEND_WIDTH, 49, { color: dim, size: 11, anchor });
  });
  const lines = (['ask', 'mid', 'bid'] as const).flatMap((name, index) => {
    const y = 18 + 14 * index;
    const color = cssColor(LINES[theme][name]);
    return [
      `<path d="M${x - 150} ${y - 4}h22" stroke="${color}" stroke-width="2"/>`,
      svgText(name === 'mid' ? 'mid' : `best ${name}`, x - 122, y, { color: text, size: 11 }),
    ];
  });
  return [
    svgText('asks', x - 8, 18, { color: text, size: 11, anchor: 'end' }),
    svgText('bids', x - 8, 32, { color: text, size: 11, anchor: 'end' }),
    `<image x="${x}" y="9" width="${LEGEND_WIDTH}" height="10" preserveAspectRatio="none" href="${ramp(1)}"/>`,
    `<image x="${x}" y="23" width="${LEGEND_WIDTH}" height="10" preserveAspectRatio="none" href="${ramp(0)}"/>`,
    ...marks,
    svgText(`largest level a cell, ${scale.kind} scale`, x + LEGEND_WIDTH, 63, { color: dim, size: 11, anchor: 'end' }),
    ...(layout.width < LINES_NAMED_FROM ? [] : lines),
  ];
}

function drawHeat(drawing: Drawing, table: Uint8Array, scale: QuantityScale): string[] {
  const { heat, view, layout, theme, measured } = drawing;
  const box = layout.heat;
  const pixels = paint(heat.grid, view, box.width, box.height, { table, theme, scale });
  const toY = (price: number) => box.y + ((view.highPrice - price) / (view.highPrice - view.lowPrice)) * box.height;
  const line = (pixelLine: PixelLine, name: 'bid' | 'ask' | 'mid', width: number) => {
    const d = pixelLine.path(box.x, toY);
    const edge = cssColor(BACKGROUND[theme]);
    return [
      `<path d="${d}" stroke="${edge}" stroke-width="${width + 1.6}" stroke-opacity="0.55"/>`,
      `<path d="${d}" stroke="${cssColor(LINES[theme][name])}" stroke-width="${width}"/>`,
    ];
  };
  const ticks = niceTicks(view.lowPrice, view.highPrice, box.height / 50);
  return [
    `<clipPath id="heat"><rect ${boxAttributes(box)}/></clipPath>`,
    `<image ${boxAttributes(box)} image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="${imageOf(pixels, box.width, box.height)}"/>`,
    '<g clip-path="url(#heat)" fill="none" stroke-linejoin="round">',
    ...line(measured.ask, 'ask', 1),
    ...line(measured.bid, 'bid', 1),
    ...line(measured.mid, 'mid', 1.2),
    '</g>',
    ...drawValueAxis(box, ticks, toY, INKS[theme], 'price'),
  ];
}

/** Labels at the left of a box, and a line from each. */
function drawValueAxis(box: Box, ticks: number[], toY: (value: number) => number, ink: Ink, name: string): string[] {
  const decimals = ticks.reduce((most, tick) => Math.max(most, decimalsOf(tick)), 0);
  return [
    svgText(name, 14, box.y + box.height / 2, { color: ink.dim, anchor: 'middle', isUpright: true }),
    ...ticks.flatMap((tick) => {
      const y = round(toY(tick));
      return [
        `<path d="M${box.x - 5} ${y}h5" stroke="${cssColor(ink.dim)}"/>`,
        svgText(tick.toFixed(decimals), box.x - 8, y + 4, { color: ink.text, anchor: 'end' }),
      ];
    }),
  ];
}

function drawStrips({ measured, layout, theme }: Drawing): string[] {
  return layout.strips.flatMap(({ bit, label, box, color }) => {
    let d = '';
    for (let x = 0; x < box.width; x++) {
      if (((measured.marks[x] as number) & bit) === 0) continue;
      const start = x;
      while (x + 1 < box.width && ((measured.marks[x + 1] as number) & bit) !== 0) x++;
      d += `M${box.x + start} ${box.y}h${x + 1 - start}v${box.height}h${start - x - 1}z`;
    }
    return [
      `<rect ${boxAttributes(box)} fill="${cssColor(NO_ROWS[theme])}" fill-opacity="0.35"/>`,
      `<path d="${d}" fill="${cssColor(color)}"/>`,
      svgText(label, box.x - 8, box.y + box.height, { color: INKS[theme].dim, size: 10, anchor: 'end' }),
    ];
  });
}

/** Larger than so many times what the 99th of 100 columns has is cut off. */
const SPREAD_CUT = 3;
/** A lower panel has no room for its whole name. */
const SPREAD_NAMED_FROM = 70;

function drawSpread({ measured: { spreadBps }, layout, theme }: Drawing): string[] {
  const box = layout.spread;
  const ink = INKS[theme];
  const extremes = [...spreadBps.extremes()];
  const mosts = Float64Array.from(extremes, ([, most]) => most).sort();
  const most = mosts.at(-1) ?? 1;
  const cut = SPREAD_CUT * (mosts[Math.floor(0.99 * (mosts.length - 1))] ?? 1);
  const high = 1.08 * (most > cut && cut > 0 ? cut : most > 0 ? most : 1);
  const low = extremes.reduce((least, [value]) => Math.min(least, value), 0);
  const toY = (bps: number) => box.y + ((high - bps) / (high - low)) * box.height;
  const ticks = niceTicks(low, high, box.height / 28);
  const cutNote = most > high ? [`up to ${formatBps(most)} bps`] : [];
  return [
    ...ticks.map((tick) => `<path d="M${box.x} ${round(toY(tick))}h${box.width}" stroke="${cssColor(ink.grid)}"/>`),
    `<clipPath id="spread"><rect ${boxAttributes(box)}/></clipPath>`,
    `<path clip-path="url(#spread)" fill="none" d="${spreadBps.path(box.x, toY)}" stroke="${cssColor(ink.text)}"/>`,
    ...drawValueAxis(box, ticks, toY, ink, box.height < SPREAD_NAMED_FROM ? 'bps' : 'spread, bps'),
    ...cutNote.map((note) =>
      svgText(note, box.x + box.width - 4, box.y + 12, { color: ink.dim, size: 11, anchor: 'end' }),
    ),
  ];
}

/** Of the label of a day, in pixels. */
const HALF_LABEL = 34;

function drawTimes({ view, layout, theme }: Drawing): string[] {
  const { heat, spread } = layout;
  const ink = INKS[theme];
  const bottom = spread.y + spread.height;
  const ticks = timeTicks(view.fromMs, view.toMs, heat.width / 90);
  return [
    ...ticks.flatMap(({ ms, label }) => {
      const x = round(heat.x + ((ms - view.fromMs) / (view.toMs - view.fromMs)) * heat.width);
      const isDay = label.length === 10;
      const isAtEdge = x + HALF_LABEL > layout.width;
      return [
        `<path d="M${x} ${heat.y + heat.height}v4M${x} ${spread.y}v${spread.height + 5}" stroke="${cssColor(isDay ? ink.dim : ink.grid)}"/>`,
        svgText(label, isAtEdge ? layout.width - 4 : x, bottom + 18, {
          color: ink.text,
          anchor: isAtEdge ? 'end' : 'middle',
        }),
      ];
    }),
    svgText('UTC', 14, bottom + 18, { color: ink.dim }),
  ];
}

interface TextStyle {
  color: Rgb;
  size?: number;
  anchor?: 'start' | 'middle' | 'end' | undefined;
  /** From bottom to top. */
  isUpright?: boolean;
}

function svgText(text: string, x: number, y: number, { color, size, anchor, isUpright }: TextStyle): string {
  const attributes = [
    `x="${round(x)}" y="${round(y)}" fill="${cssColor(color)}"`,
    ...(size === undefined ? [] : [`font-size="${size}"`]),
    ...(anchor === undefined || anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
    ...(isUpright ? [`transform="rotate(-90 ${round(x)} ${round(y)})"`] : []),
  ];
  return `<text ${attributes.join(' ')}>${escapeXml(text)}</text>`;
}

function boxAttributes({ x, y, width, height }: Box): string {
  return `x="${x}" y="${y}" width="${width}" height="${height}"`;
}

function imageOf(pixels: Uint8ClampedArray, width: number, height: number): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, width, height)).toString('base64')}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write them
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function escapeXml(text: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replace(NOT_XML, ' ').replace(/[&<>"]/g, (character) => `&${names[character]};`);
}
