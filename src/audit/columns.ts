/** What is told of a day as one row of a table, for CSV and Parquet: a row a day, also a missing one. */
import type { AuditEvent, DayFindings } from './audit.js';

/** `moment`: ms since the epoch in CSV, a timestamp in Parquet. `integer`, `text` and `moment` may be null. */
export type ColumnType = 'text' | 'integer' | 'moment' | 'boolean';

export interface Column {
  name: string;
  type: ColumnType;
}

export type Cell = string | number | boolean | null;

type Value = (day: DayFindings) => Cell | undefined;

/** Null where it was not read, or does not apply. */
const COLUMNS: [name: string, type: ColumnType, value: Value][] = [
  ['market', 'text', ({ market }) => market],
  ['pair', 'text', ({ pair }) => pair],
  ['date', 'text', ({ date }) => date],
  ['source_depth', 'integer', ({ sourceDepth }) => sourceDepth],
  ['faults', 'text', ({ faults }) => faults.join(' ')],
  ['notes', 'text', ({ notes }) => notes.join(' ')],
  ['source', 'text', ({ source }) => source],
  ['archive', 'text', ({ archive }) => archive],
  ['archive_bytes', 'integer', ({ archiveBytes }) => archiveBytes],
  ['text_bytes', 'integer', ({ textBytes }) => textBytes],
  ['integrity', 'text', ({ integrity }) => integrity],
  ['problem', 'text', ({ problem }) => problem],
  ['first_ts', 'moment', ({ firstTsMs }) => firstTsMs],
  ['last_ts', 'moment', ({ lastTsMs }) => lastTsMs],
  ['messages', 'integer', ({ messages }) => messages],
  ['snapshots', 'integer', ({ snapshots }) => snapshots],
  ['updates', 'integer', ({ updates }) => updates],
  ['early_deltas', 'integer', ({ earlyDeltas }) => earlyDeltas],
  ['bad_lines', 'integer', ({ badLines }) => badLines],
  ['breaks', 'integer', ({ breaks }) => breaks],
  ['backward_breaks', 'integer', ({ book }) => book?.updateIds.backward],
  ['missing_messages', 'integer', ({ book }) => book?.updateIds.missingMessages],
  ['rebases', 'integer', ({ book }) => book?.updateIds.rebases],
  ['suspect_ms', 'integer', ({ book }) => book?.updateIds.suspectMs],
  ['closing_snapshot', 'moment', ({ book }) => book?.closingSnapshot?.tsMs],
  ['closing_snapshot_repeats', 'boolean', ({ book }) => book?.closingSnapshot?.repeats],
  ['next_day', 'text', ({ nextDay }) => nextDay?.state],
  ['next_day_missing_messages', 'integer', ({ nextDay }) => nextDay?.missingMessages],
  ['next_day_silence_ms', 'integer', ({ nextDay }) => nextDay?.silenceMs],
  ['out_of_order', 'integer', ({ outOfOrder }) => outOfOrder],
  ['greatest_step_back_ms', 'integer', ({ book }) => book?.greatestStepBackMs],
  ['repeated_ts', 'integer', ({ book }) => book?.repeatedTs],
  ['longest_silence_ms', 'integer', ({ book }) => book?.silences[0]?.ms],
  ['longest_silence_from', 'moment', ({ book }) => book?.silences[0]?.fromMs],
  ['latency_messages', 'integer', ({ book }) => book?.latency?.messages],
  ['latency_median_ms', 'integer', ({ book }) => book?.latency?.medianMs],
  ['latency_p99_ms', 'integer', ({ book }) => book?.latency?.p99Ms],
  ['latency_min_ms', 'integer', ({ book }) => book?.latency?.minMs],
  ['latency_max_ms', 'integer', ({ book }) => book?.latency?.maxMs],
  ['negative_latencies', 'integer', ({ book }) => book?.latency?.negative],
  ['crossed_messages', 'integer', ({ book }) => book?.crossed.messages],
  ['crossed_times', 'integer', ({ book }) => book?.crossed.times],
  ['crossed_ms', 'integer', ({ book }) => book?.crossed.ms],
  ['crossed_longest_ms', 'integer', ({ book }) => book?.crossed.longestMs],
  ['levels_off_messages', 'integer', ({ book }) => book?.levels?.messagesOff],
  ['min_bid_levels', 'integer', ({ book }) => book?.levels?.minBids],
  ['max_bid_levels', 'integer', ({ book }) => book?.levels?.maxBids],
  ['min_ask_levels', 'integer', ({ book }) => book?.levels?.minAsks],
  ['max_ask_levels', 'integer', ({ book }) => book?.levels?.maxAsks],
  ['absent_deletes', 'integer', ({ book }) => book?.absentDeletes.deletes],
  ['price_step', 'text', ({ book }) => book?.steps.price],
  ['quantity_step', 'text', ({ book }) => book?.steps.quantity],
  ['step_changes', 'integer', ({ book }) => book?.steps.changes.length],
];

/** Names and types, in order. */
export const AUDIT_COLUMNS: readonly Column[] = COLUMNS.map(([name, type]) => ({ name, type }));

/** The rows of what is told, a cell for each of {@link AUDIT_COLUMNS}. */
export function rowsOf(event: AuditEvent): Cell[][] {
  if (event.kind === 'day') return [COLUMNS.map(([, , value]) => value(event.day) ?? null)];
  return knownOf(event).map((known) => AUDIT_COLUMNS.map(({ name }) => known[name] ?? null));
}

/** What is known of days that are not there, or could not be looked at. */
function knownOf(event: Exclude<AuditEvent, { kind: 'day' }>): Record<string, Cell | undefined>[] {
  if (event.kind === 'missing') {
    const { market, pair, dates } = event.missing;
    return dates.map((date) => ({ market, pair, date, faults: 'missing-day' }));
  }
  const { market, pair, date, path, problem } = event.file;
  return [{ market, pair, date, faults: 'unusable', archive: path, problem }];
}
