/** How good the rows of days are, as their records tell. */
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import type { ListedDay, ListedSeries } from './listing.js';

export const QUALITIES = ['complete', 'filled', 'suspect', 'short', 'unknown', 'missing'] as const;
export type Quality = (typeof QUALITIES)[number];

export const QUALITY_TEXTS: Record<Quality, string> = {
  complete: 'every row, none filled or suspect',
  filled: 'some rows of intervals without a message',
  suspect: 'some rows after a missed message',
  short: 'fewer rows than the day has',
  unknown: 'nothing recorded of its rows',
  missing: 'no output',
};

export function qualityOf([, , rows, filled, suspect]: ListedDay, intervalMs: number | null): Quality {
  if (rows === null) return 'unknown';
  if (suspect !== null && suspect > 0) return 'suspect';
  if (intervalMs !== null && rows < DAY_MS / intervalMs) return 'short';
  return filled !== null && filled > 0 ? 'filled' : 'complete';
}

export function noCounts(): Record<Quality, number> {
  return { complete: 0, filled: 0, suspect: 0, short: 0, unknown: 0, missing: 0 };
}

/** A wrong date must not become a million days. */
const MAX_DAYS = 20 * 366;

/** Of each day the file that has it: one of `join` has many. Files whose names tell no day are left out. */
export function filesByDay(days: readonly ListedDay[]): Map<string, ListedDay> {
  const byDay = new Map<string, ListedDay>();
  for (const file of days) {
    const [day, , , , , lastDay = day] = file;
    const [firstMs, lastMs] = [midnightMs(day), midnightMs(lastDay)];
    const endMs = Math.min(lastMs, firstMs + MAX_DAYS * DAY_MS);
    for (let ms = firstMs; ms <= endMs; ms += DAY_MS) byDay.set(toDate(ms), byDay.get(toDate(ms)) ?? file);
  }
  return byDay;
}

/** How many days there are of each quality. */
export function countQualities({ days, intervalMs }: ListedSeries): Record<Quality, number> {
  const counts = noCounts();
  const byDay = filesByDay(days);
  for (const file of byDay.values()) counts[qualityOf(file, intervalMs)]++;
  for (const file of days) if (Number.isNaN(midnightMs(file[0]))) counts[qualityOf(file, intervalMs)]++;
  const known = [...byDay.keys()].sort();
  const [first, last] = [known[0], known.at(-1)];
  if (first !== undefined && last !== undefined) {
    counts.missing = (midnightMs(last) - midnightMs(first)) / DAY_MS + 1 - known.length;
  }
  return counts;
}
