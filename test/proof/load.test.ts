/**
 * Many small things: plans, records and pages in seconds, in memory that does not grow with the number of archives that
 * have been converted, and no file left open.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { daysFrom } from '../../src/base/time.js';
import { depthFolder } from '../../src/catalog/archive-name.js';
import { tempDir } from '../support/files.js';
import { FIXTURE_TEXT } from '../support/fixtures.js';
import { NO_PEAK_MEMORY, runCliMeasured } from '../support/peak-memory.js';
import { logProof } from '../support/proof-log.js';
import { start } from '../support/runs.js';

/** The whole load takes eight minutes: a scheduled job tries it (.ci/soak). */
const IS_WHOLE = process.env['BOOKGRID_LOAD'] === 'whole';
const IS_LONG = process.env['CI_LONG'] === '1';
const ARCHIVES = IS_WHOLE ? 20_000 : IS_LONG ? 5000 : 1000;
const DAYS = 365;
/** Of a busy machine. */
const LIMIT_MS = 1_800_000;
const PAIRS = IS_WHOLE ? 3000 : IS_LONG ? 400 : 60;

const pairOf = (number: number) => `P${String(number).padStart(4, '0')}USDT`;

/** Archives of a snapshot and a delta each, one folder for a hundred pairs of a day. */
function makeArchives(source: string, count: number): void {
  for (let number = 0; number < count; number++) {
    const folder = path.join(source, depthFolder(2), `${Math.floor(number / 100)}`);
    if (number % 100 === 0) fs.mkdirSync(folder, { recursive: true });
    const archive = String(FIXTURE_TEXT).replaceAll('TESTUSDT', pairOf(number));
    fs.writeFileSync(path.join(folder, `2025-01-15_${pairOf(number)}_ob2.data.gz`), gzipSync(archive, { level: 1 }));
  }
}

/** What a process has: bytes of memory, and open files. */
function look(pid: number): { bytes: number; files: number } | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined
      ? undefined
      : { bytes: Number(kib) * 1024, files: fs.readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined; // it has ended
  }
}

test(`${ARCHIVES} small archives: memory stays flat, no file is left open`, {
  skip: NO_PEAK_MEMORY,
  timeout: LIMIT_MS,
}, async (t) => {
  const dir = tempDir(t);
  const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
  makeArchives(source, ARCHIVES);
  const args = ['--source-dir', source, '--output-dir', out, '--workers', '2'];
  const planned = await runCliMeasured([...args, '--dry-run'], dir);
  assert.equal(planned.status, 0, planned.stderr);
  t.diagnostic(`planned in ${Math.round(planned.peakBytes / 1e6)} MB`);
  assert.ok(planned.peakBytes < 250_000_000, `${planned.peakBytes} bytes for a plan`);

  const { child, ended } = start(args, { timeout: LIMIT_MS });
  const seen: { bytes: number; files: number }[] = [];
  const isOver = { now: false };
  void ended.then(() => {
    isOver.now = true;
  });
  while (!isOver.now) {
    const now = look(child.pid ?? 0);
    if (now) seen.push(now);
    await setTimeout(50);
  }
  const { status, stdout } = await ended;
  assert.equal(status, 0, stdout.slice(-1000));
  assert.match(stdout, new RegExp(`Successfully processed: ${ARCHIVES}\n`));
  const most = (from: number, to: number, what: 'bytes' | 'files') =>
    Math.max(...seen.slice(Math.floor(seen.length * from), Math.ceil(seen.length * to)).map((one) => one[what]));
  const [early, late] = [most(0.2, 0.5, 'bytes'), most(0.5, 1, 'bytes')];
  t.diagnostic(
    `memory ${Math.round(early / 1e6)} MB, then ${Math.round(late / 1e6)} MB; files ${most(0.5, 1, 'files')}`,
  );
  // Names and sizes of what was made are kept for the end: 2 kB an archive. Three heaps are emptied late, 20 MB each.
  assert.ok(late < early + 60_000_000 + 2000 * ARCHIVES, `memory grew from ${early} to ${late} bytes`);
  assert.ok(most(0.5, 1, 'files') <= most(0.2, 0.5, 'files') + 4, 'files are left open');
  logProof({ proof: 'load', command: 'convert', call: 'small archives', count: ARCHIVES, found: 0 });
});

/** An output folder as years of many pairs leave it: empty files of a size, and their records. */
function makeOutputs(out: string, pairs: number, days: readonly string[]): void {
  fs.mkdirSync(out, { recursive: true });
  const records = fs.openSync(path.join(out, 'conversions.jsonl'), 'w');
  const bytes = 1000;
  const sha256 = '0'.repeat(64);
  const [shape, counts] = [
    { interval: '1m', onGap: 'fill', onBadLine: 'fail', compat: 'none' },
    { rows: 1440, filledRows: 0 },
  ];
  for (let number = 0; number < pairs; number++) {
    const pair = pairOf(number);
    const folder = path.join(out, '0200', pair);
    fs.mkdirSync(folder, { recursive: true });
    const lines = days.map((date) => {
      const name = `${date}_${pair}_ob200_1m.csv`;
      const fd = fs.openSync(path.join(folder, name), 'w');
      fs.ftruncateSync(fd, bytes);
      const mtimeMs = Math.floor(fs.fstatSync(fd).mtimeMs);
      fs.closeSync(fd);
      const output = { kind: 'book', depth: 200, format: 'csv', path: `0200/${pair}/${name}`, mtimeMs, sha256, shape };
      const archive = { archive: `${date}_${pair}_ob200.data.zip`, archiveBytes: 5, archiveMtimeMs: 5, pair, date };
      return JSON.stringify({
        ...archive,
        ...{
          sourceDepth: 200,
          status: 'done',
          outputs: [{ ...output, formatVersion: 1, bytes }],
          ...counts,
          suspectRows: 0,
        },
        finishedAt: '2025-06-01T00:00:00.000Z',
      });
    });
    fs.writeSync(records, `${lines.join('\n')}\n`);
  }
  fs.closeSync(records);
}

test(`${PAIRS} pairs of ${DAYS} days: status and view`, { skip: NO_PEAK_MEMORY, timeout: LIMIT_MS }, async (t) => {
  const dir = tempDir(t);
  const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
  fs.mkdirSync(source);
  const days = daysFrom('2024-01-01', '2024-12-30');
  assert.equal(days.length, DAYS);
  makeOutputs(out, PAIRS, days);
  const startMs = performance.now();
  const { status, stdout, peakBytes } = await runCliMeasured(
    ['status', '--source-dir', source, '--output-dir', out],
    dir,
  );
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  t.diagnostic(`status: ${seconds} s, ${Math.round(peakBytes / 1e6)} MB`);
  assert.equal(status, 0);
  assert.match(stdout, new RegExp(`^TOTAL +${PAIRS * DAYS} +0 `, 'm'));
  // Some 3 kB for an output: all that is known of a million of them is kept at once.
  assert.ok(peakBytes < 200_000_000 + 3500 * PAIRS * DAYS, `${peakBytes} bytes of memory`);
  logProof({ proof: 'load', command: 'status', call: 'outputs', count: PAIRS * DAYS, found: 0 });
  await viewMany(t, out);
  logProof({ proof: 'load', command: 'view', call: 'outputs', count: PAIRS * DAYS, found: 0 });
});

/** Asks the server of the page for its list of what there is, as the page does when it is opened. */
async function viewMany(t: TestContext, out: string): Promise<void> {
  const { child, ended, printed } = start(['view', out], { timeout: LIMIT_MS });
  const [address = ''] = /http:\/\/\S+/.exec(await printed(/http:\/\/\S+\n/)) ?? [];
  const startMs = performance.now();
  // Not fetch: it gives up after five minutes without an answer, and a busy machine takes four for a million outputs.
  const [answer] = (await once(http.get(new URL('listing', address)), 'response')) as [http.IncomingMessage];
  assert.equal(answer.statusCode, 200);
  const listing = await text(answer.pipe(createGunzip()));
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const { bytes = Number.NaN } = look(child.pid ?? 0) ?? {};
  child.kill('SIGINT');
  await ended;
  t.diagnostic(`view: ${seconds} s, a listing of ${listing.length} bytes, ${Math.round(bytes / 1e6)} MB`);
  for (const pair of [pairOf(0), pairOf(PAIRS - 1)]) assert.ok(listing.includes(pair), `${pair} is listed`);
  assert.ok(bytes < 200_000_000 + 3500 * PAIRS * DAYS, `${bytes} bytes of memory`);
}
