import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import { firstPublishedDay, isPublished } from '../catalog/coverage.js';
import { MARKETS, type MarketName } from '../catalog/market.js';

/** A day of a symbol. */
export interface SymbolDay {
  market?: MarketName;
  pair: string;
  date: string;
}

/** Days in a row of which there is no archive, of any depth. */
export interface MissingDays extends Omit<SymbolDay, 'date'> {
  dates: string[];
}

/** The name of a symbol's days in a map. */
export function symbolOf({ market, pair }: Omit<SymbolDay, 'date'>): string {
  return `${market ?? ''}/${pair}`;
}

/**
 * The days that should be there and are not, by symbol, in order.
 *
 * @param days those there are.
 */
export function* findMissingDays(days: readonly SymbolDay[]): Generator<MissingDays> {
  const bySymbol = new Map<string, { market?: MarketName; pair: string; dates: Set<string> }>();
  for (const { market, pair, date } of days) {
    const symbol = symbolOf({ pair, ...(market && { market }) });
    const known = bySymbol.get(symbol);
    if (known) known.dates.add(date);
    else bySymbol.set(symbol, { ...(market && { market }), pair, dates: new Set([date]) });
  }
  for (const { dates, ...symbol } of bySymbol.values()) {
    let row: string[] = [];
    for (const date of expectedDates(dates, symbol.market)) {
      if (!dates.has(date)) row.push(date);
      else if (row.length > 0) {
        yield { ...symbol, dates: row };
        row = [];
      }
    }
  }
}

/**
 * The days of which a symbol should have an archive: all that Bybit can have published, from the first that is there to
 * the last, and none to come.
 */
function expectedDates(dates: ReadonlySet<string>, market: MarketName | undefined): string[] {
  const sorted = [...dates].sort();
  const firstPublished = MARKETS.map(firstPublishedDay).sort()[0] ?? '';
  const first = max(sorted[0] ?? '', firstPublished);
  const lastMs = Math.min(midnightMs(sorted.at(-1) ?? ''), Date.now());
  const expected: string[] = [];
  for (let ms = midnightMs(first); ms <= lastMs; ms += DAY_MS) {
    if (isPublished(toDate(ms), { market })) expected.push(toDate(ms));
  }
  return expected;
}

function max(a: string, b: string): string {
  return a > b ? a : b;
}
