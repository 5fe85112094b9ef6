import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { describeRange, GridCheck, MAX_RANGES } from '../../src/join/grid-check.js';
import { JoinError } from '../../src/join/join-error.js';
import { holds } from '../support/holds.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse('2025-01-15T00:00:00Z');
const DATES = ['2025-01-15', '2025-01-16', '2025-01-17', '2025-01-18'];

/** Gives a check the days' hours that `isThere`; a day without any has no file. */
function check(isThere: (hour: number) => boolean, intervalMs = HOUR_MS) {
  const grid = new GridCheck({ intervalMs, from: '2025-01-15', to: '2025-01-18' });
  DATES.forEach((date, day) => {
    const hours = Array.from({ length: 24 }, (_, hour) => 24 * day + hour + 1).filter(isThere);
    if (hours.length === 0) return;
    grid.beginFile({ path: `${date}.csv`, date });
    hours.forEach((hour, index) => {
      grid.take(START_MS + hour * HOUR_MS, index + 1);
    });
  });
  return { missing: grid.finish(), boundaries: grid.boundaries };
}

test('missing are the boundaries that are not there, in as few ranges as days allow', () => {
  const hours = fc.array(fc.integer({ min: 1, max: 96 }));
  const days = fc.array(fc.integer({ min: 0, max: 3 }));
  holds(
    fc.property(hours, days, (gaps, wholeDays) => {
      const isGap = (hour: number) => gaps.includes(hour) || wholeDays.includes(Math.floor((hour - 1) / 24));
      const { missing, boundaries } = check((hour) => !isGap(hour));
      const expected = Array.from({ length: 96 }, (_, index) => index + 1).filter(isGap);
      const told = missing.firstRanges.flatMap(({ firstMs, boundaries: count, lastMs }) => {
        assert.equal(lastMs, firstMs + (count - 1) * HOUR_MS);
        return Array.from({ length: count }, (_, index) => (firstMs - START_MS) / HOUR_MS + index);
      });
      assert.deepEqual(told, missing.ranges > MAX_RANGES ? expected.slice(0, told.length) : expected);
      assert.equal(missing.boundaries, expected.length);
      assert.equal(boundaries, 96 - expected.length);
      const isWhole = (day: number) => expected.filter((hour) => Math.floor((hour - 1) / 24) === day).length === 24;
      assert.equal(missing.days, [0, 1, 2, 3].filter(isWhole).length);
    }),
  );
});

test('ranges are told by day where they are days', () => {
  const { missing } = check((hour) => hour < 24 || (hour > 72 && hour !== 74));
  assert.deepEqual(missing.firstRanges.map(describeRange), [
    '2025-01-16T00:00:00.000Z',
    '2025-01-16 to 2025-01-17, 2 whole days',
    '2025-01-18T02:00:00.000Z',
  ]);
  assert.deepEqual(check((hour) => hour <= 48 || hour > 72).missing.firstRanges.map(describeRange), [
    '2025-01-17, the whole day',
  ]);
  assert.deepEqual(check((hour) => hour < 5 || hour > 7).missing.firstRanges.map(describeRange), [
    '2025-01-15T05:00:00.000Z to 2025-01-15T07:00:00.000Z, 3 boundaries',
  ]);
});

test('an interval of a day has one boundary a day', () => {
  const { missing, boundaries } = check((hour) => hour % 24 === 0 && hour !== 48, DAY_MS);
  assert.equal(boundaries, 3);
  assert.deepEqual(missing.firstRanges.map(describeRange), ['2025-01-16, the whole day']);
});

test('of a grid full of holes only the first are kept', () => {
  const { missing } = check((hour) => hour % 2 === 0);
  assert.deepEqual([missing.ranges, missing.boundaries, missing.firstRanges.length], [48, 48, MAX_RANGES]);
});

describe('errors name the file and the row', () => {
  const cases: [what: string, hours: number[], message: RegExp][] = [
    ['a row twice', [1, 2, 2], /^a\.csv: row 3 \(\d+, 2025-01-15T02:00:00\.000Z\) is there twice\. Make it again/],
    ['a row before an earlier one', [1, 3, 2], /^a\.csv: row 3 .* comes after 2025-01-15T03:00:00\.000Z\./],
    ['the midnight that the day before has', [0], /^a\.csv: row 1 .* is not of 2025-01-15,.*--compat python/],
    ['the next day', [24, 25], /^a\.csv: row 2 .* is not of 2025-01-15,/],
    ['no boundary', [1.5], /^a\.csv: row 1 .* is no boundary of 1h\./],
    ['no time at all', [1e14], /^a\.csv: row 1 \(\d+, no time\)/],
  ];
  for (const [what, hours, message] of cases) {
    test(what, () => {
      const grid = new GridCheck({ intervalMs: HOUR_MS, from: '2025-01-15', to: '2025-01-15' });
      grid.beginFile({ path: 'a.csv', date: '2025-01-15' });
      const takeAll = () => {
        for (const [index, hour] of hours.entries()) grid.take(START_MS + hour * HOUR_MS, index + 1);
      };
      assert.throws(takeAll, (error) => error instanceof JoinError && message.test(error.message));
    });
  }
});
