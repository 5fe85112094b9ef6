import assert from 'node:assert/strict';
import type { Engine, EngineOptions } from '../../src/book/engine.js';
import { AsOfGrid, type AsOfGridOptions } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { SAMPLING_DEFAULTS } from '../../src/catalog/shaping-options.js';
import { type MetricsChoice, metricsColumns } from '../../src/metrics/columns.js';

/** A row of a metrics output: its values by column, NaN where the cell is empty. */
export interface MetricsRow {
  boundaryMs: number;
  values: Map<string, number>;
}

/** What gives the metrics is the same with each of the two engines. */
export const ENGINES: [name: string, make: (options: EngineOptions) => Engine][] = [
  ['the reference engine', (options) => new ReferenceEngine(options)],
  ['the kernel', (options) => new KernelEngine(options)],
];

/** What metrics are of, when nothing is said, but for the amounts. */
export function choiceOf(impacts: readonly number[]): MetricsChoice {
  const { imbalanceLevels, bandsBps } = SAMPLING_DEFAULTS;
  return { imbalanceLevels, bandsBps, impacts };
}

type Grid = AsOfGridOptions & MetricsChoice;

/** The metrics of an archive's text, as a conversion makes them. */
export function metricsRows(
  make: (options: EngineOptions) => Engine,
  chunks: Iterable<Uint8Array>,
  grid: Grid,
): MetricsRow[] {
  const columns = metricsColumns(grid);
  return valuesOf(make, chunks, grid).map(({ boundaryMs, values }) => ({ boundaryMs, values: named(columns, values) }));
}

/** The same with values in the order of the columns. */
export function valuesOf(
  make: (options: EngineOptions) => Engine,
  chunks: Iterable<Uint8Array>,
  { imbalanceLevels, bandsBps, impacts, ...grid }: Grid,
  maxRows?: number,
): { boundaryMs: number; values: Float64Array }[] {
  const metrics = { intervalMs: grid.intervalMs, imbalanceLevels, bandsBps, impacts };
  const engine = make({ grid: new AsOfGrid(grid), books: [], maxRows, keepZeros: false, metrics });
  const rows: { boundaryMs: number; values: Float64Array }[] = [];
  const rest = chunks[Symbol.iterator]();
  for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
    if (event.kind === 'needs-bytes') {
      const chunk = rest.next();
      if (chunk.done) engine.end();
      else engine.push(chunk.value);
    } else if (event.kind === 'rows') {
      const { boundaryMs, metrics: columns } = event.rows;
      for (const [row, label] of boundaryMs.entries()) {
        rows.push({ boundaryMs: label, values: Float64Array.from(columns, (column) => column[row] as number) });
      }
    } else {
      assert.fail(`line ${event.lineNumber}: ${event.reason}`);
    }
  }
  return rows;
}

/** Values by column. */
export function named(columns: string[], values: ArrayLike<number>): Map<string, number> {
  assert.equal(values.length, columns.length);
  return new Map(columns.map((column, index) => [column, values[index] as number]));
}

/**
 * Asserts that rows are the same: numbers to the bit, time averages within 1e-9 of the greatest value that can have gone
 * into them, since the order of summing is free.
 */
export function assertSameRows(actual: MetricsRow[], expected: MetricsRow[]): void {
  assert.deepEqual(
    actual.map(({ boundaryMs }) => boundaryMs),
    expected.map(({ boundaryMs }) => boundaryMs),
  );
  for (const [index, { boundaryMs, values }] of actual.entries()) {
    const others = expected[index]?.values ?? new Map<string, number>();
    assert.deepEqual([...values.keys()], [...others.keys()]);
    for (const [column, value] of values) {
      const other = others.get(column) as number;
      const where = `${column} of the row ${boundaryMs}`;
      // Whether a zero is negative is no matter: + 0 makes it positive.
      if (!column.endsWith('_twap') || Number.isNaN(other)) assert.equal(value + 0, other + 0, where);
      else assertClose(value, other, where, { mid_twap: 0, spread_bps_twap: 2e4, imbalance_5_twap: 1 }[column]);
    }
  }
}

/** @param magnitude of what has been summed; with values of one sign it is no greater than the sum, so need not be told. */
export function assertClose(actual: number, expected: number, where: string, magnitude = 0): void {
  const tolerance = 1e-9 * Math.max(Math.abs(expected), magnitude);
  assert.ok(Math.abs(actual - expected) <= tolerance, `${where}: ${actual} is not ${expected}`);
}
