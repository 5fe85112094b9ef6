/**
 * Files of this machine that a later run can go on with. Each is a hidden folder beside the file's place, whose name
 * tells whose it is (staging.ts), with the bytes and a note of what they are of. A folder is renamed in one step, with
 * both: of two runs that want to go on with it, one gets it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { flush, flushFolder, makeFolder, removeEmptyFolders } from './folders.js';
import { isOlderThan, parseResumable, resumableName } from './staging.js';
import type { FileVersion, PartialFile } from './storage.js';
import { versionOf } from './version.js';
import { writeAll } from './write-all.js';

const NOTE = 'note';

/** How long what nobody has asked for is kept. */
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;

/** @returns `undefined` when a live run is at it. */
export function resumePartial(file: string, runId: string): PartialFile | undefined {
  const place = path.dirname(file);
  const fileName = path.basename(file);
  const top = nearestThere(place);
  makeFolder(place);
  const own = path.join(place, resumableName(fileName, runId));
  const partial = () => new LocalPartialFile(file, { folder: own, top });
  const left = partialsIn(place).filter((found) => found.fileName === fileName);
  if (left.some(({ isOrphan }) => !isOrphan)) return undefined;
  for (const { folder } of left) {
    try {
      fs.renameSync(folder, own);
      return partial();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined; // another run was faster
    }
  }
  fs.mkdirSync(own);
  return partial();
}

/** The folder itself, or the first above it that is there: what is below is made for the file. */
function nearestThere(folder: string): string {
  const parent = path.dirname(folder);
  return fs.existsSync(folder) || parent === folder ? folder : nearestThere(parent);
}

/** The files that there is something left of. */
export function partialNames(place: string): string[] {
  return partialsIn(place).map(({ fileName }) => fileName);
}

/**
 * Removes what nobody will ask for: see {@link Storage.sweep}.
 *
 * @param sizeThere of a file that has been published, by its name. Default: into the same folder. A smaller one is damaged,
 * and its partial file is to replace it.
 * @returns how many.
 */
export function sweepPartials(
  place: string,
  sizeThere = (fileName: string) => sizeOf(path.join(place, fileName)),
): number {
  let removed = 0;
  for (const { folder, fileName, isOrphan } of partialsIn(place)) {
    const isOver = () =>
      (sizeThere(fileName) ?? -1) >= (sizeOf(path.join(folder, fileName)) ?? 0) ||
      isWithoutBytes(folder, fileName) ||
      isOlderThan(lastWritten(folder, fileName), Date.now() - KEPT_MS);
    if (isOrphan && isOver() && remove(folder)) removed++;
  }
  return removed;
}

interface Found {
  folder: string;
  fileName: string;
  /** The process that it was of has ended. */
  isOrphan: boolean;
}

function partialsIn(place: string): Found[] {
  let names: string[];
  try {
    names = fs.readdirSync(place);
  } catch {
    return []; // whoever writes there is told what is wrong with it
  }
  return names.flatMap((name) => {
    const parsed = parseResumable(name);
    if (!parsed) return [];
    const { fileName } = parsed;
    const folder = path.join(place, name);
    // What was kept by a run of this process that has ended is as good as that of a dead one.
    return {
      folder,
      fileName,
      isOrphan: kept.has(path.resolve(folder)) || parsed.isOrphan(lastWritten(folder, fileName)),
    };
  });
}

/** What has the time of the last write: bytes that are added do not change the folder's. */
function lastWritten(folder: string, fileName: string): string {
  const file = path.join(folder, fileName);
  return fs.existsSync(file) ? file : folder;
}

/** There is nothing to go on with: nothing had come, or it was published and the rest could not be removed. */
function isWithoutBytes(folder: string, fileName: string): boolean {
  return sizeOf(path.join(folder, fileName)) === undefined;
}

/** `undefined`: there is no such file. */
function sizeOf(file: string): number | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })?.size;
}

/** A leftover does no harm. */
function remove(folder: string): boolean {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Folders of this process that nobody writes to any more. */
const kept = new Set<string>();

class LocalPartialFile implements PartialFile {
  readonly path: string;
  readonly #target: string;
  readonly #folder: string;
  readonly #top: string;
  #fd: number | undefined;
  #note: string | undefined;
  #sizeBytes: number;
  /** It has been published or removed. */
  #isOver = false;

  /** @param place `top`: folders below it were made for the file, and go with it when it does not come. */
  constructor(target: string, { folder, top }: { folder: string; top: string }) {
    this.#target = target;
    this.#folder = folder;
    this.#top = top;
    this.path = path.join(folder, path.basename(target));
    this.#note = readIfThere(path.join(folder, NOTE));
    this.#sizeBytes = sizeOf(this.path) ?? 0;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get note(): string | undefined {
    return this.#note;
  }

  begin(note: string): void {
    this.#close();
    // First the bytes: those of before must never lie beside a note that is not theirs.
    fs.rmSync(this.path, { force: true });
    const file = path.join(this.#folder, NOTE);
    fs.writeFileSync(`${file}.new`, note);
    flush(`${file}.new`, 'r+');
    fs.renameSync(`${file}.new`, file);
    flushFolder(this.#folder);
    this.#note = note;
    this.#sizeBytes = 0;
  }

  write(bytes: Uint8Array): void {
    this.#fd ??= fs.openSync(this.path, 'a');
    writeAll(this.#fd, bytes);
    this.#sizeBytes += bytes.length;
  }

  async publish(): Promise<FileVersion> {
    this.#close();
    flush(this.path, 'r+');
    const version = versionOf(fs.statSync(this.path));
    fs.renameSync(this.path, this.#target);
    flushFolder(path.dirname(this.#target));
    this.discard();
    return version;
  }

  keep(): void {
    if (this.#isOver) return;
    this.#close();
    if (this.#sizeBytes === 0) this.discard();
    else kept.add(path.resolve(this.#folder));
  }

  discard(): void {
    this.#isOver = true;
    this.#close();
    remove(this.#folder);
    removeEmptyFolders(path.dirname(this.#target), this.#top);
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
