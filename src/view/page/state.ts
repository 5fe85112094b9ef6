/** What is seen, as the address has it behind `#`: whoever opens the address sees the same. */
import type { Aggregate, HeatView } from '../heatmap.js';
import { PALETTE_NAMES, type PaletteName } from '../palettes.js';
import type { QuantityScale } from '../scales.js';

export interface PageState {
  /** Id of a series; empty: none was chosen. */
  series: string;
  /** First and last day. */
  from: string;
  to: string;
  /** Absent: all of the days. */
  view: HeatView | undefined;
  /** The moment whose row is in the ladder. */
  atMs: number | undefined;
  palette: PaletteName;
  scale: QuantityScale['kind'];
  /** Percent of the cells that are below the strongest colour. */
  percentile: number;
  aggregate: Aggregate;
  /** Whether best bid, best ask and mid are drawn. */
  hasLines: boolean;
  panels: string[];
  /** `worker` paints in the worker also where there is a graphics unit; `webgl` takes WebGL2 also where it is slow. */
  draw: 'best' | 'worker' | 'webgl';
}

export const DEFAULT_PANELS = ['spread', 'imbalance', 'depth10', 'depth50'];

export const DEFAULT_STATE: PageState = {
  series: '',
  from: '',
  to: '',
  view: undefined,
  atMs: undefined,
  palette: 'blue-orange',
  scale: 'log',
  percentile: 99,
  aggregate: 'max',
  hasLines: true,
  panels: DEFAULT_PANELS,
  draw: 'best',
};

export function toHash(state: PageState): string {
  const entries: [string, string | undefined][] = [
    ['series', state.series || undefined],
    ['from', state.from || undefined],
    ['to', state.to === state.from ? undefined : state.to],
    ['time', state.view && `${formatTime(state.view.fromMs)}..${formatTime(state.view.toMs)}`],
    ['price', state.view && `${state.view.lowPrice}..${state.view.highPrice}`],
    ['at', state.atMs === undefined ? undefined : formatTime(state.atMs)],
    ['palette', unless(state.palette, DEFAULT_STATE.palette)],
    ['scale', unless(state.scale, DEFAULT_STATE.scale)],
    ['clip', unless(String(state.percentile), String(DEFAULT_STATE.percentile))],
    ['cell', unless(state.aggregate, DEFAULT_STATE.aggregate)],
    ['lines', state.hasLines ? undefined : 'no'],
    ['panels', unless(state.panels.join(','), DEFAULT_PANELS.join(','))],
    ['draw', unless(state.draw, DEFAULT_STATE.draw)],
  ];
  const texts = entries.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${escapeText(value)}`]));
  return texts.length === 0 ? '' : `#${texts.join('&')}`;
}

/** What is not understood is as it is by default. */
export function fromHash(hash: string): PageState {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const text = (name: string) => given.get(name) ?? '';
  const [fromMs, toMs] = text('time').split('..').map(parseTime);
  const [lowPrice, highPrice] = text('price').split('..').map(Number);
  const hasView = isRange(fromMs, toMs) && isRange(lowPrice, highPrice);
  const percentile = Number(text('clip'));
  const palette = PALETTE_NAMES.find((name) => name === text('palette'));
  return {
    series: text('series'),
    from: text('from'),
    to: text('to') || text('from'),
    view: hasView ? ({ fromMs, toMs, lowPrice, highPrice } as HeatView) : undefined,
    atMs: parseTime(text('at')),
    palette: palette ?? DEFAULT_STATE.palette,
    scale: text('scale') === 'linear' ? 'linear' : 'log',
    percentile: percentile >= 50 && percentile <= 100 ? percentile : DEFAULT_STATE.percentile,
    aggregate: text('cell') === 'sum' ? 'sum' : 'max',
    hasLines: text('lines') !== 'no',
    panels: given.has('panels') ? text('panels').split(',').filter(Boolean).slice(0, 12) : DEFAULT_PANELS,
    draw: (['worker', 'webgl'] as const).find((way) => way === text('draw')) ?? DEFAULT_STATE.draw,
  };
}

function unless(value: string, usual: string): string | undefined {
  return value === usual ? undefined : value;
}

/** Leaves what an address may have as it is, so that people can read it. */
function escapeText(text: string): string {
  return encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',');
}

/** `2025-01-15T10:15:00.000`, without what is zero at its end. UTC. */
export function formatTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .slice(0, -1)
    .replace(/\.000$/, '');
}

function parseTime(text: string | undefined): number | undefined {
  if (!text || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/.test(text)) return undefined;
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * Reads a moment that somebody typed: `10:15`, `10:15:30`, `2025-01-15 10:15`, `2025-01-15`.
 *
 * @param dayMs midnight of the day that is meant where none is given.
 */
export function parseTyped(text: string, dayMs: number): number | undefined {
  const trimmed = text.trim().replace(/\s*(UTC|Z)$/i, '');
  const [, date, time = '00:00'] =
    /^(\d{4}-\d{2}-\d{2})?[T ]*(\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?$/.exec(trimmed) ?? [];
  if (trimmed === '' || (date === undefined && !trimmed.includes(':'))) return undefined;
  const padded = time.length < 5 || time[1] === ':' ? `0${time}` : time;
  if (padded.startsWith('24:00')) return undefined;
  return parseTime(`${date ?? formatTime(dayMs).slice(0, 10)}T${padded}`);
}

function isRange(from: number | undefined, to: number | undefined): boolean {
  return Number.isFinite(from) && Number.isFinite(to) && (from as number) < (to as number);
}

/** A view that its text in the address is exactly. */
export function roundView({ fromMs, toMs, lowPrice, highPrice }: HeatView): HeatView {
  const price = (value: number) => Number(value.toPrecision(12));
  return { fromMs: Math.round(fromMs), toMs: Math.round(toMs), lowPrice: price(lowPrice), highPrice: price(highPrice) };
}
