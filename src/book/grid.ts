/** When a row is due: the arithmetic of boundaries, in ms since the epoch. Knows nothing of books. */
import { DAY_MS } from '../base/time.js';

/** Without a day to which rows are clipped, so far may a message lie after all before it. */
const MAX_JUMP_MS = 7 * DAY_MS;

/** A row to write now: the book as it stands, under the label `boundaryMs`. */
export interface DueRow {
  boundaryMs: number;
  /** No message came in the interval that this boundary closes. */
  isFilled: boolean;
}

/** A stretch of a regular grid, which the kernel can pass by itself (kernel/grid.ts). Times are ms since the epoch. */
export interface Stretch {
  /** The boundary that is next. */
  nextMs: number;
  intervalMs: number;
  /** The last boundary; may be infinite. */
  lastMs: number;
  /** As much later than all before it a message may be; may be infinite. */
  maxJumpMs: number;
  /** Whether boundaries whose interval had no message get a row. */
  fills: boolean;
  /** No message has come in the interval that `nextMs` closes, so far. */
  isNextFilled: boolean;
}

/** How far the kernel has come on its own. */
export interface Progress {
  nextMs: number;
  isNextFilled: boolean;
  /** The latest `ts` of all messages so far. */
  latestMs: number;
  /** Boundaries that got no row. */
  skippedBoundaries: number;
}

/** Decides when rows are due, from the timestamps of the messages in file order. */
export interface Grid {
  /** Boundaries in the grid that no row was written for, because no message came in their interval. */
  readonly skippedBoundaries: number;
  /** While messages come in the order of time and with a `ts` up to this one, no row is due. */
  readonly quietUntilMs: number;
  /**
   * Asked before the first {@link dueBefore} of a message: why its `ts` cannot be right; `undefined` when it may be. One
   * wild `ts` would otherwise make rows up to the end of time.
   */
  refuse(tsMs: number): string | undefined;
  /** Asked before a message is applied, again and again until it answers `undefined`. */
  dueBefore(tsMs: number): DueRow | undefined;
  /** Asked once after a message was applied. */
  dueAfter(tsMs: number): DueRow | undefined;
  /** Asked once, at the end of the file. */
  dueAtEnd(): DueRow | undefined;
  /** The regular stretch ahead; `undefined` when each message must be asked for. A grid that is never regular has none. */
  readonly stretch?: Stretch | undefined;
  /** Goes on from where the kernel has come on the stretch. */
  resume?(progress: Progress): void;
}

export interface AsOfGridOptions {
  intervalMs: number;
  /** Midnight (UTC) of the one day whose boundaries are wanted: those in (dayMs, dayMs + 24 h]. Absent: all. */
  dayMs: number | undefined;
  /** What becomes of a boundary whose interval had no message. */
  onGap: 'fill' | 'skip';
}

/** Row T holds every message with `ts` ≤ T and none with `ts` > T. */
export class AsOfGrid implements Grid {
  skippedBoundaries = 0;
  readonly #intervalMs: number;
  readonly #firstMs: number;
  readonly #lastMs: number;
  readonly #fills: boolean;
  readonly #isClipped: boolean;
  #latestMs: number | undefined;
  /** The earliest boundary not dealt with yet; `undefined` before the first message. */
  #nextMs: number | undefined;
  #isNextFilled = true;

  constructor({ intervalMs, dayMs, onGap }: AsOfGridOptions) {
    this.#intervalMs = intervalMs;
    this.#firstMs = dayMs === undefined ? 0 : dayMs + intervalMs;
    this.#lastMs = dayMs === undefined ? Number.POSITIVE_INFINITY : dayMs + DAY_MS;
    this.#fills = onGap === 'fill';
    this.#isClipped = dayMs !== undefined;
  }

  get quietUntilMs(): number {
    return this.#nextMs ?? Number.NEGATIVE_INFINITY;
  }

  get stretch(): Stretch | undefined {
    if (this.#nextMs === undefined || this.#nextMs < this.#firstMs || this.#nextMs > this.#lastMs) return undefined;
    return {
      nextMs: this.#nextMs,
      intervalMs: this.#intervalMs,
      lastMs: this.#lastMs,
      maxJumpMs: this.#isClipped ? Number.POSITIVE_INFINITY : MAX_JUMP_MS,
      fills: this.#fills,
      isNextFilled: this.#isNextFilled,
    };
  }

  resume({ nextMs, isNextFilled, latestMs, skippedBoundaries }: Progress): void {
    this.#nextMs = nextMs;
    this.#isNextFilled = isNextFilled;
    this.#latestMs = latestMs;
    this.skippedBoundaries += skippedBoundaries;
  }

  refuse(tsMs: number): string | undefined {
    if (this.#isClipped || this.#latestMs === undefined || tsMs - this.#latestMs <= MAX_JUMP_MS) return undefined;
    const days = Math.round((tsMs - this.#latestMs) / DAY_MS);
    return (
      `its ts, ${new Date(tsMs).toISOString()}, is ${days} days after all before it (${new Date(this.#latestMs).toISOString()}); ` +
      `at most ${MAX_JUMP_MS / DAY_MS} are taken for right in a file without a date in its name`
    );
  }

  dueBefore(tsMs: number): DueRow | undefined {
    if (this.#nextMs === undefined || tsMs <= this.#nextMs) return undefined;
    if (this.#nextMs < this.#firstMs) this.#passOver(Math.min(this.#firstMs, this.#closing(tsMs)));
    else if (this.#nextMs > this.#lastMs) this.#passOver(this.#closing(tsMs));
    else if (this.#isNextFilled && !this.#fills) {
      const next = Math.min(this.#lastMs + this.#intervalMs, this.#closing(tsMs));
      this.skippedBoundaries += (next - this.#nextMs) / this.#intervalMs;
      this.#passOver(next);
    } else {
      return this.#take(this.#nextMs);
    }
    return this.dueBefore(tsMs);
  }

  dueAfter(tsMs: number): undefined {
    this.#nextMs ??= this.#closing(tsMs);
    this.#latestMs = Math.max(this.#latestMs ?? tsMs, tsMs);
    this.#isNextFilled = false;
  }

  dueAtEnd(): DueRow | undefined {
    const next = this.#nextMs;
    if (next === undefined || next < this.#firstMs || next > this.#lastMs) return undefined;
    return this.#take(next);
  }

  #take(boundaryMs: number): DueRow {
    const due = { boundaryMs, isFilled: this.#isNextFilled };
    this.#passOver(boundaryMs + this.#intervalMs);
    return due;
  }

  #passOver(nextMs: number): void {
    this.#nextMs = nextMs;
    this.#isNextFilled = true;
  }

  /** The boundary that closes the interval of `tsMs`. */
  #closing(tsMs: number): number {
    return Math.ceil(tsMs / this.#intervalMs) * this.#intervalMs;
  }
}

const MINUTE_MS = 60_000;

/**
 * The rule of the Python scripts that bookgrid replaces, for extending data sets made by them. At the first message
 * of a later minute, after it was applied, a row is written under the start of the earlier minute: the row of 10:15
 * holds the book just after 10:16:00, over a minute of look-ahead. Quiet minutes and the last one have no row.
 */
export class PythonGrid implements Grid {
  readonly skippedBoundaries = 0;
  #minuteMs: number | undefined;

  get quietUntilMs(): number {
    return this.#minuteMs === undefined ? Number.NEGATIVE_INFINITY : this.#minuteMs + MINUTE_MS - 1;
  }

  refuse(): undefined {}

  dueBefore(): undefined {}

  dueAfter(tsMs: number): DueRow | undefined {
    const minuteMs = Math.floor(tsMs / MINUTE_MS) * MINUTE_MS;
    const earlierMs = this.#minuteMs;
    this.#minuteMs = minuteMs;
    return earlierMs !== undefined && minuteMs > earlierMs ? { boundaryMs: earlierMs, isFilled: false } : undefined;
  }

  dueAtEnd(): undefined {}
}
