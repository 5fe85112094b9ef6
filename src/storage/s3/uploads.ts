/**
 * Uploads in parts: an object appears when the last request completes it, and not before. What a run has begun and did
 * not complete costs money and is seen in no listing of objects, so each upload is noted on this machine until it has
 * ended, and whoever comes after a dead run ends its uploads.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { monotonicMs } from '../../base/clock.js';
import { isLeftover, stagedName } from '../staging.js';
import { type StagingOptions, StorageError } from '../storage.js';
import { request } from './client.js';
import { S3Error } from './error.js';
import { bare, encodeCrc32, headObject, metadataOf, putObject } from './objects.js';
import { formatS3Path, parseS3Path, prefixOf, type S3Place } from './path.js';
import { type S3Settings, s3Settings } from './settings.js';

/** Up to this size an object is written in one request; parts of larger ones are as large. At least 5 MiB, says S3. */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** Of all uploads of a thread: each part is in memory. */
const PARTS_AT_A_TIME = 2;
const sending = new Set<Promise<unknown>>();
/** Memory of parts that have been sent. It is used again: left to the garbage collector, more would be there at a time. */
const freeParts: Buffer[] = [];

/** Of uploads that are noted nowhere here: they were begun on other machines, by whatever program. */
const FOREIGN_AGE_MS = 7 * 24 * 60 * 60 * 1000;

/** What is uploaded. */
export interface Content {
  /** A file of this machine. */
  file: string;
  /** What it is called among such files, see {@link localName}. */
  name: string;
  sizeBytes: number;
  sha256: string;
  runId: string;
  note: string | undefined;
}

/**
 * Makes an object of a file, whole and in one step. The server compares the checksum of each part and, where it can, of
 * the whole.
 *
 * @returns the object's ETag.
 * @throws {@link S3Error}; then nothing of it is left, as far as the server can be reached.
 */
export async function upload(place: S3Place, content: Content): Promise<string | undefined> {
  const { file, sizeBytes, sha256, note } = content;
  if (sizeBytes <= PART_BYTES) return putObject(place, fs.readFileSync(file), metadataOf(sha256, note));
  try {
    return await uploadInParts(place, content);
  } catch (error) {
    if (!isUploadGone(error)) throw error;
    return uploadInParts(place, content); // another machine that makes the same object took it for a leftover
  }
}

function isUploadGone(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'NoSuchUpload';
}

async function uploadInParts(place: S3Place, content: Content): Promise<string | undefined> {
  const startMs = monotonicMs();
  const { UploadId: uploadId = '', $metadata } = await request('CreateMultipartUpload', place, ({ sdk, client }) =>
    client.send(
      new sdk.CreateMultipartUploadCommand({
        ...target(place),
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
        Metadata: metadataOf(content.sha256, content.note),
      }),
    ),
  );
  const begun = { ...place, uploadId, settings: s3Settings() };
  const forget = await noteUpload(begun, content);
  // Each try that the server heard of has begun an upload, and only the last one's answer came.
  const mayHaveTwins = ($metadata.attempts ?? 1) > 1;
  const lastMs = mayHaveTwins ? await begunMsOf(begun) : undefined;
  const firstMs = (lastMs ?? 0) - (monotonicMs() - startMs) - 1000; // the server tells whole seconds
  try {
    const { parts, crc32 } = await uploadParts(begun, content);
    const etag = await complete(begun, parts, crc32, content);
    forget();
    return etag;
  } catch (error) {
    if (await abort(begun)) forget();
    throw error;
  } finally {
    if (lastMs !== undefined) {
      const isTwin = ({ key, begunMs }: Listed) => key === place.key && begunMs >= firstMs && begunMs <= lastMs;
      await abortUnnoted(place, place.key, readUploadIds(listNotes()), isTwin);
    }
  }
}

/** An upload that has begun, and is not yet an object. */
interface Begun extends S3Place {
  uploadId: string;
  settings: S3Settings;
}

interface Part {
  PartNumber: number;
  ETag: string | undefined;
  ChecksumCRC32: string;
}

async function uploadParts(begun: Begun, { file, sizeBytes }: Content): Promise<{ parts: Part[]; crc32: number }> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
  const parts: Promise<Part>[] = [];
  let crc32 = 0;
  const fd = fs.openSync(file, 'r');
  try {
    for (let start = 0; start < sizeBytes; start += partBytes) {
      await parts.at(-PARTS_AT_A_TIME);
      while (sending.size >= PARTS_AT_A_TIME) await Promise.race(sending);
      const memory = freeParts.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
      const bytes = readPart(fd, start, fitting(memory, Math.min(partBytes, sizeBytes - start)));
      crc32 = zlib.crc32(bytes, crc32);
      const part = uploadPart(begun, parts.length + 1, bytes);
      const ended: Promise<unknown> = part
        .catch(() => {}) // what has failed is awaited below
        .then(() => {
          sending.delete(ended);
          freeParts.push(memory);
        });
      sending.add(ended);
      parts.push(part);
    }
    return { parts: await Promise.all(parts), crc32 };
  } finally {
    fs.closeSync(fd);
    await Promise.allSettled(parts); // a part that comes after the end of its upload would be left
  }
}

/** Memory for a part. Those of objects of more than 80 GB are larger than usual, and get some of their own. */
function fitting(memory: Buffer, length: number): Buffer {
  return length <= memory.length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
}

function readPart(fd: number, position: number, bytes: Buffer): Buffer {
  for (let filled = 0; filled < bytes.length; ) {
    const count = fs.readSync(fd, bytes, filled, bytes.length - filled, position + filled);
    if (count === 0) throw new StorageError('a staged file was cut short before it was uploaded');
    filled += count;
  }
  return bytes;
}

async function uploadPart(begun: Begun, partNumber: number, bytes: Buffer): Promise<Part> {
  const ChecksumCRC32 = encodeCrc32(zlib.crc32(bytes));
  const { ETag } = await request('UploadPart', begun, ({ sdk, client }) =>
    client.send(
      new sdk.UploadPartCommand({
        ...target(begun),
        UploadId: begun.uploadId,
        PartNumber: partNumber,
        Body: bytes,
        ContentLength: bytes.length,
        ChecksumCRC32,
      }),
    ),
  );
  return { PartNumber: partNumber, ETag, ChecksumCRC32 };
}

async function complete(
  begun: Begun,
  parts: Part[],
  crc32: number,
  { sizeBytes, sha256 }: Content,
): Promise<string | undefined> {
  try {
    const { ETag } = await request('CompleteMultipartUpload', begun, ({ sdk, client }) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...target(begun),
          UploadId: begun.uploadId,
          MultipartUpload: { Parts: parts },
          ChecksumType: 'FULL_OBJECT',
          ChecksumCRC32: encodeCrc32(crc32),
        }),
      ),
    );
    return bare(ETag);
  } catch (error) {
    // The first try may have been carried out, and its answer lost: then there is no upload any more for the second.
    if (!isUploadGone(error)) throw error;
    const there = await headObject(begun).catch((missing: S3Error) => {
      if (missing.code !== 'ENOENT') throw missing;
      return undefined;
    });
    if (there?.sha256 !== sha256 || there.version.sizeBytes !== sizeBytes) throw error;
    return there.version.etag;
  }
}

const WRITE_CHECK = '.bookgrid-write-check';
/** In names of what is noted here of a write check: it is of no run. */
const NO_RUN = 'none';

/**
 * Sees that objects can be written to a folder, and leaves nothing there. A check that is killed is ended by whoever
 * sweeps a folder below.
 *
 * @throws {@link S3Error} when they cannot.
 */
export async function requireWritable(folder: S3Place): Promise<void> {
  const place = { bucket: folder.bucket, key: `${prefixOf(folder)}${WRITE_CHECK}` };
  const { UploadId: uploadId = '' } = await request('CreateMultipartUpload', place, ({ sdk, client }) =>
    client.send(new sdk.CreateMultipartUploadCommand(target(place))),
  );
  const begun = { ...place, uploadId, settings: s3Settings() };
  const forget = await noteUpload(begun, { name: localName(place, {}), runId: NO_RUN });
  if (await abort(begun)) forget();
}

/** Folders whose uploads are asked for at a time. */
const ASKED_AT_A_TIME = 16;

/**
 * Ends the uploads into folders that dead runs of this machine have begun, or the run `endedRunId`; without one also those
 * of whoever else that began a week ago.
 *
 * @returns how many.
 */
export async function abortLeftUploads(folders: readonly S3Place[], endedRunId: string | undefined): Promise<number> {
  const notes = listNotes();
  const byHash = byHashOf(folders);
  let ended = 0;
  for (const name of notes) {
    const likely = byHash.get(hashIn(name)) ?? (name.includes(WRITE_CHECK) ? folders : []);
    const file = path.join(os.tmpdir(), name);
    if (likely.length === 0 || !isLeftover(name.replace(NOTE_ENDING, '.part'), file, endedRunId)) continue;
    const note = readNote(file);
    if (note === undefined) continue;
    if (note !== 'cut off') {
      // Whoever else can write to that folder may have written it.
      if (!likely.some((folder) => isIn(folder, note) || isCheckAbove(folder, note))) continue;
      if (!(await abort(note))) continue;
      ended++;
    }
    fs.rmSync(file, { force: true });
  }
  if (endedRunId !== undefined) return ended;
  const noted = readUploadIds(notes);
  for (let start = 0; start < folders.length; start += ASKED_AT_A_TIME) {
    const some = folders.slice(start, start + ASKED_AT_A_TIME).map((folder) => {
      const prefix = prefixOf(folder);
      const isOld = ({ key, begunMs }: Listed) => Date.now() - begunMs > FOREIGN_AGE_MS && isDirectlyIn(prefix, key);
      return abortUnnoted(folder, prefix, noted, isOld);
    });
    for (const count of await Promise.all(some)) ended += count;
  }
  return ended;
}

function isIn(folder: S3Place, { bucket, key }: S3Place): boolean {
  return bucket === folder.bucket && key.startsWith(prefixOf(folder));
}

/** Whether it is a write check of the folder or of one above. */
function isCheckAbove(folder: S3Place, { bucket, key }: S3Place): boolean {
  const isOfFolder = prefixOf(folder).startsWith(key.slice(0, -WRITE_CHECK.length));
  return bucket === folder.bucket && key.endsWith(WRITE_CHECK) && isOfFolder;
}

/** Also in folders such as `date=2025-01-15`, which are said to be columns of the files, and not to be folders. */
function isDirectlyIn(prefix: string, key: string): boolean {
  const folders = key.slice(prefix.length).split('/').slice(0, -1);
  return folders.every((name) => name.includes('='));
}

/** Ends uploads of which nothing is noted here, of the keys that begin so. */
async function abortUnnoted(
  place: S3Place,
  prefix: string,
  noted: ReadonlySet<string>,
  isLeft: (upload: Listed) => boolean,
): Promise<number> {
  let ended = 0;
  try {
    for await (const upload of listUploads(place, prefix)) {
      if (!noted.has(upload.uploadId) && isLeft(upload) && (await abort(upload))) ended++;
    }
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    // Not every server lists uploads, nor every user may. What is left does no harm but to the bill.
  }
  return ended;
}

/** An upload as a listing has it. */
interface Listed extends Begun {
  /** Since the epoch, by the server's clock. */
  begunMs: number;
}

/** When an upload began; `undefined` where the server does not list uploads, or not for this user. */
async function begunMsOf({ uploadId, ...place }: Begun): Promise<number | undefined> {
  try {
    for await (const listed of listUploads(place, place.key)) if (listed.uploadId === uploadId) return listed.begunMs;
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
  }
  return undefined;
}

async function* listUploads({ bucket, key }: S3Place, prefix: string): AsyncGenerator<Listed> {
  let from: Marker | undefined;
  do {
    const { Uploads = [], ...answer } = await listUploadsFrom({ bucket, key }, prefix, from);
    for (const { Key, UploadId: uploadId, Initiated } of Uploads) {
      if (Key === undefined || uploadId === undefined) continue;
      const begunMs = Initiated?.getTime() ?? Date.now();
      yield { bucket, key: Key, uploadId, settings: s3Settings(), begunMs };
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = answer;
    if (KeyMarker === from?.KeyMarker && UploadIdMarker === from?.UploadIdMarker) return; // it does not go on
    from = IsTruncated && KeyMarker ? { KeyMarker, UploadIdMarker } : undefined;
  } while (from);
}

/** Where a listing of uploads goes on. */
interface Marker {
  KeyMarker: string;
  UploadIdMarker: string | undefined;
}

function listUploadsFrom(place: S3Place, prefix: string, from: Marker | undefined) {
  return request('ListMultipartUploads', place, ({ sdk, client }) =>
    client.send(
      new sdk.ListMultipartUploadsCommand({
        Bucket: place.bucket,
        Prefix: prefix,
        ...from,
      }),
    ),
  );
}

/** @returns whether it has ended, now or before. */
async function abort(begun: Begun): Promise<boolean> {
  if (!isSameServer(begun.settings)) return false;
  try {
    await request('AbortMultipartUpload', begun, ({ sdk, client }) =>
      client.send(new sdk.AbortMultipartUploadCommand({ ...target(begun), UploadId: begun.uploadId })),
    );
    return true;
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return error.code === 'NoSuchUpload' || error.code === 'ENOENT';
  }
}

function isSameServer({ endpoint }: S3Settings): boolean {
  return endpoint === s3Settings().endpoint;
}

function target({ bucket, key }: S3Place): { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: key };
}

const NOTE_ENDING = '.upload';

/**
 * Notes an upload durably enough for a process that is killed.
 *
 * @returns what removes the note.
 * @throws {@link NoteError}; then the upload is ended.
 */
async function noteUpload(begun: Begun, content: Pick<Content, 'name' | 'runId'>): Promise<() => void> {
  const name = stagedName(content.name, content.runId).replace(/\.part$/, NOTE_ENDING);
  const file = path.join(os.tmpdir(), name);
  try {
    fs.writeFileSync(file, JSON.stringify(begun), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    await abort(begun); // nobody would know of it
    throw new NoteError(error as Error);
  }
  return () => fs.rmSync(file, { force: true });
}

/** An upload cannot be noted, such as in a container whose own files cannot be written. */
class NoteError extends StorageError {
  readonly code: string | undefined;

  constructor(cause: Error) {
    super(`uploads are noted in ${os.tmpdir()}, which fails (${cause.message}): set TMPDIR to another folder`, {
      cause,
    });
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

/** With the hash of {@link localName}. */
const NOTE_HERE = /^\.[0-9a-f]{8}\..+\.upload$/;
/** A key and an upload's id have a kilobyte each. */
const MAX_NOTE_BYTES = 16 * 1024;

function listNotes(): string[] {
  return listTemp().filter((name) => NOTE_HERE.test(name));
}

function readUploadIds(notes: readonly string[]): Set<string> {
  const read = notes.map((name) => readNote(path.join(os.tmpdir(), name)));
  return new Set(read.flatMap((note) => (note === undefined || note === 'cut off' ? [] : note.uploadId)));
}

/**
 * Reads a note. The folder is everybody's, and whatever may bear such a name there.
 *
 * @returns `cut off`: its process was killed before anything was uploaded. `undefined`: it is not for us, since it is of
 * another user, or of another program.
 */
function readNote(file: string): Begun | 'cut off' | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants; // a pipe is opened without a wait
  let text: string;
  try {
    const fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile() || stat.size > MAX_NOTE_BYTES || stat.uid !== process.getuid?.()) return undefined;
      text = fs.readFileSync(fd, 'utf8');
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return undefined;
  }
  try {
    const { bucket, key, uploadId, settings } = JSON.parse(text) as Begun;
    return { bucket, key, uploadId, settings };
  } catch {
    return 'cut off';
  }
}

/** A staged file of any folder: with the hash of {@link localName}. */
const STAGED_HERE = /^\.[0-9a-f]{8}\..+\.part$/;

/**
 * Removes what the run `endedRunId` has staged for folders, and what dead runs of this machine have staged, also for other
 * folders: of an output that had just appeared when its run was killed nobody would look at its folder again.
 *
 * @returns how many files of those folders.
 */
export function sweepStagedFor(folders: readonly S3Place[], endedRunId: string | undefined): number {
  const byHash = byHashOf(folders);
  let removed = 0;
  for (const name of listTemp().filter((name) => STAGED_HERE.test(name))) {
    const file = path.join(os.tmpdir(), name);
    const isOfFolder = byHash.has(hashIn(name));
    if (!isLeftover(name, file, isOfFolder ? endedRunId : undefined)) continue;
    try {
      fs.rmSync(file);
      if (isOfFolder) removed++;
    } catch {
      // A leftover does no harm.
    }
  }
  return removed;
}

function byHashOf(folders: readonly S3Place[]): Map<string, S3Place[]> {
  const byHash = new Map<string, S3Place[]>();
  for (const folder of folders) byHash.set(hashOf(folder), [...(byHash.get(hashOf(folder)) ?? []), folder]);
  return byHash;
}

/** Of the folder that a file of this machine is for, by its name. */
function hashIn(name: string): string {
  return name.split('.', 2)[1] ?? '';
}

/** What an object's file is called on this machine: with a hash of the folder that is swept, since it lies among others. */
export function localName(place: S3Place, { stagingDir }: Pick<StagingOptions, 'stagingDir'>): string {
  const end = Math.max(0, place.key.lastIndexOf('/'));
  const folder = stagingDir === undefined ? { ...place, key: place.key.slice(0, end) } : parseS3Path(stagingDir);
  return `${hashOf(folder)}.${place.key.slice(place.key.lastIndexOf('/') + 1)}`;
}

/** Of a folder's path, for names on this machine. */
export function hashOf(folder: S3Place): string {
  return zlib.crc32(formatS3Path(folder)).toString(16).padStart(8, '0');
}

function listTemp(): string[] {
  try {
    return fs.readdirSync(os.tmpdir());
  } catch {
    return [];
  }
}
