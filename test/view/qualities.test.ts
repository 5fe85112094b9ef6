import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListedDay } from '../../src/view/listing.js';
import { countQualities, filesByDay } from '../../src/view/qualities.js';

const series = (days: ListedDay[]) => ({
  ...{ id: '', market: null, symbol: 'A', kind: 'book' as const, depth: 5, interval: '1m', intervalMs: 60_000 },
  ...{ format: 'csv' as const, days },
});

test('days are counted by their quality, and those in between that are not there', () => {
  const days: ListedDay[] = [
    ['2025-01-01', 'v', 1440, 0, 0],
    ['2025-01-02', 'v', 1440, 3, 0],
    ['2025-01-03', 'v', 1440, 3, 2],
    ['2025-01-06', 'v', 1439, 0, 0],
    ['2025-01-07', 'v', null, null, null],
    ['mine.csv', 'v', null, null, null],
  ];
  const counts = { complete: 1, filled: 1, suspect: 1, short: 1, unknown: 2, missing: 2 };
  assert.deepEqual(countQualities(series(days)), counts);
});

test('a file of join has all of its days', () => {
  const january: ListedDay = ['2025-01-01', 'v', null, null, null, '2025-01-31'];
  const february: ListedDay = ['2025-02-01', 'v', null, null, null, '2025-02-28'];
  const { unknown, missing } = countQualities(series([january, february]));
  assert.deepEqual({ unknown, missing }, { unknown: 59, missing: 0 });
  const files = filesByDay([january, february]);
  assert.deepEqual(
    [files.get('2025-01-17'), files.get('2025-02-28'), files.get('2025-03-01')],
    [january, february, undefined],
  );
  assert.ok(filesByDay([['1970-01-01', 'v', null, null, null, '9999-12-31']]).size < 10_000);
});
