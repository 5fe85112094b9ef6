import { type MarketChoice, parseMarket } from '../catalog/market.js';
import type { Days } from '../join/day-files.js';
import { describeRange, type Missing } from '../join/grid-check.js';
import type { JoinResult } from '../join/join-days.js';
import { clean } from './clean-text.js';

/** What became of a file that join was asked for. */
export interface JoinOutcome {
  symbol: string;
  /** Absent when it is the only one there is. */
  market?: MarketChoice;
  /** Levels a side; absent for metrics, and when the only depth there is was not found. */
  depth?: number;
  /** As in file names: `1m`. */
  interval: string;
  /** What it is made of; absent when that was not found. */
  days?: Days;
  outputPath?: string;
  /** Absent when it failed. */
  result?: JoinResult;
  /** Why it was not written. */
  problem?: string;
}

export type JoinReporter = (outcome: JoinOutcome) => void;

/**
 * Lines for people.
 *
 * @param write takes a line for standard output, `warn` one for standard error.
 * @param hasSeveral whether more than one file was asked for, so that a line must say of which it speaks.
 */
export function textJoinReporter(
  write: (line: string) => void,
  warn: (line: string) => void,
  { hasSeveral }: { hasSeveral: boolean },
): JoinReporter {
  return ({ symbol, days, outputPath, result, problem }) => {
    if (!days || !result) {
      warn(clean(`bookgrid: ${problem}`));
      return;
    }
    const { files, rows, missing, unchecked, isWritten } = result;
    const where = hasSeveral ? ` in ${outputPath}` : '';
    for (const text of describeMissing(missing)) warn(clean(`Missing${where}: ${text}`));
    const what = isWritten ? 'Joined' : 'Checked';
    write(
      `${what} ${count(files, 'day')} of ${days.market ? `${days.market} ` : ''}${symbol}, ${days.from} to ${days.to}: ${count(rows, 'row')}`,
    );
    write(`Missing: ${summarize(missing)}`);
    if (unchecked > 0)
      write(`Not compared with what was written: ${count(unchecked, 'day')}, whose SHA-256 no record tells`);
    write(clean(isWritten ? `Written: ${outputPath}` : 'Not written, because of --strict'));
  };
}

/** One JSON object a file that was asked for, for programs. */
export function jsonJoinReporter(write: (line: string) => void): JoinReporter {
  return ({ symbol, market, depth, interval, days, outputPath, result, problem }) => {
    const object = {
      event: 'join',
      symbol,
      market: days ? days.market : parseMarket(market),
      from: days?.from,
      to: days?.to,
      depth: days?.depth ?? depth,
      interval,
      format: days?.format,
      files: result?.files ?? days?.files.length,
      rows: result?.rows,
      missing: result?.missing,
      unchecked: result?.unchecked,
      output: outputPath,
      isWritten: result?.isWritten ?? false,
      error: problem,
    };
    write(JSON.stringify(object));
  };
}

/** What is missing, a line a stretch. */
function describeMissing({ ranges, firstRanges }: Missing): string[] {
  const lines = firstRanges.map(describeRange);
  const more = ranges - firstRanges.length;
  return more > 0 ? [...lines, `${more} more, after these`] : lines;
}

function summarize({ boundaries, days, ranges }: Missing): string {
  if (boundaries === 0) return 'nothing, every boundary has its row';
  return `${count(boundaries, 'row')} in ${count(ranges, 'place')}, ${count(days, 'whole day')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
