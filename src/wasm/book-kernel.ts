import { growTo, instantiate, type Memory, type Variable } from './memory.js';

/** What kernel/index.ts exports; addresses and sizes are in bytes of `memory`. */
export interface Kernel {
  readonly memory: Memory;
  readonly MEMORY_BYTES: number;
  readonly LADDER_TICKS: number;
  readonly SLOT_BYTES: number;
  readonly MAX_PRICE_BYTES: number;
  readonly MAX_EXACT_DIGITS: number;
  readonly MAX_LEVELS_PER_SIDE: number;
  readonly PIECE_BYTES: number;
  readonly HISTORY_BYTES: number;
  readonly PART1: number;
  readonly PART2: number;
  readonly MIN_PART_BYTES: number;
  readonly MAX_PART_BYTES: number;
  readonly LOG: number;
  readonly LOG_ENTRY_BYTES: number;
  /** Offsets in an entry of LOG. */
  readonly LOG_TS: number;
  readonly LOG_BID: number;
  readonly LOG_ASK: number;
  readonly LOG_BID_QUANTITY: number;
  readonly LOG_ASK_QUANTITY: number;
  readonly LOG_UPDATES: number;
  readonly logCount: Variable;
  /** Numbers of the sides. */
  readonly BIDS: number;
  readonly ASKS: number;
  /** What `run` answers. */
  readonly AT_MESSAGE: number;
  readonly FOREIGN_LINE: number;
  readonly LOG_FULL: number;
  readonly ROW: number;
  readonly cursor: Variable;
  readonly textEnd: Variable;
  readonly lineBytes: Variable;
  readonly lines: Variable;
  readonly updates: Variable;
  readonly outOfOrder: Variable;
  reset(): void;
  run(limitMs: number): number;
  applyMessage(): void;
  addText(bytes: number): void;
  adoptText(at: number, bytes: number): void;
  makeRoom(): number;
  dropText(): void;
  countLine(): void;
  passLine(): void;
  setTemplate(bytes1: number, bytes2: number): void;
  setPrevious(tsMs: number, latestTsMs: number, updateId: number): void;
  getMessages(): number;
  getMessageTs(): number;
  getBreaks(): number;
  getPreviousTs(): number;
  getLatestTs(): number;
  getPreviousU(): number;
  prepareFormats(decimals: number): void;
  prepareValues(decimals: number): void;
  setLogging(levels: number): void;
  clearLog(): void;
  pricesOf(side: number): number;
  quantitiesOf(side: number): number;
  writeValues(side: number, count: number): void;
  clear(baseTick: number): void;
  place(side: number, tick: number): void;
  mark(side: number, tick: number): void;
  remove(side: number, tick: number): void;
  isMarked(side: number, tick: number): number;
  poolSlot(): number;
  settle(): number;
  settledLevels(side: number): number;
  collect(side: number, depth: number): number;
  isCrossed(): number;
  tickAt(side: number, index: number): number;
  textAt(side: number, index: number): number;
  writeCells(side: number, from: number, to: number): number;
  writeRow(depth: number, bids: number, asks: number): number;
}

/**
 * A kernel in a memory that has no other.
 *
 * @param fileName of the module, which lies beside this one.
 */
export function loadKernel(memory: Memory, fileName = 'book.wasm'): Kernel {
  const kernel = instantiate<Omit<Kernel, 'memory'>>(new URL(fileName, import.meta.url), memory);
  growTo(memory, kernel.MEMORY_BYTES);
  return { ...kernel, memory };
}
