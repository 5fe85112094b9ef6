/**
 * Made order book archives: a seeded market that reads like Bybit's, for tests, benchmarks and trials.
 *
 * The same options give the same bytes on every platform and Node version, hence only arithmetic that is exact or rounded
 * as IEEE 754 prescribes: no logarithm or sine, whose last bit is the engine's own affair.
 */

import { Scale, Text } from './decimal-text.js';
import { Random } from './random.js';

export interface MarketOptions {
  symbol: string;
  /** The day of the archive in UTC, YYYY-MM-DD. All `…Ms` below count from its midnight. */
  date: string;
  /** Levels a side, exact after every message. */
  depth: number;
  /**
   * contract: keys in the order topic, type, ts; fixed decimals; 100 ms.
   * spot: topic, ts, type; no trailing zeros in prices and quantities; 200 ms.
   */
  style: 'contract' | 'spot';
  /** The whole of the randomness: any integer. */
  seed: number;
  /** dense: nearly every tick has a level (default). sparse: levels lie several ticks apart, irregularly. */
  spacing?: keyof typeof SPACINGS;
  /** Decimal text, as in Bybit's instrument info; its decimals are those of every price. Default 0.0001. */
  tickSize?: string;
  /** Decimal text, a multiple of the tick. The price wanders, but stays within a quarter of it. Default 1.9531. */
  startPrice?: string;
  /** Decimal text; its decimals are those of every quantity. Default 1. */
  quantityStep?: string;
  /** Mean of an ordinary message, not counting the bursts. Default 24. */
  updatesPerMessage?: number;
  /** Mean of a burst, which every tenth message or so is. Default 0.7 × depth, so 350 at 500 levels. */
  updatesPerBurst?: number;
  /** Default by style. */
  messageIntervalMs?: number;
  /** The first message. Default 500 to 1,100, as in real files. */
  startMs?: number;
  /** Default: up to 6 s into the next day, whose beginning is marked by a snapshot, as in real files. */
  durationMs?: number;
  /** Service restarts: the next message is a snapshot whose `u` is 1. */
  restartsAtMs?: readonly number[];
  /** Stretches without a message, `toMs` exclusive. The market stands still meanwhile. */
  gaps?: readonly { fromMs: number; toMs: number }[];
  /** Breaks: `u` of the next message jumps by more than one. Only the number does, so that the book stays exact. */
  breaksAtMs?: readonly number[];
}

const DAY_MS = 86_400_000;
const AFTER_MIDNIGHT_MS = 6_000;
const CHUNK_BYTES = 256 * 1024;
/** `["price","quantity"],` with ten digits and a point each, and some air. */
const MAX_UPDATE_BYTES = 40;
const MAX_ENVELOPE_BYTES = 512;
const BEYOND_ALL = 0x7fffffff;
interface Spacing {
  /** Ticks from one new level to the next: each of the 16 is as likely. */
  gapsTicks: readonly number[];
  /** What the price moves by: about the distance of two levels, so that a move changes as many levels in any spacing. */
  moveTicks: number;
  /** How often, in 32, a touched level gets new ones behind it if there is a hole: about as often as levels vanish. */
  fillLuck: number;
}
const SPACINGS = {
  dense: { gapsTicks: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], moveTicks: 1, fillLuck: 16 },
  sparse: { gapsTicks: [1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 9, 11, 14, 22], moveTicks: 6, fillLuck: 2 },
} satisfies Record<string, Spacing>;

/** Levels, best first. A key is an ask's tick, or minus a bid's: best first is then ascending on both sides. */
class Levels {
  count = 0;
  readonly #keys: Int32Array;
  readonly #quantities: Int32Array;

  constructor(capacity: number) {
    this.#keys = new Int32Array(capacity);
    this.#quantities = new Int32Array(capacity);
  }

  key(index: number): number {
    return index < this.count ? (this.#keys[index] ?? BEYOND_ALL) : BEYOND_ALL;
  }

  quantity(index: number): number {
    return this.#quantities[index] ?? 0;
  }

  set(index: number, key: number, quantity: number): void {
    this.#keys[index] = key;
    this.#quantities[index] = quantity;
  }

  add(key: number, quantity: number): void {
    this.set(this.count++, key, quantity);
  }

  insert(index: number, key: number, quantity: number): void {
    this.#keys.copyWithin(index + 1, index, this.count);
    this.#quantities.copyWithin(index + 1, index, this.count);
    this.count++;
    this.set(index, key, quantity);
  }

  remove(index: number): void {
    this.#keys.copyWithin(index, index + 1, this.count);
    this.#quantities.copyWithin(index, index + 1, this.count);
    this.count--;
  }
}

/** The next touched level is one to so many levels on, drawn evenly: what makes the walk touch so many in the mean. */
const longestStride = (levels: number, touched: number): number => Math.max(1, Math.round((2 * levels) / touched) - 1);

/** One side of the book: exactly `depth` levels after each message. */
class Side {
  readonly levels: Levels;
  /** What the last message changed, best first; quantity 0 for a level that left. */
  readonly changes: Levels;

  constructor(
    readonly depth: number,
    readonly spacing: Spacing,
    readonly random: Random,
  ) {
    this.levels = new Levels(2 * depth);
    this.changes = new Levels(2 * depth);
  }

  /**
   * Moves on by one message, after which no level is better than `best`. About as many levels as told change in the best
   * tenth of the side and in the rest. One walk from best to worst, so that changes are sorted and no key changes twice.
   */
  advance(best: number, nearUpdates: number, farUpdates: number): void {
    const { depth, spacing, levels, changes, random } = this;
    const nearStride = longestStride(depth * 0.1, nearUpdates);
    const farStride = longestStride(depth * 0.9, farUpdates);
    const worst = levels.count > 0 ? levels.key(levels.count - 1) : best - 1;
    changes.count = 0;
    while (levels.key(0) < best) this.#drop(0);
    let index = levels.count > 0 ? this.#fill(0, best - 1, levels.key(0)) : 0;
    index += random.below(nearStride);
    while (index < levels.count && index < depth) {
      const key = levels.key(index);
      const luck = random.below(32);
      if (luck === 0) {
        this.#drop(index);
      } else {
        const quantity = random.quantitySteps();
        levels.set(index, key, quantity);
        changes.add(key, quantity);
        index++;
        if (luck <= spacing.fillLuck) index = this.#fill(index, key, levels.key(index));
      }
      index += random.below(index < depth * 0.1 ? nearStride : farStride);
    }
    for (let i = depth; i < levels.count; i++) changes.add(levels.key(i), 0);
    levels.count = Math.min(levels.count, depth);
    this.#fill(levels.count, Math.max(worst, best - 1), BEYOND_ALL);
  }

  /** New levels between two keys, both exclusive, as far as the depth allows. Returns the index after them. */
  #fill(index: number, after: number, before: number): number {
    let at = index;
    for (let key = this.#deeper(after); key < before && at < this.depth; key = this.#deeper(key)) {
      const quantity = this.random.quantitySteps();
      this.levels.insert(at++, key, quantity);
      this.changes.add(key, quantity);
    }
    return at;
  }

  #deeper(key: number): number {
    return key + (this.spacing.gapsTicks[this.random.bits() & 15] ?? 1);
  }

  #drop(index: number): void {
    this.changes.add(this.levels.key(index), 0);
    this.levels.remove(index);
  }
}

function writeLevels(text: Text, levels: Levels, prices: Scale, quantities: Scale): void {
  for (let i = 0; i < levels.count; i++) {
    text.ascii(i === 0 ? '["' : ',["');
    text.decimal(Math.abs(levels.key(i)), prices);
    text.ascii('","');
    text.decimal(levels.quantity(i), quantities);
    text.ascii('"]');
  }
}

/** Both sides, and a best price that wanders. */
class Book {
  readonly bids: Side;
  readonly asks: Side;
  readonly #spacing: Spacing;
  #bestBid: number;

  constructor(
    readonly options: MarketOptions,
    readonly startTicks: number,
    readonly random: Random,
  ) {
    const { depth, spacing = 'dense' } = options;
    this.#spacing = SPACINGS[spacing];
    this.bids = new Side(depth, this.#spacing, random);
    this.asks = new Side(depth, this.#spacing, random);
    this.#bestBid = startTicks;
    // The lowest bid is to stay well above zero, however the price wanders.
    const minTicks = 3 * depth * this.#spacing.moveTicks;
    if (startTicks < minTicks) throw new RangeError(`the start price is ${startTicks} ticks, under ${minTicks}`);
  }

  advance(): void {
    const { depth, updatesPerMessage = 24, updatesPerBurst = depth * 0.7 } = this.options;
    const { random, startTicks } = this;
    const isBurst = random.below(10) === 0;
    const reach = isBurst ? 5 : random.below(8) === 0 ? 1 : 0;
    const moved = this.#bestBid + (random.below(2 * reach + 1) - reach) * this.#spacing.moveTicks;
    const room = startTicks >> 2;
    this.#bestBid = Math.min(Math.max(moved, startTicks - room), startTicks + room);

    const updates = ((isBurst ? updatesPerBurst : updatesPerMessage) * (50 + random.below(101))) / 100;
    // Trade is at the best prices; a burst is when changes all over the book come through.
    const nearUpdates = isBurst ? updates / 10 : updates / 2;
    const farUpdates = updates - nearUpdates;
    this.bids.advance(-this.#bestBid, nearUpdates / 2, farUpdates / 2);
    this.asks.advance(this.#bestBid + 1, nearUpdates / 2, farUpdates / 2);
  }
}

/** The archive's text: whole lines in chunks of about 256 KiB. A chunk belongs to whoever takes it. */
export function* marketText(options: MarketOptions): Generator<Uint8Array> {
  const { symbol, depth, style, gaps = [], restartsAtMs = [], breaksAtMs = [] } = options;
  const isSpot = style === 'spot';
  const random = new Random(options.seed);
  const prices = new Scale(options.tickSize ?? '0.0001', isSpot);
  const quantities = new Scale(options.quantityStep ?? '1', isSpot);
  const book = new Book(options, prices.steps(options.startPrice ?? '1.9531'), random);
  // In the extreme, a message drops every level of the book and brings as many new ones.
  const text = new Text(CHUNK_BYTES + MAX_ENVELOPE_BYTES + 4 * depth * MAX_UPDATE_BYTES);

  const dayStartMs = Date.parse(`${options.date}T00:00:00Z`);
  if (Number.isNaN(dayStartMs)) throw new RangeError(`${options.date} is not a date, YYYY-MM-DD`);
  const { messageIntervalMs = isSpot ? 200 : 100, startMs = 500 + random.below(600) } = options;
  const endMs = options.durationMs === undefined ? DAY_MS + AFTER_MIDNIGHT_MS : startMs + options.durationMs;
  // Under half the interval, so that time never runs backwards.
  const jitterMs = Math.min(4, messageIntervalMs >> 2);
  const snapshotsAtMs = [startMs - jitterMs, DAY_MS];

  let previousMs = -Infinity;
  let u = 20_000_000 + random.below(1_000_000);
  let seq = 130_000_000_000 + random.below(1_000_000_000);
  for (let gridMs = startMs; gridMs < endMs; gridMs += messageIntervalMs) {
    const nowMs = gridMs + random.below(2 * jitterMs + 1) - jitterMs;
    if (gaps.some(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs)) continue;
    const isDue = (momentMs: number): boolean => previousMs < momentMs && momentMs <= nowMs;
    const isRestart = restartsAtMs.some(isDue);
    const isSnapshot = isRestart || snapshotsAtMs.some(isDue);
    u = isRestart ? 1 : u + 1 + (breaksAtMs.some(isDue) ? 1 + random.below(9) : 0);
    seq += 1 + random.below(600);
    previousMs = nowMs;
    book.advance();

    const ts = dayStartMs + nowMs;
    const cts = ts - 1 - random.below(12);
    const type = `"type":"${isSnapshot ? 'snapshot' : 'delta'}"`;
    const head = isSpot ? `"ts":${ts},${type}` : `${type},"ts":${ts}`;
    text.ascii(`{"topic":"orderbook.${depth}.${symbol}",${head},"data":{"s":"${symbol}","b":[`);
    writeLevels(text, isSnapshot ? book.bids.levels : book.bids.changes, prices, quantities);
    text.ascii('],"a":[');
    writeLevels(text, isSnapshot ? book.asks.levels : book.asks.changes, prices, quantities);
    text.ascii(`],"u":${u},"seq":${seq}},"cts":${cts}}\n`);
    if (text.length >= CHUNK_BYTES) yield text.take();
  }
  if (text.length > 0) yield text.take();
}

/** The messages one by one, without line ends. */
export function* marketMessages(options: MarketOptions): Generator<string> {
  const decoder = new TextDecoder();
  for (const chunk of marketText(options)) yield* decoder.decode(chunk).trimEnd().split('\n');
}
