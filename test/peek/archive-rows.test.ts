/** What an archive held at an instant, and step by step, is what the slowest, most obvious reading says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { archiveRows } from '../../src/peek/archive-rows.js';
import type { LadderRow, RowSource } from '../../src/peek/ladder-row.js';
import { RowWalk } from '../../src/peek/row-walk.js';
import { messages, textOf } from '../support/arbitraries.js';
import { holdsInTime } from '../support/holds.js';
import { DAY_MS, line, writeLines } from '../support/messages.js';
import { asOfRows, type TestMessage } from '../support/oracle.js';

const LEVELS = 4;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-test-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** What a row is to hold: the message it stands at, and its levels as numbers. */
interface Expected {
  number: number;
  tsMs: number;
  levels: (number | undefined)[];
}

/** The book after the messages before the first one with a later `ts`; `undefined` before the first snapshot. */
function bookAt(all: TestMessage[], atMs: number): Expected | undefined {
  const start = all.findIndex(({ type }) => type === 'snapshot');
  if (start < 0) return undefined;
  const later = all.findIndex(({ tsMs }, index) => index >= start && tsMs > atMs);
  return bookAfter(all.slice(0, later < 0 ? all.length : later));
}

function bookAfter(all: TestMessage[]): Expected | undefined {
  const options = { intervalMs: 60_000, depth: LEVELS, dayMs: undefined, onGap: 'fill' } as const;
  // The last row closes the interval of the last message: it holds them all.
  const cells = asOfRows(all, options).at(-1)?.cells;
  if (cells === undefined) return undefined;
  const levels = cells.split(',').map((cell) => (cell === '' ? undefined : Number(cell)));
  return { number: all.length, tsMs: all.at(-1)?.tsMs ?? 0, levels };
}

function told(row: LadderRow): Expected {
  const { bidPrices, bidQuantities, askPrices, askQuantities, message } = row;
  const side = (prices: Float64Array, quantities: Float64Array) =>
    Array.from({ length: LEVELS }, (_, level) => [prices[level], quantities[level]]).flat();
  const levels = [...side(bidPrices, bidQuantities), ...side(askPrices, askQuantities)];
  return { number: message?.number ?? 0, tsMs: message?.tsMs ?? 0, levels };
}

async function rowsFrom(source: RowSource, fromMs: number, most = Infinity): Promise<LadderRow[]> {
  const rows: LadderRow[] = [];
  for await (const row of source.readFrom(fromMs)) {
    rows.push(row);
    if (rows.length >= most) break;
  }
  return rows;
}

let files = 0;

function write(text: Uint8Array): string {
  const file = path.join(folder, `made-${files++}.data`);
  fs.writeFileSync(file, text);
  return file;
}

const archive = messages(DAY_MS).chain((all) => fc.record({ all: fc.constant(all), text: textOf(all) }));
const hasBook = ({ all }: { all: TestMessage[] }) => all.some(({ type }) => type === 'snapshot');

test('at any instant: the book after all messages up to it', async () => {
  const instants = fc.array(fc.integer({ min: -5000, max: 400_000 }), { minLength: 1, maxLength: 6 });
  await holdsInTime(
    fc.asyncProperty(archive.filter(hasBook), instants, async ({ all, text }, offsets) => {
      const source = archiveRows(write(text), { levels: LEVELS });
      const first = bookAfter(all.slice(0, all.findIndex(({ type }) => type === 'snapshot') + 1));
      for (const atMs of [...offsets.map((offset) => DAY_MS + offset), -Infinity, Infinity]) {
        const [row] = await rowsFrom(source, atMs, 1);
        assert.ok(row);
        assert.deepEqual(told(row), bookAt(all, atMs)?.levels ? bookAt(all, atMs) : first);
      }
    }),
  );
});

test('from any instant: every message after it, one by one', async () => {
  await holdsInTime(
    fc.asyncProperty(archive.filter(hasBook), fc.integer({ min: -5000, max: 400_000 }), async (made, offset) => {
      const { all, text } = made;
      const start = all.findIndex(({ type }) => type === 'snapshot');
      const from = bookAt(all, DAY_MS + offset)?.number ?? start + 1;
      const expected = all
        .slice(from - 1)
        .map((_, index) => bookAfter(all.slice(0, Math.max(from, start + 1) + index)));
      const rows = await rowsFrom(archiveRows(write(text), { levels: LEVELS }), DAY_MS + offset);
      assert.deepEqual(rows.map(told), expected.slice(0, rows.length));
      assert.equal(rows.at(-1)?.message?.number, all.length);
    }),
  );
});

test('by steps of time: the book at each of them, up to the one that closes the last', async () => {
  const steps = fc.record({ stepMs: fc.constantFrom(100, 1000, 60_000), anchor: fc.integer({ min: 0, max: 99_999 }) });
  const offsets = fc.oneof(fc.integer({ min: -5000, max: 400_000 }), fc.constantFrom(-Infinity, Infinity));
  await holdsInTime(
    fc.asyncProperty(archive.filter(hasBook), steps, offsets, async ({ all, text }, { stepMs, anchor }, offset) => {
      const anchorMs = DAY_MS + anchor;
      const closing = (ms: number) => anchorMs + Math.ceil((ms - anchorMs) / stepMs) * stepMs;
      const started = all.slice(all.findIndex(({ type }) => type === 'snapshot'));
      const firstMs = closing(started[0]?.tsMs ?? 0);
      const lastMs = closing(Math.max(...started.map(({ tsMs }) => tsMs)));
      const fromMs = DAY_MS + offset;
      const beforeMs = anchorMs + Math.floor((fromMs - anchorMs) / stepMs) * stepMs;
      const startMs = Math.min(Math.max(beforeMs, firstMs), lastMs);
      const source = archiveRows(write(text), { levels: LEVELS, steps: { stepMs, anchorMs } });
      const rows = await rowsFrom(source, fromMs, 50);
      const count = Math.min(50, (lastMs - startMs) / stepMs + 1);
      assert.deepEqual(
        rows.map(({ timeMs }) => timeMs),
        Array.from({ length: count }, (_, index) => startMs + index * stepMs),
      );
      for (const row of rows.slice(0, 8)) assert.deepEqual(told(row).levels, bookAt(all, row.timeMs)?.levels);
    }),
  );
});

test('to and fro through more rows than are kept: each is where it was', async () => {
  const COUNT = 10_000;
  const lines = Array.from({ length: COUNT }, (_, index) =>
    // Ten messages at a time have the same ts.
    line({
      type: index === 0 ? 'snapshot' : 'delta',
      atMs: 1000 * Math.floor(index / 10),
      bids: [['1', String(index + 1)]],
      u: index + 1,
    }),
  );
  const walk = new RowWalk(archiveRows(await writeLines(folder, lines), { levels: 1 }));
  const number = () => walk.row?.bidQuantities[0];
  await walk.goTo(Infinity);
  assert.equal(number(), COUNT);
  let expected = COUNT;
  for (const move of [-1, -9, -4500, +20, -4000, +3000, -400, -10_000, +1, +9999, -5, +10_000, -7000, +6999, +1, +1]) {
    await (move < 0 ? walk.back(-move) : walk.forward(move));
    expected = Math.min(COUNT, Math.max(1, expected + move));
    assert.equal(number(), expected, `after ${move}`);
    assert.equal(walk.row?.message?.number, expected);
  }
  await walk.goTo(DAY_MS + 500_123);
  assert.equal(number(), 5010);
  await walk.back(11);
  assert.equal(number(), 4999);
  await walk.close();
});
