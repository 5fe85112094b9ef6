import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { depthFolder, parseArchiveName } from '../../src/catalog/archive-name.js';

/** The folder of fixtures in the repository, from where the compiled tests lie. */
const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));

export interface Fixture {
  /** The pair in its file name: what is special about it. */
  name: string;
  fileName: string;
  path: string;
}

/** What lies in a folder of fixtures; `make-bad.py` made it. */
export function fixtures(folder: 'bad' | 'archives'): Fixture[] {
  return fs.readdirSync(path.join(FIXTURES, folder)).map((fileName) => ({
    name: parseArchiveName(fileName)?.pair ?? fileName,
    fileName,
    path: path.join(FIXTURES, folder, fileName),
  }));
}

export function fixture(folder: 'bad' | 'archives', name: string): Fixture {
  const found = fixtures(folder).find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no fixture named ${name} in ${folder}`);
  return found;
}

/** The text in the fixtures: a snapshot at 00:00:00.500 and a delta at 00:01:30, two levels a side. */
export const FIXTURE_TEXT = fs.readFileSync(fixture('archives', 'PLAIN').path);

/** What becomes of {@link FIXTURE_TEXT}, worked out by hand. */
export const FIXTURE_CSV = [
  'timestamp,bid_price_1,bid_qty_1,bid_price_2,bid_qty_2,ask_price_1,ask_qty_1,ask_price_2,ask_qty_2',
  '1736899260000,10.0,5,9.9,6,10.1,7,10.2,8',
  '1736899320000,9.9,6,9.8,1.50,10.1,2,10.2,8',
  '',
].join('\r\n');

/** Where an archive of a name belongs below a source folder, which is made. */
export function archivePath(sourceDir: string, fileName: string): string {
  const name = parseArchiveName(fileName);
  if (!name) throw new Error(`${fileName} is no archive's name`);
  const folder = path.join(sourceDir, depthFolder(name.sourceDepth), name.pair);
  fs.mkdirSync(folder, { recursive: true });
  return path.join(folder, fileName);
}

/** The name of a two-level archive of the fixtures' day. */
export function fixtureName(pair: string, ending = '.data'): string {
  return `2025-01-15_${pair}_ob2${ending}`;
}

/** The output of {@link fixtureName}, as `readOutputs` names it. */
export function fixtureOutput(pair: string): string {
  return `0002/${pair}/2025-01-15_${pair}_ob2_1m.csv`;
}
