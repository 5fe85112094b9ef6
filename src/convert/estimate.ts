/** How large outputs will be, before they are made. */
import { DAY_MS, formatInterval } from '../base/time.js';
import type { KnownOutput } from '../catalog/inventory.js';
import type { Output } from '../catalog/output-name.js';
import { type Shape, shapeBefore, shapeOf } from '../catalog/shaping-options.js';
import type { Layout } from '../output/book-writer.js';
import type { Format } from '../output/formats.js';
import type { Job, PlanEntry, PlannedOutput } from './plan.js';

/** An estimate of what a plan writes. */
export interface SizeEstimate {
  /** The bytes of the outputs of an archive that is to be converted. */
  bytesOf: (entry: PlanEntry) => number | undefined;
  /** Outputs to be made. */
  outputs: number;
  /** Of these, those estimated by what outputs of the same kind have here; the others are by typical sizes. */
  byRecords: number;
  /** Of all outputs. */
  totalBytes: number;
  /** Of outputs that are there, and are replaced. */
  replacedBytes: number;
}

/**
 * Bytes of a price and its quantity in one row, where nothing of the kind is recorded: the mean of made markets that read
 * like Bybit's (12 to 15 for CSV, 4.6 to 5.4 gzipped, 2.9 to 4.9 for lists), at a row a minute.
 */
const TYPICAL_LEVEL_BYTES: Record<Exclude<Format, 'parquet'>, number> = { csv: 13.5, 'csv.gz': 5 };
const TYPICAL_PARQUET_LEVEL_BYTES: Record<Layout, number> = { lists: 4, wide: 10.3, long: 3.8 };
/** What exact decimals take, doubles being 1. */
const DECIMALS_FACTOR = 1.2;

/** Bytes of a row of metrics, likewise. */
const TYPICAL_METRICS_BYTES: Record<Format, number> = { csv: 740, 'csv.gz': 290, parquet: 340 };

/** Options that change what rows there are, but not what one takes. */
const OF_ROWS = ['interval', 'onGap', 'onBadLine', 'compat'];

/** Sizes of recorded outputs of one kind. */
interface Sizes {
  bytes: number;
  /** Rows, times levels of both sides. */
  cells: number;
}

/**
 * Estimates what a plan writes: rows of a whole day, times levels, times what a level takes. That is taken from records of
 * outputs of the same kind: of the same symbol, depth and interval, else of the same depth and interval, else of any.
 */
export function estimateSizes(entries: Iterable<PlanEntry>, outputs: Iterable<KnownOutput>): SizeEstimate {
  const measured = measure(outputs);
  const bytesOf = (entry: PlanEntry) =>
    entry.action === 'convert'
      ? entry.job.outputs.reduce((sum, output) => sum + estimateSize(output, entry.job, measured).bytes, 0)
      : undefined;
  const estimate = { bytesOf, outputs: 0, byRecords: 0, totalBytes: 0, replacedBytes: 0 };
  for (const entry of entries) {
    if (entry.action !== 'convert') continue;
    for (const output of entry.job.outputs) {
      const { bytes, isByRecords } = estimateSize(output, entry.job, measured);
      estimate.outputs++;
      if (isByRecords) estimate.byRecords++;
      estimate.totalBytes += bytes;
      estimate.replacedBytes += output.replaces?.sizeBytes ?? 0;
    }
  }
  return estimate;
}

function estimateSize(output: PlannedOutput, job: Job, measured: Map<string, Sizes>) {
  const { intervalMs } = job.options;
  const key = { ...output, pair: job.archive.pair, interval: formatInterval(intervalMs) };
  const sizes = kindsOf(key, shapeOf(output, job.options)).map((kind) => measured.get(kind));
  const known = sizes.find((size) => size !== undefined);
  const cellBytes = known ? known.bytes / known.cells : typicalCellBytes(output, job);
  const bytes = Math.round((DAY_MS / intervalMs) * cellsOf(output) * cellBytes);
  return { bytes, isByRecords: known !== undefined };
}

/** Adds up what recorded outputs have, by kind. */
function measure(outputs: Iterable<KnownOutput>): Map<string, Sizes> {
  const measured = new Map<string, Sizes>();
  for (const output of outputs) {
    if (output.knowledge.kind !== 'recorded') continue;
    const { shape, counts } = output.knowledge.record;
    const cells = counts.rows * cellsOf(output);
    if (!(cells > 0)) continue;
    for (const kind of kindsOf(output, shape)) {
      const sizes = measured.get(kind) ?? { bytes: 0, cells: 0 };
      measured.set(kind, { bytes: sizes.bytes + output.sizeBytes, cells: sizes.cells + cells });
    }
  }
  return measured;
}

/** What outputs of one kind have in common, the nearest kind first. */
function kindsOf(
  {
    kind,
    format,
    depth,
    pair,
    interval,
  }: Pick<KnownOutput, 'kind' | 'format' | 'pair' | 'interval'> & { depth?: number | undefined },
  shape: Shape,
): string[] {
  const defined = Object.entries(shape).filter(([, value]) => value !== undefined);
  const whole = { ...shapeBefore({ kind, format }), ...Object.fromEntries(defined) };
  const options = Object.entries(whole).filter(([name]) => !OF_ROWS.includes(name));
  const all = [kind, format, options.sort()];
  return [[...all, depth, interval, pair], [...all, depth, interval], all].map((key) => JSON.stringify(key));
}

/** How many numbers of a kind a row has: levels of both sides. */
function cellsOf(output: Pick<KnownOutput, 'kind'> & { depth?: number | undefined }): number {
  return output.kind === 'book' ? 2 * (output.depth ?? 0) : 1;
}

function typicalCellBytes({ kind, format }: Output, { options }: Job): number {
  if (kind === 'metrics') return TYPICAL_METRICS_BYTES[format];
  if (format !== 'parquet') return TYPICAL_LEVEL_BYTES[format];
  const bytes = TYPICAL_PARQUET_LEVEL_BYTES[options.layout];
  return options.decimals ? bytes * DECIMALS_FACTOR : bytes;
}
