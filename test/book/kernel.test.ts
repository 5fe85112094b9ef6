/** The kernel against the reference engine, where the definition of the rows is not enough: on text of any kind. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BookRequest, Engine } from '../../src/book/engine.js';
import { AsOfGrid, PythonGrid } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { type MarketOptions, marketMessages, marketText } from '../../src/samples/market.js';
import { acquireArena, releaseArena } from '../../src/wasm/arena.js';
import { messages, textOf } from '../support/arbitraries.js';
import { booksOf, cut, drive } from '../support/drive.js';
import { holds } from '../support/holds.js';
import { DAY, DAY_MS, line } from '../support/messages.js';

interface Sampling {
  depth: number;
  /** Other depths, and what is wanted there. */
  more?: BookRequest[] | undefined;
  intervalMs: number;
  isPython: boolean;
  /** Rows in a batch, at most; `undefined`: as many as fit. */
  maxRows?: number | undefined;
  /** Whether metrics are followed; not by the Python rule, whose boundaries are no as-of ones. */
  hasMetrics: boolean;
  /** What the text must be of, when that is compared. */
  expected?: { symbol: string; depth: number } | undefined;
}

/** Bands and amounts that some of the books below reach and others do not. */
const CHOICE = { imbalanceLevels: [1, 2, 5, 300], bandsBps: [1, 20, 1000, 10_000], impacts: [1, 30, 2000, 1e6, 1e20] };

/** All that an engine says of a text: rows, bad lines with their numbers and reasons, counts, or that it gave up. */
function answers(
  Engine: new (options: ConstructorParameters<typeof KernelEngine>[0]) => Engine,
  chunks: Buffer[],
  sampling: Sampling,
) {
  const { depth, more = [], intervalMs, isPython, maxRows, hasMetrics, expected } = sampling;
  const grid = isPython ? new PythonGrid() : new AsOfGrid({ intervalMs, dayMs: undefined, onGap: 'skip' });
  // The next kernel engine gets what this one has worked in, as it is.
  const arena = acquireArena();
  const metrics = hasMetrics && !isPython ? { intervalMs, ...CHOICE } : undefined;
  const engine = new Engine({
    grid,
    books: [...booksOf(depth), ...more],
    maxRows,
    keepZeros: isPython,
    expected,
    metrics,
    kernel: arena.kernel,
  });
  const driven = drive(engine, chunks);
  const { counts } = engine;
  releaseArena(arena);
  return { ...driven, counts };
}

/** The same, or why the engine gave up. */
function answersOrError(...args: Parameters<typeof answers>): ReturnType<typeof answers> | string {
  try {
    return answers(...args);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function assertSame(text: Buffer, cuts: number[], sampling: Sampling): void {
  const chunks = () =>
    cut(
      text,
      cuts.map((offset) => offset % (text.length + 1)),
    ) as Buffer[];
  assert.deepEqual(
    answersOrError(KernelEngine, chunks(), sampling),
    answersOrError(ReferenceEngine, chunks(), sampling),
  );
}

const request = fc.record({
  depth: fc.integer({ min: 7, max: 30 }).map((depth) => (depth > 20 ? depth - 20 : depth)),
  cells: fc.constantFrom('padded' as const, 'bare' as const, undefined),
  levels: fc.boolean(),
});

const sampling = fc.record({
  depth: fc.integer({ min: 1, max: 6 }),
  more: fc.array(request, { maxLength: 3 }),
  intervalMs: fc.constantFrom(1, 100, 1000, 60_000),
  isPython: fc.boolean(),
  maxRows: fc.constantFrom(1, 2, 3, 7, undefined),
  isObserved: fc.boolean(),
  hasMetrics: fc.boolean(),
});

/** A change that a damaged or forged text may have: bytes flipped, cut out, repeated, or put in. */
const damage = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    at: fc.nat(),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('"[],.:0e-\n\r {}'))),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.constantFrom('0', '.', '"', ',', '[]', '\n', '["1","2"],', ' '),
  }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function apply(text: Buffer, change: Damage): Buffer {
  const at = change.at % (text.length + 1);
  const [before, after] = [text.subarray(0, at), text.subarray(at)];
  switch (change.kind) {
    case 'set':
      return Buffer.concat([before, Buffer.of(change.byte), after.subarray(1)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(change.count)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, change.count), after]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(change.text), after]);
  }
}

const cuts = fc.array(fc.nat(20_000), { maxLength: 5 });

describe('kernel and reference engine say the same', () => {
  test('of any valid text', () => {
    const archive = messages(DAY_MS).chain((list) => textOf(list));
    holds(fc.property(archive, cuts, sampling, assertSame));
  });

  test('of damaged text', () => {
    const archive = messages(DAY_MS).chain((list) => textOf(list));
    const damaged = fc
      .tuple(archive, fc.array(damage, { minLength: 1, maxLength: 4 }))
      .map(([text, changes]) => changes.reduce(apply, text));
    holds(fc.property(damaged, cuts, sampling, assertSame));
  });

  const market: MarketOptions = {
    symbol: 'SEEDUSDT',
    date: DAY,
    depth: 20,
    style: 'contract',
    seed: 1,
    durationMs: 3000,
    startPrice: '0.2000',
    updatesPerBurst: 14,
  };
  for (const style of ['contract', 'spot'] as const) {
    test(`of damaged ${style} text, which is the kernel's own form`, () => {
      const text = fc.integer().map((seed) => Buffer.concat([...marketText({ ...market, style, seed })]));
      const damaged = fc
        .tuple(text, fc.array(damage, { maxLength: 3 }))
        .map(([whole, changes]) => changes.reduce(apply, whole));
      holds(fc.property(damaged, cuts, sampling, assertSame));
    });
  }

  test('of text in which lines are of another symbol or depth, or were damaged there', () => {
    const changes = fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          ['SEEDUSDT', 'SEEDUSDC'],
          ['.SEEDUSDT', '.SEEDUSDC'],
          ['"SEEDUSDT"', '"SEEDUSDC"'],
          ['"SEEDUSDT"', 'null'],
          ['orderbook.20.', 'orderbook.200.'],
          ['"topic":', '"topik":'],
          ['"data":', '"topic":"orderbook.20.SEEDUSDC","data":'],
          ['{"topic":"orderbook.20.SEEDUSDT"', '{"topic":"orderbook.20.SEEDUSDC","topic":"orderbook.20.SEEDUSDT"'],
        ),
      ),
      { maxLength: 12 },
    );
    const foreign = fc
      .tuple(fc.integer(), fc.constantFrom('contract' as const, 'spot' as const), changes)
      .map(([seed, style, list]) => {
        const lines = Buffer.concat([...marketText({ ...market, style, seed })])
          .toString()
          .split('\n');
        for (const [at, [from, to]] of list) {
          const index = at % lines.length;
          lines[index] = lines[index]?.replaceAll(from as string, to as string) ?? '';
        }
        return Buffer.from(lines.join('\n'));
      });
    const expected = fc.constantFrom({ symbol: 'SEEDUSDT', depth: 20 }, { symbol: 'SEEDUSDC', depth: 20 }, undefined);
    const compared = fc.tuple(sampling, expected).map(([base, expected]): Sampling => ({ ...base, expected }));
    holds(fc.property(foreign, cuts, compared, assertSame));
  });

  const examples: [what: string, lines: string[]][] = [
    [
      'prices of changing length',
      ['9.9', '99.9', '999.9', '1000', '999.9', '10.0'].map((price, u) => delta(u, [[price, '1']])),
    ],
    [
      'prices spread over ten orders of magnitude',
      Array.from({ length: 11 }, (_, power) => delta(power, [[`1${'0'.repeat(power)}.5`, '1']])),
    ],
    [
      'prices with more and more decimals',
      Array.from({ length: 19 }, (_, decimals) => delta(decimals, [[`1.${'1'.repeat(decimals)}1`.slice(0, 19), '1']])),
    ],
    [
      'quantities of every length',
      Array.from({ length: 60 }, (_, length) => delta(length, [[`${length + 1}`, '7'.repeat(length + 1)]])),
    ],
    [
      'a long text replaced by a short one and back',
      ['1', '1'.repeat(40), '2', '0', '3'.repeat(40), '0'].map((quantity, u) => delta(u, [['5', quantity]])),
    ],
    [
      'a far-away price that comes and goes',
      ['1', '0', '2', '0.0'].map((quantity, u) =>
        delta(u, [
          ['123456789012.5', quantity],
          ['0.000001', quantity],
        ]),
      ),
    ],
    [
      'a price that wanders out of the ladder',
      Array.from({ length: 300 }, (_, step) => delta(step, [[`${step * 10_000}.25`, '1']])),
    ],
    [
      'zeros of every spelling',
      ['0', '0.0', '00', '000.000'].map((quantity, u) =>
        delta(u, [
          ['1.5', quantity],
          ['1.4', '3'],
        ]),
      ),
    ],
    [
      'numbers that JSON refuses',
      [delta(1, [['1', '1']]).replace('"u":1', '"u":01'), delta(2, []).replace('"seq":1002', '"seq":-'), delta(3, [])],
    ],
  ];
  function delta(u: number, bids: [string, string][]): string {
    return line({ atMs: 1000 + u * 100, u: 100 + u, bids, asks: [['2000000', '1']] });
  }
  for (const [what, lines] of examples) {
    test(`of ${what}`, () => {
      const start = line({
        type: 'snapshot',
        atMs: 0,
        u: 99,
        bids: [
          ['1.5', '2'],
          ['1.4', '1'],
        ],
        asks: [['1.6', '3']],
      });
      const text = Buffer.from([start, delta(0, [['1.3', '1']]), ...lines, start, ...lines].join('\n'));
      for (const depth of [1, 3, 400])
        assertSame(text, [500], { depth, intervalMs: 100, isPython: false, hasMetrics: true });
    });
  }

  /** Levels of every form that the kernel reads in a way of its own, four and more of them to a side. */
  const forms: [what: string, bids: [string, string][], asks: [string, string][]][] = [
    [
      'prices of one length and whole quantities',
      levels('1.9529 6035,1.9528 4356,1.9517 1,1.9506 95400,1.9496 0,1.9400 123456789012'),
      levels('1.9537 83,1.9543 9099,1.9554 7,1.9558 2035,1.9561 26'),
    ],
    [
      'prices of one length and quantities with a point',
      levels('95000.10 0.001,94999.90 12.5,94999.80 0,94999.00 100.25'),
      levels('95000.20 1.000,95000.30 7,95000.40 0.5,95001.00 1234567890.123,95002.50 3.25'),
    ],
    [
      'prices that end in zeros, more and fewer of them',
      levels('95000.00 1,94999.000 2,94998.0 3,94997 4,94990.00 0'),
      levels('95001.000 1,95002.00 2.5,95003.00 3,95010 4'),
    ],
    [
      'prices of every length',
      levels('0.65 8.5,0.6538 90.53,0.65 0,0.6 6.62,0.6531 29'),
      levels('0.7 1,0.6546 72.79,0.66 99.14,0.6551 77.38'),
    ],
    [
      'prices of more than eight digits',
      levels('12.3456789 1,12.3456788 2,12.3456 3,12.34 4'),
      levels('12.3456790 1,12.3456791 2,12.3456792 0,12.3456793 4.5'),
    ],
    [
      'prices of more than ten characters',
      levels('0.0000123456 1,0.0000123455 2,0.0000123454 3,0.0000123453 4'),
      levels('0.0000123460 1,0.0000123461 2,0.0000123462 3,0.0000123463 4'),
    ],
    [
      'prices that get a digit more',
      levels('100000.1 1,100000.0 2,99999.9 3,99999.8 4,99999.7 5'),
      levels('100000.2 1,100000.3 2,100000.4 3,99999.9 0'),
    ],
  ];
  function levels(text: string): [string, string][] {
    return text.split(',').map((level) => level.split(' ') as [string, string]);
  }
  for (const [what, bids, asks] of forms) {
    test(`of every change to any byte of a line with ${what}`, () => {
      const start = line({ type: 'snapshot', atMs: 0, bids, asks });
      const lines = [start, line({ atMs: 1, bids, asks })];
      const whole = line({ atMs: 1, bids, asks });
      const others = ['', ...'"[],.:09-eE+ {}\n\r\t\\x'];
      for (let at = whole.indexOf('"b":'); at < whole.length; at++) {
        const byte = whole.charAt(at);
        for (const other of [...others, byte + byte, `${byte}0`, `${byte}.`, `${byte}"`]) {
          const changed = line({ atMs: lines.length, bids, asks });
          lines.push(changed.slice(0, at) + other + changed.slice(at + 1));
          // The book as it was, so that a change is not hidden by the one before.
          if (lines.length % 50 === 0) lines.push(line({ type: 'snapshot', atMs: lines.length, bids, asks }));
        }
      }
      for (const end of ['\n', '\r\n']) {
        assertSame(Buffer.from(lines.join(end)), [70_000], {
          depth: 8,
          intervalMs: 1,
          isPython: false,
          hasMetrics: true,
        });
      }
    });
  }

  test('of a book as deep as may be, changed by a line that is left to the host', () => {
    const side = (from: number) =>
      Array.from({ length: 99_999 }, (_, index): [string, string] => [`${from + index}`, '1']);
    const start = line({ type: 'snapshot', atMs: 0, u: 99, bids: side(100_000), asks: side(200_000) });
    const foreign = delta(1, [['199997', '7']]).replace('{', '{ ');
    const text = Buffer.from([start, foreign, delta(2, [])].join('\n'));
    assertSame(text, [], { depth: 3, intervalMs: 100, isPython: false, hasMetrics: true });
  });

  test('of lines longer than what is read at a time, and longer than is allowed', () => {
    const long = (count: number) =>
      delta(
        3,
        Array.from({ length: count }, (_, index): [string, string] => [`${index + 1}.5`, '1']),
      );
    const start = line({ type: 'snapshot', atMs: 0, u: 99, bids: [['1.5', '2']], asks: [['1.6', '3']] });
    const spaces = (count: number) => `${' '.repeat(count)}${delta(4, [['7', '7']])}`;
    const lines = [
      start,
      delta(0, []),
      long(60_000),
      spaces(3_000_000),
      spaces(5_000_000),
      delta(5, [['8', '1']]),
      'x'.repeat(5_100_000),
      delta(6, [['9', '1']]),
      ' '.repeat(6_000_000),
    ];
    assertSame(Buffer.from(lines.join('\n')), [100_000, 900_000, 9_000_000], {
      depth: 5,
      intervalMs: 100,
      isPython: false,
      hasMetrics: true,
    });
  });
});

describe('the kernel reads by itself what Bybit writes: only snapshots and one delta are left to the host', () => {
  const markets: [what: string, market: Partial<MarketOptions>][] = [
    ['contract', { style: 'contract' }],
    ['contract with prices that end in zero', { style: 'contract', tickSize: '0.10', startPrice: '95000.10' }],
    ['contract with whole prices', { style: 'contract', tickSize: '1', startPrice: '95000' }],
    ['contract with small prices', { style: 'contract', tickSize: '0.00000001', startPrice: '0.00012345' }],
    ['spot', { style: 'spot' }],
    ['spot with whole prices among others', { style: 'spot', tickSize: '0.1', startPrice: '95000' }],
  ];
  for (const [what, more] of markets) {
    test(what, () => {
      const base = {
        symbol: 'SEEDUSDT',
        date: DAY,
        depth: 200,
        style: 'contract',
        seed: 7,
        durationMs: 60_000,
      } as const;
      const market: MarketOptions = { ...base, ...more };
      const grid = new AsOfGrid({ intervalMs: 60_000, dayMs: undefined, onGap: 'fill' });
      const engine = new KernelEngine({ grid, books: booksOf(200), keepZeros: false });
      const chunks = [...marketText(market)].map((chunk) => Buffer.from(chunk));
      drive(engine, chunks);
      assert.equal(engine.counts.messages, [...marketMessages(market)].length);
      assert.equal(engine.hostLines, 2);
    });
  }
});
