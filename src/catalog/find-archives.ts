import fs from 'node:fs';
import path from 'node:path';
import { ARCHIVE_ENDINGS, readArchive } from '../archive/open-archive.js';
import { toDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { isBlank, type Line, LineSplitter } from '../book/lines.js';
import { parseMessage } from '../book/message.js';
import { type ArchiveName, depthFolder, findDate, parseArchiveName, parseTopic } from './archive-name.js';

/** An archive found, and what is known of it before it is read. */
export interface ArchiveFile extends ArchiveName {
  path: string;
  fileName: string;
  sizeBytes: number;
  /** When the file was last changed, whole ms since the epoch. */
  mtimeMs: number;
  /** The file's name holds the date: only boundaries of that day are wanted. */
  isDayFile: boolean;
}

/** An archive that cannot be converted, and why. */
export interface UnusableFile {
  path: string;
  fileName: string;
  /** As far as they are known. */
  pair: string;
  date?: string;
  problem: string;
}

/** What was found, and what of it can be used. */
export interface ScanResult {
  archives: ArchiveFile[];
  unusable: UnusableFile[];
  /** Files among the archives that do not have an archive's name. */
  ignored: string[];
}

/**
 * Finds the archives below `SOURCE_DIR/DEPTH/PAIR/`, depth in four digits. Hidden files are passed over.
 *
 * @throws {@link UsageError} when a folder is missing or cannot be read.
 */
export function scanFolder(sourceDir: string): ScanResult {
  const result: ScanResult = { archives: [], unusable: [], ignored: [] };
  const depthFolders = listFolder(sourceDir).filter((name) => /^\d{4}$/.test(name) && isFolder(sourceDir, name));
  for (const depth of depthFolders) {
    for (const pair of listFolder(path.join(sourceDir, depth)).filter((name) => isFolder(sourceDir, depth, name))) {
      const folder = path.join(sourceDir, depth, pair);
      try {
        for (const fileName of listFolder(folder)) classify(folder, { depth, pair, fileName }, result);
      } catch (error) {
        // One pair's closed folder costs what one broken archive does.
        if (!(error instanceof UsageError)) throw error;
        result.unusable.push({ path: folder, fileName: path.join(depth, pair), pair, problem: error.message });
      }
    }
  }
  return result;
}

function classify(
  folder: string,
  { depth, pair, fileName }: { depth: string; pair: string; fileName: string },
  result: ScanResult,
): void {
  const file = path.join(folder, fileName);
  const name = parseArchiveName(fileName);
  if (!name || !hasArchiveEnding(fileName)) {
    result.ignored.push(file);
    return;
  }
  const { pair: namedPair } = name;
  const stat = look(file);
  if ('problem' in stat) {
    result.unusable.push({ path: file, fileName, pair: namedPair, date: name.date, problem: stat.problem });
  } else if (depthFolder(name.sourceDepth) !== depth || name.pair !== pair) {
    const expected = `${depthFolder(name.sourceDepth)}/${name.pair}`;
    const problem = `its name belongs in ${expected}, yet it lies in ${depth}/${pair}; move it, or give it as an argument`;
    result.unusable.push({ path: file, fileName, pair: namedPair, date: name.date, problem });
  } else {
    result.archives.push({ ...name, path: file, fileName, ...describeFile(stat), isDayFile: true });
  }
}

/**
 * Takes archives given one by one. What the name does not tell (pair, date, source depth) the first message does.
 *
 * @throws {@link UsageError} when a file is not there or has no ending of an archive.
 */
export async function identifyFiles(files: string[]): Promise<ScanResult> {
  const result: ScanResult = { archives: [], unusable: [], ignored: [] };
  for (const file of new Set(files.map((name) => path.normalize(name)))) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat) throw new UsageError(`No such file: ${file}`);
    if (stat.isDirectory())
      throw new UsageError(`${file} is a folder. To convert all archives below it: --source-dir ${file}`);
    const fileName = path.basename(file);
    if (!hasArchiveEnding(fileName)) {
      throw new UsageError(`${file} is no archive by its name, which must end in ${ARCHIVE_ENDINGS.join(', ')}`);
    }
    const identity = parseArchiveName(fileName) ?? (await askFirstMessage(file));
    if ('problem' in identity) {
      result.unusable.push({ path: file, fileName, pair: '?', problem: identity.problem });
    } else {
      const isDayFile = findDate(fileName) !== undefined;
      result.archives.push({ ...identity, path: file, fileName, ...describeFile(stat), isDayFile });
    }
  }
  return result;
}

async function askFirstMessage(file: string): Promise<ArchiveName | { problem: string }> {
  const reason = `its name is not DATE_PAIR_obN, so its first message had to tell pair and depth, and`;
  try {
    const line = await firstLine(file);
    const message = line && parseMessage(line.bytes);
    if (!message) return { problem: `${reason} it has none` };
    if ('reason' in message) return { problem: `${reason} line ${line.number} is ${message.reason}` };
    const name = parseTopic(message.topic ?? '');
    if (!name) return { problem: `${reason} its topic is ${JSON.stringify(message.topic)}, not orderbook.DEPTH.PAIR` };
    return { ...name, date: findDate(path.basename(file)) ?? toDate(message.tsMs) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** The first line that says anything. */
async function firstLine(file: string): Promise<Line | undefined> {
  const lines = new LineSplitter();
  const firstOfChunk = () => {
    for (let line = lines.next(); line; line = lines.next()) if (!isBlank(line)) return line;
    return undefined;
  };
  for await (const chunk of readArchive(file)) {
    lines.push(chunk);
    const line = firstOfChunk();
    if (line) return line;
  }
  lines.end();
  return firstOfChunk();
}

function hasArchiveEnding(fileName: string): boolean {
  return ARCHIVE_ENDINGS.some((ending) => fileName.endsWith(ending));
}

/** Names in a folder without the hidden ones, in the order of their characters' codes wherever the program runs. */
export function listFolder(folder: string): string[] {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UsageError(`No such folder: ${folder}`);
    if (code === 'ENOTDIR') throw new UsageError(`${folder} is a file, a folder was expected`);
    throw new UsageError(`Cannot read the folder ${folder}: ${message}`);
  }
}

export function isFolder(...names: string[]): boolean {
  const file = path.join(...names);
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false; // a link that leads nowhere
  }
}

/** What tells whether a file is still the same. */
function describeFile({ size, mtimeMs }: fs.Stats): Pick<ArchiveFile, 'sizeBytes' | 'mtimeMs'> {
  // Rounded, not cut: programs that give a copy its time by floating-point seconds may miss by part of a microsecond.
  return { sizeBytes: size, mtimeMs: Math.round(mtimeMs) };
}

/** What is known of a file, or why it cannot be read: a link may lead nowhere, to itself, or into a closed folder. */
function look(file: string): fs.Stats | { problem: string } {
  try {
    const stat = fs.statSync(file);
    return stat.isFile() ? stat : { problem: 'not a regular file' };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { problem: code === 'ENOENT' ? 'a symbolic link to a file that is not there' : message };
  }
}
