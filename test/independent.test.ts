/** Outputs against a second implementation in another language: `unzip -p ARCHIVE | python3 snapshots.py`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MarketOptions } from '../src/samples/market.js';
import { writeSample } from '../src/samples/samples.js';
import { runCli } from './support/cli.js';
import { tempDir } from './support/files.js';

const SCRIPT = fileURLToPath(new URL('../../test/independent/snapshots.py', import.meta.url));
const missing = [
  ['python3', '--version'],
  ['unzip', '-v'],
].filter(([tool = '', ...args]) => spawnSync(tool, args).status !== 0);
const skip = missing.length > 0 ? `not installed: ${missing.map(([tool]) => tool).join(', ')}` : false;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const markets: (MarketOptions & { title: string })[] = [
  {
    title: 'contract, with a restart',
    style: 'contract',
    depth: 500,
    durationMs: 3 * MINUTE_MS,
    restartsAtMs: [90_000],
  },
  {
    title: 'spot, with a silence',
    style: 'spot',
    depth: 200,
    durationMs: 6 * MINUTE_MS,
    gaps: [{ fromMs: 80_000, toMs: 250_000 }],
  },
  { title: 'past midnight', style: 'contract', depth: 50, spacing: 'sparse' as const, startMs: DAY_MS - 3 * MINUTE_MS },
].map(
  (market, index) =>
    ({ symbol: 'SEEDUSDT', date: '2025-01-15', seed: 77 + index, ...market }) as MarketOptions & { title: string },
);

describe('rows as another program computes them', { skip }, () => {
  for (const { title, ...market } of markets) {
    test(title, async (t) => {
      const dir = tempDir(t);
      const archive = await writeSample(path.join(dir, 'source'), market);
      for (const [interval, intervalMs] of [
        ['1m', 60_000],
        ['500ms', 500],
      ] as const) {
        const depths = [1, 20, market.depth];
        const args = [archive, '--output-dir', dir, '--depths', depths.join(','), '--interval', interval];
        assert.equal((await runCli(args)).status, 0);
        for (const depth of depths) {
          const name = `${market.date}_${market.symbol}_ob${depth}_${interval}.csv`;
          const ours = fs.readFileSync(path.join(dir, String(depth).padStart(4, '0'), market.symbol, name), 'latin1');
          assert.ok(ours === theirs(archive, depth, intervalMs, market.date), `${name} differs`);
        }
      }
    });
  }
});

function theirs(archive: string, depth: number, intervalMs: number, date: string): string {
  const maxBuffer = 1 << 30;
  const { stdout: text } = spawnSync('unzip', ['-p', archive], { maxBuffer });
  const args = [SCRIPT, String(depth), String(intervalMs), date];
  const { stdout, stderr, status } = spawnSync('python3', args, { input: text, encoding: 'latin1', maxBuffer });
  assert.equal(status, 0, stderr);
  return stdout;
}
