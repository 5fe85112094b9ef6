import { type BookColumns, rowAt } from './book-columns.js';
import { NO_ROWS, RAMP_ENTRIES, rampEntry, type Theme } from './palettes.js';
import { type QuantityScale, quantityFraction } from './scales.js';

/** The rows of one file, and which there should be. */
export interface DayBook {
  columns: BookColumns;
  /** The row of a boundary is shown from it up to the next: what was known then. */
  intervalMs: number;
  /** First and last boundary of the whole day, ms. */
  firstMs: number;
  lastMs: number;
}

/** What a file's name tells of its day. */
type ToldDay = { [Name in Exclude<keyof DayBook, 'columns'>]?: number | undefined };

/**
 * The rows of a file, and the day that they are of.
 *
 * @param day as the file's name tells it, whose rows bookgrid labels with the ends of their intervals; what it does not tell
 * follows from the rows.
 */
export function toDayBook(day: ToldDay, columns: BookColumns): DayBook {
  const { timesMs, rows } = columns;
  const { firstMs, lastMs, intervalMs = leastDistance(timesMs) } = day;
  const [first = 0, last = 0] = [timesMs[0], timesMs[rows - 1]];
  // Labelled as by the Python scripts, the rows of a day begin at its midnight, and end before the next.
  const shiftMs = firstMs !== undefined && rows > 0 && first < firstMs ? intervalMs : 0;
  return {
    columns,
    intervalMs,
    firstMs: firstMs === undefined ? first : firstMs - shiftMs,
    lastMs: lastMs === undefined ? last : lastMs - shiftMs,
  };
}

/** Of rows one after the other, ms; a minute where there are not two. */
export function leastDistance(timesMs: Float64Array): number {
  let least = Infinity;
  for (let row = 1; row < timesMs.length; row++) {
    least = Math.min(least, (timesMs[row] as number) - (timesMs[row - 1] as number));
  }
  return Number.isFinite(least) ? least : 60_000;
}

/** A stretch of time and prices. */
export interface HeatView {
  fromMs: number;
  /** Exclusive. */
  toMs: number;
  lowPrice: number;
  highPrice: number;
}

/**
 * What a cell is of the levels in it, which have a part of its time and its prices:
 *
 *     max  the largest level
 *     sum  the sum of the levels of a row, of the row in which it is largest
 *
 * Every level of every row has its part: nothing is sampled.
 */
export type Aggregate = 'max' | 'sum';

/** The stretch divided into cells, column by column: cell `column * bins + bin`, bin 0 has the highest prices. */
export interface HeatGrid extends HeatView {
  columns: number;
  bins: number;
  /** Quantity; of asks negative. 0: no level. {@link NO_ROW}: no row at any time of the column. */
  cells: Float32Array;
}

/** Larger than any quantity. */
export const NO_ROW = 2 ** 127;

/** What cells are laid out by. */
export interface Grain {
  intervalMs: number;
  /** Distance of the prices that levels can have. */
  tick: number;
}

/**
 * Lays out cells for pixels. A pixel with several rows or prices is a cell. A row or price with several pixels is one too,
 * so that it has an edge where it ends, and costs no more than it says.
 */
export function layOutGrid(view: HeatView, widthPx: number, heightPx: number, grain: Grain): Omit<HeatGrid, 'cells'> {
  const { intervalMs, tick } = grain;
  const layout = { ...view, columns: widthPx, bins: heightPx };
  if ((view.toMs - view.fromMs) / intervalMs <= widthPx) {
    const first = Math.floor(view.fromMs / intervalMs);
    const last = Math.ceil(view.toMs / intervalMs);
    layout.fromMs = first * intervalMs;
    layout.toMs = last * intervalMs;
    layout.columns = Math.max(1, last - first);
  }
  if ((view.highPrice - view.lowPrice) / tick <= heightPx) {
    // A price is in the middle of its cell.
    const lowest = Math.floor(view.lowPrice / tick + 0.5);
    const highest = Math.ceil(view.highPrice / tick + 0.5) - 1;
    layout.bins = Math.max(1, highest - lowest + 1);
    layout.lowPrice = (lowest - 0.5) * tick;
    layout.highPrice = (lowest - 0.5 + layout.bins) * tick;
  }
  return layout;
}

/** Boundaries of cells are computed in doubles: what ends where a cell begins does not reach into it. */
const ROUNDING = 1e-6;

/** Puts the levels of days into cells. */
export function rasterize(days: readonly DayBook[], layout: Omit<HeatGrid, 'cells'>, aggregate: Aggregate): HeatGrid {
  const grid: HeatGrid = { ...layout, cells: new Float32Array(layout.columns * layout.bins) };
  const { fromMs, toMs, columns, bins, cells } = grid;
  const columnMs = (toMs - fromMs) / columns;
  const hasRow = new Uint8Array(columns);
  for (const { columns: book, intervalMs } of days) {
    const { rows, depth, timesMs, bidCounts, askCounts } = book;
    for (let row = Math.max(0, rowAt(timesMs, fromMs - intervalMs)); row < rows; row++) {
      const startMs = timesMs[row] as number;
      if (startMs >= toMs) break;
      const start = (startMs - fromMs) / columnMs;
      const firstColumn = Math.max(0, Math.floor(start + ROUNDING));
      const lastColumn = Math.min(columns, Math.ceil(start + intervalMs / columnMs - ROUNDING)) - 1;
      if (lastColumn < firstColumn) continue;
      hasRow.fill(1, firstColumn, lastColumn + 1);
      const first = row * depth;
      const bidEnd = first + (bidCounts[row] as number);
      const askEnd = first + (askCounts[row] as number);
      const isSum = aggregate === 'sum';
      addSide(grid, firstColumn, book.bidPrices, book.bidQuantities, first, bidEnd, 1, isSum);
      addSide(grid, firstColumn, book.askPrices, book.askQuantities, first, askEnd, -1, isSum);
      // A row with several columns is the same in all, but for what other rows have put there.
      for (let column = firstColumn + 1; column <= lastColumn; column++) {
        addSide(grid, column, book.bidPrices, book.bidQuantities, first, bidEnd, 1, isSum);
        addSide(grid, column, book.askPrices, book.askQuantities, first, askEnd, -1, isSum);
      }
    }
  }
  for (let column = 0; column < columns; column++) {
    if (hasRow[column] === 0) cells.fill(NO_ROW, column * bins, (column + 1) * bins);
  }
  return grid;
}

/** Puts the levels [first, end) of one side of a row into a column. Those of one cell stand together, best first. */
function addSide(
  { cells, bins, lowPrice, highPrice }: HeatGrid,
  column: number,
  prices: Float64Array,
  quantities: Float64Array,
  first: number,
  end: number, // exclusive
  sign: 1 | -1,
  isSum: boolean,
): void {
  const binsOfPrice = bins / (highPrice - lowPrice);
  const base = column * bins;
  let previous = -1;
  let inCell = 0;
  for (let level = first; level < end; level++) {
    const bin = Math.floor((highPrice - (prices[level] as number)) * binsOfPrice);
    if (bin < 0 || bin >= bins) continue;
    const quantity = quantities[level] as number;
    inCell = isSum && bin === previous ? inCell + quantity : quantity;
    previous = bin;
    if (inCell > Math.abs(cells[base + bin] as number)) cells[base + bin] = sign * inCell;
  }
}

/**
 * The quantity that so many percent of the cells with levels do not exceed, within 1 %: the clip of a scale. A few large
 * orders would leave no colours for the others.
 *
 * @returns 1 when there is no level.
 */
export function clipOf({ cells }: Pick<HeatGrid, 'cells'>, percentile: number): number {
  // The upper half of a float orders quantities to one part in 128, so that counting is enough.
  const bits = new Uint32Array(cells.buffer, cells.byteOffset, cells.length);
  const counts = new Uint32Array(2 ** 15);
  const none = floatBits(NO_ROW) >>> 16;
  let total = 0;
  for (let cell = 0; cell < bits.length; cell++) {
    const upper = ((bits[cell] as number) >>> 16) & 0x7fff;
    if (upper === 0 || upper === none) continue;
    counts[upper] = (counts[upper] as number) + 1;
    total++;
  }
  if (total === 0) return 1;
  const wanted = Math.max(1, Math.ceil((total * percentile) / 100));
  let below = 0;
  for (let upper = 0; upper < counts.length; upper++) {
    below += counts[upper] as number;
    if (below >= wanted) return floatOf((upper + 1) << 16);
  }
  return 1;
}

const scratch = new DataView(new ArrayBuffer(4));

function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

function floatOf(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

/** How cells become colours. */
export interface Coloring {
  /** From `paletteTable`. */
  table: Uint8Array;
  theme: Theme;
  scale: QuantityScale;
}

/** The colour of a cell, as four bytes of {@link Coloring.table} from the place that is returned; -1: no row. */
export function tablePlace(cell: number, scale: QuantityScale): number {
  if (cell === NO_ROW) return -1;
  if (cell === 0) return 0;
  const entry = rampEntry(quantityFraction(scale, Math.abs(cell)));
  return 4 * (cell < 0 ? RAMP_ENTRIES + entry : entry);
}

/** Draws a view of a grid: each pixel has the colour of the cell at its middle. What is beyond the grid has no rows. */
export function paint(
  grid: HeatGrid,
  view: HeatView,
  widthPx: number,
  heightPx: number,
  { table, theme, scale }: Coloring,
): Uint8ClampedArray<ArrayBuffer> {
  const { columns, bins, cells } = grid;
  const pixels = new Uint8ClampedArray(4 * widthPx * heightPx);
  const words = new Uint32Array(pixels.buffer);
  const colors = new Uint32Array(table.slice().buffer);
  const noRow = new Uint32Array(Uint8Array.of(...NO_ROWS[theme], 255).buffer)[0] as number;
  const columnOfPixel = placesOf(widthPx, columns, (part) => {
    const ms = view.fromMs + part * (view.toMs - view.fromMs);
    return (ms - grid.fromMs) / (grid.toMs - grid.fromMs);
  });
  const binOfPixel = placesOf(heightPx, bins, (part) => {
    const price = view.highPrice - part * (view.highPrice - view.lowPrice);
    return (grid.highPrice - price) / (grid.highPrice - grid.lowPrice);
  });
  for (let x = 0; x < widthPx; x++) {
    const column = columnOfPixel[x] as number;
    let lastCell = Number.NaN;
    let color = noRow;
    for (let y = 0; y < heightPx; y++) {
      const bin = binOfPixel[y] as number;
      const cell = column < 0 || bin < 0 ? NO_ROW : (cells[column * bins + bin] as number);
      if (cell !== lastCell) {
        const place = tablePlace(cell, scale);
        color = place < 0 ? noRow : (colors[place / 4] as number);
        lastCell = cell;
      }
      words[y * widthPx + x] = color;
    }
  }
  return pixels;
}

/** The cell of the middle of each pixel, -1 beyond the grid. */
function placesOf(pixels: number, cells: number, partOfGrid: (part: number) => number): Int32Array {
  return Int32Array.from({ length: pixels }, (_, pixel) => {
    const cell = Math.floor(partOfGrid((pixel + 0.5) / pixels) * cells);
    return cell >= 0 && cell < cells ? cell : -1;
  });
}

/** What is asked of the rows of a day for their marks. */
export interface DayRows extends Omit<DayBook, 'columns'> {
  columns: Pick<BookColumns, 'rows' | 'timesMs' | 'flags'>;
}

/** A bit beside those of `FLAG`: some boundary of the stretch has no row. */
export const MISSING = 128;

/** What is to be known of the rows in each of some equal stretches of time: bits of `FLAG`, and {@link MISSING}. */
export function marksOf(days: readonly DayRows[], fromMs: number, toMs: number, stretches: number): Uint8Array {
  const marks = new Uint8Array(stretches);
  const stretchMs = (toMs - fromMs) / stretches;
  const mark = (startMs: number, endMs: number, bits: number) => {
    const first = Math.max(0, Math.floor((startMs - fromMs) / stretchMs + ROUNDING));
    const last = Math.min(stretches, Math.ceil((endMs - fromMs) / stretchMs - ROUNDING)) - 1;
    for (let at = first; at <= last; at++) marks[at] = (marks[at] as number) | bits;
  };
  for (const { columns, intervalMs, firstMs, lastMs } of days) {
    const { rows, timesMs, flags } = columns;
    let nextMs = firstMs;
    for (let row = 0; row < rows; row++) {
      const timeMs = timesMs[row] as number;
      if (timeMs > nextMs) mark(nextMs, timeMs, MISSING);
      nextMs = timeMs + intervalMs;
      const bits = flags[row] as number;
      if (bits !== 0) mark(timeMs, nextMs, bits);
    }
    if (nextMs <= lastMs) mark(nextMs, lastMs + intervalMs, MISSING);
  }
  return marks;
}

/**
 * Finds the distance of prices and their digits, and those of quantities, from up to 64 rows of each day: the largest
 * number that all distances between neighbouring levels are whole multiples of.
 */
export function findGrain(days: readonly DayBook[]): Grain & { priceDecimals: number; quantityDecimals: number } {
  const intervalMs = days.reduce((least, day) => Math.min(least, day.intervalMs), Infinity);
  let priceDecimals = 0;
  let quantityDecimals = 0;
  const visit = (take: (price: number, quantity: number, previous: number) => void) => {
    for (const { columns } of days) {
      const { rows, depth, bidCounts, askCounts, bidPrices, askPrices, bidQuantities, askQuantities } = columns;
      for (let row = 0; row < rows; row += Math.ceil(rows / 64)) {
        for (const [counts, prices, quantities] of [
          [bidCounts, bidPrices, bidQuantities],
          [askCounts, askPrices, askQuantities],
        ] as const) {
          for (let at = row * depth; at < row * depth + (counts[row] as number); at++) {
            const previous = at > row * depth ? (prices[at - 1] as number) : Number.NaN;
            take(prices[at] as number, quantities[at] as number, previous);
          }
        }
      }
    }
  };
  visit((price, quantity) => {
    priceDecimals = decimalsAtLeast(price, priceDecimals);
    quantityDecimals = decimalsAtLeast(quantity, quantityDecimals);
  });
  const unit = 10 ** priceDecimals;
  let ticks = 0;
  visit((price, _, previous) => {
    if (ticks !== 1 && !Number.isNaN(previous))
      ticks = commonDivisor(ticks, Math.round(Math.abs(price - previous) * unit));
  });
  return { intervalMs, tick: Math.max(1, ticks) / unit, priceDecimals, quantityDecimals };
}

const POWERS_OF_TEN = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);

/** The digits behind the point that a decimal has, or `least` when those are more; at most 12. */
function decimalsAtLeast(value: number, least: number): number {
  let decimals = least;
  while (decimals < 12) {
    const power = POWERS_OF_TEN[decimals] as number;
    if (Math.round(value * power) / power === value) break;
    decimals++;
  }
  return decimals;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
