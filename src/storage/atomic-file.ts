import fs from 'node:fs';
import path from 'node:path';
import { stagedName } from './staging.js';
import { writeAll } from './write-all.js';

/** Whether there is an output at a path: a whole one, since there are no others. */
export function outputExists(filePath: string): boolean {
  try {
    return fs.statSync(filePath).isFile();
  } catch (error) {
    // Not there, or not to be seen: then writing it will tell why.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * A file that exists whole or not at all. It is written under a hidden name, flushed to disk, and renamed when it is
 * complete; the folder is flushed too, so that the name survives a power cut.
 */
export class AtomicFile {
  readonly #path: string;
  readonly #stagedPath: string;
  #fd: number | undefined;

  /**
   * @param path where the file appears on {@link commit}; its folder is made when it is not there.
   * @param tempDir where it is staged, on any file system; beside `path` when `undefined`.
   */
  constructor(filePath: string, tempDir: string | undefined) {
    this.#path = filePath;
    const stagingDir = tempDir ?? path.dirname(filePath);
    fs.mkdirSync(path.dirname(filePath), { recursive: true });
    fs.mkdirSync(stagingDir, { recursive: true });
    this.#stagedPath = path.join(stagingDir, stagedName(path.basename(filePath)));
    this.#fd = fs.openSync(this.#stagedPath, 'wx');
  }

  write(bytes: Uint8Array): void {
    if (this.#fd === undefined) throw new Error(`${this.#path} is already closed`);
    writeAll(this.#fd, bytes);
  }

  /** Makes what was written appear at its path, in place of what was there. */
  commit(): void {
    const fd = this.#fd;
    if (fd === undefined) throw new Error(`${this.#path} is already closed`);
    fs.fsyncSync(fd);
    this.#close();
    this.#rename();
    flushFolder(path.dirname(this.#path));
  }

  /** Leaves nothing behind, whatever happened before. Does nothing after {@link commit}. */
  discard(): void {
    try {
      this.#close();
    } finally {
      fs.rmSync(this.#stagedPath, { force: true });
    }
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }

  #rename(): void {
    try {
      fs.renameSync(this.#stagedPath, this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      this.#copyAcrossAndRename();
    }
  }

  /** A rename is atomic within a file system only: from another one the file is first copied beside its place. */
  #copyAcrossAndRename(): void {
    const folder = path.dirname(this.#path);
    const copy = path.join(folder, stagedName(path.basename(this.#path)));
    try {
      fs.copyFileSync(this.#stagedPath, copy, fs.constants.COPYFILE_EXCL);
      flush(copy, 'r+');
      fs.renameSync(copy, this.#path);
    } finally {
      fs.rmSync(copy, { force: true });
      fs.rmSync(this.#stagedPath, { force: true });
    }
  }
}

function flush(file: string, flags: string): void {
  const fd = fs.openSync(file, flags);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Windows cannot open folders, and keeps names in its journal without being asked. */
function flushFolder(folder: string): void {
  if (process.platform !== 'win32') flush(folder, 'r');
}
