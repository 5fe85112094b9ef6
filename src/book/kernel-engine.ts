import { flagsOf, type RowBatch } from '../base/rows.js';
import type { AuditKernel } from '../wasm/audit-kernel.js';
import { type Kernel, loadKernel } from '../wasm/book-kernel.js';
import { createMemory } from '../wasm/memory.js';
import type { BookAuditor } from './book-auditor.js';
import { checkContents, type ExpectedContents } from './contents.js';
import { countMessage, countRows, noCounts } from './counts.js';
import { templateOf } from './delta-template.js';
import {
  type Engine,
  type EngineCounts,
  type EngineEvent,
  type EngineOptions,
  type GivesUp,
  givesUp,
} from './engine.js';
import type { DueRow, Grid, Stretch } from './grid.js';
import { KernelAudit } from './kernel-audit.js';
import { KernelBatch } from './kernel-batch.js';
import { KernelBook } from './kernel-book.js';
import { KernelMetrics } from './kernel-metrics.js';
import { isBlank, MAX_LINE_BYTES } from './lines.js';
import { type BadLine, type Message, parseMessage, TOO_LONG } from './message.js';

const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array(0);

/** A message that is next but not applied yet: rows may be due before it. Without `message` it is in the kernel. */
type Held = { tsMs: number; message?: Message; isAfterBreak?: boolean };

export interface KernelEngineOptions extends EngineOptions {
  /** In its first state, and nobody else's until the engine is not needed any more. Default: a new one. */
  kernel?: Kernel;
  /** Hears of every message, and goes with a kernel of its own. Without metrics. */
  audit?: { auditor: BookAuditor; kernel: AuditKernel };
}

/**
 * The engine around the WebAssembly kernel: it feeds the kernel with text, asks the grid for rows, and counts. The
 * kernel reads lines of the one form that Bybit writes deltas in. Every other line is read here by `JSON.parse`, and
 * applied to the {@link KernelBook} level by level.
 */
export class KernelEngine implements Engine {
  readonly #kernel: Kernel;
  readonly #memory: Buffer;
  readonly #book: KernelBook;
  readonly #batch: KernelBatch;
  readonly #grid: Grid;
  readonly #expected: ExpectedContents | undefined;
  readonly #metrics: KernelMetrics | undefined;
  readonly #audit: KernelAudit | undefined;
  /** Counts of what the host has read; the kernel counts what it reads by itself. */
  readonly #hostCounts = noCounts();
  #hostLines = 0;
  #chunk: Uint8Array = NOTHING;
  /** The kernel reads the last chunk where it stands. */
  #isAdopted = false;
  #isEnded = false;
  #isDone = false;
  /** In the middle of a line that is too long to be kept. */
  #isInLongLine = false;
  #held: Held | undefined;
  /** A row that is due, of the book as it is. */
  #due: (DueRow & { isPartial?: boolean }) | undefined;
  /** An event that comes after the rows that are given first. */
  #pending: EngineEvent | GivesUp | undefined;
  /** Whether the batch has been given, and is cleared when the caller goes on. */
  #isBatchGiven = false;
  /** What the kernel was taught last. */
  #template: string | undefined;
  /** `ts` of the message applied last. */
  #bookTsMs = 0;
  /** Whether the host has seen a break or a bad line since the last snapshot, and how many breaks the kernel had seen before it. */
  #isSuspect = false;
  #breaksAtSnapshot = 0;

  constructor({ grid, books, maxRows, keepZeros, expected, metrics, audit, ...options }: KernelEngineOptions) {
    const kernel = audit?.kernel ?? options.kernel ?? loadKernel(createMemory());
    this.#kernel = kernel;
    this.#memory = Buffer.from(kernel.memory.buffer);
    this.#audit = audit && new KernelAudit(audit.kernel, audit.auditor);
    this.#book = new KernelBook(kernel, keepZeros, this.#audit);
    this.#grid = grid;
    this.#expected = expected;
    this.#metrics = metrics && new KernelMetrics(kernel, this.#book, metrics);
    const from = { kernel, book: this.#book, metrics: this.#metrics };
    this.#batch = new KernelBatch(from, books, maxRows ?? Number.POSITIVE_INFINITY);
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

  /** Messages up to the last one in the book; `counts` may have seen the next one. */
  get messagesInBook(): number {
    return this.counts.messages - (this.#held?.message ? 1 : 0);
  }

  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  end(): void {
    this.#isEnded = true;
  }

  next(): EngineEvent {
    if (this.#isBatchGiven) this.#batch.clear();
    this.#isBatchGiven = false;
    for (;;) {
      const event = this.#pending ?? this.#stepOrGiveUp();
      this.#pending = undefined;
      if (!event) {
        if (this.#batch.isFull) return this.#give(this.#batch.view());
      } else if (event.kind === 'rows') {
        return event;
      } else if (this.#batch.length > 0) {
        this.#pending = event;
        return this.#give(this.#batch.view());
      } else if (event.kind === 'gives-up') {
        throw event.error;
      } else {
        return event;
      }
    }
  }

  #stepOrGiveUp(): EngineEvent | GivesUp | undefined {
    try {
      return this.#step();
    } catch (error) {
      return givesUp(error);
    }
  }

  /** Tells an auditor of the steps of prices and quantities since it was last told. */
  tellSteps(): void {
    this.#audit?.tellSteps(this.#book.decimals);
  }

  /** Goes on by a little; `undefined` when there is no event yet. */
  #step(): EngineEvent | undefined {
    if (this.#due) return this.#addRow(this.#due);
    if (this.#held) this.#release(this.#held);
    else return this.#advance();
    return undefined;
  }

  #give(rows: RowBatch): EngineEvent {
    countRows(this.#hostCounts, rows);
    this.#isBatchGiven = true;
    return { kind: 'rows', rows };
  }

  /** Adds the row that is due; the rows before it, when there is no room. */
  #addRow({ boundaryMs, isFilled, isPartial = false }: DueRow & { isPartial?: boolean }): EngineEvent | undefined {
    const isSuspect = this.#isSuspect || this.#kernel.getBreaks() > this.#breaksAtSnapshot;
    const state = { boundaryMs, bookTsMs: this.#bookTsMs, isFilled, isSuspect, isCrossed: false, isPartial };
    if (this.#book.hasStrays) {
      if (this.#batch.length > 0) return this.#give(this.#batch.view());
      this.#due = undefined;
      return this.#give(this.#batch.mixedRow({ ...state, isCrossed: this.#book.isCrossed }));
    }
    if (!this.#batch.add(boundaryMs, this.#bookTsMs, flagsOf(state))) return this.#give(this.#batch.view());
    this.#due = undefined;
    return undefined;
  }

  /** Deals with the message that is next: the rows before it, then itself, then the row after it. */
  #release({ tsMs, message, isAfterBreak = false }: Held): void {
    const wrong = this.#grid.refuse(tsMs);
    if (wrong) throw new RangeError(`line ${this.#kernel.lines.value + (message ? 0 : 1)}: ${wrong}`);
    this.#due = this.#grid.dueBefore(tsMs);
    if (this.#due) return;
    if (message) {
      this.#book.apply(message);
      this.#isSuspect = isAfterBreak || (this.#isSuspect && message.type === 'delta');
      if (message.type === 'snapshot') this.#breaksAtSnapshot = this.#kernel.getBreaks();
      this.#metrics?.hear(message.bids.length + message.asks.length);
      this.#audit?.hearMessage(message, this.#book);
    } else {
      this.#applyInKernel();
    }
    this.#bookTsMs = tsMs;
    this.#held = undefined;
    this.#due = this.#grid.dueAfter(tsMs);
  }

  /** Lets the kernel run; `undefined` when there is no event yet. */
  #advance(): EngineEvent | undefined {
    const kernel = this.#kernel;
    const messagesBefore = kernel.getMessages();
    const { hasStrays } = this.#book;
    // Only the host can make a row with strays.
    const stretch = hasStrays ? undefined : this.#grid.stretch;
    if (stretch) this.#lendGrid(stretch);
    // A stray may be among the best levels, of which the kernel does not know: then message by message.
    const isObserved = this.#audit !== undefined && hasStrays;
    const limitMs = isObserved ? Number.NEGATIVE_INFINITY : this.#grid.quietUntilMs;
    const status = kernel.run(stretch ? Number.POSITIVE_INFINITY : limitMs);
    this.#audit?.readLog(this.#book);
    const hasMoved = kernel.getMessages() > messagesBefore;
    if (hasMoved) this.#bookTsMs = kernel.getPreviousTs();
    if (stretch) this.#takeGridBack();
    // Up to quietUntilMs no row is due; the grid has to know of the messages all the same.
    else if (hasMoved) this.#grid.dueAfter(this.#bookTsMs);
    if (status === kernel.NEEDS_ROOM) return this.#give(this.#batch.view());
    if (status === kernel.AT_ODD_ROW) {
      this.#batch.completeRow();
      return undefined;
    }
    if (status === kernel.BOOK_UNHEARD) this.#metrics?.hearUnheard();
    if (status === kernel.BOOK_UNHEARD || status === kernel.LOG_FULL) return undefined;
    if (status === kernel.AT_MESSAGE) this.#held = { tsMs: kernel.getMessageTs() };
    else if (status === kernel.FOREIGN_LINE) return this.#readForeignLine();
    else return this.#feed();
    return undefined;
  }

  /** Lets the kernel pass the boundaries of a regular stretch. */
  #lendGrid({ nextMs, intervalMs, lastMs, maxJumpMs, fills, isNextFilled }: Stretch): void {
    this.#kernel.setKnownBreaks(this.#isSuspect ? -1 : this.#breaksAtSnapshot);
    this.#kernel.setGrid(nextMs, intervalMs, lastMs, maxJumpMs, Number(fills), Number(isNextFilled));
  }

  #takeGridBack(): void {
    const kernel = this.#kernel;
    this.#grid.resume?.({
      nextMs: kernel.getNextBoundary(),
      isNextFilled: kernel.getIsNextFilled() !== 0,
      latestMs: kernel.getLatestTs(),
      skippedBoundaries: kernel.getSkipped(),
    });
    kernel.clearGrid();
  }

  /** Applies the message that the kernel has read and holds. */
  #applyInKernel(): void {
    this.#kernel.applyMessage();
    this.#audit?.readLog(this.#book);
    this.#metrics?.hearUnheard();
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
    this.#book.settle();
    const at = this.#kernel.makeRoom();
    const piece = this.#chunk.subarray(0, this.#kernel.PIECE_BYTES);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.#memory.set(piece, at);
    this.#kernel.addText(piece.length);
    return undefined;
  }

  /**
   * Lets the kernel read the chunk where it stands, when that is the kernel's own memory: there the inflater has kept
   * the text before the chunk, so that the beginning of the line that the chunk goes on with can be put there once
   * more.
   */
  #adoptChunk(): boolean {
    const { memory, cursor, textEnd, HISTORY_BYTES } = this.#kernel;
    if (this.#chunk.buffer !== memory.buffer || textEnd.value - cursor.value > HISTORY_BYTES) return false;
    this.#kernel.adoptText(this.#chunk.byteOffset, this.#chunk.length);
    this.#chunk = NOTHING;
    this.#isAdopted = true;
    return true;
  }

  /** Keeps what is still needed of the chunk, whose memory may be used for the next one. */
  #leaveChunk(): void {
    if (!this.#isAdopted) return;
    this.#book.settle();
    this.#kernel.makeRoom();
    this.#isAdopted = false;
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

  #close(): EngineEvent | undefined {
    if (this.#isDone) return { kind: 'end' };
    this.#isDone = true;
    this.#book.settle();
    const last = this.#grid.dueAtEnd();
    this.#due = last && { ...last, isPartial: this.#kernel.getLatestTs() < last.boundaryMs };
    return undefined;
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
    const foreign = checkContents(message, this.#expected, this.#hostCounts.messages === 0);
    if (foreign) return this.#badLine(foreign, this.#kernel.lines.value);
    if (this.#receive(message) && message.type === 'delta') this.#learnTemplate(line, message);
    return undefined;
  }

  #badLine(bad: BadLine, lineNumber: number): EngineEvent {
    this.#hostCounts.badLines++;
    this.#isSuspect = true;
    return { kind: 'bad-line', lineNumber, ...bad };
  }

  /** Counts a message, and holds it when there is a book that it changes. @returns whether it is held. */
  #receive(message: Message): boolean {
    const kernel = this.#kernel;
    const [latestTsMs, previousU] = [kernel.getLatestTs(), kernel.getPreviousU()];
    const before = { latestTsMs, updateId: previousU < 0 ? undefined : previousU };
    const counted = countMessage(this.#hostCounts, message, before);
    if (!counted) return false;
    kernel.setPrevious(message.tsMs, Math.max(latestTsMs, message.tsMs), message.updateId ?? -1);
    this.#held = { tsMs: message.tsMs, message, ...counted };
    return true;
  }

  /** Teaches the kernel the form of this line, a delta that `JSON.parse` has just found right. */
  #learnTemplate(line: Uint8Array, message: Message): void {
    const parts = templateOf(line, message, this.#kernel);
    const template = parts?.join('\n');
    if (!parts || this.#template === template) return;
    this.#template = template;
    const { PART1, PART2, setTemplate } = this.#kernel;
    const [part1, part2] = parts;
    this.#memory.set(Buffer.from(part1, 'latin1'), PART1);
    this.#memory.set(Buffer.from(part2, 'latin1'), PART2);
    setTemplate(part1.length, part2.length);
  }
}
