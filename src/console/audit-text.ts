/** Findings in words, for people. */
import type { AuditEvent, DayFindings } from '../audit/audit.js';
import type { Totals } from '../audit/totals.js';
import type { Fault, Note } from '../audit/verdict.js';
import { clean } from './clean-text.js';
import { formatBytes } from './format-bytes.js';

/** A line of the table: one a day. Widths fit what real archives have; what is longer moves the rest of its line. */
const COLUMNS: [header: string, width: number, cell: (day: DayFindings) => string][] = [
  ['DAY', 10, ({ date }) => date],
  ['SYMBOL', -14, ({ market, pair }) => (market ? `${market}/${pair}` : pair)],
  ['DEPTH', 5, ({ sourceDepth }) => String(sourceDepth)],
  ['FIRST', 12, ({ date, firstTsMs }) => timeIn(date, firstTsMs)],
  ['LAST', 12, ({ date, lastTsMs }) => timeIn(date, lastTsMs)],
  ['MESSAGES', 9, ({ messages }) => String(messages)],
  ['SNAPS', 5, ({ snapshots }) => String(snapshots)],
  ['BREAKS', 6, ({ breaks }) => String(breaks)],
  ['MISSING', 7, ({ book }) => show(book?.updateIds.missingMessages)],
  ['SUSPECT', 8, ({ book }) => duration(book?.updateIds.suspectMs)],
  ['SILENCE', 8, ({ book }) => duration(book?.silences[0]?.ms ?? (book ? 0 : undefined))],
  ['MED/P99 ms', 10, ({ book }) => (book?.latency ? `${book.latency.medianMs}/${book.latency.p99Ms}` : '-')],
  ['CROSSED', 8, ({ book }) => duration(book?.crossed.ms)],
  ['TICK', 9, ({ book }) => book?.steps.price ?? '-'],
  ['STEP', 9, ({ book }) => book?.steps.quantity ?? '-'],
  ['NEXT DAY', -8, ({ nextDay }) => nextDay?.state ?? '-'],
  [
    'VERDICT',
    -7,
    ({ faults, notes }) => [faults.length === 0 ? 'ok' : faults.join(' ').toUpperCase(), ...notes].join(' '),
  ],
];

/** The table's first line. */
export const HEADER = lineOf(COLUMNS.map(([header]) => header));

/** A day's line, and beneath it what is wrong, a line each. */
export function describeEvent(event: AuditEvent): string[] {
  if (event.kind === 'missing') {
    const { market, pair, dates } = event.missing;
    const days = dates.length === 1 ? '' : ` to ${dates.at(-1)}, ${dates.length} days`;
    return [clean(`${dates[0]} ${market ? `${market}/${pair}` : pair}: MISSING-DAY${days}`)];
  }
  if (event.kind === 'unusable') return [clean(`UNUSABLE ${event.file.path}: ${event.file.problem}`)];
  const { day } = event;
  const known = [...day.faults, ...day.notes].flatMap((what) => DETAILS[what]?.(day) ?? []);
  return [clean(lineOf(COLUMNS.map(([, , cell]) => cell(day)))), ...known.map((detail) => clean(`    ${detail}`))];
}

/** What was found in all. */
export function describeTotals({ archives, sound, missingDays, unusable, messages, archiveBytes }: Totals): string[] {
  return [
    '',
    `${count(archives, 'archive')}, ${formatBytes(archiveBytes)}, ${count(messages, 'message')}: ` +
      `${sound} without a fault, ${archives - sound} with one; ${count(missingDays, 'day')} missing, ${unusable} not to be looked at.`,
  ];
}

function lineOf(cells: string[]): string {
  return cells
    .map((cell, index) => {
      const width = COLUMNS[index]?.[1] ?? 0;
      return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
    })
    .join(' ')
    .trimEnd();
}

/** What each fault and note is in numbers. */
const DETAILS: Partial<Record<Fault | Note, (day: DayFindings) => string[]>> = {
  damaged: ({ problem, archive }) => [`${archive}: ${problem}; what could be read is told`],
  unusable: ({ problem, archive }) => [`${archive}: ${problem}`],
  'bad-lines': ({ badLines, firstBadLine }) => [
    `${count(badLines, 'line')} could not be read${firstBadLine ? `, the first is line ${firstBadLine.lineNumber}: ${firstBadLine.reason}` : ''}`,
  ],
  breaks: describeBreaks,
  gap: ({ nextDay }) => [
    `${count(nextDay?.missingMessages ?? 0, 'message')} missing between it and the next day's archive`,
  ],
  'early-deltas': ({ earlyDeltas }) => [
    `${count(earlyDeltas, 'delta')} before the first snapshot, without a book to change`,
  ],
  restarted: ({ book }) => [
    `u began anew at ${count(book?.updateIds.rebases ?? 0, 'snapshot')}; all snapshots: ${listSome(book?.snapshotList ?? [], ({ tsMs }) => time(tsMs))}`,
  ],
  'out-of-order': ({ outOfOrder, book }) => [
    `${count(outOfOrder, 'message')} with a ts before an earlier one's${book ? `, by ${book.greatestStepBackMs} ms at most` : ''}`,
  ],
  'repeated-ts': ({ book }) => [`${count(book?.repeatedTs ?? 0, 'message')} with the ts of the message before`],
  'negative-latency': ({ book }) => [
    `${count(book?.latency?.negative ?? 0, 'message')} with a ts before their cts, by ${-(book?.latency?.minMs ?? 0)} ms at most`,
  ],
  crossed: ({ book }) => {
    const { messages = 0, times = 0, ms, longestMs, firstMoment } = book?.crossed ?? {};
    return [
      `crossed after ${count(messages, 'message')}, ${count(times, 'time')}, for ${ms} ms in all and ${longestMs} ms at most; first at ${time(firstMoment ?? 0)}`,
    ];
  },
  'levels-off': ({ book, sourceDepth }) => {
    const { messagesOff = 0, firstMoment, minBids, maxBids, minAsks, maxAsks } = book?.levels ?? {};
    return [
      `not ${sourceDepth} levels a side after ${count(messagesOff, 'message')}, first at ${time(firstMoment ?? 0)}: bids ${minBids} to ${maxBids}, asks ${minAsks} to ${maxAsks}`,
    ];
  },
  'absent-deletes': ({ book }) => {
    const { deletes = 0, messages = 0, firstMoment } = book?.absentDeletes ?? {};
    return [
      `${count(deletes, 'delete')} of levels that are not there, in ${count(messages, 'message')}; first at ${time(firstMoment ?? 0)}`,
    ];
  },
  'step-changed': ({ book }) =>
    (book?.steps.changes ?? [])
      .slice(0, SHOWN)
      .map(
        ({ of, from, to, fromMs }) =>
          `${of === 'price' ? 'tick size' : 'quantity step'} ${from}, from ${time(fromMs)} on ${to}`,
      ),
};

/** Of lists, so many entries are shown. */
const SHOWN = 5;

function describeBreaks({ breaks, book }: DayFindings): string[] {
  if (!book) return [`${count(breaks, 'break')} in u`];
  const { backward, missingMessages, breakList, suspectMs } = book.updateIds;
  const list = listSome(breakList, ({ moment, missing, untilSnapshotMs }) => {
    const until = untilSnapshotMs === null ? 'no snapshot after it' : `${untilSnapshotMs} ms to the next snapshot`;
    return `${time(moment)} (${missing === null ? 'u goes back' : `${missing} missing`}, ${until})`;
  });
  const back = backward > 0 ? `, ${backward} of them back` : '';
  return [
    `${count(breaks, 'break')} in u${back}, ${count(missingMessages, 'message')} missing, ${suspectMs} ms suspect: ${list}`,
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function listSome<T>(list: readonly T[], describe: (item: T) => string): string {
  return [...list.slice(0, SHOWN).map(describe), ...(list.length > SHOWN ? ['…'] : [])].join(', ');
}

/** `00:00:01.234`, UTC; with the day where it is another. */
function timeIn(date: string, ms: number | null): string {
  if (ms === null) return '-';
  const day = new Date(ms).toISOString();
  return day.startsWith(date) ? time(ms) : `${day.slice(5, 10)} ${time(ms).slice(0, -4)}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

function show(count: number | undefined): string {
  return count === undefined ? '-' : String(count);
}

/** `108ms`, `2.5s`, `3.4m`, `2.1h`. */
function duration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)}m`;
  return `${(ms / 3_600_000).toFixed(1)}h`;
}
