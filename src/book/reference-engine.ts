import { type BookObserver, type Levels, OBSERVED_LEVELS } from '../base/rows.js';
import { checkContents, type ExpectedContents } from './contents.js';
import { countMessage, countRow, noCounts } from './counts.js';
import { type Engine, type EngineCounts, type EngineEvent, type EngineOptions, tellObserver } from './engine.js';
import type { DueRow, Grid } from './grid.js';
import { isBlank, LineSplitter } from './lines.js';
import { type BadLine, type Message, parseMessage, TOO_LONG } from './message.js';
import { ReferenceBook } from './reference-book.js';

/** The limit that the kernel has too (kernel/layout.ts). */
export const MAX_LEVELS_PER_SIDE = 100_000;

/** The engine made of the slow, obvious parts: `JSON.parse` for each line and the {@link ReferenceBook}. */
export class ReferenceEngine implements Engine {
  readonly #counts = noCounts();
  readonly #lines = new LineSplitter();
  readonly #book = new ReferenceBook();
  readonly #grid: Grid;
  readonly #keepZeros: boolean;
  readonly #expected: ExpectedContents | undefined;
  /** Read, but not applied yet: rows may be due before it. */
  #message: Message | undefined;
  /** Ids were missed before that message. */
  #isAfterBreak = false;
  #isSuspect = false;
  #bookTsMs = 0;
  readonly #observer: BookObserver | undefined;
  #lineNumber = 0;
  #latestTsMs = Number.NEGATIVE_INFINITY;
  #updateId: number | undefined;
  #isEnded = false;
  #isDone = false;

  constructor({ grid, keepZeros, expected, observer }: EngineOptions) {
    this.#grid = grid;
    this.#keepZeros = keepZeros;
    this.#expected = expected;
    this.#observer = observer;
  }

  get counts(): EngineCounts {
    return { ...this.#counts, skippedBoundaries: this.#grid.skippedBoundaries };
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#isEnded = true;
    this.#lines.end();
  }

  row(depth: number): Uint8Array {
    return Buffer.from(this.#book.row(depth), 'latin1');
  }

  levels(depth: number): Levels {
    return this.#book.levels(depth);
  }

  isThin(depth: number): boolean {
    const { bidPrices, askPrices } = this.#book.levels(depth);
    return Math.min(bidPrices.length, askPrices.length) < depth;
  }

  next(): EngineEvent {
    for (;;) {
      if (this.#message) {
        const wrong = this.#grid.refuse(this.#message.tsMs);
        if (wrong) throw new RangeError(`line ${this.#lineNumber}: ${wrong}`);
        const before = this.#grid.dueBefore(this.#message.tsMs);
        if (before) return this.#boundary(before);
        const { tsMs } = this.#message;
        this.#apply(this.#message);
        this.#message = undefined;
        const after = this.#grid.dueAfter(tsMs);
        if (after) return this.#boundary(after);
      }
      const line = this.#lines.next();
      if (!line) return this.#isEnded ? this.#close() : { kind: 'needs-bytes' };
      this.#lineNumber = line.number;
      if (isBlank(line)) continue;
      const message = line.isTooLong ? TOO_LONG : parseMessage(line.bytes);
      if ('reason' in message) return this.#badLine(message);
      const foreign = checkContents(message, this.#expected, this.#counts.messages === 0);
      if (foreign) return this.#badLine(foreign);
      this.#message = this.#receive(message);
    }
  }

  #badLine(bad: BadLine): EngineEvent {
    this.#counts.badLines++;
    this.#isSuspect = true;
    return { kind: 'bad-line', lineNumber: this.#lineNumber, ...bad };
  }

  /** Counts a message; `undefined` when there is no book yet that it could change. */
  #receive(message: Message): Message | undefined {
    const before = { updateId: this.#updateId, latestTsMs: this.#latestTsMs };
    const counted = countMessage(this.#counts, message, before);
    if (!counted) return undefined;
    this.#isAfterBreak = counted.isAfterBreak;
    this.#updateId = message.updateId;
    this.#latestTsMs = Math.max(this.#latestTsMs, message.tsMs);
    return message;
  }

  #apply(message: Message): void {
    this.#book.apply(message, { keepZeros: this.#keepZeros });
    this.#isSuspect = this.#isAfterBreak || (this.#isSuspect && message.type === 'delta');
    this.#bookTsMs = message.tsMs;
    if (this.#observer) {
      const updates = message.bids.length + message.asks.length;
      tellObserver(this.#observer, this.#latestTsMs, this.#book.levels(OBSERVED_LEVELS), updates);
    }
    if (this.#book.depth > MAX_LEVELS_PER_SIDE) {
      throw new RangeError(
        `line ${this.#lineNumber}: the book has grown past ${MAX_LEVELS_PER_SIDE} levels a side, which no real one does`,
      );
    }
  }

  #boundary({ boundaryMs, isFilled }: DueRow, isPartial = false): EngineEvent {
    const [isSuspect, isCrossed] = [this.#isSuspect, this.#book.isCrossed];
    return countRow(this.#counts, { boundaryMs, bookTsMs: this.#bookTsMs, isFilled, isSuspect, isCrossed, isPartial });
  }

  #close(): EngineEvent {
    if (this.#isDone) return { kind: 'end' };
    this.#isDone = true;
    const last = this.#grid.dueAtEnd();
    return last ? this.#boundary(last, this.#latestTsMs < last.boundaryMs) : { kind: 'end' };
  }
}
