import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../support/files.js';
import { FIXTURE_TEXT, fixture } from '../support/fixtures.js';

const PROGRAM = fileURLToPath(new URL('../support/read-beside-blocked-pool.js', import.meta.url));

test("reading and inflating need no thread of libuv's pool, so they are not held to its four", (t) => {
  const fifo = path.join(tempDir(t), 'fifo');
  if (spawnSync('mkfifo', [fifo]).status !== 0) {
    t.skip('mkfifo is not there or failed: the thread pool cannot be blocked for certain');
    return;
  }
  const archives = ['DEFLATED', 'STORED', 'ZIP64-DIRECTORY', 'GZIP', 'PLAIN'];
  const args = [PROGRAM, fifo, ...archives.map((name) => fixture('archives', name).path)];
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const child = spawnSync(process.execPath, args, { env, timeout: 10_000, killSignal: 'SIGKILL' });
  assert.equal(child.signal, null, 'it waits for the blocked pool');
  assert.equal(String(child.stderr), '');
  assert.deepEqual(JSON.parse(String(child.stdout)), {
    sizes: archives.map(() => FIXTURE_TEXT.length),
    isBlocked: true,
  });
});
