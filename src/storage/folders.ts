import fs from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those above it that are not there, each durably: a file in a folder that a power cut takes away is
 * lost with it. One by one, because Node's own recursive mkdir never returns below /proc.
 */
export function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isFolder(folder)) return; // another run has made it
    throw error;
  }
  flushFolder(parent);
}

/** Removes a folder and those above it, up to but without `top`, as long as they are empty. One that stays does no harm. */
export function removeEmptyFolders(folder: string, top: string): void {
  const below = path.relative(top, folder);
  if (below === '' || below.startsWith('..')) return;
  try {
    fs.rmdirSync(folder);
  } catch {
    return;
  }
  removeEmptyFolders(path.dirname(folder), top);
}

function isFolder(folder: string): boolean {
  return fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Makes names in a folder durable. Windows cannot open folders, and keeps names in its journal without being asked. */
export function flushFolder(folder: string): void {
  if (process.platform !== 'win32') flush(folder, 'r');
}

/** Makes what was written to a file durable. */
export function flush(file: string, flags: string): void {
  const fd = fs.openSync(file, flags);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
