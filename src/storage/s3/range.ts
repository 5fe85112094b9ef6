/** Reads a range of an object: in this thread, or in another one beside it. */
import { setTimeout } from 'node:timers/promises';
import type { FileVersion } from '../storage.js';
import { request, type S3Connection } from './client.js';
import { S3Error } from './error.js';
import { bare } from './objects.js';
import { formatS3Path, type S3Place } from './path.js';
import { type Reception, withReception } from './receiver.js';

const READ_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 100;

export interface RangeOptions {
  signal: AbortSignal;
  /** A body of which nothing has come for so long is asked for again. */
  silenceMs?: number;
  /** Receives in another thread, see `receiver.ts`. The buffer is of shared memory. */
  isBeside?: boolean;
}

/**
 * Fills a buffer with a range of one version of an object. The SDK repeats a request that is not answered; a body that
 * breaks off, or comes to a halt, is asked for again here, from where it ended.
 *
 * @throws {@link S3Error}, also when the object is of another version meanwhile.
 */
export async function readRange(
  place: S3Place,
  { sizeBytes, etag }: FileVersion,
  startByte: number,
  buffer: Uint8Array,
  { signal, silenceMs = 30_000, isBeside = false }: RangeOptions,
): Promise<void> {
  const receive = isBeside ? receiveBeside : receiveHere;
  let filled = 0;
  for (let attempt = 1; filled < buffer.length; attempt++) {
    let filledBytes = 0;
    try {
      const range = { place, etag, startByte: startByte + filled, into: buffer.subarray(filled), signal, silenceMs };
      const received = await receive(range);
      filledBytes = received.filledBytes;
      filled += filledBytes;
      if (received.brokenOff) throw received.brokenOff;
      if (filledBytes === 0) throw new Error('fewer bytes came than were asked for');
    } catch (error) {
      signal.throwIfAborted();
      if (isReplaced(error)) throw replaced(place, sizeBytes);
      if (error instanceof S3Error) throw error; // after all tries of the SDK
      if (filledBytes > 0) attempt = 0; // it goes on, if in small steps
      if (attempt >= READ_ATTEMPTS) throw brokenOff(place, error as Error);
      await setTimeout(Math.random() * FIRST_PAUSE_MS * 2 ** attempt, undefined, { signal });
    }
  }
}

/** What is asked for in one request. */
interface Range {
  place: S3Place;
  etag: string | undefined;
  startByte: number;
  into: Uint8Array;
  signal: AbortSignal;
  silenceMs: number;
}

/** How much came of what was asked for, and why no more, if it broke off. */
interface Received {
  filledBytes: number;
  brokenOff?: Error | undefined;
}

async function receiveHere({ place, etag, startByte, into, signal, silenceMs }: Range): Promise<Received> {
  const answer = await request('GetObject', place, ({ sdk, client }) =>
    client.send(getRange(sdk, place, etag, startByte, into.length), { abortSignal: signal }),
  );
  const body = answer.Body as NodeJS.ReadableStream & { destroy(error?: Error): void };
  const stop = () => body.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  signal.addEventListener('abort', stop);
  const halt = () => body.destroy(new Error(`nothing came for ${silenceMs / 1000} s`));
  const timer = globalThis.setTimeout(halt, silenceMs);
  let filledBytes = 0;
  try {
    requireVersion(place, answer.ETag, etag);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.refresh();
      if (filledBytes + chunk.length > into.length) throw new Error('more bytes came than were asked for');
      into.set(chunk, filledBytes);
      filledBytes += chunk.length;
    }
    return { filledBytes };
  } catch (error) {
    if (error instanceof S3Error) throw error;
    return { filledBytes, brokenOff: error as Error };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

async function receiveBeside({ place, etag, startByte, into, signal, silenceMs }: Range): Promise<Received> {
  const reception: Reception = { into, silenceMs, filledBytes: 0 };
  const answer = await request('GetObject', place, ({ sdk, receiving }) =>
    receiving().send(
      getRange(sdk, place, etag, startByte, into.length),
      withReception({ abortSignal: signal }, reception),
    ),
  );
  requireVersion(place, answer.ETag, etag);
  return reception;
}

function getRange(
  sdk: S3Connection['sdk'],
  { bucket, key }: S3Place,
  etag: string | undefined,
  startByte: number,
  length: number,
) {
  return new sdk.GetObjectCommand({
    Bucket: bucket,
    Key: key,
    Range: `bytes=${startByte}-${startByte + length - 1}`,
    ...(etag !== undefined && { IfMatch: `"${etag}"` }),
  });
}

/** A server that does not know If-Match still tells what it has sent. */
function requireVersion(place: S3Place, sent: string | undefined, etag: string | undefined): void {
  if (etag !== undefined && bare(sent) !== etag) throw replaced(place, undefined);
}

/** Some servers look at the range before they look at the ETag. */
function isReplaced(error: unknown): boolean {
  return error instanceof S3Error && (error.code === 'PreconditionFailed' || error.code === 'InvalidRange');
}

/** Not the archive is at fault, nor has it to be fetched anew. */
function replaced(place: S3Place, sizeBytes: number | undefined): S3Error {
  const was = sizeBytes === undefined ? '' : `, of ${sizeBytes} bytes when reading began,`;
  const path = formatS3Path(place);
  return new S3Error(`${path}${was} was replaced while it was being read: run again`, {
    ...({ fault: 'failed', code: 'EREPLACED', syscall: 'GetObject' } as const),
    path,
  });
}

function brokenOff(place: S3Place, { message }: Error): S3Error {
  return new S3Error(
    `${formatS3Path(place)}: the server breaks off in the middle, also after ${READ_ATTEMPTS} tries (${message})`,
    { fault: 'failed', code: 'EBROKEN', syscall: 'GetObject', path: formatS3Path(place) },
  );
}
