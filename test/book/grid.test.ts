/** Each numbered rule of the grid by an example that can be checked by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AsOfGrid, PythonGrid } from '../../src/book/grid.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { booksOf, drive } from '../support/drive.js';
import { DAY_MS, line } from '../support/messages.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Example {
  lines: string[];
  intervalMs?: number;
  isDayFile?: boolean;
  onGap?: 'fill' | 'skip';
}

/** Rows as `minutes after midnight: best bid`, with `filled` where no message came. */
function rowsOf({ lines, intervalMs = MINUTE, isDayFile = true, onGap = 'fill' }: Example): string[] {
  const grid = new AsOfGrid({ intervalMs, dayMs: isDayFile ? DAY_MS : undefined, onGap });
  const engine = new ReferenceEngine({ grid, books: booksOf(1), keepZeros: false });
  return drive(engine, [Buffer.from(lines.join('\n'))]).rows.map(({ boundaryMs, isFilled, cells }) => {
    return `${(boundaryMs - DAY_MS) / MINUTE}: ${cells.split(',')[0]}${isFilled ? ' filled' : ''}`;
  });
}

const snapshot = (atMs: number, bid: string) =>
  line({ type: 'snapshot', atMs, bids: [[bid, '1']], asks: [['9', '1']] });
const better = (atMs: number, bid: string) => line({ atMs, bids: [[bid, '1']] });

test('rule 1: a message on the boundary is in its row, one a millisecond later is not', () => {
  const lines = [snapshot(500, '1'), better(MINUTE, '2'), better(MINUTE + 1, '3')];
  assert.deepEqual(rowsOf({ lines }), ['1: 2', '2: 3']);
});

test('rule 1: several boundaries before one message each get their row', () => {
  assert.deepEqual(rowsOf({ lines: [snapshot(500, '1'), better(3.5 * MINUTE, '2')] }), [
    '1: 1',
    '2: 1 filled',
    '3: 1 filled',
    '4: 2',
  ]);
});

test('rule 2: the first row is the first boundary at or after the first snapshot; earlier deltas are dropped', () => {
  const early = better(30_000, '8');
  assert.deepEqual(rowsOf({ lines: [early, snapshot(5.2 * MINUTE, '1')] }), ['6: 1']);
  assert.deepEqual(rowsOf({ lines: [early, snapshot(5 * MINUTE, '1')] }), ['5: 1']);
});

test('rule 3: a day’s file yields the boundaries in (midnight, next midnight] only', () => {
  const lines = [
    snapshot(-90_000, '1'), // begins before its day
    better(-100, '2'),
    better(30_000, '3'),
    better(DAY - 30_000, '4'),
    snapshot(DAY + 100, '5'), // and runs past it
    better(DAY + 90_000, '6'),
  ];
  const rows = rowsOf({ lines, intervalMs: 60 * MINUTE });
  assert.equal(rows.length, 24);
  assert.deepEqual([rows[0], rows[1], rows[22], rows[23]], ['60: 3', '120: 3 filled', '1380: 3 filled', '1440: 4']);
});

test('rule 3: boundaries without a message at either end of the day are filled too', () => {
  const lines = [snapshot(-90_000, '1'), better(DAY + 90_000, '6')];
  const rows = rowsOf({ lines, intervalMs: 6 * 60 * MINUTE });
  assert.deepEqual(rows, ['360: 1 filled', '720: 1 filled', '1080: 1 filled', '1440: 1 filled']);
});

test('rule 3: two consecutive days join without a duplicate or a hole', () => {
  const day = (midnight: number) => [
    snapshot(midnight + 600, '1'),
    snapshot(midnight + DAY + 70, '2'),
    better(midnight + DAY + 5000, '3'),
  ];
  const labels = (lines: string[], dayMs: number) => {
    const engine = new ReferenceEngine({
      grid: new AsOfGrid({ intervalMs: MINUTE, dayMs, onGap: 'fill' }),
      books: booksOf(1),
      keepZeros: false,
    });
    return drive(engine, [Buffer.from(lines.join('\n'))]).rows.map(({ boundaryMs }) => boundaryMs);
  };
  const both = [...labels(day(0), DAY_MS), ...labels(day(DAY), DAY_MS + DAY)];
  assert.equal(both.length, 2 * 1440);
  assert.ok(both.every((boundaryMs, index) => boundaryMs === DAY_MS + (index + 1) * MINUTE));
});

test('rule 3: a file without a date in its name is not clipped', () => {
  const lines = [snapshot(-90_000, '1'), better(-30_000, '2'), better(DAY + 1, '3')];
  const rows = rowsOf({ lines, intervalMs: 12 * 60 * MINUTE, isDayFile: false });
  assert.deepEqual(rows, ['0: 2', '720: 2 filled', '1440: 2 filled', '2160: 3']);
});

test('rule 4: the end of the file writes the boundary that closes the last message’s interval', () => {
  assert.deepEqual(rowsOf({ lines: [snapshot(500, '1')] }), ['1: 1']);
  assert.deepEqual(rowsOf({ lines: [snapshot(500, '1'), better(2 * MINUTE, '2')] }), ['1: 1', '2: 2']);
});

test('rule 5: skip writes no row for an interval without a message', () => {
  const lines = [snapshot(500, '1'), better(3.5 * MINUTE, '2'), better(3.6 * MINUTE, '3'), better(5 * MINUTE, '4')];
  assert.deepEqual(rowsOf({ lines, onGap: 'skip' }), ['1: 1', '4: 3', '5: 4']);
});

test('rule 5: skipping a silence takes no time, of a week without a day, of centuries with one', () => {
  const lines = (silenceMs: number) => [snapshot(30, '1'), better(30 + silenceMs, '2')];
  const rows = rowsOf({ lines: lines(7 * DAY), intervalMs: 1, isDayFile: false, onGap: 'skip' });
  assert.deepEqual(rows, ['0.0005: 1', `${(7 * DAY + 30) / MINUTE}: 2`]);
  const century = 36_525 * DAY;
  assert.deepEqual(rowsOf({ lines: lines(8 * century), intervalMs: 1, onGap: 'skip' }), ['0.0005: 1']);
});

test('rule 3: without a day to clip to, a message more than 7 days after all before it is refused', () => {
  const back = better(-3 * DAY, '2');
  const after = (ms: number) => [snapshot(500, '1'), back, '', better(500 + ms, '3')];
  assert.equal(rowsOf({ lines: after(7 * DAY), intervalMs: DAY, isDayFile: false }).length, 8);
  const error = /^RangeError: line 4: its ts, 2025-01-22T00:00:00\.501Z, is 7 days after all before it \(2025-01-15T/;
  for (const onGap of ['fill', 'skip'] as const) {
    assert.throws(() => rowsOf({ lines: after(7 * DAY + 1), isDayFile: false, onGap }), error);
  }
  assert.equal(rowsOf({ lines: after(7 * DAY + 1), intervalMs: DAY }).length, 1, 'a day of its own clips it');
});

test('rule 6: a message from before is applied where it stands', () => {
  const lines = [snapshot(500, '1'), better(MINUTE + 10, '2'), better(500, '3'), better(2 * MINUTE + 1, '4')];
  assert.deepEqual(rowsOf({ lines }), ['1: 1', '2: 3', '3: 4']);
});

test('rule 7: a quantity of zero removes the level however it is written, in a snapshot too', () => {
  const zeros = (quantity: string) => line({ atMs: 600, bids: [['3', quantity]] });
  for (const quantity of ['0', '0.000', '00', '0.0']) {
    const start = line({
      type: 'snapshot',
      atMs: 500,
      bids: [
        ['1', '1'],
        ['3', '4'],
        ['4', quantity],
      ],
    });
    assert.deepEqual(rowsOf({ lines: [start, zeros(quantity), zeros(quantity)] }), ['1: 1'], quantity);
  }
});

test('--compat python: the row of a minute holds the first message of the next', () => {
  const engine = new ReferenceEngine({ grid: new PythonGrid(), books: booksOf(1), keepZeros: true });
  const lines = [
    snapshot(15.5 * MINUTE, '1'),
    better(16 * MINUTE, '2'), // first of 00:16, so row 00:15 holds it
    better(19.5 * MINUTE, '3'), // 00:17 and 00:18 have no row, and 00:16 is labelled when 00:19 comes
    better(19.6 * MINUTE, '4'), // the last minute has none
  ];
  const { rows } = drive(engine, [Buffer.from(lines.join('\n'))]);
  assert.deepEqual(
    rows.map(({ boundaryMs, cells }) => `${(boundaryMs - DAY_MS) / MINUTE}: ${cells.split(',')[0]}`),
    ['15: 2', '16: 3'],
  );
});
