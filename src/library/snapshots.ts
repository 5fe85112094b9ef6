import type { Inflater } from '../archive/read-options.js';
import { midnightMs } from '../base/time.js';
import type { BookRequest } from '../book/engine.js';
import { AsOfGrid } from '../book/grid.js';
import { KernelEngine } from '../book/kernel-engine.js';
import { findDate, MAX_DEPTH, parseArchiveName } from '../catalog/archive-name.js';
import { SAMPLING_DEFAULTS } from '../catalog/shaping-options.js';
import {
  aBoolean,
  aDay,
  aDepth,
  anInterval,
  type Check,
  checkOptions,
  isRight,
  listOf,
  oneOf,
} from '../convert/option-checks.js';
import { OPTION_DEFAULTS } from '../convert/options.js';
import { readRows } from '../convert/read-rows.js';
import { nameOf } from '../storage/paths.js';
import { acquireArena, releaseArena } from '../wasm/arena.js';
import { isPassedOver, namingFile, type OnBadLine } from './bad-lines.js';
import { aSignal, onBadLineMode } from './option-checks.js';
import { keptRows, type SnapshotRow } from './snapshot-row.js';

/** Options of {@link snapshots}. */
export interface SnapshotsOptions {
  /** Distance of the rows in ms; must divide a day. Default: 60,000. */
  intervalMs?: number;
  /**
   * Depths that will be asked of the rows, levels a side, at most 9,999; the greatest is what a row holds. Default: all
   * levels that there are, which a source of 500 levels has 500 of. Shallow rows are faster.
   */
  depths?: readonly number[];
  /**
   * Whether rows keep the archive's own text beside the numbers. Default: true. `false` saves a third of the time that a
   * row of 500 levels costs (some 20 µs of 60), which shows when there are more than one a second.
   */
  keepTexts?: boolean;
  /** What becomes of a boundary whose interval had no message: a row of the unchanged book (default), or none. */
  onGap?: 'fill' | 'skip';
  /** Default: `fail`. */
  onBadLine?: OnBadLine;
  /**
   * The one day (UTC, `YYYY-MM-DD`) whose boundaries are wanted: those after its midnight, up to and with the next, so
   * that the files of consecutive days join without a duplicate or a hole. Default: the date in the file's name, as the
   * command line does it; no clipping when the name has none. `false`: no clipping.
   */
  day?: string | false;
  /** What inflates zip members. Default: `kernel`, the faster; `node` is zlib, should the two ever disagree on a damage. */
  inflater?: Inflater;
  /** Ends the sequence with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The book of an archive at each boundary of a time grid. Boundaries are the multiples of the interval since the epoch,
 * UTC. Row T holds every message with `ts` ≤ T, in file order, and none with a later one: no row looks ahead. The first
 * row is at or after the first snapshot message; the last closes the interval of the last message.
 *
 * A file named `DATE_SYMBOL_obN` must hold messages of that symbol and depth, as on the command line. Of a file with
 * another name any messages are taken. Without a day to clip to, a message more than 7 days after all before it is refused.
 *
 * The rows are those that the command line writes, at the same speed. Nothing is read before the first is asked for,
 * memory stays flat, and file and memory are released when the sequence ends or is left by `break`, `return` or an error.
 * Several sequences may be read at a time, in any order: each has a book of its own.
 *
 * @param archive path of a `.zip`, `.gz` or plain `.data` file.
 * @param options all have defaults.
 * @returns rows that are the caller's to keep: each is a copy, and never changes.
 * @throws {@link UsageError} at once, when an option has no such value.
 * @throws {@link ArchiveError} that names the file, and the line where one is at fault: the archive is damaged, holds a
 * line that cannot be read, is not what its name says, or has no message of the day. Of damage the rows before it have been given by then: only a sequence that
 * ends by itself is known to be right.
 * @throws a system error, with `code`, when the file cannot be read.
 * @throws the signal's reason when it is aborted.
 *
 * @example
 * ```ts
 * for await (const row of snapshots('2025-01-15_BTCUSDT_ob500.data.zip', { intervalMs: 60_000, depths: [50] })) {
 *   const { bidPrices, bidQuantities } = row.levels(50); // Float64Array, best first
 *   console.log(row.boundaryMs, bidPrices[0], bidQuantities.reduce((sum, quantity) => sum + quantity, 0));
 * }
 * ```
 */
export function snapshots(
  archive: string,
  options: SnapshotsOptions = {},
): AsyncGenerator<SnapshotRow, void, undefined> {
  checkOptions(options, CHECKS);
  const {
    intervalMs = SAMPLING_DEFAULTS.intervalMs,
    depths = [MAX_DEPTH],
    keepTexts = true,
    onGap = SAMPLING_DEFAULTS.onGap,
    onBadLine = SAMPLING_DEFAULTS.onBadLine,
    day = findDate(nameOf(archive)) ?? false,
    inflater = OPTION_DEFAULTS.inflater,
    signal,
  } = options;
  const depth = Math.max(...depths);
  return generate(archive, { intervalMs, depth, keepTexts, onGap, onBadLine, day, inflater, signal });
}

const CHECKS: Readonly<Record<keyof SnapshotsOptions, Check>> = {
  intervalMs: anInterval,
  depths: listOf(aDepth),
  keepTexts: aBoolean,
  onGap: oneOf('fill', 'skip'),
  onBadLine: onBadLineMode,
  day: isRight((value) => value === false || aDay(value) === undefined, `${aDay('')}, or false`),
  inflater: oneOf('kernel', 'node'),
  signal: aSignal,
};

type Resolved = Required<Omit<SnapshotsOptions, 'depths' | 'signal'>> & {
  depth: number;
  signal: AbortSignal | undefined;
};

async function* generate(
  archive: string,
  { intervalMs, depth, keepTexts, onGap, onBadLine, day, inflater, signal }: Resolved,
): AsyncGenerator<SnapshotRow, void, undefined> {
  signal?.throwIfAborted();
  const arena = acquireArena();
  const dayMs = day === false ? undefined : midnightMs(day);
  const grid = new AsOfGrid({ intervalMs, dayMs, onGap });
  const name = parseArchiveName(nameOf(archive));
  const expected = name && { symbol: name.pair, depth: name.sourceDepth };
  const books: BookRequest[] = [{ depth, levels: true, cells: keepTexts ? 'bare' : undefined }];
  const engine = new KernelEngine({ grid, books, keepZeros: false, expected, kernel: arena.kernel });
  let hasFailed = false;
  try {
    const batches = readRows(archive, {
      engine,
      inflater,
      inflateKernel: arena.inflater,
      isPassedOver: (line) => isPassedOver(line, onBadLine),
      day: day === false ? undefined : day,
      signal,
    });
    for await (const rows of batches) {
      for (const row of keptRows(rows, depth)) {
        yield row;
        signal?.throwIfAborted();
      }
    }
  } catch (error) {
    hasFailed = true;
    throw namingFile(error, archive);
  } finally {
    if (!hasFailed) releaseArena(arena);
  }
}
