import { createMemory, instantiate, type Memory, type Variable } from './memory.js';

/** What kernel/parquet.ts exports; pointers are byte offsets in its memory. */
export interface ParquetKernel {
  readonly memory: Memory;
  readonly MAX_ENTRIES: number;
  /** Where the entries of a dictionary are, 8 bytes each. */
  readonly ENTRIES: number;
  /** Where the caller's areas may begin. */
  readonly AREAS: number;
  /** What may be read or written behind an area. */
  readonly SLACK_BYTES: number;
  readonly TOO_MANY: number;
  readonly smallest: Variable;
  readonly greatest: Variable;
  readonly runsEnd: Variable;
  measureRange(values: number, count: number): void;
  toInt64(values: number, count: number): void;
  leaveOutNaN(values: number, count: number, runs: number): number;
  dictionary(values: number, count: number, maxEntries: number, indexes: number): number;
  countRepeated(values: number, count: number, sample: number): number;
  narrow(indexes: number, count: number): void;
  snappyBound(bytes: number): number;
  snappy(input: number, bytes: number, output: number, step: number): number;
}

/** A kernel in a memory of its own. */
export function loadParquetKernel(): ParquetKernel {
  const memory = createMemory();
  const kernel = instantiate<Omit<ParquetKernel, 'memory'>>(new URL('./parquet.wasm', import.meta.url), memory);
  return { ...kernel, memory };
}
