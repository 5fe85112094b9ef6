/**
 * What rows a sequence of messages must give, written as the definition reads and with nothing of the program's own:
 * every row is computed from scratch.
 */

export interface TestMessage {
  type: 'snapshot' | 'delta';
  tsMs: number;
  bids: [string, string][];
  asks: [string, string][];
}

export interface TestRow {
  boundaryMs: number;
  isFilled: boolean;
  cells: string;
}

export interface OracleOptions {
  intervalMs: number;
  depth: number;
  /** Midnight of the one day wanted. */
  dayMs: number | undefined;
  onGap: 'fill' | 'skip';
}

/** Row T: the book after the messages before the first one with ts > T. */
export function asOfRows(all: TestMessage[], { intervalMs, depth, dayMs, onGap }: OracleOptions): TestRow[] {
  const messages = fromFirstSnapshot(all);
  const [first] = messages;
  if (!first) return [];
  const countAsOf = (boundaryMs: number) => {
    const later = messages.findIndex(({ tsMs }) => tsMs > boundaryMs);
    return later < 0 ? messages.length : later;
  };
  const closing = (tsMs: number) => Math.ceil(tsMs / intervalMs) * intervalMs;
  const lastMs = closing(Math.max(...messages.map(({ tsMs }) => tsMs)));
  const rows: TestRow[] = [];
  for (let boundaryMs = closing(first.tsMs); boundaryMs <= lastMs; boundaryMs += intervalMs) {
    if (dayMs !== undefined && (boundaryMs <= dayMs || boundaryMs > dayMs + 86_400_000)) continue;
    const count = countAsOf(boundaryMs);
    const isFilled = count === countAsOf(boundaryMs - intervalMs);
    if (isFilled && onGap === 'skip') continue;
    rows.push({ boundaryMs, isFilled, cells: bookCells(messages.slice(0, count), depth, false) });
  }
  return rows;
}

/** The Python scripts' rule: at the first message of a later minute, after it, a row under the earlier minute. */
export function pythonRows(all: TestMessage[], depth: number): TestRow[] {
  const messages = fromFirstSnapshot(all);
  const minutes = messages.map(({ tsMs }) => Math.floor(tsMs / 60_000) * 60_000);
  return minutes.flatMap((minuteMs, index) => {
    const earlierMs = minutes[index - 1];
    if (earlierMs === undefined || minuteMs <= earlierMs) return [];
    const cells = bookCells(messages.slice(0, index + 1), depth, true);
    return [{ boundaryMs: earlierMs, isFilled: false, cells }];
  });
}

function fromFirstSnapshot(messages: TestMessage[]): TestMessage[] {
  const start = messages.findIndex(({ type }) => type === 'snapshot');
  return start < 0 ? [] : messages.slice(start);
}

function bookCells(messages: TestMessage[], depth: number, keepZeros: boolean): string {
  const start = messages.findLastIndex(({ type }) => type === 'snapshot');
  const sides = (['bids', 'asks'] as const).map((side) => {
    const levels: { value: bigint; price: string; quantity: string }[] = [];
    for (const message of messages.slice(start)) {
      for (const [price, quantity] of message[side]) {
        const value = scaled(price);
        const at = levels.findIndex((level) => level.value === value);
        if (at >= 0) levels.splice(at, 1);
        const isKept = scaled(quantity) !== 0n || (keepZeros && message.type === 'snapshot');
        if (isKept) levels.push({ value, price, quantity });
      }
    }
    levels.sort((a, b) => (a.value < b.value ? -1 : 1) * (side === 'asks' ? 1 : -1));
    return Array.from({ length: depth }, (_, index) => levels[index] ?? { price: '', quantity: '' });
  });
  return sides
    .flat()
    .flatMap(({ price, quantity }) => [price, quantity])
    .join(',');
}

/** A decimal as a whole number of 10⁻⁴⁰. */
function scaled(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(40, '0'));
}
