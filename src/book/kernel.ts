import fs from 'node:fs';

/** An exported variable: its value is the current one whenever it is read. */
interface Value {
  readonly value: number;
}

/** What kernel/index.ts exports; addresses and sizes are in bytes of `memory`. */
export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly MEMORY_BYTES: Value;
  readonly HEAD: Value;
  readonly HEAD_BYTES: Value;
  readonly LADDER_TICKS: Value;
  readonly ROW: Value;
  readonly cursor: Value;
  readonly textEnd: Value;
  readonly lineBytes: Value;
  readonly lines: Value;
  readonly messages: Value;
  readonly updates: Value;
  readonly breaks: Value;
  readonly outOfOrder: Value;
  readonly messageTs: Value;
  run(limitMs: number, single: boolean): number;
  addText(bytes: number): void;
  makeRoom(): number;
  dropText(): void;
  countLine(): void;
  passLine(): void;
  setHeads(bytes1: number, bytes2: number): void;
  setPrevious(tsMs: number, latestTsMs: number, updateId: number): void;
  getPreviousTs(): number;
  getLatestTs(): number;
  getPreviousU(): number;
  prepareFormats(decimals: number): void;
  clear(baseTick: number): void;
  place(side: number, tick: number, lengthBytes: number): void;
  remove(side: number, tick: number): void;
  isMarked(side: number, tick: number): number;
  poolSlot(): number;
  settle(): number;
  settledLevels(side: number): number;
  collect(side: number, depth: number): number;
  bestOf(side: number): number;
  writeRow(depth: number, bids: number, asks: number): number;
}

const PAGE_BYTES = 65_536;

/** As much of the global as is needed here; TypeScript declares it for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

let compiled: object | undefined;

/** A kernel of its own, with its own memory. The module is compiled once in a thread. */
export function loadKernel(): Kernel {
  compiled ??= new WebAssembly.Module(fs.readFileSync(new URL('./kernel.wasm', import.meta.url)));
  const kernel = new WebAssembly.Instance(compiled, {}).exports as Kernel;
  const { memory, MEMORY_BYTES } = kernel;
  memory.grow(Math.ceil((MEMORY_BYTES.value - memory.buffer.byteLength) / PAGE_BYTES));
  return kernel;
}
