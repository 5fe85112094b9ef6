import { Gunzip, InflateRaw, type ZlibOptions } from 'minizlib';
import { DamagedDataError } from './archive-error.js';

/** Output comes in buffers of at most this size. zlib's default of 16 KiB costs more than half of its speed. */
const OUTPUT_BYTES = 1024 * 1024;

/**
 * Compressed input is handed over in slices of this size, because all that a slice inflates to is in memory at
 * once: deflate expands at most 1,032 times (zlib's technical notes), so 33 MB for the worst input there is.
 */
const INPUT_SLICE_BYTES = 32 * 1024;

/**
 * Inflates a stream, in the calling thread. Node's own zlib streams share libuv's thread pool (four threads for
 * the whole process), which would hold any number of workers to the speed of four; minizlib drives the same zlib
 * synchronously.
 *
 * @throws an error with zlib's message when the data is damaged or ends too early.
 */
async function* inflate(compressed: AsyncIterable<Buffer>, format: 'deflate' | 'gzip'): AsyncGenerator<Buffer> {
  let stream = new InflateStream(format);
  try {
    for await (const piece of compressed) {
      for (let start = 0; start < piece.length; ) {
        const slice = piece.subarray(start, start + INPUT_SLICE_BYTES);
        const used = stream.write(slice);
        yield* stream.take();
        start += used;
        if (used === slice.length) continue;
        // zlib leaves input only when its stream has ended.
        if (format === 'deflate') throw new DamagedDataError('damaged: bytes follow the end of the deflate data');
        while (start < piece.length && piece[start] === 0) start++;
        if (start < piece.length) {
          stream.close();
          stream = new InflateStream(format);
        }
      }
    }
    stream.end();
    yield* stream.take();
  } catch (error) {
    // What came before the damage comes out too: an audit tells of it.
    yield* stream.take();
    throw error;
  } finally {
    stream.close();
  }
}

/** Inflates a zip member's raw data, which must end where the data ends. */
export function inflateDeflate(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  return inflate(compressed, 'deflate');
}

/**
 * Inflates a gzip file of one or several members, whose CRC-32 and lengths zlib checks by itself. Zeros may pad members,
 * as tapes do it.
 */
export function inflateGzip(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  return inflate(compressed, 'gzip');
}

/** minizlib's stream as two plain calls: bytes in, bytes out. */
class InflateStream {
  readonly #inflater: Gunzip | InflateRaw;
  #inflated: Buffer[] = [];
  #failure: Error | undefined;

  constructor(format: 'deflate' | 'gzip') {
    const options: ZlibOptions & { chunkSize: number } = { chunkSize: OUTPUT_BYTES };
    this.#inflater = format === 'gzip' ? new Gunzip(options) : new InflateRaw(options);
    this.#inflater.on('data', (chunk) => this.#inflated.push(chunk));
    this.#inflater.on('error', (error) => {
      this.#failure = error as Error;
    });
  }

  /** @returns how many bytes of the input were used: all, unless the compressed data ends before. */
  write(input: Buffer): number {
    this.#inflater.write(input);
    this.#check();
    return this.#inflater.handle?.bytesWritten ?? 0;
  }

  end(): void {
    this.#inflater.end();
    this.#check();
  }

  take(): Buffer[] {
    return this.#inflated.splice(0);
  }

  close(): void {
    this.#inflater.close();
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}
