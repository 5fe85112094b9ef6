/** Moments as people type them, UTC. */
import { DAY_MS, isDate, midnightMs } from './time.js';

/** A moment as it was given: a time alone is of a day that is not known yet. */
export type Moment =
  | { kind: 'instant'; ms: number }
  | { kind: 'day'; midnightMs: number }
  | { kind: 'time of day'; sinceMidnightMs: number };

const EXPECTED =
  'Expected a time (UTC) such as 10:15, 10:15:30.250, 2025-01-15T10:15, or ms since 1970 such as 1736936100000';

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})0*)?)?$/;

/**
 * Reads `10:15`, `10:15:30.250`, `2025-01-15`, `2025-01-15T10:15`, with a blank in place of `T` and with `Z` behind it too,
 * and ms since the epoch.
 *
 * @throws RangeError that says what would be right.
 */
export function parseMoment(text: string): Moment {
  if (/^\d{11,14}$/.test(text)) return { kind: 'instant', ms: Number(text) };
  if (/^\d+$/.test(text)) throw new RangeError(`${EXPECTED}, which has 11 to 14 digits.`);
  if (/[+-]\d{2}:?\d{2}$/.test(text) && text.includes(':')) throw new RangeError(`${EXPECTED}, without an offset.`);
  const [, date, timeOfDate, timeAlone] = /^(?:(\d{4}-\d{2}-\d{2})(?:[T ]([\d:.]+)Z?)?|([\d:.]+)Z?)$/.exec(text) ?? [];
  const time = timeOfDate ?? timeAlone;
  if (date !== undefined && !isDate(date)) throw new RangeError(`${date} is no day of the calendar.`);
  if (time === undefined) {
    if (date === undefined) throw new RangeError(`${EXPECTED}.`);
    return { kind: 'day', midnightMs: midnightMs(date) };
  }
  const sinceMidnightMs = parseTime(time);
  if (date === undefined) return { kind: 'time of day', sinceMidnightMs };
  return { kind: 'instant', ms: midnightMs(date) + sinceMidnightMs };
}

/** `24:00` is the end of the day, which its last row is labelled with. */
function parseTime(text: string): number {
  const [, hours, minutes, seconds = '0', fraction = ''] = TIME.exec(text) ?? [];
  const ms = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000;
  const sinceMidnightMs = ms + Number(fraction.padEnd(3, '0'));
  const isTime = Number(minutes) < 60 && Number(seconds) < 60 && sinceMidnightMs <= DAY_MS;
  if (!isTime) throw new RangeError(`${EXPECTED}.`);
  return sinceMidnightMs;
}

/** `2025-01-15 10:15:00.000`. */
export function formatMoment(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** `250 ms`, `1.5 s`, `2 min`, `3 h`, `2 d`: the largest unit of which there is one. */
export function formatDuration(ms: number): string {
  const units = [
    ['d', DAY_MS],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const;
  const [unit, unitMs] = units.find(([, length]) => ms >= length) ?? ['ms', 1];
  return `${Number((ms / unitMs).toFixed(unit === 's' ? 3 : 1))} ${unit}`;
}
