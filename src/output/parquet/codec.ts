import { type ZlibOptions, ZstdCompress } from 'minizlib';
import type { Compression } from '../book-writer.js';
import { chosenCompression, HAS_ZSTD, ZSTD_SINCE } from '../compression.js';
import { encoder } from './encoder.js';

/** What compresses a page. */
export interface Codec {
  /** As Parquet calls it. */
  name: 'SNAPPY' | 'ZSTD';
  /**
   * @param elementBytes of one element, where the bytes are a sequence of such, else 1.
   * @returns what is valid until the next page is compressed.
   */
  compress(bytes: Uint8Array, elementBytes: number): Uint8Array;
}

/** @throws Error where the runtime has no such compression. */
export function codecOf(compression: Compression): Codec {
  if (chosenCompression(compression) === 'snappy') {
    return { name: 'SNAPPY', compress: (bytes, elementBytes) => encoder().snappy(bytes, elementBytes) };
  }
  if (!HAS_ZSTD) throw new Error(`Parquet can be compressed with zstd ${ZSTD_SINCE}`);
  return { name: 'ZSTD', compress };
}

/** A context that has failed once, for want of memory perhaps, compresses nothing more: the next page gets another. */
function compress(bytes: Uint8Array): Uint8Array {
  const zstd = shared ?? new Zstd();
  shared = undefined;
  const compressed = zstd.compress(bytes);
  shared = zstd;
  return compressed;
}

/** zstd's own default is 3. */
const LEVEL = 1;
// As zstd.h has them, for a Node.js that does not.
const ZSTD_C_COMPRESSION_LEVEL = 100;
const ZSTD_E_CONTINUE = 0;
const ZSTD_E_END = 2;

/** Pages of most columns are shorter. */
const OUTPUT_BYTES = 256 * 1024;

/**
 * Compresses one page after the other into a frame each, in one context. Node's own `zstdCompressSync` makes a context for
 * each, whose memory is not given back at once: 150 MB more for a day of 500 levels a second.
 */
class Zstd {
  readonly #stream: ZstdCompress;
  #parts: Buffer[] = [];
  #failure: Error | undefined;

  constructor() {
    const options: ZlibOptions & { chunkSize: number; params: Record<number, number> } = {
      flush: ZSTD_E_CONTINUE,
      finishFlush: ZSTD_E_END,
      chunkSize: OUTPUT_BYTES,
      params: { [ZSTD_C_COMPRESSION_LEVEL]: LEVEL },
    };
    this.#stream = new ZstdCompress(options);
    this.#stream.on('data', (part) => this.#parts.push(part as Buffer));
    this.#stream.on('error', (error) => {
      this.#failure = error as Error;
    });
  }

  compress(bytes: Uint8Array): Uint8Array {
    this.#parts = [];
    this.#stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#stream.flush(ZSTD_E_END);
    if (this.#failure) throw this.#failure;
    return this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
  }
}

let shared: Zstd | undefined;
