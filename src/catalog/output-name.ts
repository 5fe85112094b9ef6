/**
 * Where outputs lie and what they are called: `0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv` below the output folder; with
 * a market `spot/0200/BTCUSDT/…`, partitioned as Hive has it `0500/symbol=BTCUSDT/date=2025-01-15/…`.
 */
import { formatInterval, isDate } from '../base/time.js';
import { FORMATS, type Format, type OutputKind, splitSuffix } from '../output/formats.js';
import { folderOf, joinPath, nameOf } from '../storage/paths.js';
import { type ArchiveName, depthFolder } from './archive-name.js';
import { type MarketName, parseMarket } from './market.js';
import { type Partition, parseDateFolder, parsePairFolder, partitionFolders } from './partition.js';

/** What an output holds: the best levels a side, or metrics of the whole book. */
export type Contents = { kind: 'book' /** Levels a side. */; depth: number } | { kind: 'metrics' };

/** Where an output lies. */
export interface Placed {
  path: string;
  /** The market whose folder it lies in; absent: none. */
  market?: MarketName | undefined;
}

/** One file that convert writes. */
export type Output = { format: Format } & Placed & Contents;

/** What the folders of an output tell. */
export interface OutputFolder {
  /** `undefined`: it lies in the folder of none. */
  market: MarketName | undefined;
  contents: Contents;
  /** How they are named. */
  partition: Partition;
  pair: string;
  /** The day of its own folder; `undefined` where days have none. */
  date: string | undefined;
}

/** What place and name of an output tell. */
export interface OutputName {
  kind: OutputKind;
  /** The market whose folder it lies in. */
  market: MarketName | undefined;
  /** How its folders are named. */
  partition: Partition;
  /** Levels a side; of books. */
  depth: number | undefined;
  pair: string;
  date: string;
  /** As it stands in names: `1m`. */
  interval: string;
  format: Format;
}

/** Every conversion leaves a line of JSON in this file of the output folder. */
export const RECORDS_FILE = 'conversions.jsonl';

const METRICS_FOLDER = 'metrics';
/** Of a file's name without its suffix. */
const STEM = /^(\d{4}-\d{2}-\d{2})_(.+)_([^_.]+)$/;

/** How an output is to be made. */
export interface OutputForm {
  contents: Contents;
  intervalMs: number;
  format: Format;
  partition: Partition;
}

/** The output of an archive's day. */
export function nameOutput(
  outputDir: string,
  { market, pair, date }: Pick<ArchiveName, 'pair' | 'date'> & Pick<Placed, 'market'>,
  { contents, intervalMs, format, partition }: OutputForm,
): Output {
  const fileName = `${date}_${middleOf(pair, contents)}_${formatInterval(intervalMs)}${FORMATS[format].suffix}`;
  const place = [contentsFolder(contents), ...partitionFolders(partition, { pair, date }), fileName];
  if (market === undefined) return { ...contents, format, path: joinPath(outputDir, ...place) };
  return { ...contents, format, market, path: joinPath(outputDir, market, ...place) };
}

/** Whether a folder of an output folder may hold outputs, and what they hold. */
export function parseContentsFolder(name: string): Contents | undefined {
  if (name === METRICS_FOLDER) return { kind: 'metrics' };
  return /^\d{4}$/.test(name) ? { kind: 'book', depth: Number(name) } : undefined;
}

/** What the name of a file in a folder of outputs tells; `undefined`: it is no output. */
export function parseOutputName(fileName: string, folder: OutputFolder): OutputName | undefined {
  const { market, contents, partition, pair } = folder;
  const { stem, format } = splitSuffix(fileName) ?? {};
  const [, date = '', middle, interval = ''] = STEM.exec(stem ?? '') ?? [];
  if (!format || middle !== middleOf(pair, contents) || !isDate(date)) return undefined;
  if (folder.date !== undefined && folder.date !== date) return undefined;
  const depth = contents.kind === 'book' ? contents.depth : undefined;
  return { kind: contents.kind, market, partition, depth, pair, date, interval, format };
}

/** What a place in an output folder tells, as {@link placeOf} gives it; `undefined`: that of no output. */
export function parsePlace(place: string): OutputName | undefined {
  const parts = place.split('/');
  const market = parseMarket(parts[0]);
  const [contentsName = '', pairName = '', ...rest] = parts.slice(market === undefined ? 0 : 1);
  const contents = parseContentsFolder(contentsName);
  const named = parsePairFolder(pairName);
  if (!contents || !named) return undefined;
  const date = named.partition === 'hive' ? parseDateFolder(rest.shift() ?? '') : undefined;
  const [fileName = '', ...more] = rest;
  if (more.length > 0 || (named.partition === 'hive' && date === undefined)) return undefined;
  return parseOutputName(fileName, { market, contents, ...named, date });
}

/** Whether a file is by its name alone something that convert leaves: an output or the records. */
export function isLeftByConvert(fileName: string): boolean {
  return fileName === RECORDS_FILE || STEM.test(splitSuffix(fileName)?.stem ?? '');
}

/**
 * Where an output lies in the output folder, wherever that is: `DEPTH/PAIR/FILE` or `metrics/PAIR/FILE`, partitioned
 * `DEPTH/symbol=PAIR/date=DATE/FILE`, in the folder of its market if it has one. The path alone does not tell the market:
 * an output folder may be named `spot` as well. It does tell the partition: no pair has a `=`.
 */
export function placeOf({ path, market }: Placed): string {
  const parts = path.split(/[/\\]/);
  const folders = (isDateFolder(parts.at(-2)) ? 3 : 2) + (market === undefined ? 0 : 1);
  return parts.slice(-folders - 1).join('/');
}

/** The place of the same output without a partition, whether it has one or not: one name for both. */
export function unpartitionedPlace(place: string): string {
  const parts = place.split('/');
  const { pair } = parsePairFolder(parts.at(-3) ?? '') ?? {};
  if (pair === undefined || !isDateFolder(parts.at(-2))) return place;
  return [...parts.slice(0, -3), pair, ...parts.slice(-1)].join('/');
}

/**
 * The folder in which an output is staged: that of its pair. So a conversion that fails leaves no folder of a day, and
 * what a dead run left is found without looking into a folder a day.
 */
export function stagingFolderOf({ path }: Placed): string {
  const folder = folderOf(path);
  return isDateFolder(nameOf(folder)) ? folderOf(folder) : folder;
}

/** What outputs hold, once each, as the report has it: depths, `metrics`. */
export function contentsOf(outputs: readonly Contents[]): string {
  return [...new Set(outputs.map((output) => (output.kind === 'book' ? `${output.depth}` : output.kind)))].join(',');
}

function isDateFolder(name: string | undefined): boolean {
  return name !== undefined && parseDateFolder(name) !== undefined;
}

function contentsFolder(contents: Contents): string {
  return contents.kind === 'book' ? depthFolder(contents.depth) : METRICS_FOLDER;
}

/** What stands in a name between day and interval. */
export function middleOf(pair: string, contents: Contents): string {
  return contents.kind === 'book' ? `${pair}_ob${contents.depth}` : pair;
}
