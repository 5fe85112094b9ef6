import { DAY_MS, toDate } from '../base/time.js';
import { bySymbol, type Catalog } from './catalog.js';
import { countPublished, isPublished } from './coverage.js';
import type { ArchiveFile } from './find-archives.js';
import type { Inventory, KnownOutput } from './inventory.js';
import { isOfMarket, type MarketChoice, type MarketName } from './market.js';
import { placeOf } from './output-name.js';
import type { Partition } from './partition.js';
import type { Failure } from './records.js';
import { judge } from './staleness.js';

/** What outputs of one kind have in common: rows of one meaning, which can be loaded together. */
export interface Kind {
  /** Absent: in no folder of a market. */
  market?: MarketName | undefined;
  pair: string;
  kind: 'book' | 'metrics';
  /** Levels a side; of books. */
  depth: number | undefined;
  /** As in file names: `1m`. */
  interval: string;
  format: string;
  /** How their folders are named. */
  partition: Partition;
}

/**
 * Numbers of days, but for the rows. Done, stale, missing and unpublished are all days from the first to the last of the
 * symbol.
 */
export interface Counts {
  /** Days with an output that is not known to be stale. */
  done: number;
  /** Days with an output whose archive, format or file is not that of its record. */
  stale: number;
  /** Days without an output, between the first and the last day that anything is known of. */
  missing: number;
  /** Days without an output, of which there can be none: no archive of the day, or none of this depth, was published. */
  unpublished: number;
  /** Missing days with an archive that failed when it was converted last, or cannot be. */
  failed: number;
  /** Missing days whose archive is there, reaches this depth and has not failed. */
  toDo: number;
  /** Days with an output of which there is no record. */
  unrecorded: number;
  /** Of recorded outputs; NaN when it is not known of some. */
  rows: number;
  filledRows: number;
  suspectRows: number;
}

/** What is there of one kind in a month. */
export interface MonthStatus extends Partial<Kind>, Counts {
  pair: string;
  /** `YYYY-MM`; the first of several months of which nothing is known. */
  month: string;
  /** The last of several months of which nothing is known. */
  untilMonth?: string;
  /** `YYYY-MM-DD`; none where `untilMonth` is there. */
  missingDays: string[];
}

/** An archive that failed when it was converted last, or that cannot be. */
export interface FailedArchive {
  market?: MarketName | undefined;
  pair: string;
  date: string | undefined;
  fileName: string;
  error: string;
  /** When it failed for the first time since it last succeeded, ISO 8601; `undefined` where that is not known. */
  since: string | undefined;
}

export interface Survey {
  months: MonthStatus[];
  failed: FailedArchive[];
}

export interface SurveyOptions {
  /** Markets wanted; absent: all. */
  markets?: readonly MarketChoice[] | undefined;
  /** Pairs wanted; absent: all. */
  symbols?: readonly string[];
  /** First and last day wanted, `YYYY-MM-DD`; absent: the first and last known ones. */
  from?: string | undefined;
  to?: string | undefined;
}

/** What is known of a pair of a market. */
interface Holdings {
  market: MarketName | undefined;
  pair: string;
  /** By day. */
  archives: Map<string, ArchiveFile[]>;
  failedDays: Set<string>;
  /** Of each kind, by day. */
  outputs: Map<string, { kind: Kind | undefined; byDay: Map<string, KnownOutput> }>;
}

/** Counts what is there, by pair, kind and month, in the order of these. */
export function survey(catalog: Catalog, options: SurveyOptions): Survey {
  const failures = new Map<string, Failure[]>();
  for (const failure of catalog.outputs.records.failures) {
    const known = failures.get(failure.pair);
    if (known) known.push(failure);
    else failures.set(failure.pair, [failure]);
  }
  const failed: FailedArchive[] = [];
  const pairs: { key: string; months: MonthStatus[] }[] = [];
  for (const { pair, inventory } of bySymbol(catalog, [...catalog.outputs.pairs, ...failures.keys()])) {
    const failedOfPair = failedArchives(inventory, failures.get(pair) ?? [], options);
    failed.push(...failedOfPair);
    for (const [key, known] of gather(inventory, failedOfPair, options)) {
      pairs.push({ key, months: surveyPair(known, options) });
    }
  }
  pairs.sort(({ key: a }, { key: b }) => (a < b ? -1 : 1));
  failed.sort((a, b) => (`${a.pair} ${a.date}` < `${b.pair} ${b.date}` ? -1 : 1));
  return { months: pairs.flatMap(({ months }) => months), failed };
}

/** Adds months up. */
export function total(months: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const month of months) {
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += month[name];
  }
  return sum;
}

function noCounts(): Counts {
  const days = { done: 0, stale: 0, missing: 0, unpublished: 0, failed: 0, toDo: 0, unrecorded: 0 };
  return { ...days, rows: 0, filledRows: 0, suspectRows: 0 };
}

function failedArchives(
  { archives, outputs }: Inventory,
  recorded: Failure[],
  options: SurveyOptions,
): FailedArchive[] {
  const places = new Set(outputs.all.map((output) => placeOf(output)));
  const failures = recorded.filter((failure) => !failure.places.some((place) => places.has(place)));
  const unusable = archives.unusable.map(({ market, pair, date, fileName, problem }) => ({
    market,
    pair,
    date,
    fileName,
    error: problem,
    since: undefined,
  }));
  return [...failures, ...unusable]
    .filter((archive) => isWanted(archive, options) && isWithin(archive.date, options))
    .map(({ market, pair, date, fileName, error, since }) => ({ market, pair, date, fileName, error, since }));
}

function gather(
  { archives, outputs }: Inventory,
  failed: FailedArchive[],
  options: SurveyOptions,
): Map<string, Holdings> {
  const pairs = new Map<string, Holdings>();
  const of = ({ market, pair }: Pick<Kind, 'market' | 'pair'>): Holdings => {
    const key = `${market ?? ''} ${pair}`;
    const known = pairs.get(key) ?? { market, pair, archives: new Map(), failedDays: new Set(), outputs: new Map() };
    pairs.set(key, known);
    return known;
  };
  for (const archive of archives.archives.filter((found) => isWanted(found, options))) {
    const { archives: byDay } = of(archive);
    byDay.set(archive.date, [...(byDay.get(archive.date) ?? []), archive]);
  }
  for (const archive of failed) if (archive.date !== undefined) of(archive).failedDays.add(archive.date);
  for (const output of outputs.all.filter((found) => isWanted(found, options))) {
    const { market, pair, kind, depth, interval, format, partition } = output;
    const key = [kind, String(depth ?? 0).padStart(4, '0'), interval, format, partition].join(' ');
    const known = of(output).outputs;
    const ofKind = known.get(key) ?? {
      kind: { market, pair, kind, depth, interval, format, partition },
      byDay: new Map(),
    };
    known.set(key, ofKind);
    ofKind.byDay.set(output.date, output);
  }
  // A pair with archives only: they are all to do, of no kind yet.
  for (const [key, known] of pairs) {
    if (known.outputs.size === 0) known.outputs.set('', { kind: undefined, byDay: new Map() });
    if (![...daysOf(known)].some((date) => isWithin(date, options))) pairs.delete(key);
  }
  return pairs;
}

function surveyPair(known: Holdings, options: SurveyOptions): MonthStatus[] {
  const { market, pair } = known;
  const days = [...daysOf(known)].sort();
  return [...known.outputs.keys()].sort().flatMap((key) => {
    const { kind, byDay } = known.outputs.get(key) as { kind: Kind | undefined; byDay: Map<string, KnownOutput> };
    const months = new Map<string, MonthStatus>();
    for (const { date, unknownDays } of calendar(days, options)) {
      const month = date.slice(0, 7);
      const status = months.get(month) ?? { ...kind, market, pair, month, ...noCounts(), missingDays: [] };
      months.set(month, status);
      if (unknownDays === 0) addDay(status, date, byDay.get(date), known);
      else addUnknownDays(status, date, unknownDays);
    }
    // Of a month in which there can be nothing, there is nothing to tell.
    return [...months.values()].filter(({ done, stale, missing }) => done + stale + missing > 0);
  });
}

/**
 * The days from the first known one to the last, of those wanted: one by one in months that anything is known of. Months
 * in a row of which nothing is known are one entry, because a wrong date must not become a hundred thousand lines.
 */
function* calendar(
  known: string[],
  { from = '', to = '9999-12-31' }: Pick<SurveyOptions, 'from' | 'to'>,
): Generator<{ date: string; unknownDays: number }> {
  const knownMonths = [...new Set(known.map((date) => date.slice(0, 7)))];
  const first = [known[0] ?? '', from].sort()[1] ?? '';
  const endMs = Date.parse([known.at(-1) ?? '', to].sort()[0] ?? '') + DAY_MS; // exclusive
  for (let ms = Date.parse(first); ms < endMs; ) {
    const date = toDate(ms);
    const month = date.slice(0, 7);
    const next = knownMonths.find((knownMonth) => knownMonth >= month);
    const unknownDays =
      next === month ? 0 : Math.round((Math.min(next ? Date.parse(`${next}-01`) : endMs, endMs) - ms) / DAY_MS);
    yield { date, unknownDays };
    ms += DAY_MS * Math.max(1, unknownDays);
  }
}

function addUnknownDays(status: MonthStatus, date: string, days: number): void {
  const last = toDate(Date.parse(date) + (days - 1) * DAY_MS);
  status.missing = countPublished(date, last, status);
  status.unpublished = days - status.missing;
  status.untilMonth = last.slice(0, 7);
}

function addDay(status: MonthStatus, date: string, output: KnownOutput | undefined, known: Holdings): void {
  const archives = known.archives.get(date) ?? [];
  if (!output) {
    const { depth } = status;
    const isFailed = known.failedDays.has(date);
    const isToDo = archives.some(({ sourceDepth }) => depth === undefined || sourceDepth >= depth);
    if (!isFailed && !isToDo && !isPublished(date, status)) {
      status.unpublished++;
      return;
    }
    status.missing++;
    status.missingDays.push(date);
    if (isFailed) status.failed++;
    else if (isToDo) status.toDo++;
    return;
  }
  const { knowledge } = output;
  if (knowledge.kind === 'unrecorded') {
    status.unrecorded++;
    status.done++;
    return;
  }
  const { record } = knowledge;
  const archive = archives.find(({ fileName }) => fileName === record.archive.fileName);
  if (judge({ output, found: output, archive, options: undefined }).action === 'make') status.stale++;
  else status.done++;
  status.rows += record.counts.rows;
  status.filledRows += record.counts.filledRows;
  status.suspectRows += record.counts.suspectRows;
}

function daysOf({ archives, failedDays, outputs }: Holdings): Set<string> {
  const ofOutputs = [...outputs.values()].flatMap(({ byDay }) => [...byDay.keys()]);
  return new Set([...archives.keys(), ...failedDays, ...ofOutputs]);
}

function isWanted({ market, pair }: Pick<Kind, 'market' | 'pair'>, { markets, symbols }: SurveyOptions): boolean {
  return isOfMarket(market, markets) && (symbols?.includes(pair) ?? true);
}

function isWithin(date: string | undefined, { from = '', to = '9999-12-31' }: Pick<SurveyOptions, 'from' | 'to'>) {
  return date === undefined || (date >= from && date <= to);
}
