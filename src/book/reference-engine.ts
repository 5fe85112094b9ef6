import type { RowBatch } from '../base/rows.js';
import { HEARD_LEVELS } from '../metrics/columns.js';
import { MetricsSampler } from '../metrics/sampler.js';
import { checkContents, type ExpectedContents } from './contents.js';
import { countMessage, countRows, noCounts } from './counts.js';
import {
  type Engine,
  type EngineCounts,
  type EngineEvent,
  type EngineOptions,
  type GivesUp,
  givesUp,
} from './engine.js';
import type { DueRow, Grid } from './grid.js';
import { isBlank, LineSplitter } from './lines.js';
import { type BadLine, type Message, parseMessage, TOO_LONG } from './message.js';
import { ReferenceBatch } from './reference-batch.js';
import { ReferenceBook } from './reference-book.js';

/** Rows in a batch, unless fewer are asked for. */
const BATCH_ROWS = 100;

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
  readonly #sampler: MetricsSampler | undefined;
  #lineNumber = 0;
  #latestTsMs = Number.NEGATIVE_INFINITY;
  #updateId: number | undefined;
  #isEnded = false;
  #isDone = false;
  readonly #batch: ReferenceBatch;
  readonly #maxRows: number;
  /** An event that comes after the rows that are given first. */
  #pending: EngineEvent | GivesUp | undefined;

  constructor({ grid, books, maxRows = BATCH_ROWS, keepZeros, expected, metrics }: EngineOptions) {
    this.#grid = grid;
    this.#batch = new ReferenceBatch(books);
    this.#maxRows = maxRows;
    this.#keepZeros = keepZeros;
    this.#expected = expected;
    this.#sampler = metrics && new MetricsSampler(metrics);
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

  next(): EngineEvent {
    for (;;) {
      const event = this.#pending ?? this.#stepOrGiveUp();
      this.#pending = undefined;
      const isDue = event ? this.#batch.length > 0 : this.#batch.length === this.#maxRows;
      if (isDue) {
        this.#pending = event;
        return this.#give(this.#batch.take());
      }
      if (event?.kind === 'gives-up') throw event.error;
      if (event) return event;
    }
  }

  #stepOrGiveUp(): EngineEvent | GivesUp | undefined {
    try {
      return this.#step();
    } catch (error) {
      return givesUp(error);
    }
  }

  /** Goes on by one row, message or line; `undefined` when there is no event yet. */
  #step(): EngineEvent | undefined {
    if (this.#message) {
      const wrong = this.#grid.refuse(this.#message.tsMs);
      if (wrong) throw new RangeError(`line ${this.#lineNumber}: ${wrong}`);
      const before = this.#grid.dueBefore(this.#message.tsMs);
      if (before) return this.#addRow(before);
      const { tsMs } = this.#message;
      this.#apply(this.#message);
      this.#message = undefined;
      const after = this.#grid.dueAfter(tsMs);
      return after && this.#addRow(after);
    }
    const line = this.#lines.next();
    if (!line) return this.#isEnded ? this.#close() : { kind: 'needs-bytes' };
    this.#lineNumber = line.number;
    if (isBlank(line)) return undefined;
    const message = line.isTooLong ? TOO_LONG : parseMessage(line.bytes);
    if ('reason' in message) return this.#badLine(message);
    const foreign = checkContents(message, this.#expected, this.#counts.messages === 0);
    if (foreign) return this.#badLine(foreign);
    this.#message = this.#receive(message);
    return undefined;
  }

  #give(rows: RowBatch): EngineEvent {
    countRows(this.#counts, rows);
    return { kind: 'rows', rows };
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
    const updates = message.bids.length + message.asks.length;
    this.#sampler?.hear(this.#latestTsMs, this.#book.levels(HEARD_LEVELS), updates);
    if (this.#book.depth > MAX_LEVELS_PER_SIDE) {
      throw new RangeError(
        `line ${this.#lineNumber}: the book has grown past ${MAX_LEVELS_PER_SIDE} levels a side, which no real one does`,
      );
    }
  }

  #addRow({ boundaryMs, isFilled }: DueRow, isPartial = false): undefined {
    const [isSuspect, isCrossed] = [this.#isSuspect, this.#book.isCrossed];
    const state = { boundaryMs, bookTsMs: this.#bookTsMs, isFilled, isSuspect, isCrossed, isPartial };
    const metrics = this.#sampler?.row(boundaryMs, this.#book.levels(MAX_LEVELS_PER_SIDE));
    this.#batch.add(state, this.#book, metrics);
  }

  #close(): EngineEvent | undefined {
    if (this.#isDone) return { kind: 'end' };
    this.#isDone = true;
    const last = this.#grid.dueAtEnd();
    return last && this.#addRow(last, this.#latestTsMs < last.boundaryMs);
  }
}
