/** An audit from archives to what is told of each day, in order. */
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import type { ArchiveFile, UnusableFile } from '../catalog/find-archives.js';
import { type AuditRunOptions, auditArchives } from './audit-archives.js';
import { compareWithNext } from './continuity.js';
import type { ArchiveFindings, Continuity } from './findings.js';
import { findMissingDays, type MissingDays, type SymbolDay, symbolOf } from './missing-days.js';
import { type Fault, faultsOf, type Note, notesOf } from './verdict.js';

/** All that is told of an archive. */
export interface DayFindings extends ArchiveFindings {
  /** How the next day goes on from it; null: there is none of the same depth, or one of the two was not read whole. */
  nextDay: Continuity | null;
  faults: Fault[];
  notes: Note[];
}

/** What is told, one after the other. */
export type AuditEvent =
  | { kind: 'day'; day: DayFindings }
  | { kind: 'missing'; missing: MissingDays }
  /** An archive, or a folder in which there may be some, that cannot be looked at. */
  | { kind: 'unusable'; file: UnusableFile };

/** The order in which archives are told of: the days of a symbol and depth together. */
export function inOrder(a: Ordered, b: Ordered): number {
  return (
    compare(a.market ?? '', b.market ?? '') ||
    compare(a.pair, b.pair) ||
    a.sourceDepth - b.sourceDepth ||
    compare(a.date, b.date)
  );
}

type Ordered = Pick<ArchiveFile, 'market' | 'pair' | 'sourceDepth' | 'date'>;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Reads archives and tells of each day, of the days missing, and of what could not be looked at. */
export async function* audit(
  archives: readonly ArchiveFile[],
  unusable: readonly UnusableFile[],
  options: AuditRunOptions,
): AsyncGenerator<AuditEvent> {
  const sorted = [...archives].sort(inOrder);
  yield* tellDays(auditArchives(sorted, options));
  if (options.signal.aborted) return;
  for (const file of unusable) yield { kind: 'unusable', file };
  // One that cannot be looked at is not missing.
  const named = unusable.flatMap(({ market, pair, date }) => (date ? [{ ...(market && { market }), pair, date }] : []));
  yield* tellMissing([...sorted, ...named]);
}

/** Tells of days whose findings come in order, each when the one after it is known. */
export async function* tellDays(
  findings: AsyncIterable<ArchiveFindings> | Iterable<ArchiveFindings>,
): AsyncGenerator<AuditEvent> {
  let before: ArchiveFindings | undefined;
  for await (const found of findings) {
    if (before) yield judge(before, found);
    before = found;
  }
  if (before) yield judge(before, undefined);
}

/** Tells of the days that are missing between those there are. */
export function* tellMissing(days: readonly SymbolDay[]): Generator<AuditEvent> {
  for (const missing of findMissingDays(days)) yield { kind: 'missing', missing };
}

function judge(found: ArchiveFindings, after: ArchiveFindings | undefined): AuditEvent {
  const nextDay = after && isNextDay(found, after) ? compareWithNext(found, after) : null;
  return { kind: 'day', day: { ...found, nextDay, faults: faultsOf(found, nextDay), notes: notesOf(found, nextDay) } };
}

function isNextDay(found: ArchiveFindings, after: ArchiveFindings): boolean {
  const isSame = symbolOf(found) === symbolOf(after) && found.sourceDepth === after.sourceDepth;
  return isSame && nextDate(found.date) === after.date;
}

function nextDate(date: string): string {
  return toDate(midnightMs(date) + DAY_MS);
}
