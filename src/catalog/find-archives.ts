import { ARCHIVE_ENDINGS, readArchive } from '../archive/open-archive.js';
import { toDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { isBlank, type Line, LineSplitter } from '../book/lines.js';
import { parseMessage } from '../book/message.js';
import { FORMATS, splitSuffix } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { isUtf8Path, NOT_UTF8, nameOf } from '../storage/paths.js';
import { type Entry, type FileVersion, isOfStorage } from '../storage/storage.js';
import { versionIn } from '../storage/version.js';
import { type ArchiveName, findDate, parseArchiveName, parseTopic } from './archive-name.js';
import { type MarketChoice, type MarketName, marketOfPath, parseMarket } from './market.js';
import { isLeftByConvert } from './output-name.js';

/** An archive found, and what is known of it before it is read. */
export interface ArchiveFile extends ArchiveName, FileVersion {
  path: string;
  fileName: string;
  /** As a folder on the way tells it; absent: none does. */
  market?: MarketName;
  /** The file's name holds the date: only boundaries of that day are wanted. */
  isDayFile: boolean;
}

/** Stands for the pair of what cannot be looked at. It may be any. */
export const UNKNOWN_PAIR = '?';

/** An archive that cannot be converted, or a folder that cannot be searched, and why. */
export interface UnusableFile {
  path: string;
  /** Of a folder: its path from the source folder on. */
  fileName: string;
  /** As far as they are known; a pair that is not is `?`. */
  pair: string;
  date?: string;
  market?: MarketName;
  problem: string;
}

/** What was found, and what of it can be used. */
export interface FoundArchives {
  archives: ArchiveFile[];
  /** Archives, and folders in which there may be some. */
  unusable: UnusableFile[];
  /** Files that do not have an archive's name, nor that of something that convert leaves. */
  ignored: string[];
  /** Folders that were searched by another path, such as those that a symbolic link leads back to. */
  repeated: string[];
}

/** Takes what is found, one by one. */
export type Finds = { readonly [Kind in keyof FoundArchives]: { push(find: FoundArchives[Kind][number]): unknown } };

/** Nothing found. */
export function noArchives(): FoundArchives {
  return { archives: [], unusable: [], ignored: [], repeated: [] };
}

/**
 * Finds the archives anywhere below a folder by their names, and their markets by the folders on the way. Each folder is
 * searched once, also by symbolic links. Hidden names are passed over.
 *
 * @throws {@link UsageError} when the folder itself is missing or cannot be read.
 */
export async function findArchives(sourceDir: string): Promise<FoundArchives> {
  const found = noArchives();
  await searchArchives(sourceDir, found);
  return found;
}

/**
 * The same into lists of the caller's.
 *
 * @throws {@link UsageError} when the folder itself is missing or cannot be read.
 */
export async function searchArchives(sourceDir: string, found: Finds): Promise<void> {
  const searched = new Set<string>();
  try {
    const root = await openStorage(sourceDir).look(sourceDir);
    if (root?.kind === 'folder') searched.add(root.id);
    await search({ path: sourceDir, steps: [], market: undefined }, found, searched);
  } catch (error) {
    throw isOfStorage(error) ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** A folder below the source folder. */
interface Folder {
  path: string;
  /** The names on the way to it. */
  steps: string[];
  /** What the last of them tells that is named after one. */
  market: MarketName | undefined;
}

async function search(folder: Folder, found: Finds, searched: Set<string>): Promise<void> {
  const folders: Extract<Entry, { kind: 'folder' }>[] = [];
  for await (const entry of openStorage(folder.path).list(folder.path)) {
    const name = isArchiveFileName(entry.name) ? parseArchiveName(entry.name) : undefined;
    if (name) classify(entry, name, folder, found);
    else if (entry.kind === 'folder') {
      if (!isLeftByConvert(entry.name)) folders.push(entry);
    } else if (entry.kind === 'unusable' && (entry.mayBeFolder || isUnspeakable(entry.name))) {
      found.unusable.push(describeClosed(below(folder, entry), entry.problem));
    } else if (!isLeftByConvert(entry.name)) found.ignored.push(entry.path);
  }
  for (const entry of folders) {
    const next = below(folder, entry);
    if (searched.has(entry.id)) {
      found.repeated.push(entry.path);
      continue;
    }
    searched.add(entry.id);
    try {
      await search(next, found, searched);
    } catch (error) {
      // A closed folder costs what one broken archive does.
      if (!isOfStorage(error)) throw error;
      found.unusable.push(describeClosed(next, error.message));
    }
  }
}

/** Whether it may be an archive whose name cannot be read. */
function isUnspeakable(name: string): boolean {
  return isArchiveFileName(name) && !isUtf8Path(name);
}

function below({ steps, market }: Folder, { name, path }: Entry): Folder {
  return { path, steps: [...steps, name], market: parseMarket(name) ?? market };
}

/** Which pairs and days are missing with it, nobody knows. */
function describeClosed({ path, steps, market }: Folder, problem: string): UnusableFile {
  return { path, fileName: steps.join('/'), pair: UNKNOWN_PAIR, ...(market && { market }), problem };
}

function classify(entry: Entry, name: ArchiveName, { market }: Folder, found: Finds): void {
  const { name: fileName, path } = entry;
  const told = market && { market };
  if (entry.kind === 'file') {
    found.archives.push({ ...name, ...told, path, fileName, ...versionIn(entry), isDayFile: true });
    return;
  }
  const problem = entry.kind === 'folder' ? 'not a regular file' : entry.problem;
  found.unusable.push({ path, fileName, pair: name.pair, date: name.date, ...told, problem });
}

/**
 * Takes archives given one by one. What the name does not tell (pair, date, source depth) the first message does.
 *
 * @param markets wanted. A single one says the market of those whose path, as it is given, names no folder of a market.
 * @throws {@link UsageError} when a file is not there or has no ending of an archive.
 */
export async function identifyArchives(files: string[], markets?: readonly MarketChoice[]): Promise<FoundArchives> {
  const found = noArchives();
  for (const path of new Set(files)) {
    const entry = await openStorage(path).look(path);
    if (!entry && !isUtf8Path(path)) {
      found.unusable.push({ path, fileName: nameOf(path), pair: UNKNOWN_PAIR, problem: NOT_UTF8 });
      continue;
    }
    if (!entry) throw new UsageError(`No such file: ${path}`);
    if (entry.kind === 'folder') {
      throw new UsageError(`${path} is a folder. To convert all archives below it: --source-dir ${path}`);
    }
    const fileName = nameOf(path);
    if (!isArchiveFileName(fileName)) {
      const endings = `must end in ${ARCHIVE_ENDINGS.join(', ')}, and not in ${FORMATS['csv.gz'].suffix}`;
      throw new UsageError(`${path} is no archive by its name, which ${endings}`);
    }
    const market = marketOfArgument(path, markets);
    const archive = { ...(await identify(path, fileName, entry)), ...(market && { market }) };
    if ('problem' in archive) found.unusable.push(archive);
    else found.archives.push(archive);
  }
  return found;
}

function marketOfArgument(path: string, markets: readonly MarketChoice[] = []): MarketName | undefined {
  const told = marketOfPath(path);
  if (told !== undefined) return told;
  if (markets.length > 1) {
    throw new UsageError(`Which of the markets ${markets.join(', ')} is ${path} of? Its path does not say: give one.`);
  }
  return parseMarket(markets[0]);
}

async function identify(path: string, fileName: string, entry: Entry): Promise<ArchiveFile | UnusableFile> {
  if (entry.kind !== 'file') return { path, fileName, pair: UNKNOWN_PAIR, problem: 'not a regular file' };
  const identity = parseArchiveName(fileName) ?? (await askFirstMessage(path));
  if ('problem' in identity) return { path, fileName, pair: UNKNOWN_PAIR, problem: identity.problem };
  return { ...identity, path, fileName, ...versionIn(entry), isDayFile: findDate(fileName) !== undefined };
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

/** By its ending. One that is an output's is none of an archive, though both may end in `.gz`. */
function isArchiveFileName(fileName: string): boolean {
  return ARCHIVE_ENDINGS.some((ending) => fileName.endsWith(ending)) && splitSuffix(fileName) === undefined;
}
