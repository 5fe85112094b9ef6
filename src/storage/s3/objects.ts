/** Plain requests for objects: listing, looking, writing a small one. */
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { FileVersion } from '../storage.js';
import { request } from './client.js';
import { S3Error } from './error.js';
import { formatS3Path, prefixOf, type S3Place } from './path.js';

/** An object as a listing has it. */
export interface Listed extends FileVersion {
  key: string;
}

/** One answer of a listing: up to 1,000 names. */
export interface Page {
  objects: Listed[];
  /** What keys begin with up to the next `/`, that included, where folders were asked for. */
  folders: string[];
}

export interface ListOptions {
  /** Answers with what is directly below the prefix. */
  isFolder: boolean;
  maxKeys?: number;
}

/** What a note, and the hash of an object, are called in its metadata. */
const NOTE = 'bookgrid-record';
const SHA256 = 'sha256';

/**
 * All objects whose keys begin with a prefix, a page at a time, in the order of keys.
 *
 * @throws {@link S3Error}, also when an answer cannot be trusted: what a listing leaves out would be taken for missing.
 */
export async function* listPages(
  bucket: string,
  prefix: string,
  { isFolder, maxKeys }: ListOptions,
): AsyncGenerator<Page, void, undefined> {
  const place = { bucket, key: prefix };
  const wrong = (what: string) =>
    new S3Error(`${formatS3Path(place)}: the server's listing ${what}`, {
      ...({ fault: 'failed', code: 'WrongListing', syscall: 'ListObjectsV2' } as const),
      path: formatS3Path(place),
    });
  let token: string | undefined;
  do {
    const answer = await request('ListObjectsV2', place, ({ sdk, client }) =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // Keys may hold what cannot stand in XML.
          EncodingType: 'url',
          ...(isFolder && { Delimiter: '/' }),
          ...(maxKeys !== undefined && { MaxKeys: maxKeys }),
          ...(token !== undefined && { ContinuationToken: token }),
        }),
      ),
    );
    if (answer.Name === undefined && answer.IsTruncated === undefined) throw wrong('is none, but something else');
    const decode = (text: string) => {
      if (answer.EncodingType !== 'url') return text;
      try {
        return decodeURIComponent(text.replaceAll('+', ' '));
      } catch {
        throw wrong(`has a name that is not encoded as it says: ${text.slice(0, 200)}`);
      }
    };
    yield {
      objects: (answer.Contents ?? []).map(({ Key = '', Size = 0, ETag }) => ({
        key: decode(Key),
        sizeBytes: Size,
        etag: bare(ETag),
      })),
      folders: (answer.CommonPrefixes ?? []).map(({ Prefix = '' }) => decode(Prefix)),
    };
    const next = answer.IsTruncated ? answer.NextContinuationToken : undefined;
    if (answer.IsTruncated && next === undefined)
      throw wrong('ends in the middle: it has more, and does not say where');
    if (next !== undefined && next === token) throw wrong('does not go on: it has the same page again');
    token = next;
  } while (token !== undefined);
}

/** The first that a listing has: enough to see whether there is anything. */
export async function listFirst(bucket: string, prefix: string): Promise<Listed | undefined> {
  for await (const { objects } of listPages(bucket, prefix, { isFolder: false, maxKeys: 1 })) return objects[0];
  return undefined;
}

/** @throws {@link S3Error} with code `ENOENT` when there is none. */
export async function headObject(
  place: S3Place,
): Promise<{ version: FileVersion; note: string | undefined; sha256: string | undefined }> {
  const target = { Bucket: place.bucket, Key: place.key };
  const { ContentLength, ETag, Metadata } = await request('HeadObject', place, ({ sdk, client }) =>
    client.send(new sdk.HeadObjectCommand(target)),
  ).catch(async (error: S3Error) => {
    if (error.fault === 'throttled' || error.code === 'ENOENT' || error.isUnreachable) throw error;
    // An answer to HEAD has no body, and so does not say what is wrong: an expired token is a mere 400.
    const { Body } = await request('GetObject', place, ({ sdk, client }) =>
      client.send(new sdk.GetObjectCommand({ ...target, Range: 'bytes=0-0' })),
    );
    (Body as Readable | undefined)?.destroy();
    throw error;
  });
  return {
    version: { sizeBytes: ContentLength ?? 0, etag: bare(ETag) },
    note: Metadata?.[NOTE],
    sha256: Metadata?.[SHA256],
  };
}

/** What an object is to carry. */
export function metadataOf(sha256: string | undefined, note: string | undefined): Record<string, string> {
  return { ...(sha256 !== undefined && { [SHA256]: sha256 }), ...(note !== undefined && { [NOTE]: note }) };
}

/** Writes an object in one request, whose checksum the server compares. @returns its ETag. */
export async function putObject(
  place: S3Place,
  bytes: Uint8Array,
  metadata: Record<string, string> = {},
): Promise<string | undefined> {
  const { ETag } = await request('PutObject', place, ({ sdk, client }) =>
    client.send(
      new sdk.PutObjectCommand({
        Bucket: place.bucket,
        Key: place.key,
        Body: bytes,
        ContentLength: bytes.length,
        ChecksumCRC32: encodeCrc32(zlib.crc32(bytes)),
        Metadata: metadata,
      }),
    ),
  );
  return bare(ETag);
}

export async function deleteObject(place: S3Place): Promise<void> {
  await request('DeleteObject', place, ({ sdk, client }) =>
    client.send(new sdk.DeleteObjectCommand({ Bucket: place.bucket, Key: place.key })),
  );
}

/** As headers of S3 have it: four bytes, the highest first, in base64. */
export function encodeCrc32(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString('base64');
}

/** An ETag without its quotes. */
export function bare(etag: string | undefined): string | undefined {
  return etag?.replace(/^"|"$/g, '');
}

/** Whether there is anything below a key, as in a folder. */
export async function isFolder(place: S3Place): Promise<boolean> {
  return (await listFirst(place.bucket, prefixOf(place))) !== undefined;
}
