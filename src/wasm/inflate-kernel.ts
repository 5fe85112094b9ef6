import { growTo, instantiate, type Memory } from './memory.js';

/** What kernel/inflate.ts exports; pointers are byte offsets in its memory. */
export interface InflateKernel {
  readonly memory: Memory;
  readonly MEMORY_START: number;
  inflateReset(): void;
  inflateInput(pointer: number, length: number, isLast: boolean): void;
  inflateInputUsed(): number;
  inflateOutputPointer(): number;
  inflate(outPointer: number, outEnd: number): number;
}

/** A distance reaches back this far at most (RFC 1951, 3.2.5), so as much of the output stays in memory. */
export const WINDOW_BYTES = 32 * 1024;
/** What the kernel may overwrite after the end of the output. */
export const OUTPUT_SLACK_BYTES = 64;

/** Sizes of the areas for input and output. Together with the window they should stay in the processor's cache. */
export const INPUT_BYTES = 64 * 1024;
export const OUTPUT_BYTES = 512 * 1024;

/** An inflater in a memory that has no other, for one stream at a time. */
export function loadInflateKernel(memory: Memory): InflateKernel {
  const kernel = instantiate<Omit<InflateKernel, 'memory'>>(new URL('./inflate.wasm', import.meta.url), memory);
  // At once, because views of a memory do not outlive its growth.
  growTo(memory, kernel.MEMORY_START + INPUT_BYTES + WINDOW_BYTES + OUTPUT_BYTES + OUTPUT_SLACK_BYTES);
  return { ...kernel, memory };
}
