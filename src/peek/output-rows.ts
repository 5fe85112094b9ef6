import { DAY_MS } from '../base/time.js';
import { type BookColumns, FLAG, FLAG_NAMES } from '../view/book-columns.js';
import { readLastTimeMs } from '../view/last-row.js';
import { readBook } from '../view/open-output.js';
import type { LadderRow, RowSource } from './ladder-row.js';

/**
 * How far before a time its row is looked for, one after the other: rows may be missing, and what need not be read is not.
 */
const LOOK_BACK_MS = [DAY_MS / 24, DAY_MS, Infinity];

/**
 * The rows of a book output, in any format.
 *
 * @param levels levels a side that a row keeps, at most.
 * @param intervalMs distance of the rows, as far as it is known.
 * @throws `OutputError`, from the sequences, when the file is not what an output is; a system error when it cannot be read.
 */
export function outputRows(path: string, levels: number, intervalMs = 60_000): RowSource {
  return { step: 'a row', lookBackMs: 1000 * intervalMs, readFrom: (fromMs) => readFrom(path, levels, fromMs) };
}

async function* readFrom(path: string, levels: number, fromMs: number): AsyncGenerator<LadderRow, void, undefined> {
  const wantedMs = fromMs === Infinity ? await readLastTimeMs(path) : fromMs;
  if (wantedMs === undefined) return;
  for (const backMs of LOOK_BACK_MS) {
    let latest: LadderRow | undefined;
    let hasBegun = false;
    for await (const row of rowsFrom(path, levels, wantedMs - backMs)) {
      if (row.timeMs <= wantedMs) {
        latest = row;
        continue;
      }
      if (latest) yield latest;
      else if (!hasBegun && backMs < Infinity) break;
      latest = undefined;
      hasBegun = true;
      yield row;
    }
    if (latest) yield latest;
    if (latest || hasBegun) return;
  }
}

async function* rowsFrom(path: string, levels: number, fromMs: number): AsyncGenerator<LadderRow, void, undefined> {
  for await (const part of readBook(path, { fromMs, depth: levels })) {
    for (let row = 0; row < part.rows; row++) yield copyRow(part, row);
  }
}

function copyRow(part: BookColumns, row: number): LadderRow {
  const first = row * part.depth;
  const bidEnd = first + (part.bidCounts[row] as number);
  const askEnd = first + (part.askCounts[row] as number);
  const bits = part.flags[row] as number;
  const known = part.hasQuality ? FLAG_NAMES : (['crossed'] as const);
  return {
    timeMs: part.timesMs[row] as number,
    flags: Object.fromEntries(known.map((name) => [name, (bits & FLAG[name]) !== 0])),
    bidPrices: part.bidPrices.slice(first, bidEnd),
    bidQuantities: part.bidQuantities.slice(first, bidEnd),
    askPrices: part.askPrices.slice(first, askEnd),
    askQuantities: part.askQuantities.slice(first, askEnd),
  };
}
