import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placesOfShard } from '../../src/convert/shard.js';
import { holds } from '../support/holds.js';

const sizesAndShards = fc.tuple(
  fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 200 }),
  fc.integer({ min: 1, max: 40 }),
);

/** The places in all shards of entries of archives of these sizes. */
const shardsOf = (sizes: readonly number[], of: number): number[][] =>
  Array.from({ length: of }, (_, index) => [...placesOfShard(Float64Array.from(sizes), { number: index + 1, of })]);

test('every entry is in exactly one shard, in the order of the plan', () =>
  holds(
    fc.property(sizesAndShards, ([sizes, of]) => {
      const shards = shardsOf(sizes, of);
      const inOrder = (places: number[]) => [...places].sort((a, b) => a - b);
      assert.deepEqual(inOrder(shards.flat()), [...sizes.keys()]);
      for (const places of shards) assert.deepEqual(places, inOrder(places));
    }),
  ));

test('shards differ by at most one archive, and by no more bytes than the largest archive has', () =>
  holds(
    fc.property(sizesAndShards, ([sizes, of]) => {
      const shards = shardsOf(sizes, of);
      const counts = shards.map((shard) => shard.length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      const bytes = shards.map((shard) => shard.reduce((sum, place) => sum + (sizes[place] ?? 0), 0));
      assert.ok(Math.max(...bytes) - Math.min(...bytes) <= Math.max(0, ...sizes), String(bytes));
    }),
  ));
