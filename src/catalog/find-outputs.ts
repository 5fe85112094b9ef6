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

/** The outputs of an output folder. */
export interface FoundOutputs {
  outputs: FoundOutput[];
  /** Folders that cannot be read, each with the reason, as a sentence. */
  unreadable: string[];
}

/**
 * Finds the outputs in an output folder, whichever program made them. Other files are passed over. Each folder is listed
 * once.
 *
 * @param symbols the pairs wanted; all when absent.
 * @throws {@link StorageError} when the output folder itself is missing or cannot be read.
 */
export async function findOutputs(outputDir: string, symbols?: Iterable<string>): Promise<FoundOutputs> {
  const wanted = symbols && new Set(symbols);
  const found: FoundOutputs = { outputs: [], unreadable: [] };
  const root = await listAll(outputDir);
  await addMarket(root, undefined);
  for (const { name, path } of folders(root, (name) => parseMarket(name) !== undefined)) {
    await addMarket(await listReadable(path), parseMarket(name));
  }
  return found;

  /** Adds what is in the folders of depths and of metrics. */
  async function addMarket(entries: Entry[], market: MarketName | undefined): Promise<void> {
    for (const { name, path } of folders(entries, (name) => parseContentsFolder(name) !== undefined)) {
      const contents = parseContentsFolder(name) as Contents;
      for (const entry of folders(await listReadable(path), isWanted)) {
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
      const output = describe(entry, parseOutputName(entry.name, folder));
      if (output) found.outputs.push(output);
    }
  }

  /** Those that are named as wanted. One that cannot be looked at is noted. */
  function folders(entries: Entry[], isNamed: (name: string) => boolean): Entry[] {
    return entries.filter((entry) => {
      if (!isNamed(entry.name)) return false;
      if (entry.kind === 'unusable' && entry.mayBeFolder) {
        found.unreadable.push(`Cannot read the folder ${entry.path}: ${entry.problem}`);
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
      found.unreadable.push(error.message);
      return [];
    }
  }
}

async function listAll(folder: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of openStorage(folder).list(folder)) entries.push(entry);
  return entries;
}

function describe(entry: Entry, name: OutputName | undefined): FoundOutput | undefined {
  if (entry.kind !== 'file' || !name) return undefined;
  return { ...name, path: entry.path, ...versionIn(entry) };
}
