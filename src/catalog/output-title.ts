/** What the name of an output alone tells, wherever it lies: one of convert, or of join. */
import { isDate, parseInterval } from '../base/time.js';
import { splitSuffix } from '../output/formats.js';
import { nameOf } from '../storage/paths.js';
import { isDepth } from './archive-name.js';
import { type MarketName, marketOfPath, parseMarket } from './market.js';

/** What is not told is not there. */
export interface OutputTitle {
  symbol?: string;
  market?: MarketName;
  /** Levels a side. */
  depth?: number;
  intervalMs?: number;
  /** First and last day, `YYYY-MM-DD`. */
  from?: string;
  to?: string;
}

const DAY = String.raw`(\d{4}-\d{2}-\d{2})`;
const END = String.raw`(?:_ob(\d{1,4}))?_(\d{1,9}(?:ms|s|m|h))$`;
const OF_A_DAY = new RegExp(`^${DAY}_(.+?)${END}`);
const JOINED = new RegExp(`^(?:(linear|inverse|spot)_)?(.+?)_${DAY}_${DAY}${END}`);

/** The name without its suffix; the folders on the way tell the market. */
export function titleOfOutput(path: string): OutputTitle {
  const { stem = '' } = splitSuffix(nameOf(path)) ?? {};
  const [, date, symbolOfDay, depthOfDay, intervalOfDay] = OF_A_DAY.exec(stem) ?? [];
  if (date !== undefined && isDate(date)) {
    return told({ symbol: symbolOfDay, market: marketOfPath(path), from: date, to: date }, depthOfDay, intervalOfDay);
  }
  const [, market, symbol, from = '', to = '', depth, interval] = JOINED.exec(stem) ?? [];
  if (!isDate(from) || !isDate(to)) return told({ market: marketOfPath(path) });
  return told({ symbol, market: parseMarket(market) ?? marketOfPath(path), from, to }, depth, interval);
}

function told(
  names: { [Name in 'symbol' | 'market' | 'from' | 'to']?: OutputTitle[Name] | undefined },
  depth?: string,
  interval?: string,
): OutputTitle {
  const all = {
    ...names,
    depth: isDepth(Number(depth)) ? Number(depth) : undefined,
    intervalMs: interval === undefined ? undefined : intervalOrNone(interval),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function intervalOrNone(text: string): number | undefined {
  try {
    return parseInterval(text);
  } catch {
    return undefined; // somebody's own name
  }
}
