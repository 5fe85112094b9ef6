import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Engine, EngineOptions } from '../../src/book/engine.js';
import { AsOfGrid, PythonGrid } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { messages, textOf } from '../support/arbitraries.js';
import { booksOf, cut, drive } from '../support/drive.js';
import { holds } from '../support/holds.js';
import { DAY_MS, line } from '../support/messages.js';
import { asOfRows, type OracleOptions, pythonRows } from '../support/oracle.js';

/** Every test here runs with each of the two engines. */
const ENGINES: [name: string, make: (options: EngineOptions) => Engine][] = [
  ['the reference engine', (options) => new ReferenceEngine(options)],
  ['the kernel', (options) => new KernelEngine(options)],
];

const options = fc.record({
  intervalMs: fc.constantFrom(100, 1000, 5000, 60_000, 3_600_000),
  depth: fc.integer({ min: 1, max: 6 }),
  dayMs: fc.constantFrom(undefined, DAY_MS, DAY_MS - 86_400_000, DAY_MS + 86_400_000),
  onGap: fc.constantFrom('fill' as const, 'skip' as const),
});

/** Rows in a batch, at most; `undefined`: as many as fit. */
const batchRows = fc.constantFrom(1, 2, 3, 7, undefined);

/** Messages near a midnight, their text, and where it is cut into chunks. */
const archive = messages(DAY_MS).chain((list) =>
  fc.tuple(fc.constant(list), textOf(list), fc.array(fc.nat(6000), { maxLength: 8 })),
);

function isAfterSnapshot(list: { type: string }[], index: number): boolean {
  const start = list.findIndex(({ type }) => type === 'snapshot');
  return start >= 0 && index >= start;
}

for (const [name, make] of ENGINES) {
  const asOfEngine = ({ depth, ...options }: OracleOptions, maxRows?: number) =>
    make({ grid: new AsOfGrid(options), books: booksOf(depth), maxRows, keepZeros: false });

  describe(`${name} against the definition`, () => {
    test('as-of rows, at any depth, interval, day and chunking', () => {
      holds(
        fc.property(archive, options, batchRows, ([list, text, cuts], { depth, ...grid }, maxRows) => {
          const chunks = cut(
            text,
            cuts.map((offset) => offset % (text.length + 1)),
          );
          const engine = asOfEngine({ depth, ...grid }, maxRows);
          const { rows, badLines } = drive(engine, chunks);
          const expected = asOfRows(list, { depth, ...grid });
          assert.deepEqual(rows, expected);
          assert.deepEqual(badLines, []);
          assert.equal(engine.counts.rows, expected.length);
          assert.equal(engine.counts.filledRows, expected.filter(({ isFilled }) => isFilled).length);
          const all = asOfRows(list, { depth, ...grid, onGap: 'fill' });
          assert.equal(engine.counts.skippedBoundaries, all.length - expected.length);
          assert.equal(engine.counts.messages, list.length);
        }),
      );
    });

    test('the Python scripts’ rows', () => {
      holds(
        fc.property(archive, ([list, text]) => {
          const engine = make({ grid: new PythonGrid(), books: booksOf(3), keepZeros: true });
          assert.deepEqual(drive(engine, [text]).rows, pythonRows(list, 3));
        }),
      );
    });

    test('no row holds anything of a message with a later ts', () => {
      holds(
        fc.property(archive, fc.nat(40), ([list, text], at) => {
          const grid = { intervalMs: 1000, dayMs: undefined, onGap: 'fill' } as const;
          const { rows } = drive(asOfEngine({ ...grid, depth: 2 }), [text]);
          const boundaryMs = rows[at % Math.max(rows.length, 1)]?.boundaryMs ?? 0;
          // Cutting off everything from the first later message on must not change the row.
          const later = list.findIndex(({ tsMs }, index) => tsMs > boundaryMs && isAfterSnapshot(list, index));
          const before = asOfRows(later < 0 ? list : list.slice(0, later), { ...grid, depth: 2 });
          const find = (table: typeof rows) => table.find((row) => row.boundaryMs === boundaryMs)?.cells;
          if (find(before) !== undefined) assert.equal(find(rows), find(before));
        }),
      );
    });

    test('rows before the message at which an engine gives up are given, however the text is cut', () => {
      const messages = Array.from({ length: 10 }, (_, at) => line({ atMs: 1500 + 1000 * at, u: 2 + at }));
      const snapshot = line({ type: 'snapshot', atMs: 500, bids: [['1', '2']], asks: [['2', '3']], u: 1 });
      const text = Buffer.from([snapshot, ...messages, line({ atMs: 30 * DAY_MS, u: 12 }), ''].join('\n'));
      for (const size of [1, 100, text.length]) {
        const offsets = Array.from({ length: Math.ceil(text.length / size) - 1 }, (_, index) => (index + 1) * size);
        const engine = asOfEngine({ depth: 2, intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
        const rest = cut(text, offsets);
        let rows = 0;
        const drain = () => {
          for (;;) {
            const event = engine.next();
            if (event.kind === 'rows') rows += event.rows.length;
            else if (event.kind === 'needs-bytes') engine.push(rest.shift() ?? assert.fail('it has not given up'));
          }
        };
        assert.throws(drain, { name: 'RangeError', message: /^line 12: / });
        assert.equal(rows, 10, `chunks of ${size} bytes`);
      }
    });

    test('every chunk size from one byte up gives the same', async () => {
      const text = Buffer.from(
        [
          line({ type: 'snapshot', atMs: 500, bids: [['1.5', '2']], asks: [['1.6', '3']], u: 1 }),
          'not JSON',
          line({ atMs: 1500, bids: [['1.50', '7']], u: 2 }),
          '',
          line({ atMs: 2500, asks: [['1.6', '0']], u: 4 }),
        ].join('\r\n'),
      );
      const run = (size: number) => {
        const offsets = Array.from({ length: Math.ceil(text.length / size) - 1 }, (_, index) => (index + 1) * size);
        const engine = asOfEngine({ depth: 2, intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
        return { ...drive(engine, cut(text, offsets)), counts: engine.counts };
      };
      const whole = run(text.length);
      assert.equal(whole.rows.length, 3);
      assert.equal(whole.badLines[0]?.lineNumber, 2);
      for (let size = 1; size < text.length; size++) assert.deepEqual(run(size), whole, `chunks of ${size} bytes`);
    });
  });

  describe(`the counts of ${name}`, () => {
    const run = (lines: string[]) => {
      const engine = asOfEngine({ depth: 1, intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
      drive(engine, [Buffer.from(lines.join('\n'))]);
      return engine.counts;
    };
    const snapshot = (atMs: number, u: number) =>
      line({ type: 'snapshot', atMs, bids: [['1', '1']], asks: [['2', '1']], u });

    test('u: a jump, a repetition and a step back are breaks; a snapshot re-bases', () => {
      const us = [6, 7, 9, 9, 8, 9];
      const deltas = us.map((u, index) => line({ atMs: 100 + index, u }));
      const restart = [snapshot(200, 1), line({ atMs: 201, u: 2 }), line({ atMs: 202, u: 4 })];
      assert.equal(run([snapshot(0, 5), ...deltas, ...restart]).updateIdBreaks, 4);
    });

    test('deltas before the first snapshot are counted and change nothing', () => {
      const early = line({ atMs: 1, bids: [['9', '9']], u: 77 });
      const counts = run([early, early, snapshot(2, 5), line({ atMs: 3, u: 6 })]);
      assert.deepEqual(
        {
          early: counts.earlyDeltas,
          messages: counts.messages,
          breaks: counts.updateIdBreaks,
          updates: counts.updates,
        },
        { early: 2, messages: 4, breaks: 0, updates: 2 },
      );
    });

    test('out of order: every message before the latest ts so far', () => {
      const deltas = [10, 9, 9, 10, 11, 3].map((atMs) => line({ atMs }));
      assert.equal(run([snapshot(0, 1), ...deltas]).outOfOrderMessages, 3);
    });

    test('crossed rows: best bid at or above best ask', () => {
      const touch = line({ atMs: 1500, bids: [['2.0', '1']] });
      const apart = line({ atMs: 2500, bids: [['2', '0']] });
      assert.equal(run([snapshot(0, 1), touch, apart]).crossedRows, 1);
    });

    test('first and last ts are those of the first and the last message in file order', () => {
      const counts = run([line({ atMs: 7 }), snapshot(8, 1), line({ atMs: 20 }), line({ atMs: 12 })]);
      assert.deepEqual([counts.firstTsMs, counts.lastTsMs], [DAY_MS + 7, DAY_MS + 12]);
    });
  });

  describe(`${name} and what the archive is said to hold`, () => {
    const run = (lines: string[]) => {
      const grid = new AsOfGrid({ intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
      const engine = make({ grid, books: booksOf(1), keepZeros: false, expected: { symbol: 'TESTUSDT', depth: 500 } });
      return { ...drive(engine, [Buffer.from(lines.join('\n'))]), counts: engine.counts };
    };
    const start = line({ type: 'snapshot', atMs: 0, bids: [['1', '1']], asks: [['2', '1']] });
    const own = (atMs: number, price: string) => line({ atMs, bids: [[price, '1']], u: 2 + atMs });
    const other = (text: string) => text.replaceAll('TESTUSDT', 'ETHUSDT');
    const shallow = (text: string) => text.replaceAll('orderbook.500', 'orderbook.50');

    test('a first message of something else ends it', () => {
      for (const [change, found] of [
        [other, 'orderbook.500.ETHUSDT'],
        [shallow, 'orderbook.50.TESTUSDT'],
        [(text: string) => text.replace('"s":"TESTUSDT"', '"s":"X"'), 'orderbook.500.TESTUSDT with symbol X'],
      ] as const) {
        const error = `RangeError: its name says orderbook.500.TESTUSDT, its first message ${found}: give it the name of what it holds`;
        assert.throws(
          () => run(['not JSON', change(start), own(1, '1.1')]),
          (thrown) => String(thrown) === error,
        );
      }
    });

    test('messages of something else in the middle are bad lines, before and after the kernel has its template', () => {
      const foreign = other(own(900, '1.9'));
      const lines = [start, foreign, own(1, '1.1'), own(2, '1.2'), foreign, shallow(own(4, '1.8')), own(5, '1.3')];
      const { badLines, rows, counts } = run(lines);
      assert.deepEqual(
        badLines.map(({ lineNumber, reason }) => `${lineNumber}: ${reason}`),
        [
          '2: a message of orderbook.500.ETHUSDT in an archive of orderbook.500.TESTUSDT',
          '5: a message of orderbook.500.ETHUSDT in an archive of orderbook.500.TESTUSDT',
          '6: a message of orderbook.50.TESTUSDT in an archive of orderbook.500.TESTUSDT',
        ],
      );
      assert.deepEqual([counts.messages, counts.badLines], [4, 3]);
      assert.equal(rows.at(-1)?.cells, '1.3,1,2,1');
    });

    test('a line that has its topic twice does not teach the first of them', () => {
      const twice = other(own(1, '1.1'))
        .replace(/}$/, ',"topic":"orderbook.500.TESTUSDT"}')
        .replace('"ETHUSDT"', '"TESTUSDT"');
      const { badLines } = run([start, twice, other(own(2, '1.9')).replace('"ETHUSDT"', '"TESTUSDT"')]);
      assert.deepEqual(
        badLines.map(({ lineNumber }) => lineNumber),
        [3],
      );
    });
  });

  test(`${name}: rows are suspect from a line that was passed over to the next snapshot`, () => {
    const snapshot = (atMs: number) => line({ type: 'snapshot', atMs, bids: [['1', '1']], asks: [['2', '1']], u: 1 });
    const engine = asOfEngine({ depth: 1, intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
    const lines = [
      ...['not JSON', snapshot(0), line({ atMs: 500, u: 2 }), line({ atMs: 1500, u: 3 }), 'not JSON'],
      ...[line({ atMs: 2500, u: 4 }), line({ atMs: 3500, u: 5 }), snapshot(4500), line({ atMs: 5500, u: 2 })],
    ];
    const { states } = drive(engine, [Buffer.from(lines.join('\n'))]);
    const flags = states.map((state) => (state as { isSuspect: boolean }).isSuspect);
    assert.deepEqual(flags, [false, false, true, true, true, false, false]);
    assert.deepEqual([engine.counts.suspectRows, engine.counts.updateIdBreaks], [3, 0]);
  });

  test(`${name}: a book that only a forger makes ends the engine instead of the memory`, () => {
    const engine = asOfEngine({ depth: 1, intervalMs: 1000, dayMs: undefined, onGap: 'fill' });
    const many = (from: number) =>
      Array.from({ length: 60_000 }, (_, index): [string, string] => [String(from + index), '1']);
    const lines = [line({ type: 'snapshot', atMs: 0, bids: many(1) }), line({ atMs: 1, bids: many(100_000) })];
    assert.throws(() => drive(engine, [Buffer.from(lines.join('\n'))]), /line \d: .*100000 levels/);
  });
}
