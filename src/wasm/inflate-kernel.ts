import { growTo, instantiate, type Memory } from './memory.js';

/** The names of the kernel's errors. */
export type InflateError =
  | 'ERROR_TRUNCATED'
  | 'ERROR_BLOCK_TYPE'
  | 'ERROR_STORED_LENGTH'
  | 'ERROR_TOO_MANY_SYMBOLS'
  | 'ERROR_CODE_LENGTHS_SET'
  | 'ERROR_LENGTH_REPEAT'
  | 'ERROR_NO_END_OF_BLOCK'
  | 'ERROR_LITERAL_SET'
  | 'ERROR_DISTANCE_SET'
  | 'ERROR_LITERAL_CODE'
  | 'ERROR_DISTANCE_CODE'
  | 'ERROR_DISTANCE_TOO_FAR';

/** What kernel/inflate.ts exports; pointers are byte offsets in its memory. */
interface Exports extends Readonly<Record<InflateError, number>> {
  /** Where its tables end. */
  readonly TABLES_END: number;
  /** A distance reaches back this far at most, so as much of the output stays in memory. */
  readonly HISTORY_BYTES: number;
  /** What it may overwrite behind the room for output. */
  readonly OUTPUT_SLACK_BYTES: number;
  /** What `inflate` answers, or else an error, which is below zero. */
  readonly DONE: number;
  readonly NEEDS_INPUT: number;
  readonly OUTPUT_FULL: number;
  inflateReset(): void;
  inflateInput(pointer: number, length: number, isLast: boolean): void;
  inflateInputUsed(): number;
  inflateOutputPointer(): number;
  inflate(outPointer: number, outEnd: number): number;
}

export interface InflateKernel extends Exports {
  readonly memory: Memory;
  /** Where the caller's areas for input and output may begin. */
  readonly areasStart: number;
}

/** Sizes of the areas for input and output. Together with the history they should stay in the processor's cache. */
export const INPUT_BYTES = 64 * 1024;
export const OUTPUT_BYTES = 512 * 1024;

/**
 * An inflater in a memory that has no other, for one stream at a time.
 *
 * @param areasStart where the areas for input and output may begin. Default: behind its tables.
 */
export function loadInflateKernel(memory: Memory, areasStart?: number): InflateKernel {
  const kernel = instantiate<Exports>(new URL('./inflate.wasm', import.meta.url), memory);
  const start = areasStart ?? kernel.TABLES_END;
  // At once, because views of a memory do not outlive its growth.
  growTo(memory, start + INPUT_BYTES + kernel.HISTORY_BYTES + OUTPUT_BYTES + kernel.OUTPUT_SLACK_BYTES);
  return { ...kernel, memory, areasStart: start };
}
