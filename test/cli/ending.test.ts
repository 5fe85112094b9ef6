/**
 * Named after an attack: one process in a thousand had finished its work and never ended. It ends itself now, when all
 * that it has printed has been taken.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { tempDir } from '../support/files.js';
import { complete, makeArchive, start } from '../support/runs.js';

/** A module that is loaded before the program. */
const preload = (code: string) => ({
  env: { ...process.env, CI: 'true', NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` },
});

/** Something that keeps Node's event loop busy for ever, as a thread of V8 did. */
const ENDLESS = preload('setInterval(() => {}, 1000)');
/** Standard output that takes what fits and the rest later, as on systems where pipes are not synchronous. */
const LATER = preload('process.stdout._handle.setBlocking(false)');

test('a run ends, with its status, though something is left that would keep Node waiting', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const archive = await makeArchive(folder, { pair: 'AAAUSDT' });
  const broken = await makeArchive(folder, { pair: 'BROKENUSDT' });
  fs.truncateSync(broken, 100);
  for (const [args, expected] of [
    [[archive, '--output-dir', out], 0],
    [[archive, broken, '--output-dir', out, '--workers', '2'], 1],
    [['status', '--output-dir', out, '--source-dir', folder], 0],
    [['--help'], 0],
    [['--no-such-option'], 2],
    [['--source-dir', path.join(folder, 'nowhere')], 2],
  ] as const) {
    const { status, signal } = await complete([...args], ENDLESS);
    assert.deepEqual({ status, signal }, { status: expected, signal: null }, args.join(' '));
  }
});

for (const [how, options] of [
  ['', {}],
  [' that takes it later', LATER],
] as const) {
  test(`much output arrives whole at a slow reader${how}`, async (t) => {
    const [folder, out] = [tempDir(t), tempDir(t)];
    const count = 4000;
    for (let index = 0; index < count; index++) {
      fs.writeFileSync(path.join(folder, `2025-01-15_PAIR${index}USDT_ob500.data.zip`), '');
    }
    const { child, ended } = start(['--source-dir', folder, '--output-dir', out, '--dry-run', '--json'], options);
    let exited = false;
    child.once('exit', () => {
      exited = true;
    });
    child.stdout?.pause();
    await setTimeout(1500);
    const isWaiting = !exited;
    child.stdout?.on('data', () => {
      child.stdout?.pause();
      setImmediate(() => child.stdout?.resume());
    });
    child.stdout?.resume();
    const { status, stdout, stderr } = await ended;
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.ok(isWaiting, 'there is more than the pipe holds, and it waits for the reader');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; total?: number });
    assert.equal(events.length, count + 1);
    assert.deepEqual([events.at(-1)?.event, events.at(-1)?.total], ['plan-summary', count]);
    assert.ok(stdout.length > 2_000_000);
  });
}
