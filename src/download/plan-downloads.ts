/** Which files are wanted, where each may be found, and what is there already. Pure: what is known comes in. */
import { DAY_MS, daysFrom, midnightMs, toDate } from '../base/time.js';
import { depthFolder } from '../catalog/archive-name.js';
import { firstPublishedDay, likelyDepths } from '../catalog/coverage.js';
import type { ArchiveFile } from '../catalog/find-archives.js';
import type { MarketName } from '../catalog/market.js';
import { joinPath } from '../storage/paths.js';
import type { ListedFile } from './list-service.js';
import { archiveFileName, archiveUrl, isOfPublisher } from './sources.js';

/** What is asked for. */
export interface Wanted {
  market: MarketName;
  symbols: readonly string[];
  /** First and last day, `YYYY-MM-DD`. */
  from: string;
  to: string;
}

/** Where a file is asked for, and where it goes. */
export interface Candidate {
  sourceDepth: number;
  fileName: string;
  url: string;
  path: string;
  /** As the list service tells it. */
  sizeBytes?: number;
}

/** One archive that is wanted: a day of a symbol, of whichever depth there is. `number` counts from 1: by symbol, then day. */
export interface WantedFile {
  number: number;
  market: MarketName;
  pair: string;
  date: string;
  /** The most likely first. */
  candidates: readonly [Candidate, ...Candidate[]];
  /** What is there of it, whole or not. */
  there: ArchiveFile | undefined;
}

/** The days among those wanted of which something can have been published. */
export interface Days {
  days: string[];
  /** How many lie before the first of the market, and how many have not ended. */
  tooEarly: number;
  tooLate: number;
}

/** Leaves out the days that cannot be had. */
export function availableDays({ market, from, to }: Pick<Wanted, 'market' | 'from' | 'to'>, nowMs: number): Days {
  const first = firstPublishedDay(market);
  const last = toDate(midnightMs(toDate(nowMs)) - DAY_MS);
  const days = daysFrom(from > first ? from : first, to < last ? to : last);
  const count = (a: string, b: string) => (a > b ? 0 : (midnightMs(b) - midnightMs(a)) / DAY_MS + 1);
  const tooEarly = from < first ? count(from, to < first ? dayBefore(first, to) : dayBefore(first)) : 0;
  return { days, tooEarly, tooLate: count(from, to) - days.length - tooEarly };
}

function dayBefore(day: string, other = day): string {
  const before = toDate(midnightMs(day) - DAY_MS);
  return other < before ? other : before;
}

export interface PlanInput {
  wanted: Wanted;
  days: readonly string[];
  sourceDir: string;
  baseUrl: string;
  /** Links of the list service are taken, where they lead to the publisher; otherwise the address is made. */
  usesLinks: boolean;
  /** All that is there below the source folder. */
  archives: readonly ArchiveFile[];
  /** What the list service told. */
  listed: readonly ListedFile[];
}

/** Every file that is wanted. */
export function planDownloads(input: PlanInput): WantedFile[] {
  const { wanted, days, archives } = input;
  const there = byDay(archives.filter(({ market }) => market === wanted.market));
  const listed = byDay(input.listed);
  let number = 0;
  return wanted.symbols.flatMap((pair) =>
    days.map((date): WantedFile => {
      const key = keyOf({ pair, date });
      const candidates = candidatesOf({ pair, date }, listed.get(key) ?? [], input);
      const found = there.get(key) ?? [];
      const own = candidates.flatMap((candidate) => atBestPlace(found, candidate))[0];
      return { number: ++number, market: wanted.market, pair, date, candidates, there: own };
    }),
  );
}

/** Where it was fetched to before any other place. */
function atBestPlace(found: readonly ArchiveFile[], { fileName, path }: Candidate): ArchiveFile[] {
  const named = found.filter((archive) => archive.fileName === fileName);
  return named.filter((archive) => archive.path === path).concat(named);
}

function byDay<T extends DayOfPair>(files: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const file of files) {
    const group = groups.get(keyOf(file));
    if (group) group.push(file);
    else groups.set(keyOf(file), [file]);
  }
  return groups;
}

type DayOfPair = Pick<WantedFile, 'pair' | 'date'>;

function keyOf({ pair, date }: DayOfPair): string {
  return `${date} ${pair}`;
}

/** What is listed comes first, then what the table of eras says. */
function candidatesOf(
  { pair, date }: DayOfPair,
  listed: readonly ListedFile[],
  { wanted: { market }, sourceDir, baseUrl, usesLinks }: PlanInput,
): [Candidate, ...Candidate[]] {
  const likely = likelyDepths(market, date);
  const told = listed.map(({ sourceDepth }) => sourceDepth);
  const depths = new Set([...likely.filter((depth) => told.includes(depth)), ...told, ...likely]);
  return [...depths].map((sourceDepth): Candidate => {
    const archive = { pair, date, sourceDepth };
    const { sizeBytes, url } = listed.find((file) => file.sourceDepth === sourceDepth) ?? {};
    const fileName = archiveFileName(archive);
    return {
      sourceDepth,
      fileName,
      url: usesLinks && url !== undefined && isOfPublisher(url) ? url : archiveUrl(baseUrl, market, archive),
      path: joinPath(sourceDir, market, depthFolder(sourceDepth), pair, fileName),
      ...(sizeBytes !== undefined && { sizeBytes }),
    };
  }) as [Candidate, ...Candidate[]];
}
