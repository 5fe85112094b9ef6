import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, mock, test } from 'node:test';
import { identifyArchives } from '../../src/catalog/find-archives.js';
import { type Job, plan } from '../../src/convert/plan.js';
import { type JobResult, runJob } from '../../src/convert/recorded-job.js';
import { appendLine } from '../../src/storage/log-file.js';
import { readOutputs, tempDir } from '../support/files.js';
import { inventoryOf } from '../support/inventories.js';
import { assertSameOutputs, listFiles, listStaged, makeArchive, readRecords } from '../support/runs.js';

/** The system calls that a conversion makes, as the methods of `fs` that the sources call. */
const CALLS = [
  'openSync',
  'statSync',
  'readSync',
  'mkdirSync',
  'writeSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
] as const;
type Call = (typeof CALLS)[number] | 'copyFileSync' | 'rmSync';

/** What the result's error must say. */
const CAUSES = { ENOSPC: /^disk full: .*ENOSPC/, EIO: /EIO/, EACCES: /^no permission \(.*EACCES/, EMFILE: /EMFILE/ };
type Code = keyof typeof CAUSES;

const CODES: Record<Call, Code[]> = {
  openSync: ['EACCES', 'EMFILE'],
  statSync: ['EIO'],
  readSync: ['EIO'],
  mkdirSync: ['ENOSPC', 'EACCES'],
  writeSync: ['ENOSPC', 'EIO'],
  fsyncSync: ['EIO', 'ENOSPC'],
  closeSync: ['EIO'],
  renameSync: ['EACCES', 'EIO'],
  copyFileSync: ['ENOSPC'],
  rmSync: ['EACCES'],
};

const IS_LONG = process.env['CI_LONG'] === '1';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-faults-'));
let archive: string;
let whole: Map<string, string>;

before(async () => {
  // Its outputs are larger than what is gathered before it is written, so that there are several writes.
  archive = await makeArchive(path.join(root, 'source'), { pair: 'TESTUSDT', market: { durationMs: 1_300_000 } });
  const out = path.join(root, 'unbroken');
  assert.equal((await runJob(await makeJob(out))).status, 'done');
  whole = readOutputs(out);
  assert.equal(whole.size, 2);
  for (const text of whole.values()) assert.ok(text.length > 270_000);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

async function makeJob(outputDir: string, { source = archive, temp }: { source?: string; temp?: string } = {}) {
  const options = { intervalMs: 4_000, outputDir, tempDir: temp };
  const [entry] = plan(inventoryOf(await identifyArchives([source])), options);
  assert.ok(entry?.action === 'convert');
  return entry.job;
}

function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
}

/** Puts something of our own in the place of a method of `fs`, which gets the method and its arguments. */
function intercept(call: Call, act: (original: (...args: unknown[]) => unknown, args: unknown[]) => unknown): void {
  const original = fs[call] as unknown as (...args: unknown[]) => unknown;
  mock.method(fs, call, ((...args: unknown[]) => act(original.bind(fs), args)) as unknown as (typeof fs)[typeof call]);
}

interface Fault {
  call: Call;
  /** Counted from 1. */
  nth: number;
  code: Code;
}

interface Experiment {
  job: Job;
  fault: Fault;
  /** The temp folder is as if on another file system. */
  isCrossDevice?: boolean;
}

/** Runs a job with one fault; tells whether the job came as far as that. */
async function runWithFault({ job, fault, isCrossDevice = false }: Experiment) {
  const { call, nth, code } = fault;
  const fdsBefore = countFds();
  let calls = 0;
  const inject = (original: (...args: unknown[]) => unknown, args: unknown[]) => {
    if (++calls !== nth) return original(...args);
    // When close fails, the descriptor is gone nevertheless (close(2)).
    if (call === 'closeSync') original(...args);
    throw systemError(code, call);
  };
  const rename = (original: (...args: unknown[]) => unknown, args: unknown[]) => {
    const [from, to] = args.map((file) => path.dirname(String(file)));
    if (isCrossDevice && from !== to) throw systemError('EXDEV', 'rename');
    return original(...args);
  };
  if (call !== 'renameSync') {
    intercept('renameSync', rename);
    intercept(call, inject);
  } else {
    intercept('renameSync', (original, args) => inject((...same) => rename(original, same), args));
  }
  let result: JobResult;
  try {
    result = await runJob(job);
  } finally {
    mock.restoreAll();
  }
  return { result, isHit: calls >= nth, leakedFds: countFds() - fdsBefore };
}

/** Open file descriptors of this process; 0 where there is no /proc to count them in. */
function countFds(): number {
  return fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : 0;
}

for (const isCrossDevice of [false, true]) {
  const calls: readonly Call[] = isCrossDevice ? [...CALLS, 'copyFileSync', 'rmSync'] : CALLS;
  for (const call of calls) {
    for (const code of CODES[call].slice(0, IS_LONG ? undefined : 1)) {
      test(`${call} fails with ${code} at each call in turn, staging ${isCrossDevice ? 'on another file system' : 'beside'}`, async (t) => {
        const folder = tempDir(t);
        let nth = 0;
        let failures = 0;
        for (let isHit = true; isHit; ) {
          nth++;
          const [out, temp] = [path.join(folder, `out${nth}`), path.join(folder, `temp${nth}`)];
          fs.mkdirSync(out);
          const job = await makeJob(out, isCrossDevice ? { temp } : {});
          const run = await runWithFault({ job, fault: { call, nth, code }, isCrossDevice });
          isHit = run.isHit;
          const { result } = run;
          const what = `${call} ${nth}`;
          if (result.status === 'failed') failures++;
          // Closing the archive, which was only read, may fail without harm; closing an output may not.
          const mayBeDone = !isHit || call === 'rmSync' || call === 'closeSync';
          assert.ok(result.status === 'failed' || (mayBeDone && result.status === 'done'), `${what}: ${result.status}`);
          if (!isHit) assert.equal(result.status, 'done', what);
          if (result.status === 'failed') assert.match(result.error, CAUSES[code], what);
          assert.equal(run.leakedFds, 0, `${what}: file descriptors leaked`);
          if (call !== 'rmSync') assert.deepEqual([...listStaged(out), ...listFiles(temp)], [], what);

          const visible = [...readOutputs(out)].filter(([name]) => !name.endsWith('.part'));
          for (const [name, text] of visible) assert.ok(text === whole.get(name), `${what}: ${name} is whole`);
          if (result.status === 'done') assert.equal(visible.length, 2, what);
          const again = await runJob(job);
          assert.equal(again.status, visible.length === 2 ? 'skipped' : 'done', what);
          const outputs = [...readOutputs(out)].filter(([name]) => !name.endsWith('.part'));
          assertSameOutputs(new Map(outputs), whole);
          fs.rmSync(out, { recursive: true, force: true });
        }
        assert.ok(nth > 1, 'no call could be made to fail');
        if (call === 'closeSync') assert.ok(failures >= whole.size, 'closing an output fails its archive');
      });
    }
  }
}

/** What cleans up after a failure must not hide the failure, nor stop at the first thing it cannot clean. */
for (const call of ['closeSync', 'rmSync'] as const) {
  test(`an archive's own error is told, and the rest cleaned up, though ${call} fails on the way`, async (t) => {
    const [folder, out] = [tempDir(t), tempDir(t)];
    const damaged = path.join(folder, path.basename(archive));
    const bytes = fs.readFileSync(archive);
    // The text's CRC-32 in the zip's directory, which is found wrong after the last row (APPNOTE.TXT 4.3.12).
    const directory = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    bytes.writeUInt32LE((bytes.readUInt32LE(directory + 16) ^ 1) >>> 0, directory + 16);
    fs.writeFileSync(damaged, bytes);
    const job = await makeJob(out, { source: damaged });
    for (let nth = 1, isHit = true; isHit; nth++) {
      for (const output of job.outputs) fs.mkdirSync(path.dirname(output.path), { recursive: true });
      const run = await runWithFault({ job, fault: { call, nth, code: 'EIO' } as Fault });
      isHit = run.isHit;
      assert.ok(run.result.status === 'failed');
      assert.equal(run.leakedFds, 0, `${call} ${nth}: file descriptors leaked`);
      assert.match(run.result.error, /CRC-32/, `${call} ${nth}`);
      assert.ok(listStaged(out).length <= (call === 'rmSync' && isHit ? 1 : 0), `${call} ${nth}: ${listStaged(out)}`);
      fs.rmSync(out, { recursive: true });
    }
  });
}

test('writes and reads that do less than asked change nothing', async (t) => {
  const out = tempDir(t);
  const job = await makeJob(out);
  // writeSync(fd, buffer, offset, length) and readSync(fd, buffer, offset, length, position)
  for (const [call, limit] of [
    ['writeSync', 100_001],
    ['readSync', 1_001],
  ] as const) {
    intercept(call, (original, [fd, buffer, offset, length, ...rest]) =>
      original(fd, buffer, offset, Math.min(Number(length), limit), ...rest),
    );
  }
  let result: JobResult;
  try {
    result = await runJob(job);
  } finally {
    mock.restoreAll();
  }
  assert.equal(result.status, 'done');
  assertSameOutputs(readOutputs(out), whole);
});

test('a record of which the disk takes only a part does not damage the next', (t) => {
  const file = path.join(tempDir(t), 'conversions.jsonl');
  let calls = 0;
  intercept('writeSync', (original, [fd, text, ...rest]) =>
    original(fd, ++calls === 1 ? String(text).slice(0, 9) : text, ...rest),
  );
  try {
    for (const number of [1, 2]) {
      try {
        appendLine(file, JSON.stringify({ archive: `number ${number}` }));
      } catch (error) {
        assert.match((error as Error).message, /conversions\.jsonl|whole|short/, 'told, if it is not written');
      }
    }
  } finally {
    mock.restoreAll();
  }
  assert.deepEqual(readRecords(path.dirname(file)).at(-1), { archive: 'number 2' });
});
