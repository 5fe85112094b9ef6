import { ARCHIVE_ENDINGS, readArchive } from '../archive/open-archive.js';
import { toDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { isBlank, type Line, LineSplitter } from '../book/lines.js';
import { parseMessage } from '../book/message.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf } from '../storage/paths.js';
import { type Entry, type FileVersion, StorageError } from '../storage/storage.js';
import { type ArchiveName, depthFolder, findDate, parseArchiveName, parseTopic } from './archive-name.js';

/** An archive found, and what is known of it before it is read. */
export interface ArchiveFile extends ArchiveName, FileVersion {
  path: string;
  fileName: string;
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
export interface FoundArchives {
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
export async function findArchives(sourceDir: string): Promise<FoundArchives> {
  const found: FoundArchives = { archives: [], unusable: [], ignored: [] };
  try {
    for await (const depth of foldersIn(sourceDir)) {
      if (!/^\d{4}$/.test(depth.name)) continue;
      for await (const pair of foldersIn(depth.path)) await classifyAll(depth.name, pair, found);
    }
  } catch (error) {
    throw error instanceof StorageError ? new UsageError(error.message, { cause: error }) : error;
  }
  return found;
}

async function* foldersIn(folder: string): AsyncGenerator<Entry> {
  for await (const entry of openStorage(folder).list(folder)) if (entry.kind === 'folder') yield entry;
}

async function classifyAll(depth: string, pair: Entry, found: FoundArchives): Promise<void> {
  try {
    for await (const entry of openStorage(pair.path).list(pair.path)) {
      classify(entry, { depth, pair: pair.name }, found);
    }
  } catch (error) {
    // One pair's closed folder costs what one broken archive does.
    if (!(error instanceof StorageError)) throw error;
    const fileName = `${depth}/${pair.name}`;
    found.unusable.push({ path: pair.path, fileName, pair: pair.name, problem: error.message });
  }
}

function classify(entry: Entry, { depth, pair }: { depth: string; pair: string }, found: FoundArchives): void {
  const { name: fileName, path } = entry;
  const name = parseArchiveName(fileName);
  if (!name || !hasArchiveEnding(fileName)) {
    found.ignored.push(path);
    return;
  }
  const fail = (problem: string) => found.unusable.push({ path, fileName, pair: name.pair, date: name.date, problem });
  if (entry.kind === 'unusable') fail(entry.problem);
  else if (entry.kind === 'folder') fail('not a regular file');
  else if (depthFolder(name.sourceDepth) !== depth || name.pair !== pair) {
    const expected = `${depthFolder(name.sourceDepth)}/${name.pair}`;
    fail(`its name belongs in ${expected}, yet it lies in ${depth}/${pair}; move it, or give it as an argument`);
  } else {
    const { sizeBytes, mtimeMs } = entry;
    found.archives.push({ ...name, path, fileName, sizeBytes, mtimeMs, isDayFile: true });
  }
}

/**
 * Takes archives given one by one. What the name does not tell (pair, date, source depth) the first message does.
 *
 * @throws {@link UsageError} when a file is not there or has no ending of an archive.
 */
export async function identifyArchives(files: string[]): Promise<FoundArchives> {
  const found: FoundArchives = { archives: [], unusable: [], ignored: [] };
  for (const path of new Set(files)) {
    const entry = await openStorage(path).look(path);
    if (!entry) throw new UsageError(`No such file: ${path}`);
    if (entry.kind === 'folder') {
      throw new UsageError(`${path} is a folder. To convert all archives below it: --source-dir ${path}`);
    }
    const fileName = nameOf(path);
    if (!hasArchiveEnding(fileName)) {
      throw new UsageError(`${path} is no archive by its name, which must end in ${ARCHIVE_ENDINGS.join(', ')}`);
    }
    const archive = await identify(path, fileName, entry);
    if ('problem' in archive) found.unusable.push(archive);
    else found.archives.push(archive);
  }
  return found;
}

async function identify(path: string, fileName: string, entry: Entry): Promise<ArchiveFile | UnusableFile> {
  if (entry.kind !== 'file') return { path, fileName, pair: '?', problem: 'not a regular file' };
  const identity = parseArchiveName(fileName) ?? (await askFirstMessage(path));
  if ('problem' in identity) return { path, fileName, pair: '?', problem: identity.problem };
  const { sizeBytes, mtimeMs } = entry;
  return { ...identity, path, fileName, sizeBytes, mtimeMs, isDayFile: findDate(fileName) !== undefined };
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
    return { ...name, date: findDate(nameOf(file)) ?? toDate(message.tsMs) };
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
