import { DAY_MS } from '../base/time.js';
import { OutputBuffer } from './output-buffer.js';

/** More than any number or time takes. */
const MAX_NUMBER_BYTES = 32;

const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;

/**
 * Gathers the text of a CSV file on its way to a sink. Cells are written where they will stay: no text, no object a row.
 */
export class CsvText extends OutputBuffer {
  /** `2025-01-15T`, of the day whose times are being written. */
  #date = Buffer.alloc(0);
  #dateDay = Number.NaN;

  /** @param text in ASCII. */
  appendText(text: string): void {
    this.append(Buffer.from(text, 'latin1'));
  }

  appendComma(): void {
    this.reserve(1);
    this.buffer[this.used++] = COMMA;
  }

  appendCrlf(): void {
    this.reserve(2);
    this.buffer[this.used++] = 0x0d;
    this.buffer[this.used++] = 0x0a;
  }

  /** Writes `1` or `0`. */
  appendFlag(flag: boolean): void {
    this.reserve(1);
    this.buffer[this.used++] = ZERO + Number(flag);
  }

  /** Writes a whole number. */
  appendInteger(value: number): void {
    this.reserve(MAX_NUMBER_BYTES);
    let rest = value;
    if (rest < 0) {
      this.buffer[this.used++] = MINUS;
      rest = -rest;
    }
    if (rest < 1e7) {
      this.#appendDigits(rest, digitsOf(rest));
      return;
    }
    // Two halves that fit 32 bits, which are divided many times faster.
    const high = Math.floor(rest / 1e7);
    if (high > 0x7fff_ffff) {
      this.appendText(String(rest));
      return;
    }
    this.#appendDigits(high, digitsOf(high));
    this.#appendDigits(rest - high * 1e7, 7);
  }

  /**
   * Writes `2025-01-15T00:01:00.0000`: UTC with four digits of a second's fraction, as `strftime('%f')[:-2]` has them.
   *
   * @param timeMs since the epoch.
   */
  appendClock(timeMs: number): void {
    this.reserve(MAX_NUMBER_BYTES);
    const day = Math.floor(timeMs / DAY_MS);
    if (day !== this.#dateDay) {
      this.#date = Buffer.from(new Date(day * DAY_MS).toISOString().slice(0, -'00:00:00.000Z'.length), 'latin1');
      this.#dateDay = day;
    }
    const date = this.#date;
    for (let i = 0; i < date.length; i++) this.buffer[this.used++] = date[i] as number;
    const msOfDay = timeMs - day * DAY_MS;
    const seconds = (msOfDay / 1000) | 0;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    this.#appendDigits(hours, 2);
    this.buffer[this.used++] = COLON;
    this.#appendDigits(minutes - hours * 60, 2);
    this.buffer[this.used++] = COLON;
    this.#appendDigits(seconds - minutes * 60, 2);
    this.buffer[this.used++] = 0x2e;
    this.#appendDigits((msOfDay - seconds * 1000) * 10, 4);
  }

  /** @param value below 2^31. */
  #appendDigits(value: number, count: number): void {
    const buffer = this.buffer;
    let rest = value | 0;
    for (let at = this.used + count - 1; at >= this.used; at--) {
      const next = (rest / 10) | 0;
      buffer[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.used += count;
  }
}

/** @param value below 2^31. */
function digitsOf(value: number): number {
  let count = 1;
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) count++;
  return count;
}
