import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../src/console/progress.js';

const state = { total: 3247, settled: 2108, failed: 12, readBytes: 5e9, totalBytes: 1e10, seconds: 100 };

for (const [width, expected] of [
  [80, '2108/3247 archives, 12 failed · 50 % · 50.0 MB/s · 1:40 left'],
  [59, '2108/3247 archives, 12 failed · 50 % · 1:40 left'],
  [40, '2108/3247 archives, 12 failed · 50 %'],
  [30, '2108/3247 archives, 12 failed'],
] as const) {
  test(`on ${width} columns the progress line says what matters most`, () => {
    assert.equal(describe(state, width), expected);
  });
}

test('nothing is said of the time left before anything was read', () => {
  assert.equal(describe({ ...state, readBytes: 0, failed: 0 }, 80), '2108/3247 archives · 0 % · 0.0 MB/s');
});
