import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runCli } from './support/cli.js';
import { tempDir } from './support/files.js';

test('--test converts its samples, shows them, and says PASS, as often as it is run', async (t) => {
  const cwd = tempDir(t);
  for (const args of [['--test'], ['--test', '--workers', '1']]) {
    const { status, stdout, stderr } = await runCli(args, { cwd });
    assert.equal(stderr, '');
    assert.equal(status, 0, stdout);
    assert.match(stdout, /DONE {5}MNTUSDT {4}2025-10-25_MNTUSDT_ob200\.data\.zip {8}\[200\] → 7 snapshots ✓\n/);
    assert.match(stdout, /DONE {5}ENAUSDT {4}2025-10-25_ENAUSDT_ob500\.data\.zip {8}\[200,500\] → 6 snapshots ✓\n/);
    assert.match(stdout, /2025-10-25T00:01:00 +1\.\d+ .*\n/);
    assert.match(stdout, /\nPASS: .*\n$/);
  }
  assert.deepEqual(fs.readdirSync(cwd), ['test_output']);
});

test('--test says FAIL when the samples cannot be converted', async (t) => {
  const cwd = tempDir(t);
  fs.mkdirSync(path.join(cwd, 'test_output/0500/ENAUSDT/2025-10-25_ENAUSDT_ob500_1m.csv'), { recursive: true });
  const { status, stdout } = await runCli(['--test'], { cwd });
  assert.equal(status, 1);
  assert.match(stdout, /ERROR {4}ENAUSDT/);
  assert.match(stdout, /\nFAIL: not every sample was converted\n/);
});
