import { openStorage } from '../storage/open-storage.js';
import { type Entry, type FileVersion, StorageError } from '../storage/storage.js';
import { versionIn } from '../storage/version.js';
import { isPair } from './archive-name.js';
import { type MarketName, parseMarket } from './market.js';
import { type Contents, type OutputName, parseContentsFolder, parseOutputName } from './output-name.js';

/** An output that is there, and what its place and name say of it. */
export interface FoundOutput extends OutputName, FileVersion {
  path: string;
}

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

  /** Adds what is in `DEPTH/PAIR/` and `metrics/PAIR/`. */
  async function addMarket(entries: Entry[], market: MarketName | undefined): Promise<void> {
    for (const { name, path } of folders(entries, (name) => parseContentsFolder(name) !== undefined)) {
      const contents = parseContentsFolder(name) as Contents;
      const isWanted = (pair: string) => isPair(pair) && (wanted?.has(pair) ?? true);
      for (const pair of folders(await listReadable(path), isWanted)) {
        for (const entry of await listReadable(pair.path)) {
          const output = describe(entry, parseOutputName(entry.name, contents, pair.name, market));
          if (output) found.outputs.push(output);
        }
      }
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
