/** How it is seen, without looking at each output, that something has changed where outputs lie. */
import fs from 'node:fs';
import path from 'node:path';
import { recordsPath } from '../catalog/records.js';
import { openStorage } from '../storage/open-storage.js';
import { schemeOf } from '../storage/paths.js';
import { StorageError } from '../storage/storage.js';

/** Watches one place. */
export interface Watch {
  /** It is asked no more often than this. */
  readonly pauseMs: number;
  /** Something that differs when anything has changed. */
  stamp(): Promise<string>;
  /** Finds out anew what is to be looked at for a stamp. */
  renew(): Promise<void>;
  /** Looks at this file, too, which is being opened: stamps differ when it has changed since. */
  add(file: string): Promise<void>;
}

export function watchFolder(outputDir: string): Watch {
  return schemeOf(outputDir) === undefined ? new DiskWatch(outputDir) : new BucketWatch(outputDir);
}

const ON_DISK_MS = 1500;
/** Each look is a request, or some, which cost money. */
const IN_BUCKET_MS = 10_000;
/** How long it may take until that is seen in a bucket of which no record tells. */
const UNRECORDED_MS = 10 * 60_000;
/** Folders in folders that are watched; outputs lie five deep at most. */
const MAX_NESTING = 8;
/** Files that were opened last, of which a change shows although no name in their folder has changed. */
const WATCHED_FILES = 64;

/** A folder of this machine: a name that comes or goes changes the time of its folder. */
class DiskWatch implements Watch {
  readonly pauseMs = ON_DISK_MS;
  readonly #root: string;
  #folders: string[] = [];
  /** Files, the one opened last at the end, and what they were like. */
  readonly #opened = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  async stamp(): Promise<string> {
    const stamps: string[] = [];
    for (const name of [...this.#folders, recordsPath(this.#root)]) stamps.push(await diskStampOf(name));
    for (const [file, before] of this.#opened) {
      const stamp = await diskStampOf(file);
      if (stamp !== before) stamps.push(stamp);
    }
    return stamps.join('\n');
  }

  async renew(): Promise<void> {
    this.#folders = await foldersBelow(this.#root);
  }

  async add(file: string): Promise<void> {
    if (this.#opened.has(file)) return;
    this.#opened.set(file, await diskStampOf(file));
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined && this.#opened.size > WATCHED_FILES) this.#opened.delete(oldest);
  }
}

async function diskStampOf(name: string): Promise<string> {
  const stat = await fs.promises.stat(name).catch(() => undefined);
  return `${name}\0${stat?.ino}\0${stat?.mtimeMs}\0${stat?.isFile() ? stat.size : ''}`;
}

/** A folder and all below it, each once, in which names may appear. */
async function foldersBelow(root: string): Promise<string[]> {
  const found = [root];
  const seen = new Set<string>();
  const search = async (folder: string, nesting: number): Promise<void> => {
    const entries = await fs.promises.readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.isFile()) continue;
      const below = path.join(folder, entry.name);
      const stat = await fs.promises.stat(below).catch(() => undefined);
      const id = `${stat?.dev}:${stat?.ino}`;
      if (!stat?.isDirectory() || seen.has(id)) continue;
      seen.add(id);
      found.push(below);
      if (nesting < MAX_NESTING) await search(below, nesting + 1);
    }
  };
  await search(root, 1);
  return found;
}

/**
 * A folder in a bucket. Only listing all of it would tell everything, at a request for 1,000 outputs. But a run that makes
 * outputs writes records, which lie in one folder: they are looked at often, and all of it now and then.
 */
class BucketWatch implements Watch {
  readonly pauseMs = IN_BUCKET_MS;
  readonly #records: string;

  constructor(root: string) {
    this.#records = recordsPath(root);
  }

  async stamp(): Promise<string> {
    const stamps = [`${Math.floor(Date.now() / UNRECORDED_MS)}`];
    try {
      for await (const entry of openStorage(this.#records).list(this.#records)) {
        if (entry.kind === 'file') stamps.push(`${entry.name}\0${entry.etag}`);
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      stamps.push(await stampOf(this.#records)); // none, or one file of a folder that was copied from a disk
    }
    return stamps.join('\n');
  }

  async renew(): Promise<void> {}

  async add(): Promise<void> {
    // A run that makes an opened file again records it.
  }
}

/** Files that were given one by one. */
export class FilesWatch implements Watch {
  readonly pauseMs: number;
  readonly #files: readonly string[];

  constructor(files: readonly string[]) {
    this.#files = files;
    const isOnDisk = files.every((file) => schemeOf(file) === undefined);
    // A file in a bucket is one request: some hundred files, no more than some ten requests a second.
    this.pauseMs = isOnDisk ? ON_DISK_MS : IN_BUCKET_MS + 100 * files.length;
  }

  async stamp(): Promise<string> {
    const stamps: string[] = [];
    for (const file of this.#files) stamps.push(await stampOf(file));
    return stamps.join('\n');
  }

  async renew(): Promise<void> {}

  async add(): Promise<void> {
    // It is watched.
  }
}

async function stampOf(file: string): Promise<string> {
  const entry = await openStorage(file).look(file);
  if (entry?.kind !== 'file') return `${file}\0${entry?.kind}`;
  return `${file}\0${entry.id}\0${entry.sizeBytes}\0${entry.etag ?? entry.mtimeMs}`;
}
