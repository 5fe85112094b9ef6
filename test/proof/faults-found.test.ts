/** What faults and crashes have found, each by the smallest case that shows it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { localStorage } from '../../src/storage/local.js';
import { resumableName, stagedName } from '../../src/storage/staging.js';
import { disturbCalls } from '../support/faults-calls.js';
import { runHere } from '../support/faults-commands.js';
import { openBelow } from '../support/faults-in-turn.js';
import { bury, hiddenBelow } from '../support/faults-ledger.js';
import { outOf, TELLING, WRITING } from '../support/faults-scenarios.js';
import { tempDir } from '../support/files.js';

function scenario(name: string) {
  const found = [...WRITING, ...TELLING].find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no scenario is named ${name}`);
  return found;
}

/** Puts a link that leads nowhere in the place of an output, such as one to a disk that is not there. */
function unlinkDisk(file: string): void {
  fs.rmSync(file);
  fs.symlinkSync('/no/such/disk', file);
}

test('join left out a day that could not be looked at, and the file was short', async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('join');
  await begin(folder);
  unlinkDisk(path.join(outOf(folder), '0200', 'DAYSUSDT', '2025-01-16_DAYSUSDT_ob200_1m.csv'));
  const { status, stderr } = await runHere(argv(folder));
  assert.equal(status, 2);
  assert.match(stderr, /Cannot look at .*2025-01-16_DAYSUSDT_ob200_1m\.csv: a symbolic link to a file .* not there/);
  assert.ok(!fs.existsSync(path.join(folder, 'joined')));
});

test('verify found all well without an output that could not be looked at', async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('verify');
  await begin(folder);
  const file = path.join(outOf(folder), '0002', 'PLAIN', '2025-01-15_PLAIN_ob2_1m.csv');
  // Only at first: a disk that answers again when it is asked whether the output is missing.
  let looks = 0;
  const restore = disturbCalls(folder, (asked) =>
    asked.path === file && ++looks === 1 ? { fails: 'EIO' } : undefined,
  );
  const { status, stdout } = await runHere(argv(folder)).finally(restore);
  assert.equal(status, 1);
  assert.match(stdout, /^DAMAGED .*_PLAIN_ob2_1m\.csv: Cannot look at .*EIO/m);
  assert.match(stdout, /^Outputs as they were written: 2\nDamaged: 1$/m);
});

test('convert said of outputs in a folder that it could not read that another run had made them', async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('convert (made anew)');
  await begin(folder);
  const symbol = path.join(outOf(folder), '0002', 'PLAIN');
  let isFirst = true;
  const restore = disturbCalls(folder, ({ call, path: asked }) => {
    if (asked !== symbol || call !== 'readdir' || !isFirst) return undefined;
    isFirst = false;
    return { fails: 'EIO' };
  });
  const { status, stdout } = await runHere(argv(folder)).finally(restore);
  assert.equal(status, 1);
  assert.match(stdout, /ERROR +PLAIN .* Cannot read the folder .*PLAIN: EIO/);
  assert.equal(stdout.match(/DONE /g)?.length, 2, 'the others are made');
});

test('what a killed verify had begun of its checksums stayed for ever', async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('verify (checksums)');
  await begin(folder);
  const sums = path.join(folder, 'sums');
  fs.mkdirSync(sums);
  fs.writeFileSync(path.join(sums, stagedName('SHA256SUMS', 'killed')), 'half');
  bury(folder);
  assert.equal(hiddenBelow(sums).length, 1);
  assert.equal((await runHere(argv(folder))).status, 0);
  assert.deepEqual(fs.readdirSync(sums), ['SHA256SUMS']);
});

test('the folder of a download without a byte of it stayed for 14 days', async (t) => {
  const folder = tempDir(t);
  for (const name of ['EMPTY.zip', 'BEGUN.zip']) {
    const partial = path.join(folder, resumableName(name, 'killed'));
    fs.mkdirSync(partial);
    fs.writeFileSync(path.join(partial, 'note'), '{}');
    if (name === 'BEGUN.zip') fs.writeFileSync(path.join(partial, name), 'PK');
  }
  bury(folder);
  assert.equal(await localStorage.sweep([folder]), 1);
  assert.match(fs.readdirSync(folder).join(), /^\.BEGUN\.zip\.[^,]+\.resume$/);
});

test('view ended a connection without a word when not even the first row could be read', async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('view (one file)');
  await begin(folder);
  const restore = disturbCalls(folder, ({ call }) => (call === 'read' ? { fails: 'EIO' } : undefined));
  const { stdout } = await runHere(argv(folder)).finally(restore);
  assert.match(stdout, /^rows .*: 500 .*EIO/m);
});

test('view left a file open whose size could not be asked for', {
  skip: !fs.existsSync('/proc/self/fd'),
}, async (t) => {
  const folder = tempDir(t);
  const { begin, argv } = scenario('view (one file)');
  await begin(folder);
  let isOpen = false;
  const restore = disturbCalls(folder, ({ call }) => {
    isOpen ||= call === 'open';
    return isOpen && call === 'stat' ? { fails: 'EIO' } : undefined;
  });
  const { stdout } = await runHere(argv(folder)).finally(restore);
  assert.match(stdout, /^book .*: 404 .*EIO/m);
  assert.deepEqual(openBelow(folder), []);
});
