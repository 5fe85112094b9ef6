/** How pages of Parquet are compressed, and what this runtime can do of it. */
import zlib from 'node:zlib';
import type { Compression } from './book-writer.js';
import { unpackSnappy } from './parquet/snappy.js';

/** In Node.js from 22.15 on; its types here are those of an older one. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (bytes: Uint8Array, limits: { maxOutputLength: number }) => Buffer;
};

export const HAS_ZSTD = zstdDecompressSync !== undefined;

/** What `auto` is in this runtime. */
export function chosenCompression(compression: Compression): Exclude<Compression, 'auto'> {
  if (compression !== 'auto') return compression;
  return HAS_ZSTD ? 'zstd' : 'snappy';
}

/** How pages are unpacked when they are read. */
export const DECOMPRESSORS = {
  SNAPPY: unpackSnappy,
  /** @throws RangeError when there are more than `unpackedBytes`. */
  ZSTD(bytes: Uint8Array, unpackedBytes: number): Uint8Array {
    if (!zstdDecompressSync) throw new Error(`it is compressed with zstd, which can be read ${ZSTD_SINCE}`);
    return zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, unpackedBytes) });
  },
};

/** Since when Node.js has Zstandard, and that this one is older. */
export const ZSTD_SINCE = `by Node.js 22.15 and later; this is ${process.versions.node}`;
