/** The part of a plan that one machine of several carries out. */
/** One of several parts of a plan. */
export interface Shard {
  /** Which one, from 1. */
  number: number;
  /** How many there are. */
  of: number;
}

/**
 * The places of the entries of one shard, in the order of the plan. Every entry is in exactly one shard, whatever has been
 * converted already: only what archives there are, and their sizes, count. So shards may run at any time, in any order, and
 * again, as long as all of them see the same archives.
 *
 * Shards have about the same number of bytes. Archives are dealt out in rounds, the largest first, and in every round the
 * shard that has the least so far gets the largest of it.
 *
 * @param sizes of the archives, in the order of the plan, in bytes.
 */
export function placesOfShard(sizes: Float64Array, { number, of }: Shard): Uint32Array {
  const sizeAt = (place: number) => sizes[place] ?? 0;
  const largestFirst = Uint32Array.from(sizes.keys()).sort((a, b) => sizeAt(b) - sizeAt(a) || a - b);
  const shards = Array.from({ length: of }, (_, index) => ({ index, bytes: 0 }));
  const wanted: number[] = [];
  for (let start = 0; start < largestFirst.length; start += of) {
    shards.sort((a, b) => a.bytes - b.bytes || a.index - b.index);
    for (const [turn, place] of largestFirst.subarray(start, start + of).entries()) {
      const shard = shards[turn];
      if (!shard) continue;
      shard.bytes += sizeAt(place);
      if (shard.index === number - 1) wanted.push(place);
    }
  }
  return Uint32Array.from(wanted).sort();
}
