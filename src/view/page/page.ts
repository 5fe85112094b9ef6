/** Puts the page together: what is chosen on the left, drawn in the middle, told on the right, and kept in the address. */
import { DAY_MS, midnightMs } from '../../base/time.js';
import { rowAt } from '../book-columns.js';
import type { ListedDay, ListedSeries, Listing } from '../listing.js';
import { PALETTE_NAMES, PALETTES, paletteTable, RAMP_ENTRIES, rampEntry, type Theme } from '../palettes.js';
import { type QuantityScale, quantityAt, shortNumber } from '../scales.js';
import { fetchListing, fetchMetricNames, fetchMetrics, fetchVersion, fileUrl, RowsWorker } from './backend.js';
import { Catalog } from './catalog.js';
import { Chart } from './chart.js';
import { copyCsv, savePng } from './export.js';
import { Ladder, summaryOf } from './ladder.js';
import type { LoadedDay, Source } from './messages.js';
import { METRICS_PREFIX, PANELS, type PanelData, Panels, panelOf } from './panels.js';
import { formatTime, fromHash, type PageState, parseTyped, toHash } from './state.js';

/** Levels that are kept, of both sides: 16 bytes each. Of more, the best are loaded, and the page says so. */
const MAX_LEVELS = 20_000_000;
/** How often it is asked whether the folder has changed. */
const ASK_AGAIN_MS = 3000;

const find = <E extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as E;
const light = matchMedia('(prefers-color-scheme: light)');
const themeNow = (): Theme => (light.matches ? 'light' : 'dark');

let state: PageState = fromHash(location.hash);
let listing: Listing | undefined;
let series: ListedSeries | undefined;
let days: LoadedDay[] = [];
let decimals = { priceDecimals: 0, quantityDecimals: 0 };
/** The row that is pointed at, while it is. */
let pointedMs: number | undefined;
let selection: readonly [number, number] | undefined;
let metrics: { series: ListedSeries; names: string[] } | undefined;
const metricPanels = new Map<string, PanelData>();
const problems: string[] = [];
/** Of what is shown: when a file of it changes, it is loaded anew. */
let shownVersions = '';
let loads = 0;

const worker = new RowsWorker();
const ladder = new Ladder(find('ladder'));
const catalog = new Catalog(find('catalog'), (chosen, from, to) => {
  const isOther =
    chosen.symbol !== series?.symbol || chosen.market !== series.market || from !== state.from || to !== state.to;
  state = { ...state, series: chosen.id, from, to, ...(isOther && { view: undefined, atMs: undefined }) };
  history.pushState(null, '', toHash(state));
  void load();
});
const chart = new Chart(find('chart'), worker, styleOf(), state.draw, {
  onMove(view) {
    state.view = view;
    panels.setView(view.fromMs, view.toMs);
    placeCursor();
    keepAddress();
  },
  onPoint: point,
  onChoose: choose,
  onSelect(chosen) {
    selection = chosen;
    find('selection').hidden = !chosen;
    if (chosen)
      find('selection-text').textContent =
        `${formatTime(Math.round(chosen[0]))} to ${formatTime(Math.round(chosen[1]))} UTC`;
  },
  onScale: drawRamp,
});
const panels = new Panels(find('panels'), {
  onRemove(id) {
    state.panels = state.panels.filter((panel) => panel !== id);
    showPanels();
    keepAddress();
  },
  onPoint: (ms) => point(ms === undefined ? undefined : rowTimeAt(ms)),
  onWheel: (event, ms) => chart.zoom(Math.exp(event.deltaY * 0.0016), 1, { ms }),
});

function styleOf() {
  const { palette, scale, percentile, aggregate, hasLines } = state;
  return { theme: themeNow(), palette, scale, percentile, aggregate, hasLines };
}

/** Loads what the state names. */
async function load(): Promise<void> {
  const mine = ++loads;
  series = listing?.series.find(({ id }) => id === state.series);
  const chosen = series?.days.filter(([day]) => day >= state.from && day <= state.to) ?? [];
  days = [];
  problems.length = 0;
  metrics = undefined;
  metricPanels.clear();
  showProblems();
  if (!listing || !series || chosen.length === 0) {
    shownVersions = '';
    chart.setContent(undefined);
    panels.show([], themeNow());
    showTitle();
    return say(whyNothing());
  }
  say(undefined);
  catalog.setChosen(series, state.from, state.to);
  showTitle();
  shownVersions = chosen.map(([day, version]) => `${day} ${version}`).join('\n');
  const progress = find<HTMLProgressElement>('progress');
  const { sources, depth, expectedRows } = sourcesOf(series, chosen);
  progress.max = expectedRows;
  progress.value = 0;
  progress.hidden = false;
  void findMetrics(series, mine);
  const { grain } = await worker.ask({ kind: 'load', sources }, (event) => {
    if (mine !== loads) return;
    if (event.kind === 'progress') progress.value += event.rows;
    else if (event.kind === 'failed') problems.push(`${event.day}: ${event.message}`);
    else days.push(event.day);
  });
  if (mine !== loads) return;
  progress.hidden = true;
  decimals = grain;
  showProblems();
  const rows = days.reduce((sum, day) => sum + day.columns.rows, 0);
  if (rows === 0) {
    chart.setContent(undefined);
    panels.show([], themeNow());
    find('chart').setAttribute('aria-valuetext', 'no rows');
    ladder.show(null, decimals, false, themeNow());
    return say(problems.length > 0 ? 'Nothing can be shown of these files.' : 'These files have no rows.');
  }
  chart.setContent({ days, grain }, state.view);
  panels.setView(chart.view.fromMs, chart.view.toMs);
  showPanels();
  await showMetricPanels(mine);
  const isCut = depth < (series.depth ?? 0);
  tell(
    `${rows.toLocaleString('en')} rows${isCut ? `, the best ${depth} of ${series.depth} levels a side; choose fewer days for more` : ''}` +
      `. Drawn by ${chart.drawnBy === 'WebGL2' ? 'WebGL2' : 'a worker'}.`,
  );
  choose(state.atMs ?? firstRowMs() ?? 0, false);
}

/** The files of days, and how many of their levels there is room for. */
function sourcesOf(of: ListedSeries, chosen: readonly ListedDay[]) {
  const intervalMs = of.intervalMs ?? undefined;
  const spans = chosen.map(([day, , , , , lastDay]) => {
    const startMs = midnightMs(day);
    if (Number.isNaN(startMs) || intervalMs === undefined) return undefined;
    return { firstMs: startMs + intervalMs, lastMs: midnightMs(lastDay ?? day) + DAY_MS, intervalMs };
  });
  const expectedRows = spans.reduce(
    (sum, span) => sum + (span ? (span.lastMs - span.firstMs) / span.intervalMs + 1 : 1440),
    0,
  );
  const most = of.depth ?? 500;
  const depth = Math.max(1, Math.min(most, Math.floor(MAX_LEVELS / (2 * expectedRows))));
  const sources = chosen.map(([day, version], index): Source => {
    const url = fileUrl('book', { series: of.id, day, version }, { depth });
    return { day, url, ...spans[index], fileDepth: of.depth ?? undefined };
  });
  return { sources, depth, expectedRows };
}

function whyNothing(): string {
  if (!listing) return 'Looking for outputs…';
  if (listing.series.every(({ kind }) => kind !== 'book')) {
    const hasMetrics = listing.series.length > 0;
    const found = hasMetrics ? 'There are metrics and no books' : 'There is no output';
    return `${found} in ${listing.place}.\nbookgrid convert makes them; they appear here by themselves.`;
  }
  if (state.series !== '' && !series)
    return `There is no output ${state.series} here any more.\nChoose another on the left.`;
  if (series)
    return `There is no output of ${state.from}${state.to === state.from ? '' : ` to ${state.to}`}.\nChoose another day on the left.`;
  return 'Choose a symbol on the left.';
}

function say(message: string | undefined): void {
  const element = find('message');
  element.hidden = message === undefined;
  element.textContent = message ?? '';
}

function tell(text: string): void {
  find('status').textContent = text;
}

function showProblems(): void {
  const list = find('problems');
  const all = [...problems, ...(listing?.problems ?? [])];
  list.hidden = all.length === 0;
  list.replaceChildren(
    ...all.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}

function showTitle(): void {
  const title = series ? `${series.symbol}${series.market ? ` ${series.market}` : ''}` : 'bookgrid view';
  find('title').textContent = title;
  const span = state.from === state.to ? state.from : `${state.from} to ${state.to}`;
  const kind = series && [
    series.depth && `${series.depth} levels a side`,
    series.interval && `${series.interval} rows`,
  ];
  find('subtitle').textContent = series
    ? [span, ...(kind ?? []), 'UTC'].filter(Boolean).join(' · ')
    : 'All times are UTC';
  document.title = series ? `${title} ${span} – bookgrid` : 'bookgrid view';
}

/** The metrics of the same symbol and interval, if there are. */
async function findMetrics(of: ListedSeries, mine: number): Promise<void> {
  const found = listing?.series.find(
    ({ kind, market, symbol, interval }) =>
      kind === 'metrics' && market === of.market && symbol === of.symbol && interval === of.interval,
  );
  const day = found?.days.find(([known]) => known >= state.from && known <= state.to);
  if (found && day) {
    const url = fileUrl('metric-names', { series: found.id, day: day[0], version: day[1] });
    const names = await fetchMetricNames(url).catch(() => []);
    if (mine !== loads) return;
    metrics = { series: found, names };
  }
  fillPanelChoice();
  await showMetricPanels(mine);
}

function fillPanelChoice(): void {
  const select = find<HTMLSelectElement>('add-panel');
  const free = Object.entries(PANELS).filter(([id]) => !state.panels.includes(id));
  const names = metrics?.names.filter((name) => !state.panels.includes(METRICS_PREFIX + name)) ?? [];
  const group = document.createElement('optgroup');
  group.label = 'Columns of the metrics file';
  group.append(...names.map((name) => new Option(name, METRICS_PREFIX + name)));
  const first = new Option(metrics ? 'choose…' : 'choose… (no metrics here)', '');
  select.replaceChildren(
    first,
    ...free.map(([id, { label }]) => new Option(label, id)),
    ...(names.length > 0 ? [group] : []),
  );
}

function showPanels(): void {
  const all = state.panels.map((id) => panelOf(id, days) ?? metricPanels.get(id));
  panels.show(
    all.filter((panel) => panel !== undefined),
    themeNow(),
  );
  fillPanelChoice();
  placeCursor();
}

/** Loads the columns of metrics that panels are of, and are not there yet. */
async function showMetricPanels(mine: number): Promise<void> {
  const of = metrics?.series;
  const wanted = state.panels.filter((id) => id.startsWith(METRICS_PREFIX) && !metricPanels.has(id));
  if (!of || wanted.length === 0 || days.length === 0) return;
  const columns = wanted.map((id) => id.slice(METRICS_PREFIX.length));
  const chosen = of.days.filter(([day]) => day >= state.from && day <= state.to);
  const loaded = await Promise.all(
    chosen.map(async ([day, version]) => {
      const url = fileUrl('metrics', { series: of.id, day, version }, { columns: columns.join(',') });
      return fetchMetrics(url).catch((error: Error) => {
        problems.push(`metrics of ${day}: ${error.message}`);
        return { timesMs: new Float64Array(0), values: columns.map(() => new Float64Array(0)) };
      });
    }),
  );
  if (mine !== loads) return;
  wanted.forEach((id, index) => {
    metricPanels.set(id, {
      ...{ id, label: columns[index] ?? '', unit: 'from the metrics file' },
      lines: [
        {
          label: columns[index] ?? '',
          tone: 'plain',
          values: loaded.map(({ values }) => values[index] ?? new Float64Array(0)),
        },
      ],
      timesMs: loaded.map(({ timesMs }) => timesMs),
      intervalMs: of.intervalMs ?? 60_000,
    });
  });
  showProblems();
  showPanels();
}

function firstRowMs(): number | undefined {
  return days.find(({ columns }) => columns.rows > 0)?.columns.timesMs[0];
}

/** The row at a moment, or the nearest before; `undefined`: none. */
function rowTimeAt(ms: number): number | undefined {
  const day = days.findLast(({ columns }) => columns.rows > 0 && (columns.timesMs[0] as number) <= ms);
  return day?.columns.timesMs[rowAt(day.columns.timesMs, ms)];
}

/** Goes on by rows, over the ends of days. */
function stepRows(count: number): void {
  const all = days.map(({ columns }) => columns.timesMs);
  const total = all.reduce((sum, times) => sum + times.length, 0);
  const place = placeOfRow();
  if (total === 0) return;
  let wanted = Math.min(Math.max(place + count, 0), total - 1);
  for (const times of all) {
    if (wanted < times.length) {
      choose(times[wanted] as number);
      return;
    }
    wanted -= times.length;
  }
}

/** The number of the chosen row, from 0. */
function placeOfRow(): number {
  const at = state.atMs ?? -Infinity;
  return Math.max(0, days.reduce((sum, { columns }) => sum + rowAt(columns.timesMs, at) + 1, 0) - 1);
}

function choose(ms: number, reveals = true): void {
  const timeMs = rowTimeAt(ms) ?? firstRowMs();
  if (timeMs === undefined) return;
  state.atMs = timeMs;
  pointedMs = undefined;
  if (reveals) chart.reveal(timeMs);
  placeCursor();
  keepAddress();
}

function point(ms: number | undefined): void {
  if (ms === pointedMs) return;
  pointedMs = ms;
  placeCursor();
}

function placeCursor(): void {
  const ms = pointedMs ?? state.atMs;
  chart.setCursor(days.length > 0 ? ms : undefined);
  panels.setCursor(days.length > 0 ? ms : undefined);
  void showRow();
}

let shownRowMs: number | undefined;
let isAskingRow = false;

/** Shows the row that is pointed at; of all rows pointed at meanwhile, only the last counts. */
async function showRow(): Promise<void> {
  const ms = pointedMs ?? state.atMs;
  if (isAskingRow || ms === undefined || days.length === 0) return;
  isAskingRow = true;
  const mine = loads;
  const row = await worker.ask({ kind: 'row', ms });
  isAskingRow = false;
  shownRowMs = ms;
  if (mine === loads && days.length > 0) {
    const hasQuality = days.find(({ firstMs, lastMs }) => ms >= firstMs && ms <= lastMs)?.hasQuality ?? false;
    ladder.show(row, decimals, hasQuality, themeNow());
    const slider = find('chart');
    slider.setAttribute('aria-valuemax', String(Math.max(0, days.reduce((sum, day) => sum + day.columns.rows, 0) - 1)));
    slider.setAttribute('aria-valuenow', String(placeOfRow()));
    if (row) slider.setAttribute('aria-valuetext', `${formatTime(row.timeMs)} UTC, ${summaryOf(row, decimals)}`);
    const time = find<HTMLInputElement>('time');
    if (document.activeElement !== time && row) time.value = formatTime(row.timeMs).replace('T', ' ');
  }
  if (shownRowMs !== (pointedMs ?? state.atMs)) void showRow();
}

let addressTimer = 0;

/** Browsers allow some changes of the address a second only. */
function keepAddress(): void {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, '', toHash(state) || location.pathname), 150);
}

function drawRamp({ kind, clip }: QuantityScale): void {
  const canvas = find<HTMLCanvasElement>('ramp');
  const context = canvas.getContext('2d');
  if (!context) return;
  const table = paletteTable(state.palette, themeNow());
  for (let x = 0; x < canvas.width; x++) {
    for (const side of [0, 1]) {
      const place = 4 * (side * RAMP_ENTRIES + rampEntry(x / canvas.width));
      context.fillStyle = `rgb(${table[place]} ${table[place + 1]} ${table[place + 2]})`;
      context.fillRect(x, (side * canvas.height) / 2, 1, canvas.height / 2);
    }
  }
  const middle = quantityAt({ kind, clip }, 0.5);
  const text = `to ${shortNumber(clip)}, half at ${shortNumber(middle)}`;
  find('ramp-text').textContent = text;
  canvas.setAttribute('aria-label', `Colours of quantities, bids above, asks below: ${text}`);
}

function showControls(): void {
  find<HTMLSelectElement>('palette').value = state.palette;
  find<HTMLSelectElement>('scale').value = state.scale;
  find<HTMLSelectElement>('aggregate').value = state.aggregate;
  find<HTMLInputElement>('percentile').value = String(state.percentile);
  find('percentile-text').textContent = `${state.percentile} %`;
  find<HTMLInputElement>('percentile').setAttribute(
    'aria-valuetext',
    `${state.percentile} percent of cells are below the strongest colour`,
  );
  find<HTMLInputElement>('lines').checked = state.hasLines;
}

function restyle(): void {
  showControls();
  chart.setStyle(styleOf());
  keepAddress();
}

function listen(): void {
  find<HTMLSelectElement>('palette').append(...PALETTE_NAMES.map((name) => new Option(PALETTES[name].label, name)));
  showControls();
  const onChange = (id: string, take: (value: string, element: HTMLInputElement) => void) => {
    find(id).addEventListener('input', ({ target }) => {
      take((target as HTMLInputElement).value, target as HTMLInputElement);
      restyle();
    });
  };
  onChange('palette', (value) => {
    state.palette = PALETTE_NAMES.find((name) => name === value) ?? state.palette;
    drawRamp(chart.scale);
  });
  onChange('scale', (value) => {
    state.scale = value === 'linear' ? 'linear' : 'log';
  });
  onChange('aggregate', (value) => {
    state.aggregate = value === 'sum' ? 'sum' : 'max';
  });
  onChange('percentile', (value) => {
    state.percentile = Number(value);
  });
  onChange('lines', (_, { checked }) => {
    state.hasLines = checked;
  });
  find<HTMLSelectElement>('add-panel').addEventListener('change', ({ target }) => {
    const { value } = target as HTMLSelectElement;
    if (value === '') return;
    state.panels = [...state.panels, value];
    showPanels();
    void showMetricPanels(loads);
    keepAddress();
  });
  find('fit').addEventListener('click', () => chart.fit());
  find('help').addEventListener('click', () => find<HTMLDialogElement>('keys').showModal());
  find('selection-clear').addEventListener('click', () => chart.select(undefined));
  find('selection-zoom').addEventListener('click', () => {
    if (!selection) return;
    const { lowPrice, highPrice } = chart.view;
    chart.moveTo({ fromMs: selection[0], toMs: selection[1], lowPrice, highPrice });
    chart.select(undefined);
  });
  find('png').addEventListener(
    'click',
    () => void savePng(chart, panels, titleOfPicture(), themeNow()).then(tell, fail),
  );
  find('csv').addEventListener('click', () => {
    if (!series) return;
    const [fromMs, toMs] = selection ?? [chart.view.fromMs, chart.view.toMs];
    const depth = series.depth ?? days.reduce((most, day) => Math.max(most, day.depth), 1);
    void copyCsv(series, { ...state, depth }, fromMs, toMs).then(tell, fail);
  });
  find('go').addEventListener('submit', (event) => {
    event.preventDefault();
    goToTyped();
  });
  find('chart').addEventListener('keydown', onChartKey);
  document.addEventListener('keydown', onPageKey);
  window.addEventListener('popstate', () => {
    state = { ...fromHash(location.hash), draw: state.draw };
    showControls();
    chart.setStyle(styleOf());
    void load();
  });
  light.addEventListener('change', () => {
    chart.setStyle(styleOf());
    drawRamp(chart.scale);
    showPanels();
  });
}

function fail(error: Error): void {
  tell(error.message);
}

function titleOfPicture(): string {
  return `${find('title').textContent} · ${find('subtitle').textContent}`;
}

function goToTyped(): void {
  const input = find<HTMLInputElement>('time');
  // The row of midnight closes the day before.
  const dayMs = midnightMs(formatTime((state.atMs ?? firstRowMs() ?? 1) - 1).slice(0, 10));
  const ms = parseTyped(input.value, dayMs);
  const isThere = ms !== undefined && rowTimeAt(ms) !== undefined;
  find('time-problem').textContent =
    ms === undefined
      ? 'Expected a time such as 10:15 or 2025-01-15 10:15'
      : isThere
        ? ''
        : 'There is no row at or before this time';
  input.setAttribute('aria-invalid', String(!isThere));
  if (!isThere) return;
  choose(ms);
  find('chart').focus();
}

const PAN = 0.1;
const ZOOM = 0.75;

function onChartKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey) return;
  const [rows, isAlt] = [event.shiftKey ? 10 : 1, event.altKey];
  const actions: Record<string, () => void> = {
    ArrowLeft: () => stepRows(-rows),
    ArrowRight: () => stepRows(rows),
    Home: () => stepRows(-Infinity),
    End: () => stepRows(Infinity),
    ArrowUp: () => chart.pan(0, PAN),
    ArrowDown: () => chart.pan(0, -PAN),
    ',': () => chart.pan(-PAN, 0),
    '.': () => chart.pan(PAN, 0),
    '+': () => chart.zoom(isAlt ? 1 : ZOOM, isAlt ? ZOOM : 1, zoomPlace()),
    '=': () => chart.zoom(isAlt ? 1 : ZOOM, isAlt ? ZOOM : 1, zoomPlace()),
    '-': () => chart.zoom(isAlt ? 1 : 1 / ZOOM, isAlt ? 1 / ZOOM : 1, zoomPlace()),
    '0': () => chart.fit(),
    Escape: () => chart.select(undefined),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Keys zoom around the chosen row, where it is seen. */
function zoomPlace(): { ms?: number } {
  const { fromMs, toMs } = chart.view;
  const { atMs } = state;
  return atMs !== undefined && atMs >= fromMs && atMs < toMs ? { ms: atMs } : {};
}

function onPageKey(event: KeyboardEvent): void {
  const { target } = event;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const focus: Record<string, string> = { g: 'time', '/': 'filter' };
  const id = focus[event.key];
  if (id !== undefined) {
    event.preventDefault();
    const input = find<HTMLInputElement>(id);
    input.focus();
    input.select();
  } else if (event.key === '?') find<HTMLDialogElement>('keys').showModal();
}

/** Takes what is there, and loads anew when what is shown has changed. */
async function takeListing(): Promise<void> {
  listing = await fetchListing();
  find('place').textContent = `\u200e${listing.place}`;
  find('place').title = listing.place;
  catalog.setListing(listing);
  const first = state.series === '' ? Catalog.firstBook(listing) : undefined;
  if (first) {
    state = { ...state, series: first.series.id, from: first.day, to: first.day };
    history.replaceState(null, '', toHash(state));
  }
  const chosen = listing.series.find(({ id }) => id === state.series)?.days ?? [];
  const now = chosen
    .filter(([day]) => day >= state.from && day <= state.to)
    .map(([day, version]) => `${day} ${version}`);
  if (now.join('\n') !== shownVersions || days.length === 0) await load();
  showProblems();
}

async function watch(): Promise<void> {
  let isLost = false;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    if (document.hidden) continue;
    try {
      const version = await fetchVersion();
      if (isLost) tell('bookgrid view answers again.');
      isLost = false;
      if (version === listing?.version) continue;
      tell('The folder has changed.');
      await takeListing();
    } catch {
      isLost = true;
      tell('bookgrid view does not answer any more. What was loaded can still be looked at.');
    }
  }
}

listen();
showTitle();
say(whyNothing());
try {
  await takeListing();
} catch (error) {
  say(`The list of outputs could not be loaded: ${(error as Error).message}`);
}
void watch();
