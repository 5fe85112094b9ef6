/** Small made inputs that several targets begin with. */
import { type MarketOptions, marketText } from '../src/samples/market.js';

const MARKET: MarketOptions = {
  symbol: 'FUZZUSDT',
  date: '2025-01-15',
  depth: 5,
  style: 'contract',
  seed: 1,
  durationMs: 60_000,
  updatesPerMessage: 3,
  updatesPerBurst: 6,
};

/** The first bytes of a made market's messages, as archives have them. */
export function bookText(seed: number, bytes: number, market: Partial<MarketOptions> = {}): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (const part of marketText({ ...MARKET, seed, ...market })) {
    parts.push(Buffer.from(part));
    length += part.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}
