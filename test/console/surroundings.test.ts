import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { writeLines } from '../../src/console/surroundings.js';

/** A reader that takes nothing before it is told to. */
function slowReader() {
  const lines: string[] = [];
  let isReading = false;
  let take = () => {};
  const stream = new Writable({
    highWaterMark: 64,
    write(line: Buffer, _, callback) {
      lines.push(line.toString());
      take = callback;
      if (isReading) callback();
    },
  });
  const readOn = () => {
    isReading = true;
    take();
  };
  return { stream, lines, readOn };
}

function* numbered(count: number, told: { made: number }): Generator<string> {
  for (; told.made < count; told.made++) yield `line ${told.made}`;
}

test('lines are made no faster than they are read, and all of them arrive', async () => {
  const { stream, lines, readOn } = slowReader();
  const told = { made: 0 };
  const written = writeLines(stream, numbered(1000, told));
  await setImmediate();
  assert.ok(told.made < 20, `${told.made} lines were made before anybody had read the first one`);
  readOn();
  await written;
  assert.equal(lines.join(''), Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join(''));
});

test('when the reader has gone, no more lines are made', async () => {
  const { stream } = slowReader();
  stream.on('error', () => {});
  const told = { made: 0 };
  const written = writeLines(stream, numbered(1_000_000, told));
  await setImmediate();
  stream.destroy(new Error('EPIPE'));
  await written;
  assert.ok(told.made < 20, `${told.made} lines`);
});
