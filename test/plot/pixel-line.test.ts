/** A line thinned to its pixels looks like the line of all values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PixelLine } from '../../src/plot/pixel-line.js';
import { holds } from '../support/holds.js';

const WIDTH = 20;

/** Of each column of pixels, the least and the greatest value that the strokes of a path have in it. */
function extentsOf(path: string): Map<number, [number, number]> {
  const extents = new Map<number, [number, number]>();
  const touch = (x: number, y: number) => {
    const [least, most] = extents.get(x) ?? [y, y];
    extents.set(x, [Math.min(least, y), Math.max(most, y)]);
  };
  let [x, y] = [0, 0];
  for (const [, command, numbers = ''] of path.matchAll(/([MHV])([-\d. ]+)/g)) {
    const [first = 0, second = 0] = numbers.split(' ').map(Number);
    if (command === 'M') [x, y] = [first, second];
    else if (command === 'V') {
      touch(Math.floor(x), y);
      y = first;
    } else {
      for (let column = Math.floor(x); column < first; column++) touch(column, y);
      x = first;
    }
    touch(Math.floor(Math.min(x, WIDTH - 0.001)), y);
  }
  return extents;
}

/** Values of equal length over the whole width. */
function pathOf(values: number[]): string {
  const line = new PixelLine();
  const length = WIDTH / values.length;
  for (const [index, value] of values.entries()) line.add(index * length, (index + 1) * length, value);
  return line.path(0, (value) => value);
}

test('a line of many values is no longer than its pixels, and reaches as far in each', () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: WIDTH, maxLength: 40 * WIDTH });
  holds(
    fc.property(values, (all) => {
      const path = pathOf(all);
      assert.ok(path.length < WIDTH * 50);
      const extents = extentsOf(path);
      all.forEach((value, index) => {
        const [least, most] = extents.get(Math.floor((index / all.length) * WIDTH)) ?? [NaN, NaN];
        assert.ok(least <= value && value <= most, `${value} of ${least} to ${most}`);
      });
      for (const [column, [least, most]] of extents) {
        // What joins a column to the one before it is drawn in it too.
        const near = all.filter((_, index) => Math.abs((index / all.length) * WIDTH - column - 0.5) <= 1.5);
        assert.ok(least >= Math.min(...near) && most <= Math.max(...near));
      }
    }),
  );
});

test('few values are drawn as they are: each from its time up to the next', () => {
  assert.equal(pathOf([3, 5]), 'M0 3H10V5H20');
});

test('a gap breaks the line, and so does what is no number', () => {
  const line = new PixelLine();
  line.add(0, 5, 1);
  line.breakOff();
  line.add(10, 15, 2);
  line.add(15, 20, Number.NaN);
  assert.equal(
    line.path(100, (value) => value),
    'M100 1H105M110 2H115',
  );
  assert.deepEqual(
    [...line.extremes()],
    [
      [1, 1],
      [2, 2],
    ],
  );
  assert.equal(
    new PixelLine().path(0, (value) => value),
    '',
  );
});
