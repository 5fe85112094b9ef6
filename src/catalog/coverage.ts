/**
 * Which days Bybit has published archives of, by market and depth: the one table of it. Archives are as its listings
 * show them, `https://quote-saver.bycsi.com/orderbook/linear/BTCUSDT/` and those beside it; they have no other
 * documentation. When Bybit changes something, this is the place to correct.
 */
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import type { MarketName } from './market.js';

/** Days in a row whose archives have the same depth. */
export interface Era {
  market: MarketName;
  /** Levels a side. */
  depth: number;
  /** The first day that any symbol has, `YYYY-MM-DD`. Most symbols begin later: on the day that they were listed. */
  firstDay: string;
  /** The last day; absent: it goes on. */
  lastDay?: string;
}

/** From old to new. */
const CONTRACTS: readonly Omit<Era, 'market'>[] = [
  // The file of the first day begins at 06:42:57 UTC.
  { depth: 500, firstDay: '2023-01-18', lastDay: '2025-08-20' },
  { depth: 200, firstDay: '2025-08-21' },
];

/**
 * Every era of every market. Options (`option/{BASE}/{DATE}_{BASE}_{QUOTE}.ob25.zip`) have many members in a file, which
 * are not read here. No archive of 1,000 levels is published.
 */
export const ERAS: readonly Era[] = [
  ...CONTRACTS.map((era): Era => ({ market: 'linear', ...era })),
  ...CONTRACTS.map((era): Era => ({ market: 'inverse', ...era })),
  // Some symbols begin on this day, the others on the next. A message each 200 ms until 2026-03-18, then each 100 ms.
  { market: 'spot', depth: 200, firstDay: '2025-04-29' },
];

/** The first day that anything is published of in a market. */
export function firstPublishedDay(market: MarketName): string {
  return ERAS.filter((era) => era.market === market)
    .map(({ firstDay }) => firstDay)
    .reduce((first, day) => (day < first ? day : first));
}

/** The depths that a market's archives of a day may have, the most likely first: that of the day's era, then the others. */
export function likelyDepths(market: MarketName, date: string): number[] {
  const eras = ERAS.filter((era) => era.market === market);
  const ofDay = eras.filter((era) => isWithin(era, date));
  return [...new Set([...ofDay, ...eras].map(({ depth }) => depth))];
}

/** Whether there can be an archive of a day. A day that never existed is not missing. */
export function isPublished(date: string, what: Coverage = {}): boolean {
  return countPublished(date, date, what) === 1;
}

/** Which archives count. */
export interface Coverage {
  /** Absent: not told, so that it may be any. */
  market?: MarketName | undefined;
  /** At least so many levels a side; absent: any. */
  depth?: number | undefined;
}

/** How many days there are from one to another, both included, of which there can be an archive. */
export function countPublished(from: string, to: string, { market, depth = 0 }: Coverage = {}): number {
  let count = 0;
  let next = from;
  const eras = ERAS.filter((era) => (market === undefined || era.market === market) && era.depth >= depth);
  for (const { firstDay, lastDay = '9999-12-31' } of eras.sort((a, b) => (a.firstDay < b.firstDay ? -1 : 1))) {
    const first = firstDay > next ? firstDay : next;
    const last = lastDay < to ? lastDay : to;
    if (first > last) continue;
    const lastMs = midnightMs(last);
    count += (lastMs - midnightMs(first)) / DAY_MS + 1;
    if (last >= to) break;
    next = toDate(lastMs + DAY_MS);
  }
  return count;
}

function isWithin({ firstDay, lastDay = '9999-12-31' }: Era, date: string): boolean {
  return date >= firstDay && date <= lastDay;
}
