import { DAY_MS, toDate } from '../base/time.js';
import type { ArchiveFile } from './find-archives.js';
import type { FoundOutput } from './find-outputs.js';
import type { Inventory, Outputs } from './inventory.js';
import { isOfMarket, type MarketChoice, type MarketName } from './market.js';
import { placeOf } from './output-name.js';
import type { RowCounts } from './records.js';
import { judge } from './staleness.js';

/** What is there of a pair in a month. All but the rows are numbers of days; done, stale and missing are all days. */
export interface MonthStatus {
  pair: string;
  /** `YYYY-MM`. */
  month: string;
  /** Days with an output, none of which is known to be stale. */
  done: number;
  /** Days with an output whose archive or format is not that of its record. */
  stale: number;
  /** Days without any output, between the first and the last day that anything is known of. */
  missing: number;
  /** Days with an archive that failed when it was converted last, or cannot be, and that has no output. */
  failed: number;
  /** Days without any output, whose archive is there and has not failed. */
  toDo: number;
  /** Days with an output of which there is no record. */
  unrecorded: number;
  /** Of recorded outputs; rows of the same interval count once, however many depths and formats have them. */
  rows: number;
  filledRows: number;
  /** NaN when it is not known of some. */
  suspectRows: number;
  /** `YYYY-MM-DD`. */
  missingDays: string[];
}

export interface SurveyOptions {
  /** Markets wanted; absent: all. */
  markets?: readonly MarketChoice[] | undefined;
  /** Pairs wanted; absent: all. */
  symbols?: string[];
  /** First and last day wanted, `YYYY-MM-DD`; absent: the first and last known ones. */
  from?: string;
  to?: string;
}

/** What is known of a pair's day. */
interface Day {
  outputs: FoundOutput[];
  archives: ArchiveFile[];
  hasFailed: boolean;
}

/** Counts what is there, by pair and month, in the order of these. */
export function survey(inventory: Inventory, options: SurveyOptions): MonthStatus[] {
  const pairs = gatherDays(inventory, options);
  return [...pairs.keys()].sort().flatMap((pair) => {
    const days = pairs.get(pair) ?? new Map<string, Day>();
    const months = new Map<string, MonthStatus>();
    for (const date of datesOf(days, options)) {
      const month = date.slice(0, 7);
      const status = months.get(month) ?? { pair, month, ...noStatus(), missingDays: [] };
      months.set(month, status);
      addDay(status, date, days.get(date), inventory.outputs);
    }
    return [...months.values()];
  });
}

/** Adds months up. */
export function total(months: MonthStatus[]): ReturnType<typeof noStatus> {
  const sum = noStatus();
  for (const month of months) {
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += month[name];
  }
  return sum;
}

function noStatus() {
  return {
    done: 0,
    stale: 0,
    missing: 0,
    failed: 0,
    toDo: 0,
    unrecorded: 0,
    rows: 0,
    filledRows: 0,
    suspectRows: 0,
  };
}

function gatherDays(
  { archives, outputs }: Inventory,
  { markets, symbols }: SurveyOptions,
): Map<string, Map<string, Day>> {
  const wanted = symbols && new Set(symbols);
  const pairs = new Map<string, Map<string, Day>>();
  type Known = { market?: MarketName | undefined; pair: string; date: string };
  const change = ({ market, pair, date }: Known, apply: (day: Day) => void) => {
    if (!isOfMarket(market, markets) || (wanted && !wanted.has(pair))) return;
    const days = pairs.get(pair) ?? new Map<string, Day>();
    const day = days.get(date) ?? { outputs: [], archives: [], hasFailed: false };
    pairs.set(pair, days.set(date, day));
    apply(day);
  };
  for (const output of outputs.all) change(output, (day) => day.outputs.push(output));
  for (const archive of archives.archives) change(archive, (day) => day.archives.push(archive));
  const places = new Set(outputs.all.map((output) => placeOf(output)));
  const fail = (day: Day) => {
    day.hasFailed = true;
  };
  for (const failure of outputs.records.failures) {
    if (!failure.places.some((place) => places.has(place))) change(failure, fail);
  }
  for (const { date, ...file } of archives.unusable) if (date !== undefined) change({ ...file, date }, fail);
  return pairs;
}

/** All days from the first to the last one known, of those wanted. */
function datesOf(days: Map<string, Day>, { from = '', to = '9999' }: SurveyOptions): string[] {
  const known = [...days.keys()].sort();
  const [firstMs, lastMs] = [Date.parse(known[0] ?? ''), Date.parse(known.at(-1) ?? '')];
  const count = Math.round((lastMs - firstMs) / DAY_MS) + 1;
  return Array.from({ length: count }, (_, index) => toDate(firstMs + index * DAY_MS)).filter(
    (date) => date >= from && date <= to,
  );
}

function addDay(status: MonthStatus, date: string, day: Day | undefined, outputs: Outputs): void {
  if (day?.hasFailed) status.failed++;
  if (!day || day.outputs.length === 0) {
    status.missing++;
    status.missingDays.push(date);
    if (day && day.archives.length > 0 && !day.hasFailed) status.toDo++;
    return;
  }
  const recorded = day.outputs.flatMap((output) => {
    const record = outputs.recordOf(output);
    return record ? [{ output, record }] : [];
  });
  const isStale = recorded.some(({ output, record }) => {
    const archive = day.archives.find(({ fileName }) => fileName === record.archive.fileName);
    return judge({ output, isFound: true, record, archive, options: undefined }).action === 'make';
  });
  if (isStale) status.stale++;
  else status.done++;
  if (recorded.length < day.outputs.length) status.unrecorded++;
  const grids = new Map<string, RowCounts>();
  for (const { record } of recorded) {
    const interval = String(record.shape['interval']);
    grids.set(interval, largest(record.counts, grids.get(interval)));
  }
  for (const { rows, filledRows, suspectRows } of grids.values()) {
    status.rows += rows;
    status.filledRows += filledRows;
    status.suspectRows += suspectRows;
  }
}

/** Outputs of one day may come from several archives: what is worth a look in any of them is. */
function largest(a: RowCounts, b: RowCounts = a): RowCounts {
  return {
    rows: Math.max(a.rows, b.rows),
    filledRows: Math.max(a.filledRows, b.filledRows),
    suspectRows: Math.max(a.suspectRows, b.suspectRows),
  };
}
