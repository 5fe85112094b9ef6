import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PlanEntry } from '../../src/convert/plan.js';
import { takeShard } from '../../src/convert/shard.js';
import { holds } from '../support/holds.js';

/** Entries of archives of these sizes. */
const entriesOf = (sizes: readonly number[]): PlanEntry[] =>
  sizes.map((sizeBytes, index) => ({
    ...{ number: index + 1, path: `/archives/${index}`, fileName: String(index), pair: 'AAAUSDT', sizeBytes },
    ...{ action: 'fail', problem: 'only its size matters here' },
  }));

const sizesAndShards = fc.tuple(
  fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 200 }),
  fc.integer({ min: 1, max: 40 }),
);

test('every entry is in exactly one shard, in the order of the plan and numbered from 1', () =>
  holds(
    fc.property(sizesAndShards, ([sizes, of]) => {
      const entries = entriesOf(sizes);
      const shards = Array.from({ length: of }, (_, index) => takeShard(entries, { number: index + 1, of }));
      assert.deepEqual(
        shards.flatMap((shard) => shard.map(({ path }) => path)).sort(),
        entries.map(({ path }) => path).sort(),
      );
      for (const shard of shards) {
        assert.deepEqual(
          shard.map(({ number }) => number),
          shard.map((_, index) => index + 1),
        );
        const places = shard.map(({ path }) => entries.findIndex((entry) => entry.path === path));
        assert.deepEqual(
          places,
          [...places].sort((a, b) => a - b),
        );
      }
    }),
  ));

test('shards differ by at most one archive, and by no more bytes than the largest archive has', () =>
  holds(
    fc.property(sizesAndShards, ([sizes, of]) => {
      const shards = Array.from({ length: of }, (_, index) => takeShard(entriesOf(sizes), { number: index + 1, of }));
      const counts = shards.map((shard) => shard.length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      const bytes = shards.map((shard) => shard.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      assert.ok(Math.max(...bytes) - Math.min(...bytes) <= Math.max(0, ...sizes), String(bytes));
    }),
  ));
