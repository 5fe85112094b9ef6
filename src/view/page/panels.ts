/** The lines below the heatmap, each in a panel of its own, on the same axis of time. */
import uPlot from 'uplot';
import type { Theme } from '../palettes.js';
import { shortNumber } from '../scales.js';
import type { SeriesName } from '../series.js';
import type { LoadedDay } from './messages.js';
import { GUTTER } from './overlay.js';

export interface PanelKind {
  label: string;
  unit: string;
  lines: readonly { name: SeriesName; label: string; tone: 'plain' | 'bid' | 'ask' }[];
}

/** Panels of what is computed from the levels. Those of metrics are named `metrics:COLUMN`. */
export const PANELS: Record<string, PanelKind> = {
  spread: { label: 'Spread', unit: 'bps', lines: [{ name: 'spreadBps', label: 'spread', tone: 'plain' }] },
  imbalance: {
    label: 'Imbalance of 5 levels',
    unit: '−1 to 1',
    lines: [{ name: 'imbalance', label: 'imbalance', tone: 'plain' }],
  },
  depth10: {
    label: 'Depth within 10 bps',
    unit: 'base',
    lines: [
      { name: 'bidQuantity10Bps', label: 'bids', tone: 'bid' },
      { name: 'askQuantity10Bps', label: 'asks', tone: 'ask' },
    ],
  },
  depth50: {
    label: 'Depth within 50 bps',
    unit: 'base',
    lines: [
      { name: 'bidQuantity50Bps', label: 'bids', tone: 'bid' },
      { name: 'askQuantity50Bps', label: 'asks', tone: 'ask' },
    ],
  },
};

export const METRICS_PREFIX = 'metrics:';

const COLORS: Record<Theme, { plain: string; bid: string; ask: string; axis: string; grid: string }> = {
  dark: { plain: '#d5dae3', bid: '#78c8ff', ask: '#ffb45e', axis: '#a9b1bf', grid: '#ffffff14' },
  light: { plain: '#2a3140', bid: '#0054a6', ask: '#b24a00', axis: '#4b5361', grid: '#00000012' },
};

/** Numbers at times, of one panel. */
export interface PanelData {
  id: string;
  label: string;
  unit: string;
  lines: { label: string; tone: 'plain' | 'bid' | 'ask'; values: Float64Array[] }[];
  /** Of each stretch, in order of time. */
  timesMs: Float64Array[];
  intervalMs: number;
}

export function panelOf(id: string, days: readonly LoadedDay[]): PanelData | undefined {
  const kind = PANELS[id];
  if (!kind) return undefined;
  const { label, unit, lines } = kind;
  return {
    ...{ id, label, unit },
    lines: lines.map(({ name, label: text, tone }) => ({
      label: text,
      tone,
      values: days.map(({ series }) => series[name]),
    })),
    timesMs: days.map(({ columns }) => columns.timesMs),
    intervalMs: days.reduce((least, day) => Math.min(least, day.intervalMs), Infinity),
  };
}

interface Panel {
  data: PanelData;
  root: HTMLElement;
  value: HTMLElement;
  plot: uPlot;
}

const PANEL_HEIGHT = 58;
const MS_BETWEEN_PANELS = 40;
const MANY_ROWS = 20_000;
const REST_MS = 150;

export class Panels {
  readonly #root: HTMLElement;
  readonly #onRemove: (id: string) => void;
  readonly #onPoint: (ms: number | undefined) => void;
  readonly #onWheel: (event: WheelEvent, ms: number) => void;
  #panels: Panel[] = [];
  #theme: Theme = 'dark';
  #view: readonly [fromMs: number, toMs: number] = [0, 1];
  /** The next panel to be drawn anew, of those that are not as the view is. */
  #pending: Panel[] = [];
  #timer = 0;
  #rows = 0;
  #isAsked = false;

  constructor(
    root: HTMLElement,
    events: {
      onRemove(id: string): void;
      onPoint(ms: number | undefined): void;
      onWheel(event: WheelEvent, ms: number): void;
    },
  ) {
    this.#root = root;
    this.#onRemove = events.onRemove;
    this.#onPoint = events.onPoint;
    this.#onWheel = events.onWheel;
    new ResizeObserver(() => {
      for (const { plot, root: panel } of this.#panels)
        plot.setSize({ width: panel.clientWidth, height: PANEL_HEIGHT });
    }).observe(root);
  }

  show(all: readonly PanelData[], theme: Theme): void {
    for (const { plot } of this.#panels) plot.destroy();
    this.#theme = theme;
    this.#rows = Math.max(0, ...all.map(({ timesMs }) => timesMs.reduce((sum, times) => sum + times.length, 0)));
    this.#root.replaceChildren();
    this.#panels = all.map((data) => this.#newPanel(data));
    this.#pending = [];
  }

  /** One panel at a time, with some time between, so that the picture stays fluid: all are as the view is soon after. */
  setView(fromMs: number, toMs: number): void {
    if (fromMs === this.#view[0] && toMs === this.#view[1]) return;
    this.#view = [fromMs, toMs];
    for (const panel of this.#panels) if (!this.#pending.includes(panel)) this.#pending.push(panel);
    // Many rows take longer than a frame: they are drawn when the view rests.
    if (this.#rows > MANY_ROWS) {
      clearTimeout(this.#timer);
      this.#isAsked = false;
    }
    this.#ask();
  }

  setCursor(ms: number | undefined): void {
    for (const { data, plot, value } of this.#panels) {
      const left = ms === undefined ? -10 : plot.valToPos((ms + data.intervalMs / 2) / 1000, 'x');
      plot.setCursor({ left, top: -10 }, false);
      value.textContent = ms === undefined ? '' : data.lines.map((line) => textOf(data, line, ms)).join('   ');
    }
  }

  copyTo(context: CanvasRenderingContext2D, top: number, ratio: number, textColor: string): number {
    let y = top;
    for (const { data, plot } of this.#panels) {
      context.fillStyle = textColor;
      context.font = `${12 * ratio}px system-ui, sans-serif`;
      context.textAlign = 'left';
      context.fillText(`${data.label}, ${data.unit}`, GUTTER.left * ratio, y + 13 * ratio);
      context.drawImage(plot.ctx.canvas, 0, y + 18 * ratio);
      y += 18 * ratio + plot.ctx.canvas.height;
    }
    return y;
  }

  /** CSS pixels that {@link copyTo} needs. */
  get height(): number {
    return this.#panels.length * (18 + PANEL_HEIGHT);
  }

  get #waitMs(): number {
    return this.#rows > MANY_ROWS ? REST_MS : MS_BETWEEN_PANELS;
  }

  #ask(): void {
    if (this.#isAsked || this.#pending.length === 0) return;
    this.#isAsked = true;
    this.#timer = setTimeout(() => {
      this.#isAsked = false;
      const panel = this.#pending.shift();
      panel?.plot.setScale('x', { min: this.#view[0] / 1000, max: this.#view[1] / 1000 });
      this.#ask();
    }, this.#waitMs);
  }

  #newPanel(data: PanelData): Panel {
    const root = document.createElement('section');
    root.className = 'panel';
    root.setAttribute('aria-label', `${data.label}, ${data.unit}`);
    root.dataset['panel'] = data.id;
    const head = document.createElement('div');
    head.className = 'panel-head';
    const title = document.createElement('h2');
    title.textContent = data.label;
    const unit = document.createElement('span');
    unit.className = 'unit';
    unit.textContent = data.unit;
    const value = document.createElement('output');
    value.className = 'value';
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'quiet';
    remove.textContent = '×';
    remove.setAttribute('aria-label', `Remove the panel ${data.label}`);
    remove.addEventListener('click', () => this.#onRemove(data.id));
    head.append(title, unit, value, remove);
    root.append(head);
    this.#root.append(root);
    const colors = COLORS[this.#theme];
    const [fromMs, toMs] = this.#view;
    const options: uPlot.Options = {
      width: root.clientWidth || 600,
      height: PANEL_HEIGHT,
      padding: [4, GUTTER.right, 4, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: { x: { time: false, min: fromMs / 1000, max: toMs / 1000 } },
      axes: [
        { show: false },
        {
          size: GUTTER.left,
          gap: 6,
          stroke: colors.axis,
          font: '11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
          grid: { stroke: colors.grid, width: 1 },
          ticks: { show: false },
          space: 20,
          values: (_, splits) => splits.map(shortNumber),
        },
      ],
      series: [
        {},
        ...data.lines.map(
          ({ label, tone }): uPlot.Series => ({
            label,
            stroke: colors[tone],
            width: 1,
            points: { show: false },
            paths: pathsOf,
          }),
        ),
      ],
    };
    const plot = new uPlot(options, alignedData(data), root);
    plot.over.addEventListener('pointermove', ({ offsetX }) => this.#onPoint(plot.posToVal(offsetX, 'x') * 1000));
    plot.over.addEventListener('pointerleave', () => this.#onPoint(undefined));
    plot.over.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.#onWheel(event, plot.posToVal(event.offsetX, 'x') * 1000);
      },
      { passive: false },
    );
    return { data, root, value, plot };
  }
}

const stepped = uPlot.paths.stepped?.({ align: 1 });
const linear = uPlot.paths.linear?.();

/** Steps where they can be seen; of many rows in a pixel uPlot's line keeps the least and the largest. */
const pathsOf: uPlot.Series.PathBuilder = (plot, series, first, last) => {
  const paths = last - first > plot.bbox.width / 2 ? linear : stepped;
  return paths?.(plot, series, first, last) ?? null;
};

/** Times in seconds, with an empty place wherever a row is missing: a gap is a gap. */
function alignedData({ timesMs, lines, intervalMs }: PanelData): uPlot.AlignedData {
  const x: number[] = [];
  const ys: (number | null)[][] = lines.map(() => []);
  let endMs = Number.NaN;
  timesMs.forEach((times, stretch) => {
    times.forEach((timeMs, row) => {
      if (!Number.isNaN(endMs) && timeMs > endMs) {
        x.push(endMs / 1000);
        for (const y of ys) y.push(null);
      }
      x.push(timeMs / 1000);
      lines.forEach(({ values }, line) => {
        const value = values[stretch]?.[row] ?? Number.NaN;
        ys[line]?.push(Number.isNaN(value) ? null : value);
      });
      endMs = timeMs + intervalMs;
    });
  });
  // The last row holds as long as the others.
  if (!Number.isNaN(endMs)) {
    x.push(endMs / 1000);
    for (const y of ys) y.push(y.at(-1) ?? null);
  }
  return [x, ...ys];
}

function textOf({ timesMs, lines }: PanelData, { label, values }: PanelData['lines'][number], ms: number): string {
  const stretch = timesMs.findLastIndex((times) => times.length > 0 && (times[0] as number) <= ms);
  const row = timesMs[stretch]?.indexOf(ms) ?? -1;
  const value = row < 0 ? Number.NaN : (values[stretch]?.[row] ?? Number.NaN);
  const text = Number.isNaN(value) ? '–' : Number(value.toPrecision(6)).toLocaleString('en');
  return lines.length > 1 ? `${label} ${text}` : text;
}
