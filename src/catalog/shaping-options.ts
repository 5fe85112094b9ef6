/** The options that shape the bytes of an output, once: jobs, records, staleness and help take theirs from here. */
import { formatInterval } from '../base/time.js';
import type { Compression, Layout } from '../output/book-writer.js';
import { chosenCompression } from '../output/compression.js';
import type { Output } from './output-name.js';
import type { Partition } from './partition.js';

/** What shapes the bytes of an output, and the folders that it lies in. */
export interface SamplingOptions {
  /** Distance of the rows in ms; divides a day. */
  intervalMs: number;
  /** What becomes of a boundary whose interval had no message: a row of the unchanged book, or none. */
  onGap: 'fill' | 'skip';
  /** What becomes of an archive with a line that cannot be read. */
  onBadLine: 'fail' | 'skip';
  /** `python` labels rows as the replaced scripts did: over a minute of look-ahead. */
  compat: 'python' | 'none';
  /** Puts `timestamp_formatted` first; CSV only. */
  formattedTimestamp: boolean;
  /** Adds columns that say how far a row can be trusted. */
  quality: boolean;
  /** How levels become columns in Parquet. */
  layout: Layout;
  /** Exact decimals in Parquet instead of doubles. */
  decimals: boolean;
  /** Levels a side whose imbalance the metrics have. */
  imbalanceLevels: readonly number[];
  /** Distances from mid, in bps, within which the metrics sum quantity and notional. */
  bandsBps: readonly number[];
  /** How Parquet is compressed. */
  compression: Compression;
  /** Amounts of the quote currency whose price impact the metrics have. */
  impacts: readonly number[];
  /** How folders are named. As `hive` has it they tell the symbol, and Parquet has no column of it. */
  partition: Partition;
}

/** The options that shape an output's bytes, as records have them: names and JSON values. */
export type Shape = Readonly<Record<string, unknown>>;

interface ShapingOption<Value> {
  default: Value;
  /** Which outputs it shapes. */
  shapes: (output: Pick<Output, 'kind' | 'format'>) => boolean;
  /** How a record has it, where that is not the option's own name and value. */
  record?: { name: string; value: (value: Value) => unknown };
  /** The value of outputs that were made when there was no such option, where that is not the default. */
  before?: Value;
  /** A value that leaves the choice to the program, so that outputs made with any other are as good. */
  any?: Value;
}

type ShapingOptions = { readonly [Name in keyof SamplingOptions]: ShapingOption<SamplingOptions[Name]> };

const every = () => true;
const books = ({ kind }: Pick<Output, 'kind'>) => kind === 'book';
const parquetBooks = ({ kind, format }: Pick<Output, 'kind' | 'format'>) => kind === 'book' && format === 'parquet';
const metrics = ({ kind }: Pick<Output, 'kind'>) => kind === 'metrics';
const parquet = ({ format }: Pick<Output, 'format'>) => format === 'parquet';
const texts = ({ format }: Pick<Output, 'format'>) => format !== 'parquet';

/** In the order in which reasons are told. */
export const SHAPING_OPTIONS: ShapingOptions = {
  intervalMs: { default: 60_000, shapes: every, record: { name: 'interval', value: formatInterval } },
  onGap: { default: 'fill', shapes: every },
  onBadLine: { default: 'fail', shapes: every },
  compat: { default: 'none', shapes: every },
  quality: { default: false, shapes: books },
  formattedTimestamp: { default: false, shapes: texts },
  layout: { default: 'lists', shapes: parquetBooks },
  decimals: { default: false, shapes: parquetBooks },
  imbalanceLevels: { default: [1, 5, 10, 50], shapes: metrics },
  bandsBps: { default: [5, 10, 25, 50, 100], shapes: metrics },
  compression: {
    default: 'auto',
    shapes: parquet,
    record: { name: 'compression', value: chosenCompression },
    before: 'snappy',
    any: 'auto',
  },
  impacts: { default: [10_000, 100_000], shapes: metrics },
  partition: { default: 'none', shapes: every },
};

const NAMES = Object.keys(SHAPING_OPTIONS) as (keyof SamplingOptions)[];

/** What the options are when nothing is said. */
export const SAMPLING_DEFAULTS = fromTable((name) => SHAPING_OPTIONS[name].default);

const BEFORE = fromTable((name) => SHAPING_OPTIONS[name].before ?? SHAPING_OPTIONS[name].default);

/** Of options that hold more, those that shape outputs. */
export function samplingOptionsOf(options: SamplingOptions): SamplingOptions {
  return fromTable((name) => options[name]);
}

/** Of all options, those that shape the bytes of one output, as its record has them. */
export function shapeOf(output: Pick<Output, 'kind' | 'format'>, options: SamplingOptions): Shape {
  return Object.fromEntries(
    NAMES.filter((name) => SHAPING_OPTIONS[name].shapes(output)).map((name) => recorded(name, options[name])),
  );
}

/** Of all options, those that an output must have been made with, to be what is wanted. */
export function wantedShapeOf(output: Pick<Output, 'kind' | 'format'>, options: SamplingOptions): Shape {
  const isAny = <Name extends keyof SamplingOptions>(name: Name) => {
    const { any }: ShapingOption<SamplingOptions[Name]> = SHAPING_OPTIONS[name];
    return any !== undefined && options[name] === any;
  };
  return Object.fromEntries(
    NAMES.filter((name) => SHAPING_OPTIONS[name].shapes(output) && !isAny(name)).map((name) =>
      recorded(name, options[name]),
    ),
  );
}

/** What an output was made with of which no record tells: there were no such options yet. */
export function shapeBefore(output: Pick<Output, 'kind' | 'format'>): Shape {
  return shapeOf(output, BEFORE);
}

/** An option as a record has it. */
function recorded<Name extends keyof SamplingOptions>(name: Name, value: SamplingOptions[Name]): [string, unknown] {
  const { record }: ShapingOption<SamplingOptions[Name]> = SHAPING_OPTIONS[name];
  return record ? [record.name, record.value(value)] : [name, value];
}

function fromTable(get: (name: keyof SamplingOptions) => unknown): SamplingOptions {
  return Object.fromEntries(NAMES.map((name) => [name, get(name)])) as unknown as SamplingOptions;
}
