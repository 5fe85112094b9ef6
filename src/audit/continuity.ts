import type { ArchiveFindings, Continuity } from './findings.js';

/**
 * Compares the end of a day's file with the beginning of the next day's, of the same market, pair and depth. The next file
 * goes on from this one when it begins with the `u` of the last message (a closing snapshot repeats it as well), with the
 * one after it, or, where the files overlap, with one that this file has since its `u` last began anew.
 *
 * @returns null when one of the two was not read to where they meet.
 */
export function compareWithNext(file: ArchiveFindings, next: ArchiveFindings): Continuity | null {
  const first = next.book?.snapshotList[0];
  if (file.problem !== null || !file.book || file.lastTsMs === null || !first || next.firstTsMs === null) return null;
  const { last, runStart } = file.book.updateIds;
  const silenceMs = next.firstTsMs - file.lastTsMs;
  const state = (state: Continuity['state'], missingMessages: number | null = null) => ({
    state,
    missingMessages,
    silenceMs,
  });
  const { updateId } = first;
  // Deltas before its first snapshot would have to be followed too.
  if (last === null || runStart === null || updateId === null || next.earlyDeltas > 0) return state('unknown');
  if (updateId > last + 1) return state('gap', updateId - last - 1);
  const overlaps = updateId >= runStart && first.tsMs <= file.lastTsMs;
  return state(updateId >= last || overlaps ? 'joined' : 'rebased');
}
