/**
 * Where outputs lie and what they are called: `0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv` below the output folder; with
 * a market `spot/0200/BTCUSDT/…`.
 */
import { formatInterval, isDate } from '../base/time.js';
import { FORMATS, type Format, type OutputKind, splitSuffix } from '../output/formats.js';
import { joinPath } from '../storage/paths.js';
import { type ArchiveName, depthFolder, isPair } from './archive-name.js';
import type { MarketName } from './market.js';

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

/** What place and name of an output tell. */
export interface OutputName {
  kind: OutputKind;
  /** The market whose folder it lies in. */
  market: MarketName | undefined;
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

/** The output of an archive's day. */
export function nameOutput(
  outputDir: string,
  { market, pair, date }: Pick<ArchiveName, 'pair' | 'date'> & Pick<Placed, 'market'>,
  { contents, intervalMs, format }: { contents: Contents; intervalMs: number; format: Format },
): Output {
  const fileName = `${date}_${middleOf(pair, contents)}_${formatInterval(intervalMs)}${FORMATS[format].suffix}`;
  const folder = folderOf(contents);
  if (market === undefined) return { ...contents, format, path: joinPath(outputDir, folder, pair, fileName) };
  return { ...contents, format, market, path: joinPath(outputDir, market, folder, pair, fileName) };
}

/** Whether a folder of an output folder may hold outputs, and what they hold. */
export function parseContentsFolder(name: string): Contents | undefined {
  if (name === METRICS_FOLDER) return { kind: 'metrics' };
  return /^\d{4}$/.test(name) ? { kind: 'book', depth: Number(name) } : undefined;
}

/** What the name of a file tells that lies where outputs of these contents and pair do; `undefined`: it is no output. */
export function parseOutputName(
  fileName: string,
  contents: Contents,
  pair: string,
  market?: MarketName,
): OutputName | undefined {
  const { stem, format } = splitSuffix(fileName) ?? {};
  const [, date = '', middle, interval = ''] = STEM.exec(stem ?? '') ?? [];
  if (!format || !isPair(pair) || middle !== middleOf(pair, contents) || !isDate(date)) return undefined;
  const depth = contents.kind === 'book' ? contents.depth : undefined;
  return { kind: contents.kind, market, depth, pair, date, interval, format };
}

/** Whether a file is by its name alone something that convert leaves: an output or the records. */
export function isLeftByConvert(fileName: string): boolean {
  return fileName === RECORDS_FILE || STEM.test(splitSuffix(fileName)?.stem ?? '');
}

/**
 * Where an output lies in the output folder, wherever that is: `DEPTH/PAIR/FILE` or `metrics/PAIR/FILE`, in the folder of
 * its market if it has one. The path alone does not tell that: an output folder may be named `spot` as well.
 */
export function placeOf({ path, market }: Placed): string {
  return path
    .split(/[/\\]/)
    .slice(market === undefined ? -3 : -4)
    .join('/');
}

/** What outputs hold, once each, as the report has it: depths, `metrics`. */
export function contentsOf(outputs: readonly Contents[]): string {
  return [...new Set(outputs.map((output) => (output.kind === 'book' ? `${output.depth}` : output.kind)))].join(',');
}

function folderOf(contents: Contents): string {
  return contents.kind === 'book' ? depthFolder(contents.depth) : METRICS_FOLDER;
}

function middleOf(pair: string, contents: Contents): string {
  return contents.kind === 'book' ? `${pair}_ob${contents.depth}` : pair;
}
