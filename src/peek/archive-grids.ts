/** When an archive that is looked at gives a row: a grid of its own for each way of stepping through it. */
import type { DueRow, Grid } from '../book/grid.js';

/**
 * A row as of a time, then one after every message. Up to that time the engine need not stop, so that it comes there at
 * the speed of converting.
 */
export class MessageGrid implements Grid {
  readonly skippedBoundaries = 0;
  readonly #fromMs: number;
  #isQuiet = true;
  /** `ts` of the message applied last; `undefined` before the first snapshot. */
  #bookTsMs: number | undefined;

  /** @param fromMs the first row is as of then, or holds the first snapshot when that comes later. */
  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  get quietUntilMs(): number {
    return this.#isQuiet ? this.#fromMs : Number.NEGATIVE_INFINITY;
  }

  refuse(): undefined {}

  dueBefore(tsMs: number): DueRow | undefined {
    if (!this.#isQuiet || tsMs <= this.#fromMs) return undefined;
    this.#isQuiet = false;
    return this.#row();
  }

  dueAfter(tsMs: number): DueRow | undefined {
    this.#bookTsMs = tsMs;
    return this.#isQuiet ? undefined : this.#row();
  }

  dueAtEnd(): DueRow | undefined {
    if (!this.#isQuiet) return undefined;
    this.#isQuiet = false;
    return this.#row();
  }

  #row(): DueRow | undefined {
    return this.#bookTsMs === undefined ? undefined : { boundaryMs: this.#bookTsMs, isFilled: false };
  }
}

export interface StepGridOptions {
  /** A boundary; the others lie whole steps before and after it. */
  anchorMs: number;
  stepMs: number;
  /** The first row is that of the latest boundary at or before; when the book begins later, of the first after that. */
  fromMs: number;
}

/** Rows at equal distances from a moment on, also where no message came, until the messages end. */
export class StepGrid implements Grid {
  readonly skippedBoundaries = 0;
  readonly #anchorMs: number;
  readonly #stepMs: number;
  readonly #fromMs: number;
  /** `undefined` before the first snapshot. */
  #nextMs: number | undefined;
  #latestMs = Number.NEGATIVE_INFINITY;
  #hasGivenRow = false;

  constructor({ anchorMs, stepMs, fromMs }: StepGridOptions) {
    this.#anchorMs = anchorMs;
    this.#stepMs = stepMs;
    this.#fromMs = anchorMs + Math.floor((fromMs - anchorMs) / stepMs) * stepMs;
  }

  get quietUntilMs(): number {
    return this.#nextMs ?? Number.NEGATIVE_INFINITY;
  }

  refuse(): undefined {}

  dueBefore(tsMs: number): DueRow | undefined {
    return this.#nextMs === undefined || tsMs <= this.#nextMs ? undefined : this.#take(this.#nextMs);
  }

  dueAfter(tsMs: number): undefined {
    this.#latestMs = Math.max(this.#latestMs, tsMs);
    this.#nextMs ??= Math.max(this.#fromMs, this.#closing(tsMs));
  }

  dueAtEnd(): DueRow | undefined {
    const lastMs = this.#closing(this.#latestMs);
    const isDue = this.#nextMs !== undefined && (this.#nextMs <= lastMs || !this.#hasGivenRow);
    return isDue ? this.#take(lastMs) : undefined;
  }

  #take(boundaryMs: number): DueRow {
    this.#nextMs = boundaryMs + this.#stepMs;
    this.#hasGivenRow = true;
    return { boundaryMs, isFilled: this.#latestMs <= boundaryMs - this.#stepMs };
  }

  /** The boundary at or after a moment. */
  #closing(ms: number): number {
    return this.#anchorMs + Math.ceil((ms - this.#anchorMs) / this.#stepMs) * this.#stepMs;
  }
}
