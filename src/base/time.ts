/** Moments, days and intervals: ms since the epoch, UTC. */

export const DAY_MS = 86_400_000;

/** The 00:00 UTC that a day, `YYYY-MM-DD`, begins with. */
export function midnightMs(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** The UTC day of a moment, `YYYY-MM-DD`. */
export function toDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Every day from one to another, both included. */
export function daysFrom(from: string, to: string): string[] {
  const days: string[] = [];
  for (let ms = midnightMs(from); ms <= midnightMs(to); ms += DAY_MS) days.push(toDate(ms));
  return days;
}

/** Whether the text is a day of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const dayMs = midnightMs(text);
  return !Number.isNaN(dayMs) && toDate(dayMs) === text;
}

/** Units as file names have them. A day stands there as `24h`, and must go on to, or old outputs would not be found. */
const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Units as users may write them. */
const GIVEN_UNITS_MS = { ...UNITS_MS, d: DAY_MS } as const;

/** Reads a number and a unit, such as `30s`. @returns ms; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * GIVEN_UNITS_MS[unit as keyof typeof GIVEN_UNITS_MS];
}

/**
 * Reads an interval such as `100ms`, `1s`, `5m`, `1h`, `1d`. It must divide a day, so that every day has the same
 * boundaries.
 *
 * @returns ms
 * @throws RangeError that says what is wrong and what would be right.
 */
export function parseInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs === undefined) {
    throw new RangeError(`An interval is a number and a unit, such as 100ms, 1s, 5m, 1h or 1d, and "${text}" is not.`);
  }
  return checkInterval(intervalMs, text);
}

/**
 * Answers an interval in ms as it is.
 *
 * @param text how it was given, for the message.
 * @throws RangeError when it does not divide a day.
 */
export function checkInterval(intervalMs: number, text = `${intervalMs} ms`): number {
  if (Number.isInteger(intervalMs) && intervalMs > 0 && DAY_MS % intervalMs === 0) return intervalMs;
  throw new RangeError(
    `An interval must divide a day evenly, as 100ms, 1s, 30s, 1m, 5m, 15m, 1h and 1d do, and ${text} does not.`,
  );
}

/** The shortest way to write an interval, as it stands in file names: 60,000 ms is `1m`, a day is `24h`, however given. */
export function formatInterval(intervalMs: number): string {
  const units = Object.entries(UNITS_MS).reverse();
  const [unit, unitMs] = units.find(([, ms]) => intervalMs % ms === 0) ?? ['ms', 1];
  return `${intervalMs / unitMs}${unit}`;
}

/** Whether a number is whole ms since the epoch that a calendar has, up to the year 9999. */
export function isTime(ms: number): boolean {
  return Number.isInteger(ms) && ms >= 0 && ms < 253_402_300_800_000;
}
