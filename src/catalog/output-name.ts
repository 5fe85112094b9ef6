/** Where outputs lie and what they are called: `0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv` below the output folder. */
import { formatInterval, isDate } from '../base/time.js';
import { FORMATS, type Format, type OutputKind, splitSuffix } from '../output/formats.js';
import { joinPath } from '../storage/paths.js';
import { type ArchiveName, depthFolder, isPair } from './archive-name.js';

/** What an output holds: the best levels a side, or metrics of the whole book. */
export type Contents = { kind: 'book' /** Levels a side. */; depth: number } | { kind: 'metrics' };

/** One file that convert writes. */
export type Output = { format: Format; path: string } & Contents;

/** What place and name of an output tell. */
export interface OutputName {
  kind: OutputKind;
  /** Levels a side; of books. */
  depth: number | undefined;
  pair: string;
  date: string;
  /** As it stands in names: `1m`. */
  interval: string;
  format: Format;
}

const METRICS_FOLDER = 'metrics';
/** Of a file's name without its suffix. */
const STEM = /^(\d{4}-\d{2}-\d{2})_(.+)_([^_.]+)$/;

/** The output of an archive's day. */
export function nameOutput(
  outputDir: string,
  { pair, date }: Pick<ArchiveName, 'pair' | 'date'>,
  { contents, intervalMs, format }: { contents: Contents; intervalMs: number; format: Format },
): Output {
  const fileName = `${date}_${middleOf(pair, contents)}_${formatInterval(intervalMs)}${FORMATS[format].suffix}`;
  return { ...contents, format, path: joinPath(outputDir, folderOf(contents), pair, fileName) };
}

/** Whether a folder of an output folder may hold outputs, and what they hold. */
export function parseContentsFolder(name: string): Contents | undefined {
  if (name === METRICS_FOLDER) return { kind: 'metrics' };
  return /^\d{4}$/.test(name) ? { kind: 'book', depth: Number(name) } : undefined;
}

/** What the name of a file tells that lies where outputs of these contents and pair do; `undefined`: it is no output. */
export function parseOutputName(fileName: string, contents: Contents, pair: string): OutputName | undefined {
  const { stem, format } = splitSuffix(fileName) ?? {};
  const [, date = '', middle, interval = ''] = STEM.exec(stem ?? '') ?? [];
  if (!format || !isPair(pair) || middle !== middleOf(pair, contents) || !isDate(date)) return undefined;
  const depth = contents.kind === 'book' ? contents.depth : undefined;
  return { kind: contents.kind, depth, pair, date, interval, format };
}

/** Where an output lies in the output folder, wherever that is: `DEPTH/PAIR/FILE` or `metrics/PAIR/FILE`. */
export function placeOf(outputPath: string): string {
  return outputPath.split(/[/\\]/).slice(-3).join('/');
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
