/** Objects in buckets of S3 and of servers that speak its protocol. Folders are what keys have in common up to a `/`. */
import { type ByteSource, type Entry, type Storage, StorageError } from '../storage.js';
import { versionIn } from '../version.js';
import { S3Error } from './error.js';
import { logAt, readLog, settleLogs } from './log.js';
import { deleteObject, headObject, isFolder, type Listed, listFirst, listPages } from './objects.js';
import { resumeHere, sweepPartialsFor } from './partial.js';
import { formatS3Path, parseS3Path, prefixOf, type S3Place } from './path.js';
import { S3Source } from './source.js';
import { findWritersHere, S3StagedFile } from './staged.js';
import { abortLeftUploads, requireWritable, sweepStagedFor } from './uploads.js';

/** Names and contents of all that an object carries may have 2 KB, says S3. */
const MAX_NOTE_BYTES = 1800;

/** Paths are `s3://BUCKET/KEY`. The AWS SDK is loaded with the first request. */
export const s3Storage: Storage = {
  maxNoteBytes: MAX_NOTE_BYTES,

  async *list(path) {
    const folder = parseS3Path(path);
    let isThere = folder.key === '';
    try {
      for await (const { objects, folders } of listPages(folder.bucket, prefixOf(folder), { isFolder: true })) {
        isThere ||= objects.length + folders.length > 0;
        yield* entriesOf(path, folder, objects, folders);
      }
    } catch (error) {
      throw error instanceof S3Error && error.code === 'NoSuchBucket' ? new StorageError(error.message) : error;
    }
    if (!isThere) throw new StorageError(`No such folder: ${path}`);
  },

  async look(path) {
    const place = parseS3Path(path);
    const id = formatS3Path(place);
    const name = place.key.slice(place.key.lastIndexOf('/') + 1);
    try {
      // One request where nothing is there, which is the usual answer of those that ask before they write.
      const first = await listFirst(place.bucket, place.key);
      if (place.key === '') return { name, path, kind: 'folder', id };
      if (first?.key === place.key) return { name, path, kind: 'file', id, ...versionIn(first) };
      if (first && (await isFolder(place))) return { name, path, kind: 'folder', id };
      return undefined;
    } catch (error) {
      if (error instanceof S3Error && error.code === 'NoSuchBucket') return undefined;
      throw error;
    }
  },

  open: (path) => openObject(path, { isReadOn: true }),
  realPath: async (path) => formatS3Path(parseS3Path(path)),
  openToServe: (path) => openObject(path, { isReadOn: false }),

  async readNote(path) {
    try {
      const { note, version } = await headObject(parseS3Path(path));
      return note === undefined ? undefined : { note, version };
    } catch (error) {
      if (isMissing(error)) return undefined; // removed since it was listed
      throw error;
    }
  },

  stage: (path, options) => new S3StagedFile(parseS3Path(path), options),
  resume: async (path, runId) => resumeHere(parseS3Path(path), runId),

  remove: (path) => deleteObject(parseS3Path(path)),
  writersOf: async (path, options) => findWritersHere(parseS3Path(path), options),

  async sweep(paths, endedRunId) {
    const folders = paths.map(parseS3Path);
    const files = sweepStagedFor(folders, endedRunId) + (await sweepPartialsFor(folders));
    return files + (await abortLeftUploads(folders, endedRunId));
  },

  appendLine: (path, line) => logAt(parseS3Path(path)).append(line),
  appendSoon: (path, line) => logAt(parseS3Path(path)).appendSoon(line),
  settleLogs,
  readLog: (path) => readLog(parseS3Path(path)),
  requireWritable: (path) => requireWritable(parseS3Path(path)),
  freeBytes: async () => undefined, // as many as are paid for
};

/** Blocks of an object are fetched without holding up anybody, so that a server opens it as everybody does. */
async function openObject(path: string, how: { isReadOn: boolean }): Promise<ByteSource> {
  const place = parseS3Path(path);
  try {
    if (place.key === '') throw new StorageError(`${path} is a bucket, an object was expected`);
    const { version } = await headObject(place);
    return new S3Source(place, version, how);
  } catch (error) {
    // Also tells a bucket that is not there, which the answer without a body does not.
    if (isMissing(error) && (await isFolder(place))) throw new StorageError(`${path} is a folder, not an object`);
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'ENOENT';
}

/** What a page of a listing has, in the order of names; a folder's name has its `/` in S3's order, and not in ours. */
function entriesOf(path: string, folder: S3Place, objects: Listed[], folders: string[]): Entry[] {
  const prefix = prefixOf(folder);
  const at = path.replace(/\/+$/, '');
  const entries: Entry[] = [];
  for (const { key, ...version } of objects) {
    const name = key.slice(prefix.length);
    // The object of a folder itself, as consoles make one for an empty folder, has no name.
    if (name === '' || name.startsWith('.')) continue;
    const id = formatS3Path({ bucket: folder.bucket, key });
    entries.push({ name, path: `${at}/${name}`, kind: 'file', id, ...versionIn(version) });
  }
  for (const key of folders) {
    const name = key.slice(prefix.length, -1);
    if (name.startsWith('.')) continue;
    const place = { name, path: `${at}/${name}` };
    if (name === '') entries.push({ ...place, kind: 'unusable', problem: 'its name is empty', mayBeFolder: true });
    else entries.push({ ...place, kind: 'folder', id: formatS3Path({ bucket: folder.bucket, key: key.slice(0, -1) }) });
  }
  return entries.sort(({ name: a }, { name: b }) => (a < b ? -1 : 1));
}
