import { StorageError } from '../storage.js';

/** What an `s3://` path names. */
export interface S3Place {
  bucket: string;
  /** Of an object, or of a folder without the `/` at its end; empty: the bucket itself. */
  key: string;
}

/** @throws {@link StorageError} when it names no bucket. */
export function parseS3Path(path: string): S3Place {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/*(.*)$/is.exec(path) ?? [];
  // As the oldest buckets may be named; the server knows its own rules.
  if (!/^[\w.-]{3,63}$/.test(bucket)) {
    throw new StorageError(`${path} names no bucket: expected s3://BUCKET/PREFIX, such as s3://my-archives/bybit`);
  }
  return { bucket, key: key.replace(/\/+$/, '') };
}

export function formatS3Path({ bucket, key }: S3Place): string {
  return key === '' ? `s3://${bucket}` : `s3://${bucket}/${key}`;
}

/** What the keys of all that is in a folder begin with. */
export function prefixOf({ key }: S3Place): string {
  return key === '' ? '' : `${key}/`;
}
