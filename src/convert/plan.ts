import type { Inflater } from '../archive/read-options.js';
import { formatInterval } from '../base/time.js';
import { depthFolder } from '../catalog/archive-name.js';
import { type ArchiveFile, UNKNOWN_PAIR, type UnusableFile } from '../catalog/find-archives.js';
import type { Inventory, KnownOutput, Outputs } from '../catalog/inventory.js';
import { isOfMarket, type MarketName } from '../catalog/market.js';
import { type Contents, contentsOf, nameOutput, type Output } from '../catalog/output-name.js';
import { otherPartition } from '../catalog/partition.js';
import { type SamplingOptions, samplingOptionsOf } from '../catalog/shaping-options.js';
import { type Difference, describeDifference, judge } from '../catalog/staleness.js';
import { formatVersionOf, type OutputKind } from '../output/formats.js';
import type { S3Settings } from '../storage/s3/settings.js';
import type { FileVersion } from '../storage/storage.js';
import { versionIn } from '../storage/version.js';
import { type Conflict, ConflictError, FORMAT_VERSION } from './conflicts.js';
import { type PlanOptions, type ResolvedOptions, resolveOptions } from './options.js';

/** One file that is to be made. */
export type PlannedOutput = Output & {
  /** Why it is made again; absent when it is not there, or is made again for no reason. */
  stale?: string;
  /** What is there when the plan is made, and is to be replaced. */
  replaces?: FileVersion;
  /** The same output where another `partition` has it: removed when this one is there, so that nothing is read twice. */
  removes?: FileVersion & { path: string };
};

/** All that is needed to convert one archive, as plain JSON: it can be run here, in a worker, or elsewhere. */
export interface Job {
  archive: ArchiveFile;
  outputs: PlannedOutput[];
  options: SamplingOptions;
  overwrite: boolean;
  inflater: Inflater;
  /** Where the record of the conversion goes. */
  outputDir: string;
  tempDir?: string;
  /** Where S3 is, as far as it was said. No secrets: credentials are those of the machine that runs the job. */
  s3?: S3Settings;
}

/** One archive of the plan. */
export type PlanEntry = {
  /** Counts from 1 in the order market, depth, pair, date. */
  number: number;
  path: string;
  fileName: string;
  /** Of the archive; 0 when it cannot be looked at. */
  sizeBytes: number;
  pair: string;
  market?: MarketName;
} & (
  | ({ action: 'convert'; job: Job } & Remarks)
  /** `outputs` are those that the archive would have given. */
  | ({ action: 'skip'; outputs: Output[]; reason: SkipReason } & Remarks)
  | { action: 'fail'; problem: string }
);

/** The entries of a plan in their order: an array, or what makes them when they are asked for. */
export interface PlanEntries extends Iterable<PlanEntry> {
  readonly length: number;
  /** @param index from 0. */
  at(index: number): PlanEntry | undefined;
}

/** What a user should know of a decision. */
export interface Remarks {
  remark?: string;
  /** Outputs that exist, of which there is no record, as of those of the Python scripts: they are taken as done. */
  unrecorded?: Output[];
  /** Outputs that exist and were made with other options: they are kept (`onStale: 'keep'`). */
  kept?: KeptOutput[];
}

/** An output that is kept though it was made with other options. */
export type KeptOutput = Output & { /** In what. */ differs: string };

/** Why nothing is made from an archive. */
export type SkipReason = 'exists' | 'made from another archive' | 'too shallow';

/** The outputs that an archive is to give, or would have given. */
export function outputsOf(entry: PlanEntry): Output[] {
  if (entry.action === 'fail') return [];
  return entry.action === 'convert' ? entry.job.outputs : entry.outputs;
}

const DEFAULT_DEPTHS = [200, 500];

/**
 * Decides what is made from which archive: outputs that are not there, and those whose record says that they were made
 * of something else, or that they are not what was written. What cannot be known to be there fails its archive. Pure: what is there comes in by the inventory.
 *
 * @throws {@link UsageError} when an option has no such value.
 * @throws {@link ConflictError} with `onStale: 'refuse'`, when rows of outputs that are there mean something else than
 * those that would be made beside them.
 */
export function plan({ archives, outputs }: Inventory, planOptions: PlanOptions): PlanEntry[] {
  const options = resolveOptions(planOptions);
  const files = inPlanOrder([...archives.archives, ...archives.unusable].filter((file) => isWanted(file, options)));
  const context: Context = { options, outputs, makers: new Map(), conflicts: new Map() };
  const entries = files.map((file, index): PlanEntry => {
    const entry = headOf(file, index + 1);
    if ('problem' in file) return { ...entry, sizeBytes: 0, action: 'fail', problem: file.problem };
    return { ...entry, sizeBytes: file.sizeBytes, ...decide(file, context) };
  });
  if (options.onStale === 'refuse') {
    compareNeighbours(entries, context);
    if (context.conflicts.size > 0) throw new ConflictError([...context.conflicts.values()]);
  }
  return entries;
}

/**
 * Whether there is nothing to be said of an entry but that all outputs of its archive are made, or are there. Then
 * {@link usualEntry} gives it again.
 */
export function isUsual(entry: PlanEntry, archive: ArchiveFile, options: ResolvedOptions): boolean {
  if (entry.action === 'fail' || entry.remark !== undefined || entry.unrecorded || entry.kept) return false;
  if (outputsOf(entry).length !== reachableOutputs(archive, options).length) return false;
  if (entry.action === 'skip') return entry.reason === 'exists';
  return entry.job.outputs.every(({ stale, replaces, removes }) => stale === undefined && !replaces && !removes);
}

export function usualEntry(
  number: number,
  archive: ArchiveFile,
  action: 'convert' | 'skip',
  options: ResolvedOptions,
): PlanEntry {
  const outputs = reachableOutputs(archive, options);
  const head = { ...headOf(archive, number), sizeBytes: archive.sizeBytes };
  if (action === 'skip') return { ...head, action, outputs, reason: 'exists' };
  return { ...head, action, job: makeJob(archive, outputs, options) };
}

function headOf({ path, fileName, pair, market }: ArchiveFile | UnusableFile, number: number) {
  return { number, path, fileName, pair, ...(market && { market }) };
}

/** What all decisions of a plan have in common. */
interface Context {
  options: ResolvedOptions;
  outputs: Outputs;
  /** Which archive makes an output, by its path. */
  makers: Map<string, ArchiveFile>;
  /** By path. */
  conflicts: Map<string, Conflict>;
}

type Decision = PlanEntry extends infer E
  ? E extends PlanEntry
    ? Omit<E, 'number' | 'path' | 'fileName' | 'sizeBytes' | 'pair' | 'market'>
    : never
  : never;

function decide(archive: ArchiveFile, context: Context): Decision {
  const { options, makers, outputs: found } = context;
  const outputs = reachableOutputs(archive, options);
  if (outputs.length === 0) {
    const remark = `the source has ${archive.sourceDepth} levels`;
    return {
      action: 'skip',
      outputs: outputsOfArchive(archive, options.depths ?? [], options),
      reason: 'too shallow',
      remark,
    };
  }
  const places = outputs.flatMap((output) => [output, elsewhere(output, archive, options)]);
  const problem = places.map((place) => found.whyUnseen(place)).find((why) => why !== undefined);
  if (problem !== undefined) return { action: 'fail', problem };
  const rivals = outputs.filter((output) => makers.has(output.path));
  const own = outputs.filter((output) => !makers.has(output.path));
  for (const output of own) makers.set(output.path, archive);
  const { wanted, unrecorded, kept } = sortOut(archive, own, context);
  const remarks = {
    ...(rivals.length > 0 ? { remark: describeRivals(rivals, makers) } : {}),
    ...(unrecorded.length > 0 ? { unrecorded } : {}),
    ...(kept.length > 0 ? { kept } : {}),
  };
  if (wanted.length > 0) return { action: 'convert', job: makeJob(archive, wanted, options), ...remarks };
  return { action: 'skip', outputs, reason: own.length > 0 ? 'exists' : 'made from another archive', ...remarks };
}

/** The outputs to be made, and of the others those that nothing is known of, or that are kept though they differ. */
function sortOut(archive: ArchiveFile, outputs: Output[], { options, outputs: found, conflicts }: Context) {
  const wanted: PlannedOutput[] = [];
  const unrecorded: Output[] = [];
  const kept: KeptOutput[] = [];
  for (const output of outputs) {
    const here = found.at(output);
    const there = found.at(elsewhere(output, archive, options));
    // One that lies in other folders is the output, made in another way: a second one beside it would be read, too.
    const file = there ? { ...output, path: there.path } : output;
    const verdict = judge({ output, found: there ?? here, archive, options });
    const make = (stale?: string) =>
      wanted.push({
        ...output,
        ...(stale !== undefined && { stale }),
        ...(here && { replaces: versionIn(here) }),
        ...(there && { removes: { path: there.path, ...versionIn(there) } }),
      });
    if (options.overwrite) make();
    else if (verdict.action === 'make') make(verdict.stale);
    else if (verdict.action === 'keep') {
      if (verdict.isUnrecorded) unrecorded.push(output);
    } else {
      const { differences, stale } = verdict;
      const reason = differences.map(describeDifference).join(', ');
      if (options.onStale === 'remake') make(reason);
      else if (options.onStale === 'keep' && stale !== undefined) make(`${stale}; ${reason}`);
      else if (options.onStale === 'keep') kept.push({ ...file, differs: reason });
      else conflicts.set(file.path, { path: file.path, differences });
    }
  }
  return { wanted, unrecorded, kept };
}

/** The same output as the other partition would have it. */
function elsewhere(
  output: Output,
  archive: ArchiveFile,
  { outputDir, intervalMs, partition }: ResolvedOptions,
): Output {
  const { format } = output;
  return nameOutput(outputDir, archive, { contents: output, intervalMs, format, partition: otherPartition(partition) });
}

/**
 * Finds the outputs that would lie beside those to be made and mean something else: of the same pair, contents, interval
 * and format, of whatever day and partition.
 */
function compareNeighbours(entries: PlanEntry[], { options, outputs, conflicts }: Context): void {
  const jobs = entries.flatMap((entry) => (entry.action === 'convert' ? entry.job : []));
  const made = jobs.flatMap((job) => job.outputs);
  const replaced = new Set(made.flatMap(({ path, removes }) => (removes ? [path, removes.path] : path)));
  const groups = new Set(jobs.flatMap((job) => job.outputs.map((output) => groupOf(output, job.archive))));
  const interval = formatInterval(options.intervalMs);
  for (const found of outputs.all) {
    const isNeighbour = found.interval === interval && options.formats.includes(found.format);
    if (!isNeighbour || !groups.has(groupOf(found, found)) || replaced.has(found.path)) continue;
    const verdict = judge({ output: found, found, archive: undefined, options });
    const differences = verdict.action === 'ask' ? verdict.differences : differentColumns(found, options);
    if (differences.length > 0) conflicts.set(found.path, { path: found.path, differences });
  }
}

/** What outputs have in common that lie beside each other. */
function groupOf(
  { kind, depth }: { kind: OutputKind; depth?: number | undefined },
  { market, pair }: { market?: MarketName | undefined; pair: string },
): string {
  return [market, kind, depth, pair].join(' ');
}

/** An output that is not made again here, since its archive is not here, may have the columns of an earlier version. */
function differentColumns(found: KnownOutput, options: ResolvedOptions): Difference[] {
  if (found.knowledge.kind === 'unrecorded') return [];
  const { formatVersion: made } = found.knowledge.record;
  const wanted = formatVersionOf(found, options);
  return made === wanted ? [] : [{ option: FORMAT_VERSION, made, wanted }];
}

function makeJob(archive: ArchiveFile, outputs: PlannedOutput[], options: ResolvedOptions): Job {
  const { overwrite, inflater, outputDir, tempDir, s3 } = options;
  return {
    archive,
    outputs,
    options: samplingOptionsOf(options),
    overwrite,
    inflater,
    outputDir,
    ...(tempDir === undefined ? {} : { tempDir }),
    ...(s3 && Object.keys(s3).length > 0 && { s3 }),
  };
}

/** All that an archive gives. */
function reachableOutputs(archive: ArchiveFile, options: ResolvedOptions): Output[] {
  return outputsOfArchive(archive, options.books ? reachableDepths(archive, options) : [], options);
}

/** A depth deeper than the source is never written: its rows would look full and not be. */
function reachableDepths({ sourceDepth }: ArchiveFile, { depths }: ResolvedOptions): readonly number[] {
  const reachable = (depths ?? DEFAULT_DEPTHS).filter((depth) => depth <= sourceDepth);
  return reachable.length === 0 && depths === undefined ? [sourceDepth] : reachable;
}

/** Books of these depths, metrics, each in every format. */
function outputsOfArchive(archive: ArchiveFile, depths: readonly number[], options: ResolvedOptions): Output[] {
  const { outputDir, intervalMs, formats, metrics, partition } = options;
  const contents: Contents[] = depths.map((depth) => ({ kind: 'book', depth }));
  if (metrics) contents.push({ kind: 'metrics' });
  return contents.flatMap((content) =>
    formats.map((format) => nameOutput(outputDir, archive, { contents: content, intervalMs, format, partition })),
  );
}

function describeRivals(rivals: Output[], makers: Map<string, ArchiveFile>): string {
  const sources = new Map(rivals.map((output) => [makers.get(output.path)?.path, [] as Output[]]));
  for (const output of rivals) sources.get(makers.get(output.path)?.path)?.push(output);
  return [...sources].map(([source, outputs]) => `${contentsOf(outputs)} comes from ${source}`).join(', ');
}

function isWanted(file: ArchiveFile | UnusableFile, { markets, symbols, from, to }: ResolvedOptions): boolean {
  const isUnknown = file.pair === UNKNOWN_PAIR;
  // In a folder that cannot be searched there may be folders of markets.
  if (!isOfMarket(file.market, markets) && !(isUnknown && file.market === undefined)) return false;
  if (symbols && !isUnknown && !symbols.includes(file.pair.toUpperCase())) return false;
  if (file.date === undefined) return true;
  return (from === undefined || file.date >= from) && (to === undefined || file.date <= to);
}

/** Market, depth, pair, date; then the path, so that no two files are ever equal. */
function inPlanOrder<T extends ArchiveFile | UnusableFile>(files: T[]): T[] {
  const keyed = files.map((file) => ({ file, key: sortKey(file) }));
  keyed.sort(({ key: a }, { key: b }) => {
    const at = a.findIndex((part, index) => part !== b[index]);
    return at < 0 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
  });
  return keyed.map(({ file }) => file);
}

function sortKey(file: ArchiveFile | UnusableFile): string[] {
  const { market = '', pair, path } = file;
  if ('problem' in file) return [market, '', pair, '', path];
  return [market, depthFolder(file.sourceDepth), pair, file.date, path];
}
