import { DAY_MS, midnightMs } from '../base/time.js';
import type { ArchiveFindings, Continuity } from './findings.js';

/** Messages are missing, or may be: rows made of the archive may be wrong. Any of these makes the exit status 1. */
export const FAULTS = ['damaged', 'unusable', 'bad-lines', 'breaks', 'gap', 'missing-day'] as const;
export type Fault = (typeof FAULTS)[number];

/** Worth knowing, and no sign that anything is missing. */
export const NOTES = [
  'starts-late',
  'ends-early',
  'early-deltas',
  'restarted',
  'rebased',
  'out-of-order',
  'repeated-ts',
  'negative-latency',
  'crossed',
  'levels-off',
  'absent-deletes',
  'step-changed',
] as const;
export type Note = (typeof NOTES)[number];

/** So late may a day begin, and so early end: a row a minute would be missing. */
const EDGE_MS = 60_000;

/** What is wrong with a day. */
export function faultsOf(found: ArchiveFindings, next: Continuity | null): Fault[] {
  const isThere: Record<Exclude<Fault, 'missing-day'>, boolean> = {
    damaged: found.integrity === 'damaged',
    unusable: found.problem !== null && found.integrity !== 'damaged',
    'bad-lines': found.badLines > 0,
    breaks: found.breaks > 0,
    gap: next?.state === 'gap',
  };
  return FAULTS.filter((fault) => fault !== 'missing-day' && isThere[fault]);
}

/** What is worth knowing of a day. */
export function notesOf(found: ArchiveFindings, next: Continuity | null): Note[] {
  const { book, date, firstTsMs, lastTsMs } = found;
  const dayMs = midnightMs(date);
  const isThere: Record<Note, boolean> = {
    'starts-late': firstTsMs !== null && firstTsMs > dayMs + EDGE_MS,
    'ends-early': lastTsMs !== null && lastTsMs < dayMs + DAY_MS - EDGE_MS,
    'early-deltas': found.earlyDeltas > 0,
    restarted: (book?.updateIds.rebases ?? 0) > 0,
    rebased: next?.state === 'rebased',
    'out-of-order': found.outOfOrder > 0,
    'repeated-ts': (book?.repeatedTs ?? 0) > 0,
    'negative-latency': (book?.latency?.negative ?? 0) > 0,
    crossed: (book?.crossed.messages ?? 0) > 0,
    'levels-off': (book?.levels?.messagesOff ?? 0) > 0,
    'absent-deletes': (book?.absentDeletes.deletes ?? 0) > 0,
    'step-changed': (book?.steps.changes.length ?? 0) > 0,
  };
  return NOTES.filter((note) => isThere[note]);
}
