/** Two runs at once on one output folder: what one makes, the other leaves to it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { CliResult } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import {
  assertSameOutputs,
  complete,
  ENDLESS_OPTIONS,
  listFiles,
  listStaged,
  makeArchive,
  makeEndless,
  makeLargeSource,
  readRecords,
  type Started,
  start,
  until,
} from '../support/runs.js';

const ARCHIVES = 40;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-two-runs-'));
const source = path.join(root, 'source');
/** What a single run gives. */
let whole: Map<string, string>;

before(async () => {
  await makeLargeSource(source, ARCHIVES);
  const out = path.join(root, 'unbroken');
  const { status, stdout } = await complete(['--source-dir', source, '--output-dir', out]);
  assert.equal(status, 0, stdout);
  whole = readOutputs(out);
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

interface Totals {
  total: number;
  done: number;
  skipped: number;
  failed: number;
  left: number;
}

/** The numbers of the summary, which must add up. */
function totalsOf({ stdout }: CliResult): Totals {
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const totals = {
    total: number(/Total files: (\d+)/),
    done: number(/Successfully processed: (\d+)/),
    skipped: number(/Skipped \(already exist\): (\d+)/),
    failed: number(/Errors: (\d+)/),
    left: number(/Left: (\d+)/),
  };
  assert.equal(totals.done + totals.skipped + totals.failed + totals.left, totals.total, stdout);
  return totals;
}

/** How often each archive was converted, by the records. */
function conversions(out: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of readRecords(out)) {
    if (!record) continue; // an empty line, see appendLine
    const archive = String(record['archive']);
    counts.set(archive, (counts.get(archive) ?? 0) + 1);
  }
  return counts;
}

function assertEachOnce(out: string): void {
  const counts = conversions(out);
  assert.equal(counts.size, ARCHIVES);
  assert.deepEqual(
    [...counts].filter(([, count]) => count !== 1),
    [],
    'each archive was converted once',
  );
}

for (const place of ['beside', 'in a shared --temp-dir'] as const) {
  for (const order of ['largest', 'newest']) {
    test(`two runs started together, staging ${place}, ${order} first, convert each archive once`, async (t) => {
      const out = tempDir(t);
      const temp = place === 'beside' ? [] : ['--temp-dir', tempDir(t)];
      const args = ['--source-dir', source, '--output-dir', out, '--order', order, ...temp];
      const results = await Promise.all([1, 2].map((workers) => complete([...args, '--workers', `${workers}`])));
      for (const { status, stdout, stderr } of results) {
        assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
      }
      const totals = results.map(totalsOf);
      assert.equal(
        totals.reduce((sum, { done }) => sum + done, 0),
        ARCHIVES,
      );
      for (const { total, failed, left } of totals)
        assert.deepEqual({ total, failed, left }, { total: 40, failed: 0, left: 0 });
      assertEachOnce(out);
      assertSameOutputs(readOutputs(out), whole);
      // They were slowed down by nothing but each other, so that at least one has met the other.
      const said = results.map(
        ({ stdout }) => stdout.match(/Another run works on this folder \(process \d+ on /g)?.length ?? 0,
      );
      assert.ok(Math.max(...said) === 1, `a run says once that there is another: ${said}`);
      const lines = results.flatMap(({ stdout }) => stdout.match(/ SKIPPED .*/g) ?? []);
      assert.equal(
        lines.length,
        totals.reduce((sum, { skipped }) => sum + skipped, 0),
      );
      // The others were there before this run had made its plan.
      assert.ok(lines.some((line) => line.endsWith('(made by another run)')));
    });
  }
}

test('three runs at once, with many tiny archives: each is converted once', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const count = 60;
  for (let index = 0; index < count; index++) await makeArchive(sourceDir, { pair: `TINY${index}USDT` });
  const args = ['--source-dir', sourceDir, '--output-dir', out];
  const results = await Promise.all([1, 2, 3].map((workers) => complete([...args, '--workers', `${workers}`])));
  for (const result of results) {
    assert.equal(result.status, 0, result.stdout + result.stderr);
    assert.equal(totalsOf(result).left, 0);
  }
  assert.deepEqual(
    [...conversions(out)].filter(([, conversions]) => conversions !== 1),
    [],
  );
  assert.equal(conversions(out).size, count);
  assert.deepEqual(listStaged(out), []);
});

test('two runs with different options on one folder: it is said, by one that does not begin or by one that ends', async (t) => {
  const args = ['--source-dir', source, '--output-dir', tempDir(t)];
  const results = await Promise.all([complete(args), complete([...args, '--on-gap', 'skip'])]);
  const told = results.filter(
    ({ status, stderr }) =>
      (status === 2 && /^bookgrid: Nothing was converted: /.test(stderr)) ||
      (status === 0 && /^Note: \d+ outputs? (was|were) made in another way than this run makes them/.test(stderr)),
  );
  assert.ok(told.length > 0, JSON.stringify(results));
});

test('two runs whose outputs differ and that never meet: the one that ends last says what lies there now', async (t) => {
  const folder = tempDir(t);
  for (const pair of ['AAAUSDT', 'BBBUSDT']) {
    for (let day = 1; day <= 6; day++) await makeArchive(folder, { pair, date: `2025-01-0${day}` });
  }
  const pairs = [
    [[], ['--partition', 'hive']],
    [
      ['--shard', '1/2'],
      ['--shard', '2/2', '--quality'],
    ],
  ];
  for (const ways of pairs) {
    const args = ['--source-dir', folder, '--output-dir', tempDir(t)];
    const results = await Promise.all(ways.map((way) => complete([...args, ...way])));
    const told = results.filter(({ stderr }) => /^bookgrid: Nothing was converted: |^Note: \d+ outputs? /.test(stderr));
    assert.ok(told.length > 0, JSON.stringify(results));
  }
});

test('runs that make a data set again in shards say nothing of what the others have not made yet', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  for (let day = 1; day <= 6; day++) await makeArchive(folder, { pair: 'AAAUSDT', date: `2025-01-0${day}` });
  const args = ['--source-dir', folder, '--output-dir', out];
  assert.equal((await complete(args)).status, 0);
  const again = [...args, '--quality', '--on-stale', 'remake'];
  const results = await Promise.all(['1/3', '2/3'].map((shard) => complete([...again, '--shard', shard])));
  for (const { status, stderr } of results) assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('of two runs one is killed midway: the other makes everything', async (t) => {
  const out = tempDir(t);
  const args = ['--source-dir', source, '--output-dir', out];
  const [victim, other] = [start([...args, '--workers', '2']), start([...args, '--workers', '2'])];
  await Promise.all([victim, other].map(({ printed }) => printed(/ DONE /)));
  await until(() => stagedBy(out, victim).length > 0, 'the victim is in the middle of an output');
  victim.child.kill('SIGKILL');
  const result = await other.ended;
  assert.deepEqual({ status: result.status, stderr: result.stderr }, { status: 0, stderr: '' }, result.stdout);
  assert.equal((await victim.ended).signal, 'SIGKILL');
  assert.equal(totalsOf(result).left, 0);
  // What the victim has left is swept by the next run; the outputs are all there, and whole.
  const leftovers = new Set(listStaged(out).map((file) => path.relative(out, file).split(path.sep).join('/')));
  assertSameOutputs(new Map([...readOutputs(out)].filter(([name]) => !leftovers.has(name))), whole);
  assert.equal((await complete(args)).status, 0);
  assert.deepEqual(listStaged(out), []);
});

/** The unfinished files of one run. */
function stagedBy(out: string, { child }: Started): string[] {
  return listStaged(out).filter((file) => file.includes(`-${child.pid}-`));
}

/** A run that is making an archive and will go on for long, and an archive that it does not make. */
async function startBusy(t: Parameters<typeof tempDir>[0]) {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const endless = await makeEndless(folder);
  const busy = start([endless, '--output-dir', out, ...ENDLESS_OPTIONS]);
  t.after(() => busy.child.kill('SIGKILL'));
  await until(() => listStaged(out).length > 0, 'an output is begun');
  const free = await makeArchive(folder, { pair: 'FREEUSDT' });
  return { busy, out, archives: [endless, free] };
}

test('a run waits for what another is making, says so, and a stop ends the wait', async (t) => {
  const { busy, out, archives } = await startBusy(t);
  const { child, ended, printed } = start([...archives, '--output-dir', out, ...ENDLESS_OPTIONS]);
  const text = await printed(/Waiting for 1 archive that another run is making\./);
  assert.match(text, new RegExp(`Another run works on this folder \\(process ${busy.child.pid} on \\S+\\)`));
  assert.match(text, / DONE +FREEUSDT .*\n(.*\n)*Waiting/, 'what is free is made first');
  child.kill('SIGINT');
  const result = await ended;
  assert.equal(result.status, 130);
  assert.equal(result.stderr, '');
  const { done, left } = totalsOf(result);
  assert.deepEqual({ done, left }, { done: 1, left: 1 });
  assert.ok(stagedBy(out, busy).length > 0, 'the other run is not disturbed');
});

test('a run that waits makes the archive itself when the other one gives it up', async (t) => {
  const { busy, out, archives } = await startBusy(t);
  const { child, ended, printed } = start([...archives, '--output-dir', out, ...ENDLESS_OPTIONS, '--json']);
  t.after(() => child.kill('SIGKILL'));
  const text = await printed(/"event":"waiting"/);
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const other = events.find(({ event }) => event === 'other-run');
  assert.deepEqual(other, { event: 'other-run', host: other?.['host'], pid: busy.child.pid });
  assert.deepEqual(events.at(-1), { event: 'waiting', archives: 1 });
  busy.child.kill('SIGKILL');
  await busy.ended;
  await until(() => listFiles(out).some((file) => file.includes(`-${child.pid}-`)), 'it makes the archive itself');
  child.kill('SIGINT');
  assert.equal((await ended).status, 130);
});

test('what a run on another machine has begun, and writes to no more, is made here after a minute', {
  skip: process.env['CI_LONG'] !== '1' && 'NOT TRIED: takes a minute, CI_LONG=1 runs it',
}, async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const archive = await makeArchive(folder, { pair: 'AAAUSDT', depth: 200 });
  const begun = path.join(
    out,
    '0200/AAAUSDT/.2025-01-15_AAAUSDT_ob200_1m.csv.otherhost-0123abcd-77-123456.run1.0.0.part',
  );
  fs.mkdirSync(path.dirname(begun), { recursive: true });
  fs.writeFileSync(begun, 'half');
  const { status, stdout } = await complete([archive, '--output-dir', out], { timeout: 200_000 });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /Another run works on this folder \(process 77 on otherhost\)/);
  assert.match(stdout, /Waiting for 1 archive/);
  assert.match(stdout, / DONE +AAAUSDT /);
  assert.deepEqual(listStaged(out), [begun], 'it may live');
});

test('runs of several output folders do not take each other’s files in a shared --temp-dir for their own', async (t) => {
  const temp = tempDir(t);
  const folder = tempDir(t);
  const endless = await makeEndless(folder);
  const args = [endless, ...ENDLESS_OPTIONS, '--temp-dir', temp];
  const outs = [tempDir(t), tempDir(t)];
  const runs = outs.map((out) => start([...args, '--output-dir', out]));
  await until(() => runs.every((run) => stagedBy(temp, run).length > 0), 'both make their own');
  for (const { child, ended } of runs) {
    child.kill('SIGINT');
    assert.doesNotMatch((await ended).stdout, /Another run/);
  }
});
