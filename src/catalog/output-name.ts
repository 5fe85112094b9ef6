/** Where outputs lie and what they are called: `0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv` below the output folder. */
import { formatInterval, isDate } from '../base/time.js';
import type { Format } from '../output/book-writer.js';
import { joinPath } from '../storage/paths.js';
import { type ArchiveName, depthFolder, isPair } from './archive-name.js';

/** What an output holds: the best levels a side, or metrics of the whole book. */
export type OutputKind = { kind: 'book' /** Levels a side. */; depth: number } | { kind: 'metrics' };

/** One file that convert writes. */
export type Output = { format: Format; path: string } & OutputKind;

/** What place and name of an output tell. */
export interface OutputName {
  kind: OutputKind['kind'];
  /** Levels a side; of books. */
  depth: number | undefined;
  pair: string;
  date: string;
  /** As it stands in names: `1m`. */
  interval: string;
  format: Format;
}

const METRICS_FOLDER = 'metrics';
const NAME = /^(\d{4}-\d{2}-\d{2})_(.+)_([^_.]+)\.(csv|csv\.gz|parquet)$/;

/** The output of an archive's day. */
export function nameOutput(
  outputDir: string,
  { pair, date }: Pick<ArchiveName, 'pair' | 'date'>,
  { contents, intervalMs, format }: { contents: OutputKind; intervalMs: number; format: Format },
): Output {
  const fileName = `${date}_${middleOf(pair, contents)}_${formatInterval(intervalMs)}.${format}`;
  return { ...contents, format, path: joinPath(outputDir, folderOf(contents), pair, fileName) };
}

/** Whether a folder of an output folder may hold outputs, and what they hold. */
export function parseContentsFolder(name: string): OutputKind | undefined {
  if (name === METRICS_FOLDER) return { kind: 'metrics' };
  return /^\d{4}$/.test(name) ? { kind: 'book', depth: Number(name) } : undefined;
}

/** What the name of a file tells that lies where outputs of these contents and pair do; `undefined`: it is no output. */
export function parseOutputName(fileName: string, contents: OutputKind, pair: string): OutputName | undefined {
  const [, date = '', middle, interval = '', format] = NAME.exec(fileName) ?? [];
  if (!isPair(pair) || middle !== middleOf(pair, contents) || !isDate(date)) return undefined;
  const depth = contents.kind === 'book' ? contents.depth : undefined;
  return { kind: contents.kind, depth, pair, date, interval, format: format as Format };
}

/** Where an output lies in the output folder, wherever that is: `DEPTH/PAIR/FILE` or `metrics/PAIR/FILE`. */
export function placeOf(outputPath: string): string {
  return outputPath.split(/[/\\]/).slice(-3).join('/');
}

/** What outputs hold, once each, as the report has it: depths, `metrics`. */
export function contentsOf(outputs: readonly OutputKind[]): string {
  return [...new Set(outputs.map((output) => (output.kind === 'book' ? `${output.depth}` : output.kind)))].join(',');
}

function folderOf(contents: OutputKind): string {
  return contents.kind === 'book' ? depthFolder(contents.depth) : METRICS_FOLDER;
}

function middleOf(pair: string, contents: OutputKind): string {
  return contents.kind === 'book' ? `${pair}_ob${contents.depth}` : pair;
}
