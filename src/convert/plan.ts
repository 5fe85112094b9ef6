import path from 'node:path';
import type { Inflater } from '../archive/read-options.js';
import { formatInterval } from '../base/time.js';
import { depthFolder } from '../catalog/archive-name.js';
import type { ArchiveFile, ScanResult, UnusableFile } from '../catalog/find-archives.js';
import { type OutputRecord, whyStale } from '../catalog/staleness.js';
import type { Layout } from '../output/book-writer.js';
import { FORMATS, type Format } from '../output/formats.js';

/** What shapes the bytes of an output. */
export interface SamplingOptions {
  /** Distance of the rows in ms; divides a day. */
  intervalMs: number;
  /** What becomes of a boundary whose interval had no message. */
  onGap: 'fill' | 'skip';
  /** What becomes of an archive with a line that cannot be read. */
  onBadLine: 'fail' | 'skip';
  /** `python` labels rows as the replaced scripts did: over a minute of look-ahead. */
  compat: 'python' | 'none';
  /** Puts `timestamp_formatted` first. */
  formattedTimestamp: boolean;
  /** Adds columns that say how far a row can be trusted. */
  quality: boolean;
  /** How levels become columns in Parquet. */
  layout: Layout;
  /** Exact decimals in Parquet instead of doubles. */
  decimals: boolean;
  /** Amounts of the quote currency whose price impact the metrics have. */
  impacts: readonly number[];
}

/** Defaults of what {@link plan} is told. */
export const PLAN_DEFAULTS = {
  intervalMs: 60_000,
  onGap: 'fill',
  onBadLine: 'fail',
  compat: 'none',
  formattedTimestamp: false,
  quality: false,
  layout: 'lists',
  decimals: false,
  impacts: [10_000, 100_000],
  inflater: 'kernel',
  formats: ['csv'],
  books: true,
  metrics: false,
  overwrite: false,
} as const satisfies Partial<ResolvedOptions>;

/** What to make, and of what; see {@link PLAN_DEFAULTS}. */
export type PlanOptions = Partial<ResolvedOptions> & Pick<ResolvedOptions, 'outputDir'>;

/** {@link PlanOptions} with defaults filled in. */
export interface ResolvedOptions extends SamplingOptions {
  /** What inflates zip members; the bytes are the same. */
  inflater: Inflater;
  outputDir: string;
  /** Where outputs are staged; beside the output when absent. */
  tempDir?: string;
  /** How books and metrics are written, each in all of these. */
  formats: readonly Format[];
  /** Books are wanted. */
  books: boolean;
  /** Metrics are wanted. */
  metrics: boolean;
  /** Depths wanted; absent: 200 and 500, or a shallower source's own. */
  depths?: number[];
  /** Pairs wanted; absent: all. */
  symbols?: string[];
  /** First and last day wanted, `YYYY-MM-DD`. */
  from?: string;
  to?: string;
  /** Makes outputs again that exist. */
  overwrite: boolean;
}

/** One file. `stale`: it exists, and why it is made again. */
export type PlannedOutput = { format: Format; path: string; stale?: string } & (
  | { kind: 'book'; depth: number }
  | { kind: 'metrics' }
);

/** All that is needed to convert one archive, as plain JSON: it can be run here, in a worker, or elsewhere. */
export interface Job {
  archive: ArchiveFile;
  outputs: PlannedOutput[];
  options: SamplingOptions;
  overwrite: boolean;
  inflater: Inflater;
  tempDir?: string;
}

/** One archive of the plan; `number` counts from 1 in the order depth folder, pair, date. */
export type PlanEntry = { number: number; path: string; fileName: string; pair: string } & (
  | ({ action: 'convert'; job: Job } & Remarks)
  /** `outputs` are those that the archive would have given. */
  | ({ action: 'skip'; outputs: PlannedOutput[]; reason: SkipReason } & Remarks)
  | { action: 'fail'; problem: string }
);

/** What a user should know of a decision. */
export interface Remarks {
  remark?: string;
  /** Outputs that exist, of which there is no record, as of those of the Python scripts: they are taken as done. */
  unrecorded?: PlannedOutput[];
}

/** Why nothing is made from an archive. */
export type SkipReason = 'exists' | 'made from another archive' | 'too shallow';

/** The outputs that an archive is to give, or would have given. */
export function outputsOf(entry: PlanEntry): PlannedOutput[] {
  if (entry.action === 'fail') return [];
  return entry.action === 'convert' ? entry.job.outputs : entry.outputs;
}

/** What outputs hold, once each, as the report has it: depths, `metrics`. */
export function contentsOf(outputs: PlannedOutput[]): string {
  return [...new Set(outputs.map((output) => (output.kind === 'book' ? `${output.depth}` : output.kind)))].join(',');
}

const DEFAULT_DEPTHS = [200, 500];

/**
 * Decides what is made from which archive: outputs that are not there, and those whose record says that they were made
 * of something else or otherwise than they would be now. Pure: what is on the disk comes in by the arguments.
 *
 * @param exists whether a whole output is at a path.
 * @param recordOf the record of the output at a path; asked only of one that exists.
 */
export function plan(
  scan: ScanResult,
  planOptions: PlanOptions,
  exists: (outputPath: string) => boolean,
  recordOf: (outputPath: string) => OutputRecord | undefined = () => undefined,
): PlanEntry[] {
  const options: ResolvedOptions = { ...PLAN_DEFAULTS, ...planOptions };
  const files = [...scan.archives, ...scan.unusable].filter((file) => isWanted(file, options)).sort(inPlanOrder);
  const makers = new Map<string, ArchiveFile>();
  return files.map((file, index) => {
    const { path: filePath, fileName, pair } = file;
    const entry = { number: index + 1, path: filePath, fileName, pair };
    if ('problem' in file) return { ...entry, action: 'fail', problem: file.problem };
    return { ...entry, ...decide(file, options, { exists, recordOf }, makers) };
  });
}

type Decision = PlanEntry extends infer E
  ? E extends PlanEntry
    ? Omit<E, 'number' | 'path' | 'fileName' | 'pair'>
    : never
  : never;

function decide(
  archive: ArchiveFile,
  options: ResolvedOptions,
  disk: Disk,
  makers: Map<string, ArchiveFile>,
): Decision {
  const depths = options.books ? reachableDepths(archive, options) : [];
  const outputs = [...bookOutputs(archive, depths, options), ...metricsOutputs(archive, options)];
  if (outputs.length === 0) {
    const remark = `the source has ${archive.sourceDepth} levels`;
    return {
      action: 'skip',
      outputs: bookOutputs(archive, options.depths ?? [], options),
      reason: 'too shallow',
      remark,
    };
  }
  const rivals = outputs.filter((output) => makers.has(output.path));
  const own = outputs.filter((output) => !makers.has(output.path));
  for (const output of own) makers.set(output.path, archive);
  const { wanted, unrecorded } = sortOut(archive, own, options, disk);
  const remarks = {
    ...(rivals.length > 0 ? { remark: describeRivals(rivals, makers) } : {}),
    ...(unrecorded.length > 0 ? { unrecorded } : {}),
  };
  if (wanted.length > 0) return { action: 'convert', job: makeJob(archive, wanted, options), ...remarks };
  return { action: 'skip', outputs, reason: own.length > 0 ? 'exists' : 'made from another archive', ...remarks };
}

/** What is known of outputs that are on the disk. */
interface Disk {
  exists: (outputPath: string) => boolean;
  recordOf: (outputPath: string) => OutputRecord | undefined;
}

/** The outputs to be made, and of the others those that nothing is known of. */
function sortOut(archive: ArchiveFile, outputs: PlannedOutput[], options: ResolvedOptions, { exists, recordOf }: Disk) {
  const wanted: PlannedOutput[] = [];
  const unrecorded: PlannedOutput[] = [];
  for (const output of outputs) {
    if (options.overwrite || !exists(output.path)) {
      wanted.push(output);
      continue;
    }
    const record = recordOf(output.path);
    const stale = record && whyStale(record, { archive, output, options, defaults: PLAN_DEFAULTS });
    if (!record) unrecorded.push(output);
    else if (stale !== undefined) wanted.push({ ...output, stale });
  }
  return { wanted, unrecorded };
}

function makeJob(archive: ArchiveFile, outputs: PlannedOutput[], options: ResolvedOptions): Job {
  const { intervalMs, onGap, onBadLine, compat, formattedTimestamp, quality, layout, decimals, impacts } = options;
  const { overwrite, inflater, tempDir } = options;
  return {
    archive,
    outputs,
    options: { intervalMs, onGap, onBadLine, compat, formattedTimestamp, quality, layout, decimals, impacts },
    overwrite,
    inflater,
    ...(tempDir === undefined ? {} : { tempDir }),
  };
}

/** A depth deeper than the source is never written: its rows would look full and not be. */
function reachableDepths({ sourceDepth }: ArchiveFile, { depths }: ResolvedOptions): number[] {
  const reachable = (depths ?? DEFAULT_DEPTHS).filter((depth) => depth <= sourceDepth);
  return reachable.length === 0 && depths === undefined ? [sourceDepth] : reachable;
}

function bookOutputs({ pair, date }: ArchiveFile, depths: number[], options: ResolvedOptions): PlannedOutput[] {
  const { outputDir, intervalMs, formats } = options;
  return depths.flatMap((depth) =>
    formats.map((format): PlannedOutput => {
      const fileName = `${date}_${pair}_ob${depth}_${formatInterval(intervalMs)}${FORMATS[format].suffix}`;
      return { kind: 'book', depth, format, path: path.join(outputDir, depthFolder(depth), pair, fileName) };
    }),
  );
}

function metricsOutputs({ pair, date }: ArchiveFile, options: ResolvedOptions): PlannedOutput[] {
  const { outputDir, intervalMs, formats, metrics } = options;
  if (!metrics) return [];
  return formats.map((format) => {
    const fileName = `${date}_${pair}_${formatInterval(intervalMs)}${FORMATS[format].suffix}`;
    return { kind: 'metrics', format, path: path.join(outputDir, 'metrics', pair, fileName) };
  });
}

function describeRivals(rivals: PlannedOutput[], makers: Map<string, ArchiveFile>): string {
  const sources = new Map(rivals.map((output) => [makers.get(output.path)?.path, [] as PlannedOutput[]]));
  for (const output of rivals) sources.get(makers.get(output.path)?.path)?.push(output);
  return [...sources].map(([source, outputs]) => `${contentsOf(outputs)} comes from ${source}`).join(', ');
}

function isWanted(file: ArchiveFile | UnusableFile, { symbols, from, to }: ResolvedOptions): boolean {
  if (symbols && !symbols.includes(file.pair)) return false;
  if (file.date === undefined) return true;
  return (from === undefined || file.date >= from) && (to === undefined || file.date <= to);
}

/** Depth folder, pair, date; then the path, so that no two files are ever equal. */
function inPlanOrder(a: ArchiveFile | UnusableFile, b: ArchiveFile | UnusableFile): number {
  const [keyA, keyB] = [sortKey(a), sortKey(b)];
  const at = keyA.findIndex((part, index) => part !== keyB[index]);
  return at < 0 ? 0 : (keyA[at] ?? '') < (keyB[at] ?? '') ? -1 : 1;
}

function sortKey(file: ArchiveFile | UnusableFile): string[] {
  if ('problem' in file) return ['', file.pair, '', file.path];
  return [depthFolder(file.sourceDepth), file.pair, file.date, file.path];
}
