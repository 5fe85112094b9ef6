import {
  INPUT_BYTES,
  type InflateError,
  type InflateKernel,
  loadInflateKernel,
  OUTPUT_BYTES,
} from '../wasm/inflate-kernel.js';
import { createMemory, growTo } from '../wasm/memory.js';
import { DamagedDataError } from './archive-error.js';

/** Messages of the kernel's errors. They are zlib's, so that both inflaters report alike. */
const MESSAGES: Record<InflateError, string> = {
  ERROR_TRUNCATED: 'unexpected end of file',
  ERROR_BLOCK_TYPE: 'invalid block type',
  ERROR_STORED_LENGTH: 'invalid stored block lengths',
  ERROR_TOO_MANY_SYMBOLS: 'too many length or distance symbols',
  ERROR_CODE_LENGTHS_SET: 'invalid code lengths set',
  ERROR_LENGTH_REPEAT: 'invalid bit length repeat',
  ERROR_NO_END_OF_BLOCK: 'invalid code -- missing end-of-block',
  ERROR_LITERAL_SET: 'invalid literal/lengths set',
  ERROR_DISTANCE_SET: 'invalid distances set',
  ERROR_LITERAL_CODE: 'invalid literal/length code',
  ERROR_DISTANCE_CODE: 'invalid distance code',
  ERROR_DISTANCE_TOO_FAR: 'invalid distance too far back',
};

const MORE_FOLLOWS = 'damaged: bytes follow the end of the deflate data';

/** What an answer of `inflate` below zero means. */
export function inflateMessage(kernel: InflateKernel, answer: number): string {
  const name = (Object.keys(MESSAGES) as InflateError[]).find((error) => kernel[error] === answer);
  return name ? MESSAGES[name] : `unknown error ${answer}`;
}

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
  const { DONE, OUTPUT_FULL, HISTORY_BYTES, OUTPUT_SLACK_BYTES } = kernel;
  const inputStart = kernel.areasStart;
  const outputStart = inputStart + inputBytes + HISTORY_BYTES;
  const outputEnd = outputStart + outputBytes;
  growTo(kernel.memory, outputEnd + OUTPUT_SLACK_BYTES);
  const memory = new Uint8Array(kernel.memory.buffer);
  kernel.inflateReset();
  let output = outputStart;
  let isDone = false;
  let damage: DamagedDataError | undefined;
  for await (const part of parts(compressed, inputBytes)) {
    // The end is an empty part, since only then it is known to be the end.
    const isLast = part.length === 0;
    if (isDone && isLast) break;
    if (isDone) {
      damage = new DamagedDataError(MORE_FOLLOWS);
      break;
    }
    memory.set(part, inputStart);
    kernel.inflateInput(inputStart, part.length, isLast);
    let answer: number;
    do {
      answer = kernel.inflate(output, outputEnd);
      output = kernel.inflateOutputPointer();
      if (answer === OUTPUT_FULL) {
        yield memory.subarray(outputStart, output);
        memory.copyWithin(outputStart - HISTORY_BYTES, output - HISTORY_BYTES, output);
        output = outputStart;
      }
    } while (answer === OUTPUT_FULL);
    if (answer < 0) {
      damage = new DamagedDataError(
        `damaged: the deflate data does not inflate (${inflateMessage(kernel, answer)}); download it again`,
      );
      break;
    }
    isDone = answer === DONE;
    if (isDone && kernel.inflateInputUsed() < part.length) {
      damage = new DamagedDataError(MORE_FOLLOWS);
      break;
    }
  }
  // What came before the damage comes out too: an audit tells of it.
  if (output > outputStart) yield memory.subarray(outputStart, output);
  if (damage) throw damage;
}

/** The same bytes in parts of a size, and an empty one at the end. */
async function* parts(pieces: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += partBytes) yield piece.subarray(start, start + partBytes);
  }
  yield new Uint8Array(0);
}
