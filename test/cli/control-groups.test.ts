/** What a container is given of processors and memory, with control groups of this machine. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { CLI, type CliResult, finished } from '../support/cli.js';
import { type ControlGroup, makeControlGroup, memoryLimit, ONE_CPU } from '../support/control-group.js';
import { tempDir } from '../support/files.js';
import { makeLargeSource } from '../support/runs.js';

const ARCHIVES = 6;
const LIMIT_BYTES = 200 * 1024 * 1024;
/** Of the number of workers, a machine with one core shows nothing. */
const isAlone = os.availableParallelism() < 2;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-groups-'));
const groups = { cpu: makeControlGroup(ONE_CPU), memory: makeControlGroup(memoryLimit(LIMIT_BYTES)) };

before(() => makeLargeSource(path.join(root, 'source'), ARCHIVES));

after(() => {
  groups.cpu?.remove();
  groups.memory?.remove();
  fs.rmSync(root, { recursive: true, force: true });
});

/** Why a test cannot be run here, in words that the summary shows. */
function notChecked(group: ControlGroup | undefined): string | false {
  if (isAlone) return 'NOT CHECKED: this machine has one core';
  return !group && 'NOT CHECKED: no control group can be made here (needs root, and a writable cgroup file system)';
}

function runIn(group: ControlGroup | undefined, args: string[]): Promise<CliResult> {
  const command = [...(group?.prefix ?? []), process.execPath, CLI, '--source-dir', path.join(root, 'source'), ...args];
  return finished(spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 }));
}

test('one processor’s time: one worker, unless told otherwise', { skip: notChecked(groups.cpu) }, async (t) => {
  for (const [args, workers] of [
    [[], 1],
    [['--workers', '2'], 2],
  ] as const) {
    const { status, stdout, stderr } = await runIn(groups.cpu, ['--output-dir', tempDir(t), ...args]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, new RegExp(`^Processing with ${workers} parallel worker`));
  }
});

test('little memory: fewer workers, said in one line, and all is made', {
  skip: notChecked(groups.memory),
}, async (t) => {
  const formats = ['--format', 'csv,csv.gz,parquet', '--metrics'];
  const { status, stdout, stderr } = await runIn(groups.memory, ['--output-dir', tempDir(t), ...formats]);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^Processing with 1 parallel worker\n/);
  assert.match(stdout, new RegExp(`Successfully processed: ${ARCHIVES}\n`));
  assert.match(
    stderr,
    /^Note: 1 worker instead of \d+: the memory limit of 210 MB \(\S+bookgrid-test-\S+\/memory\.\S+\) holds no more, at 50 MB each\. Raise it, or say how many with --workers\.\n$/,
  );
  const told = await runIn(groups.memory, ['--output-dir', tempDir(t), '--workers', '2']);
  assert.deepEqual([told.status, told.stderr], [0, '']);
  assert.match(told.stdout, /^Processing with 2 parallel workers\n/);
});
