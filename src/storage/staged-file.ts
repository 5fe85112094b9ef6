import type { Hash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { flush, flushFolder, makeFolder } from './folders.js';
import { stagedName } from './staging.js';
import type { FileVersion, StagedFile, StagingOptions, StoredIdentity } from './storage.js';
import { versionIn, versionOf } from './version.js';
import { writeAll } from './write-all.js';

const require = createRequire(import.meta.url);

/**
 * A file of this machine that appears whole or not at all. It is written under a hidden name, flushed to disk, and
 * renamed when it is complete; the folder is flushed too, so that the name survives a power cut.
 */
export class LocalStagedFile implements StagedFile {
  readonly #path: string;
  /** Where it is until it is published. */
  readonly stagedPath: string;
  readonly #runId: string;
  #fd: number | undefined;
  readonly #hash = newSha256();
  #identity: StoredIdentity | undefined;

  constructor(filePath: string, { runId, tempDir }: StagingOptions) {
    this.#path = filePath;
    this.#runId = runId;
    const folder = path.dirname(filePath);
    makeFolder(folder);
    if (tempDir !== undefined) makeFolder(tempDir);
    this.stagedPath = path.join(tempDir ?? folder, stagedName(path.basename(filePath), runId));
    this.#fd = fs.openSync(this.stagedPath, 'wx');
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#openFd(), bytes);
    this.#hash.update(bytes);
  }

  flush(): StoredIdentity {
    const fd = this.#openFd();
    fs.fsyncSync(fd);
    this.#identity = { ...versionOf(fs.fstatSync(fd)), sha256: this.#hash.digest('hex') };
    this.#close();
    return this.#identity;
  }

  async publish(): Promise<FileVersion> {
    if (!this.#identity) throw new Error(`${this.#path} is to be flushed before it is published`);
    this.#rename();
    flushFolder(path.dirname(this.#path));
    return versionIn(this.#identity);
  }

  discard(): void {
    try {
      this.#close();
    } finally {
      fs.rmSync(this.stagedPath, { force: true });
    }
  }

  #openFd(): number {
    if (this.#fd === undefined) throw new Error(`${this.#path} is already closed`);
    return this.#fd;
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }

  #rename(): void {
    try {
      fs.renameSync(this.stagedPath, this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      this.#copyAcrossAndRename();
    }
  }

  /** A rename is atomic within a file system only: from another one the file is first copied beside its place. */
  #copyAcrossAndRename(): void {
    const folder = path.dirname(this.#path);
    const copy = path.join(folder, stagedName(path.basename(this.#path), this.#runId));
    try {
      fs.copyFileSync(this.stagedPath, copy, fs.constants.COPYFILE_EXCL);
      const seconds = (this.#identity?.mtimeMs ?? 0) / 1000;
      fs.utimesSync(copy, seconds, seconds); // it is known by its time
      flush(copy, 'r+');
      fs.renameSync(copy, this.#path);
    } finally {
      fs.rmSync(copy, { force: true });
      fs.rmSync(this.stagedPath, { force: true });
    }
  }
}

/** Loaded with the first file: it takes some 5 ms, for which commands that write nothing need not wait. */
function newSha256(): Hash {
  const { createHash }: typeof import('node:crypto') = require('node:crypto');
  return createHash('sha256');
}
