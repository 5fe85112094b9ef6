import fs from 'node:fs';
import path from 'node:path';
import { makeFolder } from './folders.js';
import { openFile } from './local-file.js';
import { appendLine, readLines } from './log-file.js';
import { LocalStagedFile } from './staged-file.js';
import { sweepStaged } from './staging.js';
import { type Entry, type Storage, StorageError } from './storage.js';
import { versionOf } from './version.js';

/** Files that are looked at at a time: on a network disk each look waits for an answer. */
const LOOKS_AT_A_TIME = 64;

/** Folders of this machine. */
export const localStorage: Storage = {
  async *list(folder) {
    const names = (await readFolder(folder)).filter((name) => !name.startsWith('.')).sort();
    for (let start = 0; start < names.length; start += LOOKS_AT_A_TIME) {
      yield* await Promise.all(names.slice(start, start + LOOKS_AT_A_TIME).map((name) => lookInFolder(folder, name)));
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

  open: async (file) => openFile(file),
  stage: (file, options) => new LocalStagedFile(file, options),
  sweep: async (folder, endedRunId) => sweepStaged(folder, endedRunId),
  appendLine: async (file, line) => appendLine(file, line),
  readLog: readLines,

  async requireWritable(folder) {
    makeFolder(folder);
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
  },
};

async function readFolder(folder: string): Promise<string[]> {
  try {
    return await fs.promises.readdir(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new StorageError(`No such folder: ${folder}`, { cause: error });
    if (code === 'ENOTDIR') throw new StorageError(`${folder} is a file, a folder was expected`, { cause: error });
    throw new StorageError(`Cannot read the folder ${folder}: ${message}`, { cause: error });
  }
}

/** A link may lead nowhere, to itself, or into a closed folder: one such name must not hide the others. */
async function lookInFolder(folder: string, name: string): Promise<Entry> {
  const file = path.join(folder, name);
  try {
    return describe(file, await fs.promises.stat(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'a symbolic link to a file that is not there' : message;
    return { name, path: file, kind: 'unusable', problem };
  }
}

function describe(file: string, stat: fs.Stats): Entry {
  const place = { name: path.basename(file), path: file };
  if (stat.isDirectory()) return { ...place, kind: 'folder', id: `${stat.dev}:${stat.ino}` };
  if (!stat.isFile()) return { ...place, kind: 'unusable', problem: 'not a regular file' };
  return { ...place, kind: 'file', ...versionOf(stat) };
}
