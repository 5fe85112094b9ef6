import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { removeEmptyFolders } from '../folders.js';
import { partialNames, resumePartial, sweepPartials } from '../partial-file.js';
import { type FileVersion, type PartialFile, StorageError } from '../storage.js';
import { listFirst } from './objects.js';
import { prefixOf, type S3Place } from './path.js';
import { hashOf, localName, upload } from './uploads.js';

/**
 * An object on its way that a later process of this machine can go on with: its bytes are kept on a disk here until it is
 * whole, and then uploaded.
 *
 * @returns `undefined` when a live run of this machine is at it.
 */
export function resumeHere(place: S3Place, runId: string): PartialFile | undefined {
  const end = Math.max(0, place.key.lastIndexOf('/'));
  const folder = folderHere({ ...place, key: place.key.slice(0, end) });
  requireOwn(folder);
  const local = resumePartial(path.join(folder, path.basename(place.key)), runId);
  return local && new S3PartialFile(place, { local, folder, runId });
}

/** Removes what is of objects that are there, and what nobody has asked for in two weeks. @returns how many. */
export async function sweepPartialsFor(folders: readonly S3Place[]): Promise<number> {
  let removed = 0;
  for (const folder of folders) removed += await sweepPartialsOf(folder);
  return removed;
}

async function sweepPartialsOf(folder: S3Place): Promise<number> {
  const here = folderHere(folder);
  const sizes = new Map<string, number>();
  for (const name of partialNames(here)) {
    const key = `${prefixOf(folder)}${name}`;
    const object = await listFirst(folder.bucket, key);
    if (object?.key === key) sizes.set(name, object.sizeBytes);
  }
  const removed = sweepPartials(here, (name) => sizes.get(name));
  if (removed > 0) removeIfEmpty(here);
  return removed;
}

/** Of this user alone: whoever else could write there could change what is uploaded. */
function folderHere(folder: S3Place): string {
  return path.join(os.tmpdir(), `.bookgrid-partial-${process.getuid?.()}-${hashOf(folder)}`);
}

/** @throws {@link StorageError} when somebody else has made it first. */
function requireOwn(here: string): void {
  fs.mkdirSync(here, { recursive: true, mode: 0o700 });
  const stat = fs.lstatSync(here);
  const isPrivate = stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
  if (stat.isDirectory() && isPrivate) return;
  throw new StorageError(`${here} is not a folder of this user alone: remove it`);
}

/** It is of this program alone, whichever run has made it. */
function removeIfEmpty(here: string): void {
  removeEmptyFolders(here, path.dirname(here));
}

class S3PartialFile implements PartialFile {
  readonly #place: S3Place;
  readonly #local: PartialFile;
  /** Where that lies. */
  readonly #folder: string;
  readonly #runId: string;

  constructor(place: S3Place, { local, folder, runId }: { local: PartialFile; folder: string; runId: string }) {
    this.#place = place;
    this.#local = local;
    this.#folder = folder;
    this.#runId = runId;
  }

  get path(): string {
    return this.#local.path;
  }

  get sizeBytes(): number {
    return this.#local.sizeBytes;
  }

  get note(): string | undefined {
    return this.#local.note;
  }

  begin(note: string): void {
    this.#local.begin(note);
  }

  write(bytes: Uint8Array): void {
    this.#local.write(bytes);
  }

  async publish(): Promise<FileVersion> {
    const { path: file, sizeBytes } = this.#local;
    const sha256 = hashHere(file);
    const name = localName(this.#place, {});
    const etag = await upload(this.#place, { file, name, sizeBytes, sha256, runId: this.#runId, note: undefined });
    this.discard();
    return { sizeBytes, ...(etag !== undefined && { etag }) };
  }

  keep(): void {
    this.#local.keep();
    removeIfEmpty(this.#folder);
  }

  discard(): void {
    this.#local.discard();
    removeIfEmpty(this.#folder);
  }
}

function hashHere(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(1 << 20);
  const fd = fs.openSync(file, 'r');
  try {
    for (let count = fs.readSync(fd, piece); count > 0; count = fs.readSync(fd, piece)) {
      hash.update(piece.subarray(0, count));
    }
  } finally {
    fs.closeSync(fd);
  }
  return hash.digest('hex');
}
