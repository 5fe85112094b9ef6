/**
 * Rows of a book output as columns of numbers: what is drawn, sent and shown.
 *
 * The modules of this folder, except for those that say so, use neither Node nor the DOM. The server reads outputs with them and
 * sends columns, the page's worker draws from these, and whoever draws a file without a browser goes the same way:
 *
 *     open-output (Node) ─▶ read-csv, read-parquet ─▶ BookColumns ─▶ series          lines below the picture
 *                                                         │       └▶ heatmap ─▶ palettes   the picture
 *                                                         └ wire: as bytes, between server and page
 *
 * `scales` has what lines, axes and colours are laid out by.
 */

/** Bits of {@link BookColumns.flags}, as docs/rows.md defines them. */
export const FLAG = { filled: 1, suspect: 2, crossed: 4, thin: 8, partial: 16 } as const;

export type FlagName = keyof typeof FLAG;

export const FLAG_NAMES = Object.keys(FLAG) as FlagName[];

/** Rows of one file, or a part of them, in order of time. */
export interface BookColumns {
  rows: number;
  /** Levels a side that each row has room for: value `row * depth + k` of a column is level k (from 0, the best) of a row. */
  depth: number;
  /** The boundary of each row, ms since the epoch, UTC; ascending. */
  timesMs: Float64Array;
  /** Bits of {@link FLAG} of each row. Crossed is always known, the others where {@link hasQuality}. */
  flags: Uint8Array;
  /** Whether the file has the columns of `--quality`. */
  hasQuality: boolean;
  /** Levels of each row; what follows them in its room means nothing. */
  bidCounts: Uint16Array;
  askCounts: Uint16Array;
  /** Best first, in the quote currency. */
  bidPrices: Float64Array;
  /** In the base currency, or in contracts. */
  bidQuantities: Float64Array;
  askPrices: Float64Array;
  askQuantities: Float64Array;
}

/** Named numbers at the times of rows, NaN where there is none: a metrics output. */
export interface TableColumns {
  timesMs: Float64Array;
  names: string[];
  /** Of each name, a number a row. */
  values: Float64Array[];
}

/** Which rows and levels are wanted of a file. */
export interface BookRange {
  /** First and last boundary, inclusive; absent: all. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** Levels a side, at most; absent: all. */
  depth?: number | undefined;
}

/** A file is not what an output is. The message says where, what was expected, and what was found, without the file's name. */
export class OutputError extends Error {
  override name = 'OutputError';
}

/** Rows with room for as many levels, to be filled. */
export function newBookColumns(rows: number, depth: number, hasQuality: boolean): BookColumns {
  const levels = () => new Float64Array(rows * depth);
  return {
    rows,
    depth,
    timesMs: new Float64Array(rows),
    flags: new Uint8Array(rows),
    hasQuality,
    bidCounts: new Uint16Array(rows),
    askCounts: new Uint16Array(rows),
    bidPrices: levels(),
    bidQuantities: levels(),
    askPrices: levels(),
    askQuantities: levels(),
  };
}

/** The columns with a value a level. */
export const LEVEL_ARRAYS = ['bidPrices', 'bidQuantities', 'askPrices', 'askQuantities'] as const;
/** The columns with a value a row. */
const ROW_ARRAYS = ['timesMs', 'flags', 'bidCounts', 'askCounts'] as const;

/** Puts parts of a file into one, in their order. */
export function joinBookColumns(parts: readonly BookColumns[]): BookColumns {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const depth = parts.reduce((most, part) => Math.max(most, part.depth), 0);
  const joined = newBookColumns(rows, depth, parts.length > 0 && parts.every(({ hasQuality }) => hasQuality));
  let row = 0;
  for (const part of parts) {
    for (const name of ROW_ARRAYS) joined[name].set(part[name], row);
    for (const name of LEVEL_ARRAYS) copyLevels(part[name], part.depth, joined[name], depth, row);
    row += part.rows;
  }
  return joined;
}

/** Copies rows of one room into rows of another, as many levels as both have room for. */
function copyLevels(from: Float64Array, fromDepth: number, to: Float64Array, toDepth: number, firstRow: number): void {
  if (fromDepth === toDepth) {
    to.set(from, firstRow * toDepth);
    return;
  }
  const levels = Math.min(fromDepth, toDepth);
  if (levels === 0) return;
  for (let row = 0; row * fromDepth < from.length; row++) {
    to.set(from.subarray(row * fromDepth, row * fromDepth + levels), (firstRow + row) * toDepth);
  }
}

/** The first `rows` rows, with room for no more levels than the deepest of them has. */
export function trimBookColumns(columns: BookColumns, rows: number): BookColumns {
  let deepest = 0;
  for (let row = 0; row < rows; row++) {
    deepest = Math.max(deepest, columns.bidCounts[row] as number, columns.askCounts[row] as number);
  }
  if (rows === columns.rows && deepest === columns.depth) return columns;
  const trimmed = newBookColumns(rows, deepest, columns.hasQuality);
  for (const name of ROW_ARRAYS) trimmed[name].set(columns[name].subarray(0, rows));
  for (const name of LEVEL_ARRAYS) {
    copyLevels(columns[name].subarray(0, rows * columns.depth), columns.depth, trimmed[name], deepest, 0);
  }
  return trimmed;
}

/** The last row whose time is at or before a moment: the one that was known then. -1: none. */
export function rowAt(timesMs: Float64Array, ms: number): number {
  let low = 0;
  let high = timesMs.length; // the answer is below
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMs[middle] as number) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Sets the flag that the levels themselves tell. */
export function markCrossed(columns: BookColumns): void {
  const { rows, depth, bidCounts, askCounts, bidPrices, askPrices, flags } = columns;
  for (let row = 0; row < rows; row++) {
    const hasBoth = (bidCounts[row] as number) > 0 && (askCounts[row] as number) > 0;
    const isCrossed = hasBoth && (bidPrices[row * depth] as number) >= (askPrices[row * depth] as number);
    if (isCrossed) flags[row] = (flags[row] as number) | FLAG.crossed;
  }
}
