import { DAY_MS, formatInterval, midnightMs } from '../base/time.js';
import { type DayFile, REMAKE } from './day-file.js';
import { JoinError } from './join-error.js';

/** Boundaries without a row, one after the other. */
export interface MissingRange {
  firstMs: number;
  /** Inclusive. */
  lastMs: number;
  boundaries: number;
  /** As many whole days; 0: a part of one. */
  days: number;
}

/** What is not there of the grid that was asked for. */
export interface Missing {
  boundaries: number;
  /** Whole days. */
  days: number;
  /** How many ranges there are; consecutive whole days are one. */
  ranges: number;
  /** The first 20 of them. */
  firstRanges: MissingRange[];
}

/** Ranges that are kept, so that a grid full of holes needs no more memory than a whole one. */
export const MAX_RANGES = 20;

export interface GridCheckOptions {
  intervalMs: number;
  /** First and last day wanted, `YYYY-MM-DD` (UTC). */
  from: string;
  to: string;
}

/**
 * Sees that rows are in the order of time and none is there twice, and notes which are missing, of the boundaries in
 * (`from` 00:00, `to` + 1 day 00:00]. A day's file holds those in (D 00:00, D + 1 day 00:00].
 */
export class GridCheck {
  /** Rows of the grid seen so far. */
  boundaries = 0;
  readonly #intervalMs: number;
  readonly #endMs: number;
  readonly #missing: Missing = { boundaries: 0, days: 0, ranges: 0, firstRanges: [] };
  #lastRange: MissingRange | undefined;
  /** The file whose rows come, and its midnight. */
  #file: DayFile | undefined;
  #dayMs = 0;
  /** The boundary whose row comes next when none is missing. */
  #nextMs: number;

  constructor({ intervalMs, from, to }: GridCheckOptions) {
    this.#intervalMs = intervalMs;
    this.#nextMs = midnightMs(from) + intervalMs;
    this.#endMs = midnightMs(to) + DAY_MS;
  }

  /** Begins the file of a day later than those before. */
  beginFile(file: DayFile): void {
    this.#file = file;
    this.#dayMs = midnightMs(file.date);
    this.#missUntil(this.#dayMs);
  }

  /**
   * Takes the label of the file's next row.
   *
   * @param rowNumber counts from 1 in the file, for messages.
   * @throws {@link JoinError} when it is no boundary, of another day, or not later than the row before.
   */
  take(boundaryMs: number, rowNumber: number): void {
    const previousMs = this.#nextMs - this.#intervalMs;
    const fail = (problem: string) => this.#fail(boundaryMs, rowNumber, problem);
    if (boundaryMs % this.#intervalMs !== 0) fail(`is no boundary of ${formatInterval(this.#intervalMs)}.`);
    if (boundaryMs <= this.#dayMs || boundaryMs > this.#dayMs + DAY_MS) {
      fail(
        `is not of ${this.#file?.date}, whose rows come after 00:00 and end with the next midnight. Is it a copy of ` +
          'another day’s file, or was it made with --compat python or by the old scripts?',
      );
    }
    if (boundaryMs === previousMs) fail('is there twice.');
    if (boundaryMs < previousMs) fail(`comes after ${formatTime(previousMs)}.`);
    this.#missUntil(boundaryMs - this.#intervalMs);
    this.#nextMs = boundaryMs + this.#intervalMs;
    this.boundaries++;
  }

  /** To be asked once, after the last row. */
  finish(): Missing {
    this.#missUntil(this.#endMs);
    return this.#missing;
  }

  /** Notes the boundaries up to one, inclusive, as missing; split at midnight, so that whole days show as such. */
  #missUntil(lastMs: number): void {
    while (this.#nextMs <= lastMs) {
      const firstMs = this.#nextMs;
      const dayMs = Math.floor((firstMs - this.#intervalMs) / DAY_MS) * DAY_MS;
      const endMs = Math.min(lastMs, dayMs + DAY_MS);
      const isDay = firstMs === dayMs + this.#intervalMs && endMs === dayMs + DAY_MS;
      const boundaries = (endMs - firstMs) / this.#intervalMs + 1;
      this.#add({ firstMs, lastMs: endMs, boundaries, days: isDay ? 1 : 0 });
      this.#nextMs = endMs + this.#intervalMs;
    }
  }

  #add(range: MissingRange): void {
    const last = this.#lastRange;
    this.#missing.boundaries += range.boundaries;
    this.#missing.days += range.days;
    if (last && last.days > 0 && range.days > 0 && last.lastMs + this.#intervalMs === range.firstMs) {
      last.lastMs = range.lastMs;
      last.boundaries += range.boundaries;
      last.days += range.days;
      return;
    }
    this.#lastRange = range;
    this.#missing.ranges++;
    if (this.#missing.ranges <= MAX_RANGES) this.#missing.firstRanges.push(range);
  }

  #fail(boundaryMs: number, rowNumber: number, problem: string): never {
    throw new JoinError(
      `${this.#file?.path}: row ${rowNumber} (${boundaryMs}, ${formatTime(boundaryMs)}) ${problem} ${REMAKE}`,
    );
  }
}

/** For people: whole days by their date, boundaries to the ms. */
export function describeRange({ firstMs, lastMs, boundaries, days }: MissingRange): string {
  if (days > 0) {
    const [first, last] = [firstMs - 1, lastMs - 1].map((ms) => formatTime(ms).slice(0, 10));
    return days === 1 ? `${first}, the whole day` : `${first} to ${last}, ${days} whole days`;
  }
  if (boundaries === 1) return formatTime(firstMs);
  return `${formatTime(firstMs)} to ${formatTime(lastMs)}, ${boundaries} boundaries`;
}

function formatTime(ms: number): string {
  const date = new Date(ms);
  // A damaged file can hold any number.
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}
