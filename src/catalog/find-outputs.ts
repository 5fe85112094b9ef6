import { pauses } from '../base/pauses.js';
import { openStorage } from '../storage/open-storage.js';
import { type Entry, type FileVersion, StorageError } from '../storage/storage.js';
import { versionIn } from '../storage/version.js';
import { type MarketName, parseMarket } from './market.js';
import {
  type Contents,
  type OutputFolder,
  type OutputName,
  parseContentsFolder,
  parseOutputName,
} from './output-name.js';
import { type PairFolder, parseDateFolder, parsePairFolder } from './partition.js';

/** An output that is there, and what its place and name say of it. */
export interface FoundOutput extends OutputName, FileVersion {
  path: string;
}

/** Folders of days that are listed at a time: there may be hundreds of thousands, each with a file or two. */
const DAYS_AT_A_TIME = 32;

/** What cannot be looked at, so that nothing is known of it: a folder, in which outputs may lie, or an output. */
export interface Unseen {
  path: string;
  /** The reason, as a sentence. */
  problem: string;
  /** Of an output. */
  output?: OutputName;
  /** There is no such folder, so that nothing lies in it. */
  isAbsent?: boolean;
}

/** The outputs of an output folder. */
export interface FoundOutputs {
  outputs: FoundOutput[];
  unseen: Unseen[];
}

/**
 * Finds the outputs in an output folder, whichever program made them. Other files are passed over. Each folder is listed
 * once.
 *
 * @param symbols the pairs wanted; all when absent.
 * @throws {@link StorageError} when the output folder itself is missing or cannot be read.
 */
export async function findOutputs(outputDir: string, symbols?: Iterable<string>): Promise<FoundOutputs> {
  const outputs: FoundOutput[] = [];
  return { outputs, unseen: await searchOutputs(outputDir, outputs, symbols) };
}

/**
 * The same into a list of the caller's.
 *
 * @returns what cannot be looked at.
 */
export async function searchOutputs(
  outputDir: string,
  found: { push(output: FoundOutput): unknown },
  symbols?: Iterable<string>,
): Promise<Unseen[]> {
  const wanted = symbols && new Set(symbols);
  const unseen: Unseen[] = [];
  const pause = pauses(undefined);
  const root = await listAll(outputDir);
  await addMarket(root, undefined);
  for (const { name, path } of folders(root, (name) => parseMarket(name) !== undefined)) {
    await addMarket(await listReadable(path), parseMarket(name));
  }
  return unseen;

  /** Adds what is in the folders of depths and of metrics. */
  async function addMarket(entries: Entry[], market: MarketName | undefined): Promise<void> {
    for (const { name, path } of folders(entries, (name) => parseContentsFolder(name) !== undefined)) {
      const contents = parseContentsFolder(name) as Contents;
      for (const entry of folders(await listReadable(path), isWanted)) {
        await pause();
        const named = parsePairFolder(entry.name) as PairFolder;
        const folder: OutputFolder = { market, contents, ...named, date: undefined };
        if (named.partition === 'hive') await addDays(await listReadable(entry.path), folder);
        else addFiles(await listReadable(entry.path), folder);
      }
    }
  }

  function isWanted(folderName: string): boolean {
    const named = parsePairFolder(folderName);
    return named !== undefined && (wanted?.has(named.pair) ?? true);
  }

  async function addDays(entries: Entry[], folder: OutputFolder): Promise<void> {
    const days = folders(entries, (name) => parseDateFolder(name) !== undefined);
    for (let start = 0; start < days.length; start += DAYS_AT_A_TIME) {
      const some = days.slice(start, start + DAYS_AT_A_TIME);
      const listed = await Promise.all(some.map(({ path }) => listReadable(path)));
      some.forEach(({ name }, index) => {
        addFiles(listed[index] ?? [], { ...folder, date: parseDateFolder(name) });
      });
    }
  }

  function addFiles(entries: Entry[], folder: OutputFolder): void {
    for (const entry of entries) {
      const name = parseOutputName(entry.name, folder);
      if (!name) continue;
      const { path } = entry;
      if (entry.kind === 'file') found.push({ ...name, path, ...versionIn(entry) });
      // Not there, as far as anybody can see who would count or join what is: said, so that nobody goes on without it.
      if (entry.kind === 'unusable')
        unseen.push({ path, problem: `Cannot look at ${path}: ${entry.problem}`, output: name });
    }
  }

  /** Those that are named as wanted. One that cannot be looked at is noted. */
  function folders(entries: Entry[], isNamed: (name: string) => boolean): Entry[] {
    return entries.filter((entry) => {
      if (!isNamed(entry.name)) return false;
      if (entry.kind === 'unusable' && entry.mayBeFolder) {
        unseen.push({ path: entry.path, problem: `Cannot read the folder ${entry.path}: ${entry.problem}` });
      }
      return entry.kind === 'folder';
    });
  }

  /** What is in a folder; nothing when it cannot be read, which is noted. */
  async function listReadable(folder: string): Promise<Entry[]> {
    try {
      return await listAll(folder);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      unseen.push({ path: folder, problem: error.message });
      return [];
    }
  }
}

async function listAll(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of openStorage(folder).list(folder)) entries.push(entry);
  return entries;
}
