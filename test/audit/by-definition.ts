/**
 * The findings of docs/audit.md, each written as it is defined and as slowly as it takes: all messages in a list, all
 * moments, all books. What the program finds is compared with this.
 */
import type { BookFindings } from '../../src/audit/findings.js';
import { canonical, compareDecimals, isSupportedPrice, isZero } from '../../src/book/decimal.js';
import { type Message, parseMessage, type Update } from '../../src/book/message.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A message, the moment it comes, and the book after it. */
interface Step {
  message: Message;
  moment: number;
  bids: string[];
  asks: string[];
  isCrossed: boolean;
  absentDeletes: number;
  /** A line was passed over between the message before and this one. */
  isAfterBadLine: boolean;
}

/** @param text without bytes that are not whole lines. @param dayMs midnight of the archive's day; `undefined`: any. */
export function findByDefinition(text: string, sourceDepth: number, dayMs: number | undefined): BookFindings {
  const { steps, endsBadly } = follow(text);
  const moments = steps.map(({ moment }) => moment);
  const end = moments.at(-1) ?? 0;
  const snapshots = steps.filter(({ message }) => message.type === 'snapshot');
  const ids = steps.map(({ message }) => message.updateId);
  const nextSnapshot = (index: number) => steps.find((step, at) => at > index && step.message.type === 'snapshot');

  // Breaks.
  const breaks = steps.flatMap(({ message, moment }, index) => {
    const before = ids[index - 1];
    const { updateId, type } = message;
    if (type === 'snapshot' || before === undefined || updateId === undefined || updateId === before + 1) return [];
    const until = nextSnapshot(index)?.moment;
    const missing = updateId > before ? updateId - before - 1 : null;
    return [{ index, found: { moment, missing, untilSnapshotMs: until === undefined ? null : until - moment } }];
  });
  const goesOn = (index: number) => {
    const [before, id] = [ids[index - 1], ids[index]];
    return before !== undefined && id !== undefined && (id === before + 1 || (isSnapshotAt(index) && id === before));
  };
  const isSnapshotAt = (index: number) => steps[index]?.message.type === 'snapshot';
  const rebases = steps.filter((_, index) => {
    const isKnown = ids[index - 1] !== undefined && ids[index] !== undefined;
    return index > 0 && isSnapshotAt(index) && isKnown && !goesOn(index);
  });
  let runStart = 0;
  for (const index of steps.keys()) if (!goesOn(index)) runStart = index;

  // Every ms from one message to the next is suspect, or is not.
  let suspectMs = 0;
  let isSuspect = false;
  steps.forEach((step, index) => {
    const sinceMs = index === 0 ? 0 : step.moment - (moments[index - 1] ?? 0);
    if (isSuspect || step.isAfterBadLine) suspectMs += sinceMs;
    isSuspect = step.message.type === 'snapshot' ? false : isSuspect || step.isAfterBadLine;
    isSuspect ||= breaks.some((found) => found.index === index);
  });
  void endsBadly; // a bad line after the last message makes no ms suspect

  // Silences: between messages in the order of time.
  const silences = moments
    .slice(1)
    .map((moment, index) => ({ fromMs: moments[index] ?? 0, ms: moment - (moments[index] ?? 0), index }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms || a.index - b.index)
    .slice(0, 5)
    .map(({ fromMs, ms }) => ({ fromMs, ms }));

  // Latency.
  const latencies = steps
    .flatMap(({ message: { tsMs, ctsMs } }) => (ctsMs === undefined ? [] : [tsMs - ctsMs]))
    .sort((a, b) => a - b);
  const clamped = latencies.map((ms) => Math.min(60_000, Math.max(-10_000, ms)));
  const quantile = (percent: number) => clamped[Math.ceil((percent * clamped.length) / 100) - 1] ?? 0;

  // Crossed: from the first message of a stretch to the first after it.
  const stretches: { from: number; to: number }[] = [];
  steps.forEach((step, index) => {
    if (!step.isCrossed) return;
    const to = moments[index + 1] ?? end;
    const last = stretches.at(-1);
    if (last && steps[index - 1]?.isCrossed) last.to = to;
    else stretches.push({ from: step.moment, to });
  });
  const lengths = stretches.map(({ from, to }) => to - from);

  const off = steps.filter(({ bids, asks }) => bids.length !== sourceDepth || asks.length !== sourceDepth);
  const counts = (side: 'bids' | 'asks') => steps.map((step) => step[side].length);
  const absent = steps.filter(({ absentDeletes }) => absentDeletes > 0);
  const last = snapshots.at(-1);
  const lastIndex = last ? steps.indexOf(last) : -1;
  const isClosing = last !== undefined && dayMs !== undefined && last.message.tsMs >= dayMs + DAY_MS;
  const named = ({ message }: Step) => ({ tsMs: message.tsMs, updateId: message.updateId ?? null });

  return {
    snapshotList: snapshots.slice(0, 100).map(named),
    closingSnapshot: isClosing
      ? { ...named(last), repeats: last.message.updateId !== undefined && last.message.updateId === ids[lastIndex - 1] }
      : null,
    updateIds: {
      breaks: breaks.length,
      backward: breaks.filter(({ found }) => found.missing === null).length,
      missingMessages: breaks.reduce((sum, { found }) => sum + (found.missing ?? 0), 0),
      rebases: rebases.length,
      breakList: breaks.slice(0, 100).map(({ found }) => found),
      suspectMs,
      last: ids.at(-1) ?? null,
      runStart: ids[runStart] ?? null,
    },
    greatestStepBackMs: Math.max(0, ...steps.map(({ moment, message }) => moment - message.tsMs)),
    repeatedTs: steps.filter(({ message }, index) => steps[index - 1]?.message.tsMs === message.tsMs).length,
    silences,
    latency:
      latencies.length === 0
        ? null
        : {
            messages: latencies.length,
            medianMs: quantile(50),
            p99Ms: quantile(99),
            minMs: latencies[0] ?? 0,
            maxMs: latencies.at(-1) ?? 0,
            negative: latencies.filter((ms) => ms < 0).length,
          },
    crossed: {
      messages: steps.filter(({ isCrossed }) => isCrossed).length,
      times: stretches.length,
      ms: lengths.reduce((sum, ms) => sum + ms, 0),
      longestMs: Math.max(0, ...lengths),
      firstMoment: stretches[0]?.from ?? null,
    },
    levels:
      steps.length === 0
        ? null
        : {
            messagesOff: off.length,
            firstMoment: off[0]?.moment ?? null,
            minBids: Math.min(...counts('bids')),
            maxBids: Math.max(...counts('bids')),
            minAsks: Math.min(...counts('asks')),
            maxAsks: Math.max(...counts('asks')),
          },
    absentDeletes: {
      deletes: absent.reduce((sum, { absentDeletes }) => sum + absentDeletes, 0),
      messages: absent.length,
      firstMoment: absent[0]?.moment ?? null,
    },
    ...stepsAndHours(steps),
  };
}

/** Reads all lines and applies all messages from the first snapshot on. */
function follow(text: string): { steps: Step[]; endsBadly: boolean } {
  const steps: Step[] = [];
  let [bids, asks] = [new Set<string>(), new Set<string>()];
  let isAfterBadLine = false;
  for (const line of text.split('\n')) {
    if (/^[ \t\r]*$/.test(line)) continue;
    const message = parseMessage(Buffer.from(line, 'latin1'));
    if ('reason' in message) {
      isAfterBadLine = steps.length > 0;
      continue;
    }
    if (steps.length === 0 && message.type === 'delta') continue;
    if (message.type === 'snapshot') [bids, asks] = [new Set(), new Set()];
    const absentDeletes = change(bids, message.bids) + change(asks, message.asks);
    const [bestBid, bestAsk] = [[...bids].sort(compareDecimals).at(-1), [...asks].sort(compareDecimals)[0]];
    steps.push({
      message,
      moment: Math.max(message.tsMs, steps.at(-1)?.moment ?? 0),
      bids: [...bids],
      asks: [...asks],
      isCrossed: bestBid !== undefined && bestAsk !== undefined && compareDecimals(bestBid, bestAsk) >= 0,
      absentDeletes: message.type === 'snapshot' ? 0 : absentDeletes,
      isAfterBadLine,
    });
    isAfterBadLine = false;
  }
  return { steps, endsBadly: isAfterBadLine };
}

/** @returns how many levels were removed that were not there. */
function change(levels: Set<string>, updates: readonly Update[]): number {
  let absent = 0;
  for (const [price, quantity] of updates) {
    const key = canonical(price);
    if (!isZero(quantity)) levels.add(key);
    else if (!levels.delete(key)) absent++;
  }
  return absent;
}

function stepsAndHours(steps: Step[]): Pick<BookFindings, 'steps' | 'hours'> {
  const hourOf = ({ moment }: Step) => Math.floor(moment / HOUR_MS) * HOUR_MS;
  const hours = [...new Set(steps.map(hourOf))].slice(0, 100);
  const updatesOf = ({ message }: Step) => [...message.bids, ...message.asks];
  const common = (some: Step[], part: 0 | 1) =>
    stepOf(some.flatMap(updatesOf).flatMap((update) => (isZero(update[1]) ? [] : [canonical(update[part])])));
  const changes: BookFindings['steps']['changes'] = [];
  const before: (string | null)[] = [null, null];
  for (const fromMs of hours) {
    const some = steps.filter((step) => hourOf(step) === fromMs);
    if (some.flatMap(updatesOf).length < 1000) continue;
    for (const part of [0, 1] as const) {
      const [from, to] = [before[part] ?? null, common(some, part)];
      if (to === null) continue;
      if (from !== null && from !== to) changes.push({ fromMs, of: part === 0 ? 'price' : 'quantity', from, to });
      before[part] = to;
    }
  }
  return {
    steps: { price: common(steps, 0), quantity: common(steps, 1), changes: changes.slice(0, 100) },
    hours: hours.map((fromMs) => ({ fromMs, messages: steps.filter((step) => hourOf(step) === fromMs).length })),
  };
}

/** The greatest number of which all of these are multiples, in units of 10^-18. */
function stepOf(decimals: string[]): string | null {
  const units = decimals.filter(isSupportedPrice).map((decimal) => {
    const [integer = '', fraction = ''] = decimal.split('.');
    return BigInt(integer + fraction.padEnd(18, '0'));
  });
  const divisor = units.reduce((a, b) => {
    let [x, y] = [a, b];
    while (y !== 0n) [x, y] = [y, x % y];
    return x;
  }, 0n);
  if (divisor === 0n) return null;
  const digits = String(divisor).padStart(19, '0');
  return canonical(`${digits.slice(0, -18)}.${digits.slice(-18)}`);
}
