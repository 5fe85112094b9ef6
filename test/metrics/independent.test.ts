/** The metrics against a second implementation in another language: `unzip -p ARCHIVE | python3 metrics.py`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type MarketOptions, marketText } from '../../src/samples/market.js';
import { DAY, DAY_MS } from '../support/messages.js';
import { assertClose, ENGINES, metricsRows } from './support.js';

const SCRIPT = fileURLToPath(new URL('../../../test/independent/metrics.py', import.meta.url));
const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'not installed: python3';

const MINUTE_MS = 60_000;
const CHOICE = { imbalanceLevels: [1, 5, 70], bandsBps: [3, 40, 100], impacts: [10_000, 100_000, 2_500_000] };
const markets: (Partial<MarketOptions> & { title: string })[] = [
  {
    title: 'contract, with a restart',
    style: 'contract',
    depth: 200,
    durationMs: 3 * MINUTE_MS,
    restartsAtMs: [90_000],
  },
  {
    title: 'spot, sparse, with a silence',
    style: 'spot',
    spacing: 'sparse',
    quantityStep: '0.001',
    durationMs: 6 * MINUTE_MS,
    gaps: [{ fromMs: 80_000, toMs: 250_000 }],
  },
  { title: 'past midnight', startMs: 24 * 60 * MINUTE_MS - 2 * MINUTE_MS },
];

describe('metrics as another program computes them', { skip }, () => {
  for (const [index, { title, ...different }] of markets.entries()) {
    const market: MarketOptions = {
      symbol: 'SEEDUSDT',
      date: DAY,
      depth: 60,
      style: 'contract',
      seed: 177 + index,
      ...different,
    };
    const text = Buffer.concat([...marketText(market)]);
    for (const intervalMs of [MINUTE_MS, 500]) {
      test(`${title}, every ${intervalMs} ms`, () => {
        const { columns, rows } = theirs(text, intervalMs);
        for (const [name, make] of ENGINES) {
          const grid = { intervalMs, dayMs: DAY_MS, onGap: 'fill' } as const;
          const ours = metricsRows(make, [text], { ...grid, ...CHOICE });
          assert.ok(ours.length > 1);
          assert.equal(ours.length, rows.length);
          for (const [at, { boundaryMs, values }] of ours.entries()) {
            assert.deepEqual(['timestamp', ...values.keys()], columns);
            for (const [column, value] of [['timestamp', boundaryMs] as const, ...values]) {
              const cell = rows[at]?.[columns.indexOf(column)];
              const where = `${column} of row ${at} by ${name}`;
              if (Number.isNaN(value) || cell === '') assert.equal(Number.isNaN(value) ? '' : value, cell, where);
              else assertClose(value, Number(cell), where, column.startsWith('imbalance') ? 1 : 0);
            }
          }
        }
      });
    }
  }
});

function theirs(text: Buffer, intervalMs: number): { columns: string[]; rows: string[][] } {
  const { imbalanceLevels, bandsBps, impacts } = CHOICE;
  const args = [SCRIPT, String(intervalMs), imbalanceLevels.join(), bandsBps.join(), impacts.join(), DAY];
  const { stdout, stderr, status } = spawnSync('python3', args, {
    input: text,
    encoding: 'latin1',
    maxBuffer: 1 << 30,
  });
  assert.equal(status, 0, stderr);
  const [columns = [], ...rows] = stdout
    .trimEnd()
    .split('\r\n')
    .map((row) => row.split(','));
  return { columns, rows };
}
