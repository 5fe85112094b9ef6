/** Cells, colours and marks, compared with their definitions, in the slowest and most obvious way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLAG, newBookColumns, rowAt } from '../../src/view/book-columns.js';
import {
  type Aggregate,
  clipOf,
  type DayBook,
  findGrain,
  type HeatView,
  layOutGrid,
  MISSING,
  marksOf,
  NO_ROW,
  paint,
  rasterize,
  tablePlace,
  toDayBook,
} from '../../src/view/heatmap.js';
import { BACKGROUND, NO_ROWS, PALETTE_NAMES, paletteTable, RAMP_ENTRIES, type Theme } from '../../src/view/palettes.js';
import { niceTicks, quantityAt, quantityFraction, shortNumber, timeTicks } from '../../src/view/scales.js';
import { seriesOf } from '../../src/view/series.js';
import { holds } from '../support/holds.js';

const INTERVAL_MS = 60_000;
const ROWS = 30;
const DEPTH = 6;

/** Levels by ticks of a quarter, which doubles have exactly. */
interface PlainRow {
  minute: number;
  flags: number;
  bids: [ticks: number, quantity: number][];
  asks: [ticks: number, quantity: number][];
}

const side = (sign: number) =>
  fc
    .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: DEPTH,
      selector: ([ticks]) => ticks,
    })
    .map((levels) =>
      levels.sort(([a], [b]) => a - b).map(([ticks, quantity]): [number, number] => [100 + sign * ticks, quantity]),
    );
const plainRows: fc.Arbitrary<PlainRow[]> = fc
  .uniqueArray(
    fc.record({
      minute: fc.integer({ min: 1, max: ROWS }),
      flags: fc.integer({ min: 0, max: 31 }),
      bids: side(-1),
      asks: side(1),
    }),
    { maxLength: ROWS, selector: ({ minute }) => minute },
  )
  .map((rows) => rows.sort((a, b) => a.minute - b.minute));

const TICK = 0.25;

function dayOf(rows: PlainRow[]): DayBook {
  const columns = newBookColumns(rows.length, DEPTH, true);
  rows.forEach(({ minute, flags, bids, asks }, row) => {
    columns.timesMs[row] = minute * INTERVAL_MS;
    columns.flags[row] = flags;
    columns.bidCounts[row] = bids.length;
    columns.askCounts[row] = asks.length;
    bids.forEach(([ticks, quantity], level) => {
      columns.bidPrices[row * DEPTH + level] = ticks * TICK;
      columns.bidQuantities[row * DEPTH + level] = quantity;
    });
    asks.forEach(([ticks, quantity], level) => {
      columns.askPrices[row * DEPTH + level] = ticks * TICK;
      columns.askQuantities[row * DEPTH + level] = quantity;
    });
  });
  return { columns, intervalMs: INTERVAL_MS, firstMs: INTERVAL_MS, lastMs: ROWS * INTERVAL_MS };
}

const views: fc.Arbitrary<HeatView> = fc
  .record({
    from: fc.integer({ min: -5, max: ROWS }),
    minutes: fc.integer({ min: 1, max: 40 }),
    low: fc.integer({ min: 80, max: 110 }),
    ticks: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ from, minutes, low, ticks }) => ({
    fromMs: from * INTERVAL_MS,
    toMs: (from + minutes) * INTERVAL_MS,
    // An eighth is between two prices.
    lowPrice: low * TICK - TICK / 2,
    highPrice: (low + ticks) * TICK - TICK / 2,
  }));

const sizes = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }));
const aggregates: fc.Arbitrary<Aggregate> = fc.constantFrom('max', 'sum');

test('a cell is the largest level, or the largest sum of levels of a row and side, of all that have a part of it', () => {
  holds(
    fc.property(plainRows, views, sizes, aggregates, (rows, view, [width, height], aggregate) => {
      const layout = layOutGrid(view, width, height, { intervalMs: INTERVAL_MS, tick: TICK });
      const grid = rasterize([dayOf(rows)], layout, aggregate);
      const columnMs = (grid.toMs - grid.fromMs) / grid.columns;
      const binPrice = (grid.highPrice - grid.lowPrice) / grid.bins;
      for (let column = 0; column < grid.columns; column++) {
        const startMs = grid.fromMs + column * columnMs;
        const present = rows.filter(({ minute }) => {
          const [beginMs, endMs] = [minute * INTERVAL_MS, (minute + 1) * INTERVAL_MS];
          return beginMs < startMs + columnMs - 0.1 && endMs > startMs + 0.1;
        });
        for (let bin = 0; bin < grid.bins; bin++) {
          const cell = grid.cells[column * grid.bins + bin] as number;
          if (present.length === 0) {
            assert.equal(cell, NO_ROW);
            continue;
          }
          const high = grid.highPrice - bin * binPrice;
          const candidates = present.flatMap(({ bids, asks }) =>
            [bids, asks].map((levels) => {
              // A price on the edge of two cells may be in either: doubles decide.
              const inside = levels.filter(
                ([ticks]) => ticks * TICK < high + 1e-9 && ticks * TICK > high - binPrice - 1e-9,
              );
              const sure = levels.filter(
                ([ticks]) => ticks * TICK < high - 1e-9 && ticks * TICK > high - binPrice + 1e-9,
              );
              const of = (some: [number, number][]) => {
                const quantities = some.map(([, quantity]) => quantity);
                return aggregate === 'max' ? Math.max(0, ...quantities) : quantities.reduce((sum, one) => sum + one, 0);
              };
              return { most: of(inside), least: of(sure) };
            }),
          );
          assert.ok(Math.abs(cell) <= Math.max(...candidates.map(({ most }) => most)));
          assert.ok(Math.abs(cell) >= Math.max(...candidates.map(({ least }) => least)));
        }
      }
    }),
  );
});

test('nothing is lost: every level in view is in some cell', () => {
  holds(
    fc.property(plainRows, views, sizes, (rows, view, [width, height]) => {
      const layout = layOutGrid(view, width, height, { intervalMs: INTERVAL_MS, tick: TICK });
      const { cells } = rasterize([dayOf(rows)], layout, 'max');
      const most = Math.max(0, ...[...cells].filter((cell) => cell !== NO_ROW).map(Math.abs));
      const seen = rows
        .filter(({ minute }) => minute * INTERVAL_MS < view.toMs && (minute + 1) * INTERVAL_MS > view.fromMs)
        .flatMap(({ bids, asks }) => [...bids, ...asks])
        .filter(([ticks]) => ticks * TICK > view.lowPrice && ticks * TICK < view.highPrice)
        .map(([, quantity]) => quantity);
      assert.equal(most, Math.max(0, ...seen));
    }),
  );
});

test('a pixel has the colour of the level at its middle where a cell has several pixels', () => {
  const coloring = {
    table: paletteTable('blue-orange', 'dark'),
    theme: 'dark',
    scale: { kind: 'log', clip: 9 },
  } as const;
  holds(
    fc.property(plainRows, views, (rows, view) => {
      const day = dayOf(rows);
      const [width, height] = [200, 200];
      const layout = layOutGrid(view, width, height, { intervalMs: INTERVAL_MS, tick: TICK });
      const pixels = paint(rasterize([day], layout, 'max'), view, width, height, coloring);
      for (let sample = 0; sample < 200; sample++) {
        const x = (sample * 37) % width;
        const y = (sample * 91) % height;
        const ms = view.fromMs + ((x + 0.5) / width) * (view.toMs - view.fromMs);
        const price = view.highPrice - ((y + 0.5) / height) * (view.highPrice - view.lowPrice);
        if (isNearEdge(ms / INTERVAL_MS) || isNearEdge(price / TICK + 0.5)) continue; // doubles decide
        const row = rows.find(({ minute }) => minute * INTERVAL_MS <= ms && ms < (minute + 1) * INTERVAL_MS);
        const ticks = Math.floor(price / TICK + 0.5);
        const bid = row?.bids.find(([at]) => at === ticks)?.[1] ?? 0;
        const ask = row?.asks.find(([at]) => at === ticks)?.[1] ?? 0;
        const place = tablePlace(row ? (bid >= ask ? bid : -ask) : NO_ROW, coloring.scale);
        const color = place < 0 ? NO_ROWS.dark : coloring.table.subarray(place, place + 3);
        assert.deepEqual([...pixels.subarray(4 * (y * width + x)).subarray(0, 3)], [...color], `pixel ${x}, ${y}`);
      }
    }),
  );
});

const isNearEdge = (cells: number) => Math.abs(cells - Math.round(cells)) < 1e-6;

test('marks tell every flag and every hole of their stretch', () => {
  holds(
    fc.property(plainRows, (rows) => {
      const marks = marksOf([dayOf(rows)], 0, (ROWS + 2) * INTERVAL_MS, ROWS + 2);
      for (let minute = 0; minute < ROWS + 2; minute++) {
        const row = rows.find((candidate) => candidate.minute === minute);
        const isMissing = !row && minute >= 1 && minute <= ROWS;
        assert.equal(marks[minute], row ? row.flags : isMissing ? MISSING : 0);
      }
      const all = rows.reduce((bits, { flags }) => bits | flags, rows.length < ROWS ? MISSING : 0);
      assert.deepEqual([...marksOf([dayOf(rows)], 0, (ROWS + 2) * INTERVAL_MS, 1)], [all]);
    }),
  );
});

test('of a day as the Python scripts label it, no row is missing at its end', () => {
  const columns = newBookColumns(3, 1, false);
  const whole = { firstMs: 1000, lastMs: 3000, intervalMs: 1000 };
  for (const [times, firstMs] of [
    [[1000, 2000, 3000], 1000],
    [[0, 1000, 2000], 0],
  ] as const) {
    columns.timesMs.set(times);
    const day = toDayBook(whole, columns);
    assert.deepEqual([day.firstMs, day.lastMs], [firstMs, firstMs + 2000]);
    assert.deepEqual([...marksOf([day], day.firstMs, day.lastMs + 1000, 3)], [0, 0, 0]);
  }
});

test('the clip is the percentile of the cells with levels, within 1 %', () => {
  holds(
    fc.property(
      fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 100 }),
      (quantities, percentile) => {
        const cells = Float32Array.from([
          ...quantities.map((quantity, i) => (i % 2 ? -quantity : quantity)),
          0,
          NO_ROW,
        ]);
        const sorted = [...Float32Array.from(quantities)].sort((a, b) => a - b);
        const expected = sorted[Math.max(0, Math.ceil((sorted.length * percentile) / 100) - 1)] as number;
        const clip = clipOf({ cells }, percentile);
        assert.ok(clip >= expected && clip <= expected * 1.01, `${clip} for ${expected}`);
      },
    ),
  );
  assert.equal(clipOf({ cells: Float32Array.of(0, NO_ROW) }, 99), 1);
});

test('the distance of prices is found', () => {
  const rows: PlainRow[] = [
    {
      minute: 1,
      flags: 0,
      bids: [
        [100, 1.25],
        [98, 2],
      ],
      asks: [
        [102, 1],
        [105, 7],
      ],
    },
  ] as never;
  assert.deepEqual(findGrain([dayOf(rows)]), {
    intervalMs: INTERVAL_MS,
    tick: 0.25,
    priceDecimals: 2,
    quantityDecimals: 2,
  });
});

test('lightness grows evenly from the background, in every palette and theme', () => {
  for (const theme of ['dark', 'light'] as Theme[]) {
    for (const name of PALETTE_NAMES) {
      const table = paletteTable(name, theme);
      for (const ramp of [0, 1]) {
        const luminances = Array.from({ length: RAMP_ENTRIES }, (_, entry) =>
          luminance(table.subarray(4 * (ramp * RAMP_ENTRIES + entry))),
        );
        const upward = theme === 'dark' ? luminances : luminances.map((value) => -value);
        for (let entry = 8; entry < RAMP_ENTRIES; entry += 8) {
          assert.ok((upward[entry] as number) > (upward[entry - 8] as number), `${name} ${theme} ${ramp} ${entry}`);
        }
        assert.deepEqual([...table.subarray(4 * ramp * RAMP_ENTRIES).subarray(0, 3)], [...BACKGROUND[theme]]);
      }
    }
  }
});

/** WCAG's relative luminance. */
function luminance([red = 0, green = 0, blue = 0]: Uint8Array): number {
  const linear = (byte: number) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

test('scales of quantities rise, and are their own inverses', () => {
  for (const kind of ['log', 'linear'] as const) {
    const scale = { kind, clip: 250 };
    assert.equal(quantityFraction(scale, 0), 0);
    assert.equal(quantityFraction(scale, 250), 1);
    assert.equal(quantityFraction(scale, 1e9), 1);
    for (let quantity = 0.5; quantity < 250; quantity *= 1.7) {
      assert.ok(Math.abs(quantityAt(scale, quantityFraction(scale, quantity)) - quantity) < 1e-9 * quantity);
      assert.ok(quantityFraction(scale, quantity * 1.1) > quantityFraction(scale, quantity));
    }
  }
});

test('marks of axes are round and in range', () => {
  assert.deepEqual(niceTicks(0.4551, 0.4612, 5), [0.456, 0.458, 0.46]);
  assert.deepEqual(niceTicks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(niceTicks(5, 5, 4), []);
  const midnightMs = Date.UTC(2025, 0, 15);
  assert.deepEqual(
    timeTicks(midnightMs - 3_600_000, midnightMs + 7_200_000, 4).map(({ label }) => label),
    ['23:00', '2025-01-15', '01:00', '02:00'],
  );
  assert.deepEqual([0, 12, 1234, 999_999, 1.5e6, 0.00012].map(shortNumber), [
    '0',
    '12',
    '1.23k',
    '1000k',
    '1.5M',
    '0.00012',
  ]);
});

test('the row at a moment is the last one known then', () => {
  const times = Float64Array.of(10, 20, 30);
  assert.deepEqual(
    [5, 10, 19, 20, 35].map((ms) => rowAt(times, ms)),
    [-1, 0, 0, 1, 2],
  );
});

test('lines are those of docs/metrics.md', () => {
  const day = dayOf([
    {
      minute: 1,
      flags: 0,
      bids: [
        [100, 4],
        [99, 1],
      ],
      asks: [
        [101, 1],
        [110, 2],
      ],
    },
    { minute: 2, flags: FLAG.thin, bids: [], asks: [[101, 1]] },
  ]);
  const series = seriesOf(day.columns, DEPTH);
  const mid = (25 + 25.25) / 2;
  assert.deepEqual([...series.mid], [mid, Number.NaN]);
  assert.deepEqual([...series.spreadBps], [(0.25 / mid) * 1e4, Number.NaN]);
  assert.deepEqual([...series.imbalance], [(5 - 3) / 8, -1]);
  assert.deepEqual([...series.bidQuantity50Bps], [4, Number.NaN]);
  assert.deepEqual([...series.askQuantity50Bps], [1, Number.NaN]);
  // With fewer levels than the file has, a band that may reach beyond them has no number.
  const cut = seriesOf({ ...day.columns, depth: DEPTH, bidCounts: Uint16Array.of(DEPTH, 0) }, DEPTH + 1);
  assert.ok(!Number.isNaN(cut.askQuantity50Bps[0] as number));
});
