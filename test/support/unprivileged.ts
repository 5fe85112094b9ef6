import { type SpawnOptions, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { CLI } from './cli.js';

const NOBODY = { uid: 65534, gid: 65534 };

/**
 * How to start the program as somebody whom permissions bind: root is not, so as root it starts as nobody.
 *
 * @returns `undefined` after it has skipped the test, saying why.
 */
export function unprivileged(t: TestContext): SpawnOptions | undefined {
  if (process.getuid === undefined) {
    t.skip(`${process.platform} has no permission bits`);
    return undefined;
  }
  if (process.getuid() !== 0) return {};
  const probe = spawnSync(process.execPath, ['-e', `fs.accessSync(${JSON.stringify(CLI)})`], NOBODY);
  if (probe.status === 0) return NOBODY;
  t.skip('run as root, from a folder that nobody (uid 65534) cannot read: run the tests as an ordinary user');
  return undefined;
}
