import { openStorage } from '../storage/open-storage.js';
import { type Entry, type FileVersion, StorageError } from '../storage/storage.js';
import { isPair } from './archive-name.js';
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
  for await (const { folder, contents } of contentsFolders(outputDir)) {
    for await (const { name: pair, path } of foldersIn(folder, found.unreadable)) {
      if (!isPair(pair) || !(wanted?.has(pair) ?? true)) continue;
      for await (const entry of listed(path, found.unreadable)) {
        const output = describe(entry, contents, pair);
        if (output) found.outputs.push(output);
      }
    }
  }
  return found;
}

async function* contentsFolders(outputDir: string): AsyncGenerator<{ folder: string; contents: Contents }> {
  for await (const { name, path } of foldersIn(outputDir)) {
    const contents = parseContentsFolder(name);
    if (contents) yield { folder: path, contents };
  }
}

async function* foldersIn(folder: string, unreadable?: string[]): AsyncGenerator<Entry> {
  for await (const entry of listed(folder, unreadable)) if (entry.kind === 'folder') yield entry;
}

/** What is in a folder; nothing when it cannot be read, which is noted. */
async function* listed(folder: string, unreadable: string[] | undefined): AsyncGenerator<Entry> {
  try {
    yield* openStorage(folder).list(folder);
  } catch (error) {
    if (!(error instanceof StorageError && unreadable)) throw error;
    unreadable.push(error.message);
  }
}

function describe(entry: Entry, contents: Contents, pair: string): FoundOutput | undefined {
  if (entry.kind !== 'file') return undefined;
  const name = parseOutputName(entry.name, contents, pair);
  return name && { ...name, path: entry.path, sizeBytes: entry.sizeBytes, mtimeMs: entry.mtimeMs };
}
