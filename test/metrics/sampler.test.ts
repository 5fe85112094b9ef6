/** The metrics against their definition, as both engines give them and with rows missing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SAMPLING_DEFAULTS } from '../../src/catalog/shaping-options.js';
import { bookMetrics } from '../../src/metrics/book-metrics.js';
import { bookColumns, type MetricsChoice, metricsColumns } from '../../src/metrics/columns.js';
import { MetricsSampler } from '../../src/metrics/sampler.js';
import { messages, textOf } from '../support/arbitraries.js';
import { cut } from '../support/drive.js';
import { holds } from '../support/holds.js';
import { DAY_MS, line } from '../support/messages.js';
import { asOfRows, type TestMessage } from '../support/oracle.js';
import { type BookState, bookStates, bookValues, intervalValues } from './by-definition.js';
import { assertSameRows, choiceOf, ENGINES, type MetricsRow, metricsRows, named } from './support.js';

const grids = fc.record({
  intervalMs: fc.constantFrom(100, 1000, 5000, 60_000, 3_600_000),
  dayMs: fc.constantFrom(undefined, DAY_MS, DAY_MS - 86_400_000),
  onGap: fc.constantFrom('fill' as const, 'skip' as const),
});
type Grid = typeof grids extends fc.Arbitrary<infer T> ? T : never;

const ascending = (numbers: fc.Arbitrary<number>) =>
  fc.uniqueArray(numbers, { maxLength: 5 }).map((list) => list.sort((a, b) => a - b));
const choices = fc.record({
  imbalanceLevels: fc.oneof(fc.constant([1, 5, 10, 50]), ascending(fc.integer({ min: 1, max: 9999 }))),
  bandsBps: fc.oneof(fc.constant([5, 10, 25, 50, 100]), ascending(fc.integer({ min: 1, max: 10_000 }))),
  impacts: fc.constantFrom([], [1], [0.5, 30], [1e30, 3, 1e19]),
});

/** Messages near a midnight, their text, and where it is cut into chunks. */
const archive = messages(DAY_MS).chain((list) =>
  fc.tuple(fc.constant(list), textOf(list), fc.array(fc.nat(6000), { maxLength: 4 })),
);

function rowsByDefinition(list: TestMessage[], grid: Grid, choice: MetricsChoice): MetricsRow[] {
  const states = bookStates(list);
  return asOfRows(list, { depth: 1, ...grid }).map(({ boundaryMs }) => ({
    boundaryMs,
    values: new Map([
      ...bookValues(states, boundaryMs, choice),
      ...intervalValues(states, boundaryMs, grid.intervalMs),
    ]),
  }));
}

for (const [name, make] of ENGINES) {
  describe(`metrics by ${name}`, () => {
    test('are as defined, with any interval, day, gaps and chunks', () => {
      holds(
        fc.property(archive, grids, choices, ([list, text, cuts], grid, choice) => {
          const chunks = cut(
            text,
            cuts.map((offset) => offset % (text.length + 1)),
          );
          assertSameRows(metricsRows(make, chunks, { ...grid, ...choice }), rowsByDefinition(list, grid, choice));
        }),
      );
    });

    test('say nothing of a message with a later ts', () => {
      const grid = { intervalMs: 1000, dayMs: undefined, onGap: 'fill' } as const;
      const run = (list: TestMessage[]) => {
        const lines = list.map(({ type, tsMs, bids, asks }) => line({ type, atMs: tsMs - DAY_MS, bids, asks }));
        return metricsRows(make, [Buffer.from(lines.join('\n'))], { ...grid, ...choiceOf([1]) });
      };
      holds(
        fc.property(messages(DAY_MS), fc.nat(), (list, at) => {
          const rows = run(list);
          const row = rows[at % Math.max(rows.length, 1)];
          if (!row) return;
          const start = list.findIndex(({ type }) => type === 'snapshot');
          const later = list.findIndex(({ tsMs }, index) => index >= start && tsMs > row.boundaryMs);
          const known = run(later < 0 ? list : list.slice(0, later));
          // Without the later message, the file may end before the boundary.
          const same = known.find(({ boundaryMs }) => boundaryMs === row.boundaryMs);
          if (same) assert.deepEqual(row, same);
        }),
      );
    });
  });
}

test('the metrics of a deep book, crossed ones too, are as defined', () => {
  const tick = fc.integer({ min: 9800, max: 10_200 });
  const quantity = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  const side = fc.uniqueArray(fc.record({ tick, quantity }), { selector: (level) => level.tick, maxLength: 120 });
  holds(
    fc.property(
      side,
      side,
      choices,
      fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true })),
      (bids, asks, given, impacts) => {
        const choice = { ...given, impacts };
        const best = (levels: typeof bids, sign: 1 | -1) =>
          levels
            .map((level) => ({ price: level.tick / 100, quantity: level.quantity }))
            .sort((a, b) => sign * (a.price - b.price));
        const state = { tsMs: 0, bids: best(bids, -1), asks: best(asks, 1), updates: 0 };
        const values = bookMetrics(
          {
            bidPrices: Float64Array.from(state.bids, ({ price }) => price),
            bidQuantities: Float64Array.from(state.bids, (level) => level.quantity),
            askPrices: Float64Array.from(state.asks, ({ price }) => price),
            askQuantities: Float64Array.from(state.asks, (level) => level.quantity),
          },
          choice,
        );
        assertSameRows(
          [{ boundaryMs: 0, values: named(bookColumns(choice), values) }],
          [{ boundaryMs: 0, values: bookValues([state], 0, choice) }],
        );
      },
    ),
  );
});

test('what docs/metrics.md says of a price on the edge of a band, and of tiny impacts', () => {
  const levels = {
    bidPrices: Float64Array.of(2.998),
    bidQuantities: Float64Array.of(1e6),
    askPrices: Float64Array.of(3.002, 3.003),
    askQuantities: Float64Array.of(2, 1e6),
  };
  const values = named(bookColumns(choiceOf([1, 4])), bookMetrics(levels, choiceOf([1, 4])));
  assert.equal(values.get('mid'), 3);
  assert.deepEqual([values.get('ask_qty_10bps'), values.get('ask_qty_25bps')], [2, 1_000_002], '3.003 is on the edge');

  const price = 78.1093; // at which 10000 / (10000 / price) is not price
  const locked = {
    bidPrices: Float64Array.of(price),
    bidQuantities: Float64Array.of(1e6),
    askPrices: Float64Array.of(price),
    askQuantities: Float64Array.of(1e6),
  };
  const [impact = 0] = bookMetrics(locked, choiceOf([10_000])).slice(-2);
  assert.ok(impact !== 0 && Math.abs(impact) < 1e-9, `${impact}`);
});

test('a mid of 0 divides nothing', () => {
  const levels = {
    bidPrices: Float64Array.of(0),
    bidQuantities: Float64Array.of(1),
    askPrices: Float64Array.of(0, 5),
    askQuantities: Float64Array.of(1, 1),
  };
  const values = named(bookColumns(choiceOf([3])), bookMetrics(levels, choiceOf([3])));
  assert.deepEqual([values.get('mid'), values.get('spread')], [0, 0]);
  for (const column of ['spread_bps', 'buy_impact_3_bps', 'sell_impact_3_bps']) {
    assert.equal(values.get(column), Number.NaN, column);
  }
});

describe('the columns of an interval', () => {
  const observation = fc.record({
    stepMs: fc.oneof(fc.nat(3), fc.nat(30), fc.nat(3000)),
    bid: fc.option(fc.constantFrom(99, 99.5, 101), { nil: undefined }),
    ask: fc.option(fc.constantFrom(100, 100.5), { nil: undefined }),
    quantities: fc.tuple(fc.constantFrom(1, 2.5), fc.constantFrom(1, 7)),
    updates: fc.nat(5),
  });

  test('do not depend on which rows are asked for', () => {
    holds(
      fc.property(fc.array(observation, { maxLength: 20 }), fc.infiniteStream(fc.boolean()), (list, isAsked) => {
        const intervalMs = 100;
        const sampler = new MetricsSampler({ intervalMs, ...choiceOf([]) });
        const states: BookState[] = [];
        let boundaryMs = DAY_MS;
        const rowsUntil = (tsMs: number) => {
          for (; boundaryMs < tsMs; boundaryMs += intervalMs) {
            if (!isAsked.next().value) continue;
            const none = new Float64Array(0);
            const levels = { bidPrices: none, bidQuantities: none, askPrices: none, askQuantities: none };
            const expected = intervalValues(states, boundaryMs, intervalMs);
            const columns = metricsColumns(choiceOf([]));
            const all = sampler.row(boundaryMs, levels);
            const values = new Map([...expected.keys()].map((key) => [key, all[columns.indexOf(key)] as number]));
            assertSameRows([{ boundaryMs, values }], [{ boundaryMs, values: expected }]);
          }
        };
        let tsMs = DAY_MS - 50;
        for (const { stepMs, bid, ask, quantities, updates } of list) {
          tsMs += stepMs;
          rowsUntil(tsMs);
          const side = (price: number | undefined, quantity: number) => (price ? [{ price, quantity }] : []);
          const [bids, asks] = [side(bid, quantities[0]), side(ask, quantities[1])];
          const best = {
            bidPrices: Float64Array.from(bids, ({ price }) => price),
            bidQuantities: Float64Array.from(bids, ({ quantity }) => quantity),
            askPrices: Float64Array.from(asks, ({ price }) => price),
            askQuantities: Float64Array.from(asks, ({ quantity }) => quantity),
          };
          sampler.hear(tsMs, best, updates);
          states.push({ tsMs, bids, asks, updates });
        }
        rowsUntil(tsMs + 500);
      }),
    );
  });

  const [, make] = ENGINES[0] as (typeof ENGINES)[number];
  const rowsOf = (lines: string[]) => {
    const grid = { intervalMs: 1000, dayMs: undefined, onGap: 'fill' } as const;
    return metricsRows(make, [Buffer.from(lines.join('\n'))], { ...grid, ...choiceOf([]) });
  };
  const pick = (row: MetricsRow | undefined, ...columns: string[]) => columns.map((column) => row?.values.get(column));
  const both = (atMs: number, bid: string, ask: string) =>
    line({ type: 'snapshot', atMs, bids: [[bid, '1']], asks: [[ask, '1']] });

  test('a book that never changes comes out as itself, to the bit', () => {
    const [row] = rowsOf([both(300, '0.1', '0.2')]).slice(-1);
    const mid = (0.1 + 0.2) / 2;
    assert.deepEqual(pick(row, 'mid_open', 'mid_high', 'mid_low', 'mid_close', 'mid_twap'), [mid, mid, mid, mid, mid]);
    const [filled] = rowsOf([both(300, '0.1', '0.3'), line({ atMs: 2500 })]).slice(1);
    assert.deepEqual(pick(filled, 'messages', 'updates', 'mid_twap'), [0, 0, 0.2]);
    assert.deepEqual(pick(filled, 'spread_bps_twap'), pick(filled, 'spread_bps'));
  });

  test('a book that was replaced in the same millisecond never held, but its message counts', () => {
    const [row] = rowsOf([both(100, '1', '3'), both(500, '50', '60'), both(500, '2', '4')]);
    assert.deepEqual(pick(row, 'messages', 'mid_high', 'mid_twap'), [3, 3, (2 * 400 + 3 * 500) / 900]);
  });

  test('a message just on the boundary belongs to the interval that closes there', () => {
    const rows = rowsOf([both(500, '1', '3'), both(1000, '2', '4'), both(1500, '3', '5')]);
    assert.deepEqual(pick(rows[0], 'messages', 'mid_close', 'mid_high', 'mid_twap'), [2, 3, 3, 2]);
    assert.deepEqual(pick(rows[1], 'messages', 'mid_open', 'mid_low', 'mid_twap'), [1, 3, 3, 3.5]);
  });

  test('what comes to the best prices and goes from them is the order flow imbalance', () => {
    const bid = (atMs: number, ...bids: [string, string][]) => line({ atMs, bids });
    const ask = (atMs: number, ...asks: [string, string][]) => line({ atMs, asks });
    const flows = (...lines: string[]) => rowsOf([both(100, '1', '3'), ...lines]).map((row) => row.values.get('ofi'));
    assert.deepEqual(flows(), [0], 'there is no book before the first');
    assert.deepEqual(flows(bid(200, ['1', '5'])), [4], 'more at the same bid');
    assert.deepEqual(flows(bid(200, ['1.5', '5'])), [5], 'a better bid: all of it has come');
    assert.deepEqual(flows(bid(200, ['1', '0'], ['0.5', '7'])), [-1], 'the bid is gone: all of it has gone');
    assert.deepEqual(flows(ask(200, ['3', '5'])), [-4], 'the same of asks, the other way round');
    assert.deepEqual(flows(ask(200, ['2', '5'])), [-5]);
    assert.deepEqual(flows(ask(200, ['3', '0'], ['4', '7'])), [1]);
    assert.deepEqual(flows(bid(200, ['1', '0']), bid(300, ['0.5', '9'])), [8], 'none is worse than any');
    assert.deepEqual(flows(bid(200, ['1', '3']), bid(200, ['1', '8'])), [7], 'each message of the same ms');
    assert.deepEqual(
      flows(bid(900, ['1', '3']), bid(1000, ['1', '8']), bid(800, ['1', '9']), bid(1001, ['1', '1'])),
      [8, -8],
    );
    assert.deepEqual(flows(both(200, '2', '4')), [2], 'a snapshot changes the book as any message does');
  });

  test('a first message just on the boundary: its values, though they have held for no time', () => {
    const [row] = rowsOf([both(1000, '1', '3')]);
    assert.deepEqual(pick(row, 'mid_open', 'mid_high', 'mid_low', 'mid_close', 'mid_twap'), [2, 2, 2, 2, 2]);
  });

  test('time without a mid is left out, and a mid that is gone at the boundary has no close', () => {
    const gone = line({ atMs: 700, asks: [['3', '0']] });
    const [row] = rowsOf([both(200, '1', '3'), gone]);
    assert.deepEqual(pick(row, 'mid_twap', 'mid_close', 'mid', 'imbalance_1'), [2, Number.NaN, Number.NaN, 1]);
    assert.deepEqual(pick(row, 'imbalance_5_twap'), [300 / 800]);
  });
});

test('the columns, in their order', () => {
  const bands = [5, 10, 25, 50, 100].map(
    (x) => `bid_qty_${x}bps,bid_notional_${x}bps,ask_qty_${x}bps,ask_notional_${x}bps`,
  );
  assert.equal(
    metricsColumns(SAMPLING_DEFAULTS).join(),
    [
      'best_bid,best_bid_qty,best_ask,best_ask_qty,mid,microprice,spread,spread_bps,bid_levels,ask_levels',
      'imbalance_1,imbalance_5,imbalance_10,imbalance_50',
      'vwap_bid_5,vwap_ask_5,vwap_bid_20,vwap_ask_20',
      ...bands,
      'buy_impact_10000_bps,sell_impact_10000_bps,buy_impact_100000_bps,sell_impact_100000_bps',
      'messages,updates,ofi,mid_open,mid_high,mid_low,mid_close,mid_twap,spread_bps_twap,imbalance_5_twap',
    ].join(),
  );
});
