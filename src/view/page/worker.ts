/** Keeps the rows, away from the thread that draws: loads them, puts levels into cells, and answers with rows. */
import { type BookColumns, joinBookColumns, rowAt } from '../book-columns.js';
import { clipOf, type DayBook, findGrain, paint, rasterize, toDayBook } from '../heatmap.js';
import { paletteTable } from '../palettes.js';
import { seriesOf } from '../series.js';
import { WireReader } from '../wire.js';
import type { Event, LadderRow, LoadedDay, Reply, Request, Results, Source } from './messages.js';

let days: DayBook[] = [];
/** Ends the loading before. */
let loading = new AbortController();

self.addEventListener('message', ({ data }: MessageEvent<{ id: number; request: Request }>) => {
  const { id, request } = data;
  answer(id, request).then(
    ({ result, transfer }) => send({ id, result }, transfer),
    (error: Error) => send({ id, error: error.message }),
  );
});

interface Answered {
  result: Results[Request['kind']];
  transfer: Transferable[];
}

async function answer(id: number, request: Request): Promise<Answered> {
  if (request.kind === 'load') return load(id, request.sources);
  if (request.kind === 'row') return findRow(request.ms);
  const { layout, aggregate, painting } = request;
  const grid = rasterize(days, layout, aggregate);
  const clip = clipOf(grid, painting?.percentile ?? 100);
  if (!painting) return { result: { grid, clip }, transfer: [grid.cells.buffer as ArrayBuffer] };
  const { view, widthPx, heightPx, palette, theme, scaleKind } = painting;
  const coloring = { table: paletteTable(palette, theme), theme, scale: { kind: scaleKind, clip } };
  const pixels = paint(grid, view, widthPx, heightPx, coloring);
  return { result: { grid: { ...grid, cells: new Float32Array(0) }, clip, pixels }, transfer: [pixels.buffer] };
}

async function load(id: number, sources: Source[]): Promise<Answered> {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const loaded: DayBook[] = [];
  days = loaded;
  const tell = (event: Event) => send({ id, event });
  for (const source of sources) {
    try {
      const columns = await fetchBook(source, signal, tell);
      if (signal.aborted) break;
      const day = toDayBook(source, columns);
      loaded.push(day);
      tell({ kind: 'day', day: summarize(source, day) });
    } catch (error) {
      if (signal.aborted) break;
      tell({ kind: 'failed', day: source.day, message: (error as Error).message });
    }
  }
  return { result: { grain: findGrain(loaded) }, transfer: [] };
}

async function fetchBook({ url }: Source, signal: AbortSignal, tell: (event: Event) => void): Promise<BookColumns> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) throw new Error((await response.text()).trim());
  const wire = new WireReader();
  const parts: BookColumns[] = [];
  const bytes = response.body.getReader();
  for (let isWhole = false; !isWhole; ) {
    const { done, value } = await bytes.read();
    if (done) throw new Error('the answer was cut off; is bookgrid view still running?');
    wire.push(value);
    let rows = 0;
    for (let part = wire.next(); part; part = wire.next()) {
      if (part.kind === 'failed') throw new Error(part.message);
      if (part.kind === 'end') isWhole = true;
      else {
        parts.push(part.columns);
        rows += part.columns.rows;
      }
    }
    if (rows > 0) tell({ kind: 'progress', rows });
  }
  return joinBookColumns(parts);
}

function summarize({ day, fileDepth }: Source, { columns, intervalMs, firstMs, lastMs }: DayBook): LoadedDay {
  const { rows, depth, timesMs, flags, hasQuality } = columns;
  const outermost = (counts: Uint16Array, prices: Float64Array) =>
    Float64Array.from(counts, (count, row) => (count > 0 ? (prices[row * depth + count - 1] as number) : Number.NaN));
  return {
    day,
    intervalMs,
    firstMs,
    lastMs,
    columns: { rows, timesMs: timesMs.slice(), flags: flags.slice() },
    hasQuality,
    depth,
    series: seriesOf(columns, fileDepth ?? depth),
    lowestBid: outermost(columns.bidCounts, columns.bidPrices),
    highestAsk: outermost(columns.askCounts, columns.askPrices),
  };
}

/** The last row known at a moment. */
function findRow(ms: number): Answered {
  const day = days.findLast(({ columns }) => columns.rows > 0 && (columns.timesMs[0] as number) <= ms);
  if (!day) return { result: null, transfer: [] };
  const { columns } = day;
  const row = rowAt(columns.timesMs, ms);
  const first = row * columns.depth;
  const bids = first + (columns.bidCounts[row] as number);
  const asks = first + (columns.askCounts[row] as number);
  const result: LadderRow = {
    timeMs: columns.timesMs[row] as number,
    flags: columns.flags[row] as number,
    bidPrices: columns.bidPrices.slice(first, bids),
    bidQuantities: columns.bidQuantities.slice(first, bids),
    askPrices: columns.askPrices.slice(first, asks),
    askQuantities: columns.askQuantities.slice(first, asks),
  };
  return { result, transfer: [] };
}

function send(reply: Reply, transfer: Transferable[] = []): void {
  self.postMessage(reply, { transfer });
}
