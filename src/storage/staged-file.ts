import type { Hash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { flush, flushFolder, makeFolder, removeEmptyFolders } from './folders.js';
import { stagedName, stagingPlace } from './staging.js';
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
  /** The file's own folder, or one above: it outlives the file. */
  readonly #stagingDir: string;
  readonly #runId: string;
  #fd: number | undefined;
  #writtenBytes = 0;
  #hash = newSha256();
  #identity: StoredIdentity | undefined;

  constructor(filePath: string, { runId, tempDir, stagingDir = path.dirname(filePath) }: StagingOptions) {
    this.#path = filePath;
    this.#stagingDir = stagingDir;
    this.#runId = runId;
    makeFolder(stagingDir);
    if (tempDir !== undefined) makeFolder(tempDir);
    const { folder, name } = stagingPlace(filePath, { stagingDir, tempDir });
    this.stagedPath = path.join(folder, stagedName(name, runId));
    this.#fd = fs.openSync(this.stagedPath, 'wx');
  }

  write(bytes: Uint8Array): void {
    writeAll(this.#openFd(), bytes, this.#writtenBytes);
    this.#writtenBytes += bytes.length;
    this.#hash.update(bytes);
  }

  flush(): StoredIdentity {
    fs.fsyncSync(this.#openFd());
    const identity = this.end();
    makeFolder(path.dirname(this.#path));
    return identity;
  }

  /** As {@link flush}, of a file that need not outlive a power cut: it only goes on to another place. */
  end(): StoredIdentity {
    this.#identity = { ...versionOf(fs.fstatSync(this.#openFd())), sha256: this.#hash.digest('hex') };
    this.#close();
    return this.#identity;
  }

  restart(): void {
    fs.ftruncateSync(this.#openFd());
    this.#writtenBytes = 0;
    this.#hash = newSha256();
  }

  async publish(): Promise<FileVersion> {
    if (!this.#identity) throw new Error(`${this.#path} is to be flushed before it is published`);
    makeFolder(path.dirname(this.#path)); // another run that gave up may have removed it
    this.#rename();
    flushFolder(path.dirname(this.#path));
    return versionIn(this.#identity);
  }

  discard(): void {
    try {
      this.#close();
    } finally {
      fs.rmSync(this.stagedPath, { force: true });
      removeEmptyFolders(path.dirname(this.#path), this.#stagingDir);
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
    const copy = path.join(this.#stagingDir, stagedName(path.basename(this.#path), this.#runId));
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
