import { Gunzip, InflateRaw, type ZlibOptions } from 'minizlib';

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
 * @param format `deflate` for a zip member's raw data, `gzip` for a whole gzip file of one or several members,
 * whose CRC-32 and lengths zlib checks by itself.
 * @throws an error with zlib's message when the data is damaged or ends too early.
 */
export async function* inflate(compressed: AsyncIterable<Buffer>, format: 'deflate' | 'gzip'): AsyncGenerator<Buffer> {
  const options: ZlibOptions & { chunkSize: number } = { chunkSize: OUTPUT_BYTES };
  const inflater = format === 'gzip' ? new Gunzip(options) : new InflateRaw(options);
  const inflated: Buffer[] = [];
  let failure: Error | undefined;
  inflater.on('data', (chunk) => inflated.push(chunk));
  inflater.on('error', (error) => {
    failure = error as Error;
  });
  try {
    for await (const piece of compressed) {
      for (let start = 0; start < piece.length; start += INPUT_SLICE_BYTES) {
        inflater.write(piece.subarray(start, start + INPUT_SLICE_BYTES));
        yield* inflated.splice(0);
        if (failure) throw failure;
      }
    }
    inflater.end();
    yield* inflated.splice(0);
    if (failure) throw failure;
  } finally {
    inflater.close();
  }
}
