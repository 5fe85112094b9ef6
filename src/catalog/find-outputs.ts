import path from 'node:path';
import { isDate } from '../base/time.js';
import type { PlannedOutput } from '../convert/plan.js';
import { type Format, splitSuffix } from '../output/formats.js';
import { isPair } from './archive-name.js';
import { isFolder, listFolder } from './find-archives.js';

/** An output that is there, and what its place and name say of it. */
export interface FoundOutput {
  path: string;
  kind: PlannedOutput['kind'];
  format: Format;
  pair: string;
  date: string;
  /** As in file names: `1m`. */
  interval: string;
  /** Levels a side; of books. */
  depth: number | undefined;
}

/** Of a file's name without its suffix. */
const STEM = /^(\d{4}-\d{2}-\d{2})_(.+)_([^_.]+)$/;

/**
 * Finds the outputs in an output folder, whichever program made them; other files are passed over.
 *
 * @param symbols the pairs wanted; all when absent.
 * @throws {@link UsageError} when a folder is missing or cannot be read.
 */
export function findOutputs(outputDir: string, symbols?: string[]): FoundOutput[] {
  const kinds = listFolder(outputDir).filter((name) => /^(\d{4}|metrics)$/.test(name) && isFolder(outputDir, name));
  return kinds.flatMap((folder) => {
    const pairs = listFolder(path.join(outputDir, folder)).filter(
      (pair) => isPair(pair) && (symbols?.includes(pair) ?? true) && isFolder(outputDir, folder, pair),
    );
    return pairs.flatMap((pair) => findOfPair(path.join(outputDir, folder, pair), folder, pair));
  });
}

function findOfPair(folder: string, kindFolder: string, pair: string): FoundOutput[] {
  const depth = kindFolder === 'metrics' ? undefined : Number(kindFolder);
  const kind = depth === undefined ? 'metrics' : 'book';
  const middle = depth === undefined ? pair : `${pair}_ob${depth}`;
  return listFolder(folder).flatMap((name) => {
    const { stem, format } = splitSuffix(name) ?? {};
    const [, date = '', found, interval = ''] = STEM.exec(stem ?? '') ?? [];
    if (!format || found !== middle || !isDate(date)) return [];
    return [{ path: path.join(folder, name), kind, format, pair, date, interval, depth }];
  });
}
