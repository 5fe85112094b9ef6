import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { isTime } from '../base/time.js';
import { maxValuesOf } from '../output/parquet/check-pages.js';
import { readColumn } from '../output/parquet/read-column.js';
import { endOfSubtree, readMetadata } from '../output/parquet/read-metadata.js';
import { isOfStorage } from '../storage/storage.js';
import {
  type BookColumns,
  type BookRange,
  FLAG,
  FLAG_NAMES,
  markCrossed,
  newBookColumns,
  OutputError,
  type TableColumns,
  trimBookColumns,
} from './book-columns.js';
import { isNumberColumn } from './read-csv.js';
import { TableRows } from './table-rows.js';

/** Row groups are in memory one at a time, and ours have 2^22 values at most. A forged one must not fill the memory. */
const MAX_ROW_GROUP_BYTES = 512 * 2 ** 20;
/** Levels a side of a row that {@link BookColumns} can count. */
const MAX_DEPTH = 65_535;
/** Ours keep as many digits as the archive has, which are fewer. A forged text of a megabyte may stand for every value. */
const MAX_NUMBER_CHARS = 1024;
/** Room for levels: sixteen times what a row group of ours has, since rows take as much room as the deepest of them. */
const MAX_CELLS = 2 ** 26;

/**
 * Reads a book output as Parquet, in any of its layouts.
 *
 * @returns a part a row group that has rows in the range, in order.
 * @throws {@link OutputError} when the file is not that of an output.
 */
export async function* readBookParquet(
  file: AsyncBuffer,
  range: BookRange = {},
): AsyncGenerator<BookColumns, void, undefined> {
  const metadata = await readBookMetadata(file);
  const names = columnNames(metadata);
  const read = layoutReader(names);
  const fill = { lastMs: -Infinity };
  for await (const group of rowGroupsIn(file, metadata, range)) {
    const part = await read(group, names, range);
    for (const timeMs of part.timesMs) {
      if (timeMs <= fill.lastMs) throw outOfOrder(timeMs, fill.lastMs);
      fill.lastMs = timeMs;
    }
    markCrossed(part);
    if (part.rows > 0) yield part;
  }
}

/**
 * Reads columns of a metrics output as Parquet.
 *
 * @param wanted names of columns. Those that the file does not have are left out.
 */
export async function readTableParquet(
  file: AsyncBuffer,
  range: BookRange,
  wanted: readonly string[],
): Promise<TableColumns> {
  const metadata = await readBookMetadata(file);
  const rows = new TableRows(columnNames(metadata).filter((name) => isNumberColumn(name) && wanted.includes(name)));
  for await (const group of rowGroupsIn(file, metadata, range)) {
    const timesMs = await readTimes(group);
    const columns: ArrayLike<unknown>[] = [];
    for (const name of rows.names) columns.push(await group.read(name));
    for (const row of rowsInRange(timesMs, range)) {
      rows.push(timesMs[row] as number, (column) => toNumber(columns[column]?.[row]));
    }
  }
  return rows.take();
}

/** The names of the columns of numbers of a metrics output as Parquet. */
export async function readTableNamesParquet(file: AsyncBuffer): Promise<string[]> {
  return columnNames(await readBookMetadata(file)).filter(isNumberColumn);
}

interface RowGroup {
  rows: number;
  read(name: string): Promise<ArrayLike<unknown>>;
}

type LayoutReader = (group: RowGroup, names: string[], range: BookRange) => Promise<BookColumns>;

function layoutReader(names: string[]): LayoutReader {
  if (names.includes('bid_price')) return readLists;
  if (names.includes('bid_price_1')) return readWide;
  if (names.includes('side') && names.includes('price')) return readLong;
  const found = names.slice(0, 5).join(', ');
  throw new OutputError(
    `its columns are ${found}, …: expected bid_price (lists), bid_price_1 (wide) or side, level, price, qty (long)`,
  );
}

async function readBookMetadata(file: AsyncBuffer): Promise<FileMetaData> {
  try {
    return withPlainDecimals(await readMetadata(file));
  } catch (error) {
    if (error instanceof OutputError || isOfStorage(error)) throw error;
    throw new OutputError(`this is no whole Parquet file: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Lets decimals be read as the bytes that they are: hyparquet makes doubles of them by multiplying, which are off in the last
 * digit.
 */
function withPlainDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    const { converted_type, logical_type: _, ...plain } = element;
    if (converted_type !== 'DECIMAL') return element;
    if (element.type === 'FIXED_LEN_BYTE_ARRAY' && element.type_length === 16 && element.scale === DECIMAL_SCALE)
      return plain;
    throw new OutputError(
      `${element.name} is a decimal of another kind than bookgrid writes: expected 16 bytes, scale 18`,
    );
  });
  return { ...metadata, schema };
}

function columnNames(metadata: FileMetaData): string[] {
  const names: string[] = [];
  // Children of the root; those of a list are passed over.
  for (let index = 1; index < metadata.schema.length; ) {
    const element = metadata.schema[index];
    if (element) names.push(element.name);
    index = endOfSubtree(metadata.schema, index);
  }
  if (!names.includes('timestamp')) {
    throw new OutputError(`its columns are ${names.slice(0, 5).join(', ')}, …: expected timestamp among them`);
  }
  return names;
}

/** The row groups that may have rows in the range, by the ranges of time that they tell. */
async function* rowGroupsIn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { fromMs = -Infinity, toMs = Infinity }: BookRange,
): AsyncGenerator<RowGroup> {
  for (const rowGroup of metadata.row_groups) {
    const { num_rows, total_byte_size, columns } = rowGroup;
    const rows = Number(num_rows);
    if (!(rows >= 0 && rows <= maxValuesOf(file.byteLength))) {
      throw new OutputError(`a row group has ${rows} rows, of which a file of ${file.byteLength} bytes has no room`);
    }
    const time = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === 'timestamp')?.meta_data?.statistics;
    const [minMs, maxMs] = [toMsOrNaN(time?.min_value), toMsOrNaN(time?.max_value)];
    if (rows === 0 || minMs > toMs || maxMs < fromMs) continue;
    if (Number(total_byte_size) > MAX_ROW_GROUP_BYTES) {
      throw new OutputError(`a row group has ${total_byte_size} bytes: expected at most ${MAX_ROW_GROUP_BYTES}`);
    }
    yield {
      rows,
      async read(name) {
        try {
          return await readColumn(file, metadata, rowGroup, name);
        } catch (error) {
          if (isOfStorage(error)) throw error;
          throw new OutputError(`column ${name} cannot be read: ${(error as Error).message}`, { cause: error });
        }
      },
    };
  }
}

function toMsOrNaN(value: unknown): number {
  return value instanceof Date ? value.getTime() : Number.NaN;
}

async function readTimes(group: RowGroup): Promise<Float64Array> {
  const column = await group.read('timestamp');
  const timesMs = Float64Array.from(column as ArrayLike<Date | number | bigint>, Number);
  if (timesMs.some((timeMs) => !isTime(timeMs))) throw new OutputError('a timestamp is no time');
  return timesMs;
}

function rowsInRange(timesMs: Float64Array, { fromMs = -Infinity, toMs = Infinity }: BookRange): number[] {
  const rows: number[] = [];
  timesMs.forEach((timeMs, row) => {
    if (timeMs >= fromMs && timeMs <= toMs) rows.push(row);
  });
  return rows;
}

function outOfOrder(timeMs: number, lastMs: number): OutputError {
  return new OutputError(`timestamp ${timeMs} comes after ${lastMs}: expected rows in order of time, each once`);
}

/** Flags of rows; `undefined` where the file has none. */
async function readFlags(group: RowGroup, names: string[]): Promise<Uint8Array | undefined> {
  if (!names.includes('is_suspect')) return undefined;
  const flags = new Uint8Array(group.rows);
  for (const flag of FLAG_NAMES) {
    if (!names.includes(`is_${flag}`)) continue;
    const column = await group.read(`is_${flag}`);
    for (let row = 0; row < flags.length; row++) if (column[row]) flags[row] = (flags[row] as number) | FLAG[flag];
  }
  return flags;
}

/**
 * Rows that take as much room as the deepest of them.
 *
 * @throws {@link OutputError} when that is more than a row group of ours can need: one forged level would fill the memory.
 */
function roomFor(rows: number, depth: number, hasQuality: boolean): BookColumns {
  if (!(depth <= MAX_DEPTH)) throw new OutputError(`a row has ${depth} levels: expected at most ${MAX_DEPTH}`);
  if (rows * depth > MAX_CELLS) {
    throw new OutputError(`a row group has ${rows} rows and ${depth} levels: together more than ${MAX_CELLS}`);
  }
  return newBookColumns(rows, depth, hasQuality);
}

async function beginPart(group: RowGroup, names: string[], range: BookRange, depth: number) {
  const timesMs = await readTimes(group);
  const flags = await readFlags(group, names);
  const rows = rowsInRange(timesMs, range);
  const part = roomFor(rows.length, depth, flags !== undefined);
  rows.forEach((from, row) => {
    part.timesMs[row] = timesMs[from] as number;
    part.flags[row] = flags?.[from] ?? 0;
  });
  return { part, rows };
}

const readLists: LayoutReader = async (group, names, range) => {
  const { depth = Infinity } = range;
  const lists = [];
  for (const name of ['bid_price', 'bid_qty', 'ask_price', 'ask_qty']) {
    lists.push((await group.read(name)) as ArrayLike<ArrayLike<unknown> | null>);
  }
  const [bidPrices, bidQuantities, askPrices, askQuantities] = lists as [Lists, Lists, Lists, Lists];
  let deepest = 0;
  for (let row = 0; row < group.rows; row++) {
    deepest = Math.max(deepest, bidPrices[row]?.length ?? 0, askPrices[row]?.length ?? 0);
  }
  const { part, rows } = await beginPart(group, names, range, Math.min(depth, deepest));
  rows.forEach((from, row) => {
    part.bidCounts[row] = copyList(bidPrices[from], part.bidPrices, row, part.depth);
    part.askCounts[row] = copyList(askPrices[from], part.askPrices, row, part.depth);
    const bids = copyList(bidQuantities[from], part.bidQuantities, row, part.depth);
    const asks = copyList(askQuantities[from], part.askQuantities, row, part.depth);
    if (bids !== part.bidCounts[row] || asks !== part.askCounts[row]) {
      throw new OutputError(`row of ${part.timesMs[row]}: it has not as many quantities as prices`);
    }
  });
  return part;
};

type Lists = ArrayLike<ArrayLike<unknown> | null>;

function copyList(list: ArrayLike<unknown> | null | undefined, to: Float64Array, row: number, depth: number): number {
  const count = Math.min(list?.length ?? 0, depth);
  for (let level = 0; level < count; level++) to[row * depth + level] = toLevelNumber(list?.[level]);
  return count;
}

const readWide: LayoutReader = async (group, names, range) => {
  const { depth: wanted = Infinity } = range;
  const there = names.filter((name) => /^bid_price_\d+$/.test(name)).length;
  const depth = Math.min(wanted, there);
  const { part, rows } = await beginPart(group, names, range, depth);
  for (const side of ['bid', 'ask'] as const) {
    const counts = part[`${side}Counts`];
    for (let level = 0; level < depth; level++) {
      const prices = await group.read(`${side}_price_${level + 1}`);
      const quantities = await group.read(`${side}_qty_${level + 1}`);
      rows.forEach((from, row) => {
        if (prices[from] === null || prices[from] === undefined) return;
        if (counts[row] !== level) throw new OutputError(`${side}_price_${level + 1} follows an empty level`);
        counts[row] = level + 1;
        part[`${side}Prices`][row * depth + level] = toLevelNumber(prices[from]);
        part[`${side}Quantities`][row * depth + level] = toLevelNumber(quantities[from]);
      });
    }
  }
  return trimBookColumns(part, part.rows);
};

const readLong: LayoutReader = async (group, names, range) => {
  const { fromMs = -Infinity, toMs = Infinity, depth: wanted = Infinity } = range;
  const timesMs = await readTimes(group);
  const flags = await readFlags(group, names);
  const levels = await group.read('level');
  const sides = await group.read('side');
  const prices = await group.read('price');
  const quantities = await group.read('qty');
  // Rows of a boundary stand together.
  const starts: number[] = [];
  let deepest = 0;
  for (let at = 0; at < group.rows; at++) {
    const timeMs = timesMs[at] as number;
    if (timeMs < fromMs || timeMs > toMs) continue;
    if (timeMs !== timesMs[at - 1]) starts.push(at);
    deepest = Math.max(deepest, Number(levels[at]));
  }
  const part = roomFor(starts.length, Math.min(wanted, deepest), flags !== undefined);
  starts.forEach((start, row) => {
    part.timesMs[row] = timesMs[start] as number;
    part.flags[row] = flags?.[start] ?? 0;
    for (let at = start; at < group.rows && timesMs[at] === timesMs[start]; at++) {
      const isAsk = sides[at] === 'ask';
      const counts = isAsk ? part.askCounts : part.bidCounts;
      const level = Number(levels[at]) - 1;
      if (level >= part.depth) continue;
      if (counts[row] !== level) {
        throw new OutputError(
          `level ${level + 1} of ${part.timesMs[row]} follows level ${counts[row]}: expected the next`,
        );
      }
      counts[row] = level + 1;
      (isAsk ? part.askPrices : part.bidPrices)[row * part.depth + level] = toLevelNumber(prices[at]);
      (isAsk ? part.askQuantities : part.bidQuantities)[row * part.depth + level] = toLevelNumber(quantities[at]);
    }
  });
  return part;
};

function toNumber(value: unknown): number {
  if (typeof value === 'string' && value.length > MAX_NUMBER_CHARS) {
    throw new OutputError(`a number has ${value.length} characters: expected at most ${MAX_NUMBER_CHARS}`);
  }
  return value === null || value === undefined || value === '' ? Number.NaN : Number(value);
}

/** A double, text, or the bytes of a decimal. */
function toLevelNumber(value: unknown): number {
  const number = value instanceof Uint8Array ? decimalOf(value) : toNumber(value);
  if (Number.isNaN(number)) throw new OutputError(`a level has ${JSON.stringify(value)}: expected a number`);
  return number;
}

/** Digits behind the point of the decimals that bookgrid writes. */
const DECIMAL_SCALE = 18;

/** The double nearest to a decimal of 16 bytes, two's complement, highest byte first. */
function decimalOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unscaled = (view.getBigInt64(0) << 64n) | view.getBigUint64(8);
  // Nearly all have no more than nine digits behind the point, and then both sides of the division are exact.
  const billionths = unscaled / 1_000_000_000n;
  const isShort = billionths * 1_000_000_000n === unscaled && billionths <= Number.MAX_SAFE_INTEGER;
  return isShort ? Number(billionths) / 1e9 : Number(`${unscaled}e-${DECIMAL_SCALE}`);
}
