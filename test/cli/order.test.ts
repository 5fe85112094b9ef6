import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { tempDir } from '../support/files.js';
import { complete, makeArchive } from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-order-'));

/** A small and a large archive on each of three days. */
before(async () => {
  for (const date of ['2025-01-15', '2025-01-16', '2025-01-17']) {
    await makeArchive(root, { pair: 'ASMALLUSDT', date });
    const durationMs = date === '2025-01-16' ? 900_000 : 600_000;
    await makeArchive(root, { pair: 'BLARGEUSDT', date, market: { durationMs } });
  }
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

for (const [args, expected] of [
  [[], 'L16 L'],
  [['--order', 'largest'], 'L16 L'],
  [['--order', 'newest'], 'L17 S17 L16 S16 L15 S15'],
  [['--order', 'oldest'], 'L15 S15 L16 S16 L17 S17'],
] as const) {
  test(`${args.join(' ') || 'by default the largest archives first'}: ${expected}`, async (t) => {
    const common = ['--source-dir', root, '--output-dir', tempDir(t), '--workers', '1'];
    const { status, stdout, stderr } = await complete([...common, ...args]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    const done = [...stdout.matchAll(/ DONE +\w(\w)\w+ +2025-01-(\d\d)_/g)].map(([, size, day]) => `${size}${day}`);
    assert.equal(done.length, 6);
    assert.ok(done.join(' ').startsWith(expected), done.join(' '));
  });
}

test('another order is wrong usage', async (t) => {
  const { status, stderr } = await complete(['--source-dir', root, '--output-dir', tempDir(t), '--order', 'random']);
  assert.equal(status, 2);
  assert.match(stderr, /--order <order>' argument 'random' is invalid\. Allowed choices are largest, newest, oldest\./);
});
