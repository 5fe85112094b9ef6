import fs from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those above it that are not there, each durably: a file in a folder that a power cut takes away is
 * lost with it. One by one, because Node's own recursive mkdir never returns below /proc.
 */
export function makeFolder(folder: string): void {
  const there = statOfFolder(folder);
  if (there) {
    settleName(folder, there);
    return;
  }
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    const madeByAnother = (error as NodeJS.ErrnoException).code === 'EEXIST' ? statOfFolder(folder) : undefined;
    if (!madeByAnother) throw error;
    settleName(folder, madeByAnother);
    return;
  }
  flushFolder(parent);
}

/** What is known to be durable under its name: of each path the file or folder that it led to. */
const settled = new Map<string, string>();
/** Of more than that, some are asked about again: in a folder for each day there is a file or two. */
const MOST_SETTLED = 10_000;

/**
 * Sees that the name of a file or folder that is there is durable. Whoever made it may be about to see to that, or may have
 * been killed before. It is done once by each thread.
 */
export function settleName(location: string, { dev, ino }: Pick<fs.Stats, 'dev' | 'ino'>): void {
  const id = `${dev}:${ino}`;
  if (settled.get(location) === id) return;
  try {
    flushFolder(path.dirname(location));
  } catch (error) {
    // A folder that may be passed through and not be read: who may not see names in it is not who made them.
    if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  if (settled.size >= MOST_SETTLED) settled.clear();
  settled.set(location, id);
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

function statOfFolder(folder: string): fs.Stats | undefined {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() ? stat : undefined;
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
