/** What is there, of millions of archives: in little memory, and taken out symbol by symbol. */
import { ArchiveList } from './archive-list.js';
import { type ArchiveFile, type FoundArchives, searchArchives, type UnusableFile } from './find-archives.js';
import { type Inventory, lookUpCatalog, type OutputCatalog } from './inventory.js';

/** How many there are, and a few of them. */
export class Examples {
  readonly first: string[] = [];
  count = 0;

  push(path: string): void {
    if (this.first.length < 3) this.first.push(path);
    this.count++;
  }
}

/** Archives found, and what else is there, of which nobody needs all. */
export interface ArchiveCatalog {
  archives: ArchiveList;
  unusable: UnusableFile[];
  ignored: Examples;
  repeated: Examples;
}

export function emptyCatalog(): ArchiveCatalog {
  return { archives: new ArchiveList(), unusable: [], ignored: new Examples(), repeated: new Examples() };
}

/**
 * Finds archives as `findArchives` does.
 *
 * @throws {@link UsageError} when the folder itself is missing or cannot be read.
 */
export async function catalogArchives(sourceDir: string): Promise<ArchiveCatalog> {
  const found = emptyCatalog();
  await searchArchives(sourceDir, found);
  return found;
}

/** Archives that were found otherwise. */
export function catalogOf({ archives, unusable, ignored, repeated }: FoundArchives): ArchiveCatalog {
  const found = emptyCatalog();
  for (const archive of archives) found.archives.push(archive);
  for (const file of unusable) found.unusable.push(file);
  for (const path of ignored) found.ignored.push(path);
  for (const path of repeated) found.repeated.push(path);
  return found;
}

/** An `Inventory` for very many archives. */
export interface Catalog {
  archives: ArchiveCatalog;
  outputs: OutputCatalog;
}

/**
 * Looks up what is there for a conversion of archives into an output folder, as `takeInventory` does.
 *
 * @throws {@link UsageError} when the records cannot be read, or an output without a record.
 */
export async function takeCatalog(archives: ArchiveCatalog, outputDir: string): Promise<Catalog> {
  const symbols = archives.archives.pairs;
  return { archives, outputs: await lookUpCatalog(outputDir, { symbols, readContents: true }) };
}

/** What is there of one symbol, of all markets. */
export interface SymbolPart {
  pair: string;
  inventory: Inventory;
  /** Where each of its archives is in the list of the catalog. */
  indices: Uint32Array;
}

/**
 * Takes a catalog apart: what is decided of one symbol depends on nothing else.
 *
 * @param more pairs beside those of archives.
 */
export function* bySymbol(
  { archives: { archives, unusable }, outputs }: Catalog,
  more: Iterable<string> = [],
): Generator<SymbolPart, void, undefined> {
  const archivesOf = archives.byPair();
  const unusableOf = new Map<string, UnusableFile[]>();
  for (const file of unusable) {
    const known = unusableOf.get(file.pair);
    if (known) known.push(file);
    else unusableOf.set(file.pair, [file]);
  }
  for (const pair of new Set([...archivesOf.keys(), ...unusableOf.keys(), ...more])) {
    const indices = archivesOf.get(pair) ?? new Uint32Array();
    const found: ArchiveFile[] = Array.from(indices, (index) => archives.at(index));
    const own = { archives: found, unusable: unusableOf.get(pair) ?? [], ignored: [], repeated: [] };
    yield { pair, inventory: { archives: own, outputs: outputs.ofPair(pair) }, indices };
  }
}
