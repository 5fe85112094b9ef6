import {
  INPUT_BYTES,
  type InflateKernel,
  loadInflateKernel,
  OUTPUT_BYTES,
  OUTPUT_SLACK_BYTES,
  WINDOW_BYTES,
} from '../wasm/inflate-kernel.js';
import { createMemory, growTo } from '../wasm/memory.js';
import { DamagedDataError } from './archive-error.js';

/** What `inflate` answers; below zero: an error. */
export const STATUS = { done: 0, needsInput: 1, outputFull: 2 } as const;

/** Messages of the kernel's errors, -1 first. They are zlib's, so that both inflaters report alike. */
export const ERRORS = [
  'unexpected end of file',
  'invalid block type',
  'invalid stored block lengths',
  'too many length or distance symbols',
  'invalid code lengths set',
  'invalid bit length repeat',
  'invalid code -- missing end-of-block',
  'invalid literal/lengths set',
  'invalid distances set',
  'invalid literal/length code',
  'invalid distance code',
  'invalid distance too far back',
];

export interface KernelInflateOptions {
  /** Nobody else's until the stream has ended. Default: a new one. */
  inflater?: InflateKernel | undefined;
  /** Sizes of the areas for input and output. */
  inputBytes?: number;
  outputBytes?: number;
}

/**
 * Inflates raw deflate data in WebAssembly: faster than zlib, in memory that does not grow with the data. It accepts
 * what zlib accepts, and refuses what zlib refuses.
 *
 * @returns chunks of the output, each a view that holds until the next is asked for.
 * @throws {@link DamagedDataError} with zlib's message when the data is damaged, ends too early, or is followed by more.
 */
export async function* kernelInflate(
  compressed: AsyncIterable<Uint8Array>,
  {
    inflater: kernel = loadInflateKernel(createMemory()),
    inputBytes = INPUT_BYTES,
    outputBytes = OUTPUT_BYTES,
  }: KernelInflateOptions = {},
): AsyncGenerator<Uint8Array> {
  const inputStart = kernel.MEMORY_START;
  const outputStart = inputStart + inputBytes + WINDOW_BYTES;
  const outputEnd = outputStart + outputBytes;
  growTo(kernel.memory, outputEnd + OUTPUT_SLACK_BYTES);
  const memory = new Uint8Array(kernel.memory.buffer);
  kernel.inflateReset();
  let output = outputStart;
  let isDone = false;
  for await (const part of parts(compressed, inputBytes)) {
    // The end is an empty part, since only then it is known to be the end.
    const isLast = part.length === 0;
    if (isDone && isLast) break;
    if (isDone) throw new DamagedDataError('damaged: bytes follow the end of the deflate data');
    memory.set(part, inputStart);
    kernel.inflateInput(inputStart, part.length, isLast);
    let status: number;
    do {
      status = kernel.inflate(output, outputEnd);
      output = kernel.inflateOutputPointer();
      if (status === STATUS.outputFull) {
        yield memory.subarray(outputStart, output);
        memory.copyWithin(outputStart - WINDOW_BYTES, output - WINDOW_BYTES, output);
        output = outputStart;
      }
    } while (status === STATUS.outputFull);
    if (status < 0) {
      throw new DamagedDataError(
        `damaged: the deflate data does not inflate (${ERRORS[-1 - status]}); download it again`,
      );
    }
    isDone = status === STATUS.done;
    if (isDone && kernel.inflateInputUsed() < part.length) {
      throw new DamagedDataError('damaged: bytes follow the end of the deflate data');
    }
  }
  if (output > outputStart) yield memory.subarray(outputStart, output);
}

/** The same bytes in parts of a size, and an empty one at the end. */
async function* parts(pieces: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += partBytes) yield piece.subarray(start, start + partBytes);
  }
  yield new Uint8Array(0);
}
