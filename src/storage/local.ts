import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { flushFolder, makeFolder, removeEmptyFolders } from './folders.js';
import { openFile, openFileToServe, openInBackground } from './local-file.js';
import { appendLine, readLines } from './log-file.js';
import { resumePartial, sweepPartials } from './partial-file.js';
import { NOT_UTF8 } from './paths.js';
import { LocalStagedFile } from './staged-file.js';
import { findWriters, sweepStaged } from './staging.js';
import { type Entry, type Storage, StorageError } from './storage.js';
import { versionOf } from './version.js';

/** Files that are looked at at a time: on a network disk each look waits for an answer. */
const LOOKS_AT_A_TIME = 64;

/** Folders of this machine. */
export const localStorage: Storage = {
  maxNoteBytes: 0,

  async *list(folder) {
    const names = (await readFolder(folder)).filter(({ text }) => !text.startsWith('.')).sort(inOrder);
    for (let start = 0; start < names.length; start += LOOKS_AT_A_TIME) {
      const some = names.slice(start, start + LOOKS_AT_A_TIME);
      const entries = await Promise.all(some.map((name) => lookInFolder(folder, name)));
      for (const entry of entries) if (entry) yield entry;
    }
  },

  async look(file) {
    try {
      return describe(file, await fs.promises.stat(file));
    } catch (error) {
      // Not there, or not to be seen: then writing it will tell why.
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  },

  open: async (file, { inBackground = false } = {}) => (inBackground ? openInBackground(file) : openFile(file)),
  realPath: (file) => fs.promises.realpath(file),
  openToServe: openFileToServe,
  readNote: async () => undefined,
  stage: (file, options) => new LocalStagedFile(file, options),
  resume: async (file, runId) => resumePartial(file, runId),
  async remove(file, top) {
    fs.rmSync(file);
    flushFolder(path.dirname(file));
    removeEmptyFolders(path.dirname(file), top);
  },
  writersOf: async (file, options) => findWriters(file, options),
  async sweep(folders, endedRunId) {
    let removed = 0;
    for (const folder of folders) removed += sweepStaged(folder, endedRunId) + sweepPartials(folder);
    return removed;
  },
  appendLine: async (file, line) => appendLine(file, line),
  appendSoon: async (file, line) => appendLine(file, line),
  settleLogs: async () => {},
  readLog: readLines,

  async requireWritable(folder) {
    makeFolder(folder);
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
  },

  freeBytes: (folder) => freeBytesAt(path.resolve(folder)),
};

/** Asked of the nearest folder that is there, in which the others will be made. */
async function freeBytesAt(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await fs.promises.statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = path.dirname(folder);
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && parent !== folder ? freeBytesAt(parent) : undefined;
  }
}

/** A name as it is, and as text: not every name is UTF-8, and the text of those leads nowhere. */
interface Name {
  bytes: Buffer;
  text: string;
}

function inOrder({ text: a }: Name, { text: b }: Name): number {
  return a < b ? -1 : 1;
}

async function readFolder(folder: string): Promise<Name[]> {
  try {
    const names = await fs.promises.readdir(folder, { encoding: 'buffer' });
    return names.map((bytes) => ({ bytes, text: bytes.toString() }));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new StorageError(`No such folder: ${folder}`, { cause: error });
    if (code === 'ENOTDIR') throw new StorageError(`${folder} is a file, a folder was expected`, { cause: error });
    throw new StorageError(`Cannot read the folder ${folder}: ${message}`, { cause: error });
  }
}

/**
 * A link may lead nowhere, to itself, or into a closed folder: one such name must not hide the others.
 *
 * @returns `undefined` for what was removed since the folder was read.
 */
async function lookInFolder(folder: string, { bytes, text }: Name): Promise<Entry | undefined> {
  const place = { name: text, path: path.join(folder, text) };
  if (!isUtf8(bytes)) return lookAtUnspeakable(place, Buffer.concat([Buffer.from(folder + path.sep), bytes]));
  try {
    return describe(place.path, await fs.promises.stat(place.path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !(await isThere(place.path))) return undefined;
    const problem = code === 'ENOENT' ? 'a symbolic link to a file or folder that is not there' : message;
    return { ...place, kind: 'unusable', problem, mayBeFolder: true };
  }
}

/** What has a name that is not UTF-8 cannot be given to anybody by its path. */
async function lookAtUnspeakable(place: { name: string; path: string }, bytes: Buffer): Promise<Entry> {
  const mayBeFolder = await fs.promises.stat(bytes).then(
    (stat) => stat.isDirectory(),
    () => true,
  );
  return { ...place, kind: 'unusable', problem: NOT_UTF8, mayBeFolder };
}

async function isThere(file: string): Promise<boolean> {
  return fs.promises.lstat(file).then(
    () => true,
    () => false,
  );
}

function describe(file: string, stat: fs.Stats): Entry {
  const place = { name: path.basename(file), path: file };
  const id = `${stat.dev}:${stat.ino}`;
  if (stat.isDirectory()) return { ...place, kind: 'folder', id };
  if (!stat.isFile()) return { ...place, kind: 'unusable', problem: 'not a regular file', mayBeFolder: false };
  return { ...place, kind: 'file', id, ...versionOf(stat) };
}
