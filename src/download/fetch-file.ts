/** Brings one file from its address to its place: whole and checked, or not at all. What has come is never asked for again. */
import { type Dispatcher, request } from 'undici';
import { ArchiveError } from '../archive/archive-error.js';
import { monotonicMs } from '../base/clock.js';
import { openStorage } from '../storage/open-storage.js';
import { S3Error } from '../storage/s3/error.js';
import type { FileVersion, PartialFile } from '../storage/storage.js';
import { describeRequestError, USER_AGENT } from './http.js';
import { backoffMs, type Pace, parseRetryAfter, sleep } from './pace.js';

/** How files are fetched, the same for all of a run. */
export interface FetchOptions {
  http: Dispatcher;
  /** Of all connections. */
  pace: Pace;
  runId: string;
  /** Failures in a row after which a file is given up. One after which much more is there than before counts as the first. */
  tries: number;
  /** Within so long, some kilobytes must come. */
  timeoutMs: number;
  /** How long to wait after a first failure. */
  firstBackoffMs: number;
  signal: AbortSignal;
  /** Hears of bytes that have come, and of those that were of no use, as less than none. */
  onBytes: (bytes: number) => void;
}

/** A file that is asked for. */
export interface FileRequest {
  url: string;
  /** Where it goes. */
  path: string;
  /** Throws an {@link ArchiveError} when what is there is not the file that was asked for. */
  check: (path: string) => Promise<void>;
}

/** What came of it. */
export type Fetched =
  | { status: 'fetched'; version: FileVersion }
  /** There is no such file. */
  | { status: 'absent' }
  /** Another run is at it. */
  | { status: 'busy' };

/** A file was given up. The message says what was wrong. What has come of it is kept, unless that was wrong itself. */
export class FetchError extends Error {
  override name = 'FetchError';
  /** Nobody has answered at all: neither would anybody for another file. */
  readonly isUnreachable: boolean;
  /** The address that was asked. */
  readonly url: string;

  constructor(message: string, { isUnreachable, url }: { isUnreachable: boolean; url: string }) {
    super(message);
    this.isUnreachable = isUnreachable;
    this.url = url;
  }
}

/** A try has failed, and another may not. */
class Failure extends Error {
  /** How long the host asks to be left alone, or has all connections wait; `undefined`: it is this file's affair alone. */
  readonly holdsAll: boolean;
  readonly retryAfterMs: number | undefined;
  readonly isUnreachable: boolean;

  constructor(
    message: string,
    more: { holdsAll?: boolean; retryAfterMs?: number | undefined; isUnreachable?: boolean } = {},
  ) {
    super(message);
    this.holdsAll = more.holdsAll ?? false;
    this.retryAfterMs = more.retryAfterMs;
    this.isUnreachable = more.isUnreachable ?? false;
  }
}

/** What the bytes of a partial file are of: enough to be sure that a rest is of the same file. */
interface Note {
  etag: string | undefined;
  lastModified: string | undefined;
  sizeBytes: number | undefined;
}

/** A connection that is cut after so much was worth its while. */
const MUCH_BYTES = 256 * 1024;
const MIN_BYTES_PER_SECOND = 1024;
const MAX_RETRY_AFTER_MS = 10 * 60_000;
/** No archive comes near this; an answer without an end must have one. */
const MAX_FILE_BYTES = 2 * 2 ** 30;
/** Every zip file begins with a local header (APPNOTE.TXT 4.3.7). */
const ZIP_SIGNATURE = Buffer.from('PK\x03\x04', 'latin1');

/**
 * Fetches a file, going on with what an earlier run has left of it.
 *
 * @throws {@link FetchError} when it is given up; a system error when it cannot be written; the signal's reason.
 */
export async function fetchFile(file: FileRequest, options: FetchOptions): Promise<Fetched> {
  const { pace, signal, tries, firstBackoffMs, onBytes } = options;
  const partial = await openStorage(file.path).resume(file.path, options.runId);
  if (!partial) return { status: 'busy' };
  onBytes(partial.sizeBytes);
  let failures = 0;
  /** The most that has ever been there: bytes that come again are no progress. */
  let mostBytes = partial.sizeBytes;
  const wrong: string[] = [];
  try {
    for (;;) {
      await pace.wait(signal);
      try {
        if ((await fetchRest(file.url, partial, options)) === 'absent') {
          startOver(partial, onBytes);
          return { status: 'absent' };
        }
        await checkWhole(file, partial, { wrong, onBytes });
        return { status: 'fetched', version: await partial.publish() };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof S3Error && error.fault !== 'refused') throw cannotStore(file, error);
        const failure = asFailure(error);
        failures = partial.sizeBytes - mostBytes >= MUCH_BYTES ? 1 : failures + 1;
        mostBytes = Math.max(mostBytes, partial.sizeBytes);
        const isHopeless = wrong.length > 1 && wrong.at(-1) === wrong.at(-2);
        if (failures >= tries || isHopeless) throw giveUp(file, failure, failures);
        const waitMs = failure.retryAfterMs ?? backoffMs(failures, firstBackoffMs);
        if (waitMs > MAX_RETRY_AFTER_MS) throw giveUp(file, failure, failures);
        if (failure.holdsAll) pace.hold(waitMs);
        else await sleep(waitMs, signal);
      }
    }
  } finally {
    partial.keep();
  }
}

/** @throws a {@link Failure}, when what has come is not what was asked for: it is of no use to anybody. */
async function checkWhole(
  { check }: FileRequest,
  partial: PartialFile,
  { wrong, onBytes }: { wrong: string[]; onBytes: FetchOptions['onBytes'] },
): Promise<void> {
  try {
    await check(partial.path);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    wrong.push(error.message);
    startOver(partial, onBytes);
    throw new Failure(`what came is not whole or not what was asked for: ${error.message}`);
  }
}

function startOver(partial: PartialFile, onBytes: FetchOptions['onBytes']): void {
  if (partial.sizeBytes === 0) return;
  onBytes(-partial.sizeBytes);
  partial.begin('');
}

function giveUp({ url }: FileRequest, { message, isUnreachable }: Failure, tries: number): FetchError {
  const given = `given up after ${tries === 1 ? '1 try' : `${tries} tries`}`;
  return new FetchError(`${message} (${given})`, { isUnreachable, url });
}

/** The file has come, and is kept here for the next run: one that cannot be put into its bucket must not end all others. */
function cannotStore({ url }: FileRequest, { message }: S3Error): FetchError {
  return new FetchError(message, { isUnreachable: false, url });
}

/** What can be tried again. @throws everything else. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { syscall, code = '' } = error as NodeJS.ErrnoException;
  // Of the disk, and not of a connection.
  if (syscall !== undefined && !['connect', 'read', 'write', 'getaddrinfo', 'recv', 'send'].includes(syscall))
    throw error;
  if (['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EROFS'].includes(code)) throw error;
  const { message, isUnreachable } = describeRequestError(error);
  return new Failure(message, { holdsAll: true, isUnreachable });
}

/**
 * Asks for what is not there yet, and writes it as it comes.
 *
 * @throws a {@link Failure} or an error of the connection, when it is not whole then.
 */
async function fetchRest(url: string, partial: PartialFile, options: FetchOptions): Promise<'whole' | 'absent'> {
  const { http, signal, onBytes } = options;
  const noted = parseNote(partial.note);
  if (!noted || (noted.sizeBytes !== undefined && partial.sizeBytes > noted.sizeBytes)) startOver(partial, onBytes);
  const have = partial.sizeBytes;
  if (noted && have > 0 && have === noted.sizeBytes) return 'whole';
  const range = noted && have > 0 ? rangeHeaders(noted, have) : {};
  const { statusCode, headers, body } = await request(url, {
    dispatcher: http,
    signal,
    headers: { 'user-agent': USER_AGENT, accept: '*/*', 'accept-encoding': 'identity', ...range },
  });
  try {
    const told = noteOf(headers);
    if (statusCode === 200) {
      await receive(body, undefined, { partial, note: told, options });
    } else if (statusCode === 206 && noted) {
      const total = checkRange(headers, have, { noted, told, partial, onBytes });
      await receive(body, total, { partial, note: undefined, options });
    } else if (statusCode === 416 && rangeTotal(headers['content-range']) === have && have > 0) {
      return 'whole'; // its length was told wrong before; whether it is, its content tells
    } else if (statusCode === 404 || statusCode === 410) {
      return 'absent';
    } else {
      if (statusCode === 416) startOver(partial, onBytes);
      throw refusal(statusCode, headers);
    }
    return 'whole';
  } finally {
    // What is left of an answer may never end.
    body.on('error', () => {}).destroy();
  }
}

type Headers = Dispatcher.ResponseData['headers'];
type Body = Dispatcher.ResponseData['body'];

function rangeHeaders({ etag, lastModified }: Note, have: number): Record<string, string> {
  // A weak tag must not stand in If-Range (RFC 9110, 13.1.5).
  const validator = etag !== undefined && !etag.startsWith('W/') ? etag : lastModified;
  return { range: `bytes=${have}-`, ...(validator !== undefined && { 'if-range': validator }) };
}

/** @returns the size of the whole file, as a 206 tells it. @throws a {@link Failure} when the range is not of the same file. */
function checkRange(
  headers: Headers,
  have: number,
  context: { noted: Note; told: Note; partial: PartialFile; onBytes: FetchOptions['onBytes'] },
): number | undefined {
  const { noted, told, partial, onBytes } = context;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers['content-range'])) ?? [];
  const sizeBytes = total === undefined || total === '*' ? noted.sizeBytes : Number(total);
  const isSame =
    Number(start) === have && (noted.sizeBytes ?? sizeBytes) === sizeBytes && (told.etag ?? noted.etag) === noted.etag;
  if (isSame) return sizeBytes;
  startOver(partial, onBytes);
  throw new Failure('the file has changed at its source while it was fetched, or another part than asked for was sent');
}

function refusal(statusCode: number, headers: Headers): Failure {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const holdsAll = statusCode === 429 || retryAfterMs !== undefined;
  const wait = retryAfterMs === undefined ? '' : `, and asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
  return new Failure(`the host answered with status ${statusCode}${wait}`, { holdsAll, retryAfterMs });
}

/**
 * Writes what comes.
 *
 * @param sizeBytes of the whole file, where part of it is there.
 * @param note of the file, where it comes from its beginning.
 */
async function receive(
  body: Body,
  sizeBytes: number | undefined,
  { partial, note, options }: { partial: PartialFile; note: Note | undefined; options: FetchOptions },
): Promise<void> {
  const { timeoutMs, onBytes, signal } = options;
  const whole = sizeBytes ?? note?.sizeBytes;
  const minBytes = (MIN_BYTES_PER_SECOND * timeoutMs) / 1000;
  let window = { startMs: monotonicMs(), bytes: 0 };
  let head: Buffer | undefined = note && Buffer.alloc(0);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    let bytes = chunk;
    if (head && note) {
      // Looked at before what is there is given up for it.
      head = Buffer.concat([head, chunk]);
      if (head.length < ZIP_SIGNATURE.length) continue;
      requireZip(head);
      startOver(partial, onBytes);
      partial.begin(JSON.stringify(note));
      bytes = head;
      head = undefined;
    }
    if (partial.sizeBytes + bytes.length > (whole ?? MAX_FILE_BYTES)) {
      startOver(partial, onBytes);
      throw new Failure(`more came than the ${whole ?? MAX_FILE_BYTES} bytes that the file has`);
    }
    partial.write(bytes);
    onBytes(bytes.length);
    window.bytes += bytes.length;
    const nowMs = monotonicMs();
    if (nowMs - window.startMs < timeoutMs) continue;
    if (window.bytes < minBytes)
      throw new Failure(`too slow: ${window.bytes} bytes in ${Math.round(timeoutMs / 1000)} s`);
    window = { startMs: nowMs, bytes: 0 };
  }
  if (head) requireZip(head);
  if (whole !== undefined && partial.sizeBytes < whole) {
    throw new Failure(`the connection ended after ${partial.sizeBytes} of ${whole} bytes`, { holdsAll: true });
  }
}

function requireZip(head: Buffer): void {
  if (head.subarray(0, ZIP_SIGNATURE.length).equals(ZIP_SIGNATURE)) return;
  const start = JSON.stringify(head.toString('latin1', 0, 40));
  throw new Failure(`the host answered with something that is no zip file: it begins with ${start}`);
}

function noteOf(headers: Headers): Note {
  const length = headers['content-length'];
  return {
    etag: validatorOf(headers['etag']),
    lastModified: validatorOf(headers['last-modified']),
    sizeBytes: typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
  };
}

/** `undefined` where it is none of {@link noteOf}'s. */
function parseNote(text: string | undefined): Note | undefined {
  if (!text) return undefined;
  try {
    const { etag, lastModified, sizeBytes } = JSON.parse(text) as Record<string, unknown>;
    return {
      etag: validatorOf(etag),
      lastModified: validatorOf(lastModified),
      sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : undefined,
    };
  } catch {
    return undefined;
  }
}

/** What may be sent back in a header: with any other byte in it no request could be made. */
function validatorOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[ -~]+$/.test(value) ? value : undefined;
}

/** The size of the whole file, as a 416 tells it. */
function rangeTotal(header: unknown): number | undefined {
  const [, total] = /^bytes \*\/(\d+)$/.exec(String(header)) ?? [];
  return total === undefined ? undefined : Number(total);
}
