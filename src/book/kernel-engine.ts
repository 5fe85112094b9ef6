import { type BookObserver, type Levels, OBSERVED_LEVELS } from '../base/rows.js';
import { type Kernel, loadKernel } from '../wasm/book-kernel.js';
import { createMemory } from '../wasm/memory.js';
import { canonical, compareDecimals, isZero } from './decimal.js';
import {
  type Engine,
  type EngineCounts,
  type EngineEvent,
  type EngineOptions,
  MAX_LEVELS_PER_SIDE,
  noCounts,
  tellObserver,
} from './engine.js';
import type { DueRow, Grid } from './grid.js';
import { chooseLayout, decimalsOf, type LadderLayout } from './ladder-layout.js';
import { isBlank, MAX_LINE_BYTES } from './lines.js';
import { type BadLine, type Message, parseMessage, TOO_LONG, type Update } from './message.js';
import { type Part, Strays } from './strays.js';

/** What is handed to the kernel at a time: large enough to make settling cheap, small enough to stay in the cache. */
const PIECE_BYTES = 512 * 1024;

/** Levels of longer prices are kept by the host. */
const MAX_PRICE_BYTES = 15;

/**
 * Before a chunk in the kernel's memory stands at least so much of the text that it goes on with: what deflate may refer
 * back to (RFC 1951, 3.2.5).
 */
const HISTORY_BYTES = 32 * 1024;

const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array(0);

/** A message that is next but not applied yet, because rows are due before it. */
type Held = { tsMs: number; message?: Message; isAfterBreak?: boolean };

export interface KernelEngineOptions extends EngineOptions {
  /** In its first state, and nobody else's until the engine is not needed any more. Default: a new one. */
  kernel?: Kernel;
}

/**
 * The engine around the WebAssembly kernel. The kernel reads lines of the one form that Bybit writes deltas in; every
 * other line is read here by `JSON.parse` and applied to the kernel's book level by level. Levels that the kernel's
 * ladder cannot hold, by their price or by the length of their text, are kept here and merged into the rows.
 */
export class KernelEngine implements Engine {
  readonly #kernel: Kernel;
  readonly #memory: Buffer;
  readonly #grid: Grid;
  readonly #keepZeros: boolean;
  readonly #strays: readonly [Strays, Strays];
  /** Of what was seen here; the kernel counts what it reads by itself. */
  readonly #hostCounts = noCounts();
  #hostLines = 0;
  #chunk: Uint8Array = NOTHING;
  /** The kernel's input is the last chunk itself. */
  #isAdopted = false;
  #isEnded = false;
  #isDone = false;
  #hasBook = false;
  /** In the middle of a line that is too long to be kept. */
  #isInLongLine = false;
  #held: Held | undefined;
  #template = '';
  #layout: LadderLayout;
  /** Prices written with more decimals than the ladder has, since it was laid out: the kernel cannot read them. */
  #misfits = 0;
  /** The ladder is laid out anew when there are more strays than this. */
  #strayLimit = STRAY_LIMIT;
  readonly #observer: BookObserver | undefined;
  /** `ts` of the message applied last. */
  #bookTsMs = 0;
  /** Whether this side has seen a break since the last snapshot, and how many the kernel had seen at that. */
  #isSuspect = false;
  #breaksAtSnapshot = 0;

  constructor({ grid, keepZeros, observer, kernel = loadKernel(createMemory()) }: KernelEngineOptions) {
    this.#kernel = kernel;
    this.#memory = Buffer.from(this.#kernel.memory.buffer);
    this.#layout = chooseLayout([], this.#kernel.LADDER_TICKS);
    const strays = (side: 0 | 1) => new Strays(side, (tick) => this.#kernel.isMarked(side, tick) !== 0);
    this.#strays = [strays(0), strays(1)];
    this.#grid = grid;
    this.#keepZeros = keepZeros;
    this.#observer = observer;
  }

  get counts(): EngineCounts {
    const { updates, outOfOrder } = this.#kernel;
    const messages = this.#kernel.getMessages();
    const host = this.#hostCounts;
    return {
      ...host,
      messages: host.messages + messages,
      updates: host.updates + updates.value,
      outOfOrderMessages: host.outOfOrderMessages + outOfOrder.value,
      updateIdBreaks: host.updateIdBreaks + this.#kernel.getBreaks(),
      skippedBoundaries: this.#grid.skippedBoundaries,
      lastTsMs: messages > 0 ? this.#kernel.getPreviousTs() : host.lastTsMs,
    };
  }

  /** Lines that were not of the kernel's form and were read here. */
  get hostLines(): number {
    return this.#hostLines;
  }

  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  end(): void {
    this.#isEnded = true;
  }

  next(): EngineEvent {
    for (;;) {
      const event = this.#held ? this.#release(this.#held) : this.#advance();
      if (event) return event;
    }
  }

  row(depth: number): Uint8Array {
    const kernel = this.#kernel;
    const bids = kernel.collect(0, depth);
    const asks = kernel.collect(1, depth);
    if (this.#strayCount() > 0) {
      const cells = [...this.#mixedCells(0, bids, depth), ...this.#mixedCells(1, asks, depth)];
      return Buffer.concat(cells).subarray(0, -1); // without the comma after the last cell
    }
    return this.#memory.subarray(kernel.ROW, kernel.ROW + kernel.writeRow(depth, bids, asks));
  }

  levels(depth: number): Levels {
    const [bidPrices, bidQuantities] = this.#values(0, depth);
    const [askPrices, askQuantities] = this.#values(1, depth);
    return { bidPrices, bidQuantities, askPrices, askQuantities };
  }

  isThin(depth: number): boolean {
    return ([0, 1] as const).some((side) => {
      const count = this.#collect(side, depth);
      if (this.#strayCount() === 0) return count < depth;
      const parts = this.#parts(side, count, depth);
      return parts.reduce((sum, part) => sum + ('price' in part ? 1 : part.to - part.from), 0) < depth;
    });
  }

  /** Deals with the message that is next: the rows before it, then itself, then the row after it. */
  #release({ tsMs, message, isAfterBreak = false }: Held): EngineEvent | undefined {
    const before = this.#grid.dueBefore(tsMs);
    if (before) return this.#boundary(before);
    if (message) {
      this.#apply(message);
      this.#isSuspect = isAfterBreak || (this.#isSuspect && message.type === 'delta');
      if (message.type === 'snapshot') this.#breaksAtSnapshot = this.#kernel.getBreaks();
      if (this.#observer) this.#observe(this.#observer, message.bids.length + message.asks.length);
    } else {
      this.#applyInKernel();
    }
    this.#bookTsMs = tsMs;
    this.#held = undefined;
    const after = this.#grid.dueAfter(tsMs);
    return after && this.#boundary(after);
  }

  /** Lets the kernel run; `undefined` when there is no event yet. */
  #advance(): EngineEvent | undefined {
    const kernel = this.#kernel;
    const messagesBefore = kernel.getMessages();
    const isLogging = this.#observer !== undefined && this.#strayCount() === 0;
    if (this.#observer) kernel.setLogging(isLogging ? OBSERVED_LEVELS : 0);
    // A stray may be among the best levels, of which the kernel does not know: then message by message.
    const status = kernel.run(this.#observer && !isLogging ? Number.NEGATIVE_INFINITY : this.#grid.quietUntilMs);
    this.#readLog();
    if (kernel.getMessages() > messagesBefore) {
      // Up to quietUntilMs no row is due; the grid has to know of the messages all the same.
      this.#grid.dueAfter(kernel.getPreviousTs());
      this.#bookTsMs = kernel.getPreviousTs();
    }
    if (status === kernel.LOG_FULL) return undefined;
    if (status === kernel.AT_MESSAGE) this.#held = { tsMs: kernel.getMessageTs() };
    else if (status === kernel.FOREIGN_LINE) return this.#readForeignLine();
    else return this.#feed();
    return undefined;
  }

  /** Applies the message that the kernel has read and holds. */
  #applyInKernel(): void {
    const kernel = this.#kernel;
    const updatesBefore = kernel.updates.value;
    kernel.applyMessage();
    if (!this.#observer) return;
    if (kernel.logCount.value > 0) this.#readLog();
    else this.#observe(this.#observer, kernel.updates.value - updatesBefore);
  }

  /** Tells the observer what the kernel has noted. */
  #readLog(): void {
    const { LOG, LOG_ENTRY_BYTES, logCount, memory } = this.#kernel;
    if (!this.#observer || logCount.value === 0) return;
    const width = LOG_ENTRY_BYTES / 8;
    const log = new Float64Array(memory.buffer, LOG, logCount.value * width);
    for (let at = 0; at < log.length; at += width) {
      // By index: to take it apart as a list would cost more than everything else.
      const entry = (index: number) => log[at + index] as number;
      // A quantity that the kernel cannot read exactly: it has stopped at that message for it.
      if (Number.isNaN(entry(3)) || Number.isNaN(entry(4))) this.#observe(this.#observer, entry(5));
      else this.#observer.observe(entry(0), entry(1), entry(2), entry(3), entry(4), entry(5));
    }
    this.#kernel.clearLog();
  }

  #observe(observer: BookObserver, updates: number): void {
    tellObserver(observer, this.#kernel.getLatestTs(), this.levels(OBSERVED_LEVELS), updates);
  }

  /** Gives the kernel more text, from the chunk at hand or the next one. */
  #feed(): EngineEvent | undefined {
    if (this.#chunk.length === 0) {
      if (this.#isEnded) return this.#finishText() ? undefined : this.#close();
      this.#leaveChunk();
      return { kind: 'needs-bytes' };
    }
    const { cursor, textEnd } = this.#kernel;
    if (textEnd.value - cursor.value > MAX_LINE_BYTES) {
      this.#kernel.dropText();
      this.#isInLongLine = true;
    }
    if (this.#isInLongLine) return this.#passLongLine();
    if (this.#adoptChunk()) return undefined;
    // The input's memory is about to be used again: texts of the book that stand there move out first.
    this.#settle();
    const at = this.#kernel.makeRoom();
    const piece = this.#chunk.subarray(0, PIECE_BYTES);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.#memory.set(piece, at);
    this.#kernel.addText(piece.length);
    return undefined;
  }

  /**
   * Lets the kernel read the chunk where it stands, when that is the kernel's own memory: there the inflater has kept the
   * text before the chunk, so that the beginning of the line that the chunk goes on with can be put there once more.
   */
  #adoptChunk(): boolean {
    const { memory, cursor, textEnd } = this.#kernel;
    if (this.#chunk.buffer !== memory.buffer || textEnd.value - cursor.value > HISTORY_BYTES) return false;
    this.#kernel.adoptText(this.#chunk.byteOffset, this.#chunk.length);
    this.#chunk = NOTHING;
    this.#isAdopted = true;
    return true;
  }

  /** Keeps what is still needed of the chunk, whose memory may be used for the next one. */
  #leaveChunk(): void {
    if (!this.#isAdopted) return;
    this.#settle();
    this.#kernel.makeRoom();
    this.#isAdopted = false;
  }

  /** Moves texts out of the input and counts the levels that there are. */
  #settle(): void {
    const kernel = this.#kernel;
    const count = (side: 0 | 1) => kernel.settledLevels(side) + this.#strays[side].size;
    if (kernel.settle() && count(0) <= MAX_LEVELS_PER_SIDE && count(1) <= MAX_LEVELS_PER_SIDE) return;
    throw new RangeError(
      `line ${this.#kernel.lines.value}: the book has grown past ${MAX_LEVELS_PER_SIDE} levels a side, which no real one does`,
    );
  }

  #passLongLine(): EngineEvent | undefined {
    const end = this.#chunk.indexOf(LINE_FEED);
    this.#chunk = this.#chunk.subarray(end < 0 ? this.#chunk.length : end + 1);
    if (end < 0) return undefined;
    this.#isInLongLine = false;
    this.#kernel.countLine();
    return this.#badLine(TOO_LONG, this.#kernel.lines.value);
  }

  /** Ends the last line when it has no line feed. @returns whether there was one to end. */
  #finishText(): boolean {
    if (this.#isInLongLine) {
      this.#chunk = Uint8Array.of(LINE_FEED);
      return true;
    }
    const { cursor, textEnd } = this.#kernel;
    if (cursor.value === textEnd.value) return false;
    this.#memory[textEnd.value] = LINE_FEED;
    this.#kernel.addText(1);
    return true;
  }

  #close(): EngineEvent {
    if (this.#isDone) return { kind: 'end' };
    this.#isDone = true;
    this.#settle();
    const last = this.#grid.dueAtEnd();
    return last ? this.#boundary(last, this.#kernel.getLatestTs() < last.boundaryMs) : { kind: 'end' };
  }

  #readForeignLine(): EngineEvent | undefined {
    const { cursor, lineBytes } = this.#kernel;
    const line = this.#memory.subarray(cursor.value, cursor.value + lineBytes.value);
    this.#kernel.passLine();
    this.#hostLines++;
    const isTooLong = line.length > MAX_LINE_BYTES;
    if (isBlank({ bytes: line, isTooLong })) return undefined;
    const message = isTooLong ? TOO_LONG : parseMessage(line);
    if ('reason' in message) return this.#badLine(message, this.#kernel.lines.value);
    this.#receive(message);
    if (this.#hasBook && message.type === 'delta') this.#learnTemplate(line);
    return undefined;
  }

  #badLine(bad: BadLine, lineNumber: number): EngineEvent {
    this.#hostCounts.badLines++;
    return { kind: 'bad-line', lineNumber, ...bad };
  }

  /** Counts a message, and holds it when there is a book that it changes. */
  #receive(message: Message): void {
    const counts = this.#hostCounts;
    if (counts.messages === 0) counts.market = message.market;
    counts.messages++;
    counts.firstTsMs ??= message.tsMs;
    counts.lastTsMs = message.tsMs;
    const kernel = this.#kernel;
    let isAfterBreak = false;
    if (message.type === 'snapshot') {
      counts.snapshots++;
      this.#hasBook = true;
    } else if (!this.#hasBook) {
      counts.earlyDeltas++;
      return;
    } else if (kernel.getPreviousU() >= 0 && message.updateId !== undefined) {
      isAfterBreak = message.updateId !== kernel.getPreviousU() + 1;
      if (isAfterBreak) counts.updateIdBreaks++;
    }
    const latestMs = kernel.getLatestTs();
    if (message.tsMs < latestMs) counts.outOfOrderMessages++;
    kernel.setPrevious(message.tsMs, Math.max(latestMs, message.tsMs), message.updateId ?? -1);
    counts.updates += message.bids.length + message.asks.length;
    this.#held = { tsMs: message.tsMs, message, isAfterBreak };
  }

  /**
   * Teaches the kernel the form of this line, one that `JSON.parse` has just found right, when it is one of the two in
   * which Bybit writes deltas (contract files have type before ts, spot files ts before type).
   */
  #learnTemplate(line: Uint8Array): void {
    const text = Buffer.from(line.subarray(0, 512)).toString('latin1');
    const match = CONTRACT_HEAD.exec(text) ?? SPOT_HEAD.exec(text);
    if (!match) return;
    const [, head1 = '', head2 = ''] = match;
    if (head1.length < 16 || head2.length < 16 || head1.length > 256 || head2.length > 256) return;
    if (this.#template === head1 + head2) return;
    this.#template = head1 + head2;
    const { TEMPLATE, TEMPLATE_BYTES, setTemplate } = this.#kernel;
    this.#memory.set(Buffer.from(head1, 'latin1'), TEMPLATE);
    this.#memory.set(Buffer.from(head2, 'latin1'), TEMPLATE + TEMPLATE_BYTES);
    setTemplate(head1.length, head2.length);
  }

  #apply(message: Message): void {
    if (message.type === 'snapshot') {
      for (const strays of this.#strays) strays.clear();
      this.#strayLimit = STRAY_LIMIT;
      this.#layOut([...message.bids, ...message.asks]);
    }
    for (const update of message.bids) this.#set(0, update, message.type === 'snapshot');
    for (const update of message.asks) this.#set(1, update, message.type === 'snapshot');
    if (this.#strays[0].bytes + this.#strays[1].bytes > MAX_STRAY_BYTES) {
      throw new RangeError(
        `line ${this.#kernel.lines.value}: prices and quantities are too long, by far, for a real book`,
      );
    }
    if (this.#strayCount() > this.#strayLimit || this.#misfits > MAX_MISFITS) this.#layOutAnew();
    if (message.bids.length + message.asks.length > LARGE_MESSAGE) this.#settle();
  }

  /** Sets or removes one level, wherever it is kept. */
  #set(side: 0 | 1, [price, quantity]: Update, isSnapshot: boolean): void {
    const kernel = this.#kernel;
    const key = canonical(price);
    const tick = this.#layout.tickOf(key);
    if (decimalsOf(price) > this.#layout.decimals) this.#misfits++;
    const isEmpty = isZero(quantity);
    const text = `${price}","${quantity}"`;
    this.#strays[side].delete(key);
    if (isEmpty && !(isSnapshot && this.#keepZeros)) {
      if (tick !== undefined) kernel.remove(side, tick);
    } else if (tick !== undefined && !isEmpty && text.length <= kernel.SLOT_BYTES && price.length <= MAX_PRICE_BYTES) {
      this.#memory.set(Buffer.from(text, 'latin1'), this.#poolSlot());
      kernel.place(side, tick, text.length);
    } else {
      this.#strays[side].set({ key, price, quantity, tick, floorTick: this.#layout.floorTick(key) });
      if (tick !== undefined) kernel.place(side, tick, 0);
    }
  }

  #poolSlot(): number {
    const slot = this.#kernel.poolSlot();
    if (slot !== 0) return slot;
    this.#settle();
    return this.#kernel.poolSlot(); // there is room for more than two full sides
  }

  /** Empties the ladder and lays it out so that most of these levels have a slot. */
  #layOut(levels: Update[]): void {
    const prices = levels.map(([price]) => price);
    this.#misfits = 0;
    this.#layout = chooseLayout(prices, this.#kernel.LADDER_TICKS);
    this.#kernel.clear(this.#layout.baseTick);
    this.#kernel.prepareFormats(this.#layout.decimals);
    this.#kernel.prepareValues(this.#layout.decimals);
  }

  /** The price has wandered off, or its decimals have changed: a new ladder for the book as it is. */
  #layOutAnew(): void {
    this.#settle();
    const sides = ([0, 1] as const).map((side) => {
      const count = this.#kernel.collect(side, MAX_LEVELS_PER_SIDE);
      const levels = this.#parts(side, count, Number.POSITIVE_INFINITY).flatMap((part) => this.#levelsOf(side, part));
      this.#strays[side].clear();
      return levels;
    });
    this.#layOut(sides.flat());
    // Kept zeros are levels here: a snapshot of the book, as it were.
    sides.forEach((levels, side) => {
      for (const level of levels) this.#set(side as 0 | 1, level, true);
    });
    this.#strayLimit = 2 * this.#strayCount() + STRAY_LIMIT;
  }

  #strayCount(): number {
    return this.#strays[0].size + this.#strays[1].size;
  }

  /** A side of a row to which strays may belong, a comma after each cell. */
  *#mixedCells(side: 0 | 1, count: number, depth: number): Generator<Buffer> {
    let left = depth;
    for (const part of this.#parts(side, count, depth)) {
      if ('price' in part) {
        yield Buffer.from(`${part.price},${part.quantity},`, 'latin1');
        left--;
      } else {
        const { ROW, writeCells } = this.#kernel;
        const bytes = writeCells(side, part.from, part.to);
        yield Buffer.from(this.#memory.subarray(ROW, ROW + bytes));
        left -= part.to - part.from;
      }
    }
    yield Buffer.alloc(2 * left, ',');
  }

  /** The best `depth` levels of ladder and strays; `count` are the levels that the kernel has collected. */
  #parts(side: 0 | 1, count: number, depth: number): Part[] {
    const best = new Int32Array(this.#kernel.memory.buffer, this.#kernel.bestOf(side), 2 * count);
    return this.#strays[side].interleave(
      Array.from({ length: count }, (_, index) => best[2 * index] as number),
      depth,
    );
  }

  #levelsOf(side: 0 | 1, part: Part): Update[] {
    if ('price' in part) return [[part.price, part.quantity]];
    const best = new Uint32Array(this.#kernel.memory.buffer, this.#kernel.bestOf(side), 2 * part.to);
    return Array.from({ length: part.to - part.from }, (_, index) => {
      const address = best[2 * (part.from + index) + 1] as number;
      const [price = '', , quantity = ''] = this.#memory
        .toString('latin1', address, address + this.#kernel.SLOT_BYTES)
        .split('"');
      return [price, quantity];
    });
  }

  /** The best `depth` prices and quantities of a side. */
  #values(side: 0 | 1, depth: number): [prices: Float64Array, quantities: Float64Array] {
    const { memory, VALUES, VALUES_BYTES, writeValues } = this.#kernel;
    const count = this.#collect(side, depth);
    if (this.#strayCount() > 0) {
      const levels = this.#parts(side, count, depth).flatMap((part) => this.#levelsOf(side, part));
      return [
        Float64Array.from(levels, ([price]) => Number(price)),
        Float64Array.from(levels, ([, text]) => Number(text)),
      ];
    }
    writeValues(side, count);
    const prices = new Float64Array(memory.buffer, VALUES + 2 * side * VALUES_BYTES, count);
    const quantities = new Float64Array(memory.buffer, prices.byteOffset + VALUES_BYTES, count);
    // What the kernel cannot read exactly.
    for (let at = 0; at < count; at++) {
      if (!Number.isNaN(quantities[at])) continue;
      const [level] = this.#levelsOf(side, { from: at, to: at + 1 });
      quantities[at] = Number(level?.[1]);
    }
    return [prices, quantities];
  }

  #collect(side: 0 | 1, depth: number): number {
    return this.#kernel.collect(side, Math.min(depth, MAX_LEVELS_PER_SIDE));
  }

  #boundary({ boundaryMs, isFilled }: DueRow, isPartial = false): EngineEvent {
    const isCrossed = this.#isCrossed();
    this.#hostCounts.rows++;
    if (isFilled) this.#hostCounts.filledRows++;
    if (isCrossed) this.#hostCounts.crossedRows++;
    const isSuspect = this.#isSuspect || this.#kernel.getBreaks() > this.#breaksAtSnapshot;
    if (isSuspect) this.#hostCounts.suspectRows++;
    return { kind: 'boundary', boundaryMs, bookTsMs: this.#bookTsMs, isFilled, isSuspect, isCrossed, isPartial };
  }

  #isCrossed(): boolean {
    if (this.#strayCount() === 0) return this.#kernel.isCrossed() !== 0;
    const [bid, ask] = ([0, 1] as const).map((side) => this.#best(side));
    return bid !== undefined && ask !== undefined && compareDecimals(bid, ask) >= 0;
  }

  /** The best price of a side, canonical. */
  #best(side: 0 | 1): string | undefined {
    const [best] = this.#parts(side, this.#kernel.collect(side, 1), 1);
    if (!best) return undefined;
    if ('key' in best) return best.key;
    const [tick = 0] = new Int32Array(this.#kernel.memory.buffer, this.#kernel.bestOf(side), 1);
    return this.#layout.priceOf(tick);
  }
}

/** So many levels beside the ladder are no exception any more. */
const STRAY_LIMIT = 64;

/** Texts of strays that are kept: those of a real book take some kilobytes at most. */
const MAX_STRAY_BYTES = 256 * 1024 * 1024;

/** So many prices of more decimals are no exception any more: the ladder is laid out anew. */
const MAX_MISFITS = 1000;

/** Levels in a message from which on the book is counted at once. */
const LARGE_MESSAGE = 10_000;

const CONTRACT_HEAD = /^(\{"topic":"[^"\\]*","type":"delta","ts":)\d{13}(,"data":\{"s":"[^"\\]*","b":\[)/;
const SPOT_HEAD = /^(\{"topic":"[^"\\]*","ts":)\d{13}(,"type":"delta","data":\{"s":"[^"\\]*","b":\[)/;
