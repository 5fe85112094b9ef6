/** The part of a plan that one machine of several carries out. */
import type { PlanEntry } from './plan.js';

/** One of several parts of a plan. */
export interface Shard {
  /** Which one, from 1. */
  number: number;
  /** How many there are. */
  of: number;
}

/**
 * The entries of one shard, numbered anew from 1. Every entry is in exactly one shard, whatever has been converted already:
 * only what archives there are, and their sizes, count. So shards may run at any time, in any order, and again, as long as
 * all of them see the same archives.
 *
 * Shards have about the same number of bytes. Archives are dealt out in rounds, the largest first, and in every round the
 * shard that has the least so far gets the largest of it.
 */
export function takeShard(entries: readonly PlanEntry[], { number, of }: Shard): PlanEntry[] {
  const largestFirst = [...entries].sort((a, b) => b.sizeBytes - a.sizeBytes || a.number - b.number);
  const shards = Array.from({ length: of }, (_, index) => ({ index, bytes: 0 }));
  const wanted = new Set<PlanEntry>();
  for (let start = 0; start < largestFirst.length; start += of) {
    shards.sort((a, b) => a.bytes - b.bytes || a.index - b.index);
    for (const [place, entry] of largestFirst.slice(start, start + of).entries()) {
      const shard = shards[place];
      if (!shard) continue;
      shard.bytes += entry.sizeBytes;
      if (shard.index === number - 1) wanted.add(entry);
    }
  }
  return entries.filter((entry) => wanted.has(entry)).map((entry, index) => ({ ...entry, number: index + 1 }));
}
