import { isUtf8 } from 'node:buffer';
import { canonical, isDecimal, isSupportedPrice, MAX_PRICE_DIGITS } from './decimal.js';
import { MAX_LINE_BYTES } from './lines.js';

/** One level in a message: price and quantity in the archive's own text. A quantity of zero removes the level. */
export type Update = readonly [price: string, quantity: string];

/** What a message does to a book. */
export interface BookChange {
  /** A snapshot replaces both sides; a delta sets or removes the levels that it names. */
  type: 'snapshot' | 'delta';
  /** Usually best first; nothing guarantees it. */
  bids: readonly Update[];
  /** Likewise. */
  asks: readonly Update[];
}

/**
 * One line of an archive, as Bybit's public "orderbook" websocket topic sends it. What the fields mean is from Bybit's
 * documentation: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
 */
export interface Message extends BookChange {
  /** e.g. `orderbook.500.XRPUSDT`; absent when the line has none. */
  topic: string | undefined;
  /** `s`, e.g. `XRPUSDT`; absent when the line has none. */
  symbol: string | undefined;
  /** `ts`: when Bybit generated the message, ms since the epoch, UTC. */
  tsMs: number;
  /** `cts`: when the matching engine produced the change, ms since the epoch, UTC; absent when the line has none. */
  ctsMs: number | undefined;
  /**
   * `u`: rises by one from message to message; a snapshot re-bases it, to 1 after a restart of Bybit's service. Absent
   * when the line has none.
   */
  updateId: number | undefined;
  /** `seq`: the matching engine's sequence, comparable across depths of one symbol; absent when the line has none. */
  seq: number | undefined;
  /**
   * Which of Bybit's markets writes lines like this one, with `type` before `ts` or after it; `undefined` for others.
   */
  market: Market | undefined;
}

/** Bybit's markets, as far as their archives are written differently. */
export type Market = 'contract' | 'spot';

/** Why a line is no message. `isJson` tells a foreign object from text that cannot be read at all. */
export interface BadLine {
  reason: string;
  isJson: boolean;
}

/** What is said of a line too long to be read. */
export const TOO_LONG: BadLine = { reason: `longer than ${MAX_LINE_BYTES} bytes`, isJson: false };

/** Reads one line. Any key order, white space and unknown keys are fine; what is needed must be there and right. */
export function parseMessage(line: Uint8Array): Message | BadLine {
  if (!isUtf8(line)) return { reason: 'not UTF-8 text', isJson: false };
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { reason: `not JSON (${(error as Error).message}): ${excerpt(text)}`, isJson: false };
  }
  try {
    return toMessage(value);
  } catch (error) {
    if (!(error instanceof NotAMessage)) throw error;
    return { reason: `not an order book message: ${error.message}`, isJson: true };
  }
}

class NotAMessage extends Error {}

function toMessage(value: unknown): Message {
  if (!isObject(value)) throw new NotAMessage(`an object was expected, found ${found(value)}`);
  const { topic, type, ts, cts, data } = value;
  if (type !== 'snapshot' && type !== 'delta') {
    throw new NotAMessage(`"type" must be "snapshot" or "delta", found ${found(type)}`);
  }
  if (!isTimestamp(ts)) throw new NotAMessage(`"ts" must be a whole number of ms since 1970, found ${found(ts)}`);
  if (!isObject(data)) throw new NotAMessage(`"data" must be an object, found ${found(data)}`);
  const { s: symbol, u, seq } = data;
  if (u !== undefined && !(Number.isSafeInteger(u) && (u as number) >= 0))
    throw new NotAMessage(`"u" must be a whole number, found ${found(u)}`);
  // No row depends on topic, s, cts and seq: what is odd about them is no reason to refuse a line.
  return {
    topic: typeof topic === 'string' ? topic : undefined,
    symbol: typeof symbol === 'string' ? symbol : undefined,
    type,
    tsMs: ts,
    ctsMs: isTimestamp(cts) ? cts : undefined,
    updateId: u as number | undefined,
    seq: Number.isSafeInteger(seq) ? (seq as number) : undefined,
    bids: toUpdates('b', data['b']),
    asks: toUpdates('a', data['a']),
    market: MARKETS[Object.keys(value).slice(0, 3).join()],
  };
}

/** The order of a line's first keys, as Bybit's archives of the two markets have it. */
const MARKETS: Record<string, Market> = { 'topic,type,ts': 'contract', 'topic,ts,type': 'spot' };

function toUpdates(key: string, value: unknown): Update[] {
  if (!Array.isArray(value))
    throw new NotAMessage(`"${key}" must be a list of [price, quantity], found ${found(value)}`);
  for (const update of value as unknown[]) {
    if (!isUpdate(update)) {
      throw new NotAMessage(
        `"${key}" holds ${found(update)} where ["price","quantity"] in plain decimals was expected`,
      );
    }
    if (!isSupportedPrice(canonical(update[0]))) {
      throw new NotAMessage(`"${key}" holds the price ${found(update[0])} of more than ${MAX_PRICE_DIGITS} digits`);
    }
  }
  return value as Update[];
}

function isUpdate(value: unknown): value is Update {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === 'string' &&
    typeof value[1] === 'string' &&
    isDecimal(value[0]) &&
    isDecimal(value[1])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The last millisecond of the year 9999: beyond it a date has no four-digit year. */
export const MAX_TS_MS = 253_402_300_799_999;

function isTimestamp(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TS_MS;
}

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  try {
    return excerpt(JSON.stringify(value));
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify only as much as the stack does.
    if (error instanceof RangeError) return 'something nested too deeply to show';
    throw error;
  }
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
