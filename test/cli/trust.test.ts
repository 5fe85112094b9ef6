/** A data set that stays trustworthy: nothing of another meaning gets in without a word, and everything can be verified. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { readOutputs, tempDir } from '../support/files.js';
import { assertSameOutputs, complete, listFiles, makeArchive, start } from '../support/runs.js';
import { unprivileged } from '../support/unprivileged.js';

const DAYS = ['2025-01-14', '2025-01-15', '2025-01-16'];

/** A folder of archives, and how to run a command on it and an output folder. */
async function makeDataSet(t: TestContext, days = DAYS) {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  for (const date of days) await makeArchive(sourceDir, { pair: 'AAAUSDT', date, depth: 200 });
  const run = async (more: string[], expectedStatus = 0) => {
    const args = [...more, '--source-dir', sourceDir, '--output-dir', out, '--workers', '1'];
    const { status, stdout, stderr } = await complete(args);
    assert.equal(status, expectedStatus, `${stdout}${stderr}`);
    return { stdout, stderr };
  };
  const verify = async (more: string[] = [], expectedStatus = 0) => {
    const { status, stdout, stderr } = await complete(['verify', '--output-dir', out, ...more]);
    assert.deepEqual({ status, stderr }, { status: expectedStatus, stderr: '' }, stdout);
    return stdout;
  };
  return { sourceDir, out, run, verify };
}

const fileOf = (out: string, date: string) => path.join(out, `0200/AAAUSDT/${date}_AAAUSDT_ob200_1m.csv`);

test('a forgotten option stops the run before it converts, and says what to add', async (t) => {
  const { out, sourceDir, run } = await makeDataSet(t);
  await run(['--quality']);
  const before = readOutputs(out);
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: '2025-01-17', depth: 200 });
  const { stderr } = await run([], 2);
  assert.match(stderr, /^bookgrid: Nothing was converted: 3 outputs here were made in another way/);
  assert.match(stderr, /\n {2}3 made with --quality, and not without --quality, such as \S+_ob200_1m\.csv\n/);
  assert.match(stderr, /go on as before: with --quality\n/);
  assertSameOutputs(readOutputs(out), before);

  // Also when the archives that they were made of are gone, and only the new day is there.
  for (const date of DAYS) fs.rmSync(path.join(sourceDir, `0200/AAAUSDT/${date}_AAAUSDT_ob200.data.zip`));
  assert.match((await run([], 2)).stderr, /3 made with --quality/);
  assertSameOutputs(readOutputs(out), before);

  const kept = await run(['--on-stale', 'keep']);
  assert.match(kept.stdout, /Successfully processed: 1\n/);
  for (const [name, text] of before) assert.equal(readOutputs(out).get(name), text);
  fs.rmSync(fileOf(out, '2025-01-17'));
  assert.match((await run(['--quality'])).stdout, /Successfully processed: 1\n/);
});

test('--on-stale keep and remake do what they say', async (t) => {
  const { out, run } = await makeDataSet(t);
  await run(['--quality']);
  const before = readOutputs(out);
  const kept = await run(['--on-stale', 'keep']);
  assert.match(kept.stdout, /SKIPPED .*\[200\] \(200: kept, made with quality true → false\)\n/);
  assertSameOutputs(readOutputs(out), before);
  const remade = await run(['--on-stale', 'remake']);
  assert.match(remade.stdout, /\(was stale: quality true → false\)\n/);
  for (const text of readOutputs(out).values()) assert.match(text, /^timestamp,bid_price_1/);
});

test('--on-stale keep does not keep what was cut short, nor what is of an archive that has changed', async (t) => {
  const { out, sourceDir, run, verify } = await makeDataSet(t);
  await run(['--quality']);
  const [cut, changed, whole] = DAYS.map((date) => fileOf(out, date)) as [string, string, string];
  const before = fs.readFileSync(whole, 'utf8');
  fs.truncateSync(cut, 100);
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: DAYS[1] ?? '', depth: 200, market: { seed: 9 } });
  const { stdout } = await run(['--on-stale', 'keep']);
  assert.match(stdout, /Successfully processed: 2\nSkipped \(already exist\): 1\n/);
  assert.match(stdout, /2025-01-14\S+ .*\(was stale: it has 100 bytes, and \d+ were written; quality true → false\)\n/);
  assert.match(stdout, /2025-01-15\S+ .*\(was stale: the archive has changed; quality true → false\)\n/);
  for (const file of [cut, changed]) assert.match(fs.readFileSync(file, 'utf8'), /^timestamp,bid_price_1/);
  assert.equal(fs.readFileSync(whole, 'utf8'), before);
  await verify();
});

test('outputs of the Python scripts are not extended by rows that mean something else, nor the reverse', async (t) => {
  const { out, sourceDir, run } = await makeDataSet(t);
  await run(['--compat', 'python']);
  fs.rmSync(path.join(out, 'conversions.jsonl')); // as if the scripts had made them
  const before = readOutputs(out);
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: '2025-01-17', depth: 200 });
  const { stderr } = await run([], 2);
  assert.match(stderr, /3 made by the Python scripts, by their labels: .*it looks ahead, such as \S+2025-01-14/);
  assert.match(stderr, /another output folder[\s\S]*--on-stale remake[\s\S]*--on-stale keep/);
  assertSameOutputs(readOutputs(out), before);
  assert.match((await run(['--compat', 'python'])).stdout, /Successfully processed: 1\nSkipped \(already exist\): 3\n/);

  const asOf = await makeDataSet(t);
  await asOf.run([]);
  fs.rmSync(path.join(asOf.out, 'conversions.jsonl'));
  assert.match((await asOf.run(['--compat', 'python'], 2)).stderr, /3 made as of their labels, without look-ahead/);
  assert.match((await asOf.run([])).stdout, /Skipped \(already exist\): 3\n/);
});

test('a dry run is refused as the run is, and shows the plan when told what to do', async (t) => {
  const { run } = await makeDataSet(t);
  await run(['--quality']);
  assert.match((await run(['--dry-run'], 2)).stderr, /3 made with --quality/);
  assert.match((await run(['--dry-run', '--on-stale', 'remake'])).stdout, /\(stale: quality true → false\)/);
});

test('verify: all as written, then damaged, missing and foreign ones are named, and convert puts it right', async (t) => {
  const { out, run, verify } = await makeDataSet(t);
  await run([]);
  const before = readOutputs(out);
  assert.match(await verify(), /^Outputs as they were written: 3\nDamaged: 0\nMissing: 0\nForeign: 0\nAll is/);

  const [edited, truncated, missing] = DAYS.map((date) => fileOf(out, date)) as [string, string, string];
  const { atime, mtime } = fs.statSync(edited);
  const bytes = fs.readFileSync(edited);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 10) ^ 1, bytes.length - 10);
  fs.writeFileSync(edited, bytes);
  fs.truncateSync(truncated, 100);
  fs.rmSync(missing);
  fs.copyFileSync(truncated, fileOf(out, '2024-12-31'));
  const text = await verify([], 1);
  assert.match(text, new RegExp(`DAMAGED  ${edited}: its content is not what was written\n`));
  assert.match(text, new RegExp(`DAMAGED  ${truncated}: it has 100 bytes, and \\d+ were written\n`));
  assert.match(text, new RegExp(`MISSING  ${missing}\n`));
  assert.match(text, /FOREIGN {2}\S+2024-12-31_AAAUSDT_ob200_1m\.csv\n/);
  assert.match(text, /written: 0\nDamaged: 2\nMissing: 1\nForeign: 1\nNot all is as it was written/);
  const events = (await verify(['--json', '--symbols', 'AAAUSDT', '--from', DAYS[0] ?? ''], 1)).trimEnd().split('\n');
  assert.deepEqual(JSON.parse(events.at(-1) ?? ''), {
    ...{ event: 'verified', isWell: false, total: 3, ok: 0, unsure: 0, damaged: 2, unread: 0, foreign: 0, missing: 1 },
  });

  fs.rmSync(fileOf(out, '2024-12-31'));
  const { stdout } = await run([]);
  assert.match(stdout, /was stale: its content is not what was written/);
  assert.match(stdout, /Successfully processed: 3\n/);
  assertSameOutputs(readOutputs(out), before);
  await verify();

  // An edit that gives the file its old time back is seen by verify, which reads everything.
  fs.writeFileSync(edited, bytes);
  fs.utimesSync(edited, atime, mtime);
  assert.match(await verify([], 1), /its content is not what was written/);
});

test('a copy with other times is known by its content, and nothing is made again', async (t) => {
  const { sourceDir, out, run } = await makeDataSet(t);
  await run([]);
  for (const file of Object.values(DAYS).map((date) => fileOf(out, date))) fs.utimesSync(file, 1, 1);
  assert.match((await run([])).stdout, /Skipped \(already exist\): 3\n/);
  assert.equal(fs.readdirSync(path.join(sourceDir, '0200/AAAUSDT')).length, 3);
});

test('--checksums writes what sha256sum -c reads', {
  skip: spawnSync('sha256sum', ['--version']).status !== 0 && 'NOT CHECKED: sha256sum is not here',
}, async (t) => {
  const { out, run, verify } = await makeDataSet(t);
  await run(['--format', 'csv,parquet', '--metrics']);
  await verify(['--checksums', path.join(out, 'SHA256SUMS')]);
  const check = () => spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' });
  assert.equal(check().status, 0, check().stderr);
  assert.equal(check().stdout.trimEnd().split('\n').length, 12);
  fs.appendFileSync(fileOf(out, '2025-01-15'), 'x');
  assert.equal(check().status, 1);
});

test('verify: wrong usage and nothing to verify', async (t) => {
  const none = await complete(['verify', '--output-dir', tempDir(t)]);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /^bookgrid: No output found below .* --output-dir or BOOKGRID_OUTPUT_DIR\.\n$/);
  assert.equal((await complete(['verify', '--output-dir', path.join(tempDir(t), 'no')])).status, 2);
  assert.match((await complete(['verify', '--help'])).stdout, /DAMAGED[\s\S]*sha256sum -c/);
});

/** Regression of the attack "stopped between rename and record": whole outputs were left that no record knew. */
test('at whatever moment a run is ended, each output that is there is known to its record', async (t) => {
  const sourceDir = tempDir(t);
  for (let archive = 0; archive < 60; archive++) {
    await makeArchive(sourceDir, { pair: `P${archive}USDT`, depth: 200, market: { durationMs: 5000 } });
  }
  const runs = process.env['CI_LONG'] === '1' ? 60 : 9;
  let killed = 0;
  for (let run = 0; run < runs; run++) {
    const out = tempDir(t);
    const args = ['--source-dir', sourceDir, '--output-dir', out, '--workers', `${1 + (run % 2)}`];
    const { child, ended } = start(args);
    await setTimeout(150 + (run * 400) / runs);
    child.kill((['SIGINT', 'SIGTERM', 'SIGKILL'] as const)[run % 3]);
    await ended;
    const outputs = listFiles(out).filter((file) => file.endsWith('.csv') && !path.basename(file).startsWith('.'));
    if (outputs.length > 0 && outputs.length < 60) killed++;
    if (outputs.length === 0) continue;
    const { status, stdout } = await complete(['verify', '--output-dir', out, '--json']);
    const states = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    assert.ok(status === 0 || states.every(({ state }) => [undefined, 'ok', 'missing'].includes(state)), stdout);
    assert.equal(states.filter(({ state }) => state === 'ok').length, outputs.length);
  }
  t.diagnostic(`${killed} of ${runs} runs were ended between their first and their last output`);
});

/** Regression of the attack "hangs that only kill -9 ends". */
test('a pipe as conversions.jsonl, and a folder that cannot be made, are errors at once', {
  skip: spawnSync('mkfifo', ['--version']).error !== undefined && 'NOT CHECKED: mkfifo(1) is not here',
}, async (t) => {
  const { out, run } = await makeDataSet(t, DAYS.slice(0, 1));
  spawnSync('mkfifo', [path.join(out, 'conversions.jsonl')]);
  assert.match((await run([], 2)).stderr, /not a regular file/);
  if (!fs.existsSync('/proc/self')) return;
  const archive = await makeArchive(tempDir(t), { pair: 'BBBUSDT' });
  const { status, stderr } = await complete([archive, '--output-dir', '/proc/no/such']);
  assert.equal(status, 2);
  assert.match(stderr, /Cannot write to the output folder \/proc\/no\/such: ENOENT/);
});

/** Regression of the attack "a hostile record line". */
test('records that can no longer be read when a run has ended take nothing from its summary', async (t) => {
  const { sourceDir, out } = await makeDataSet(t);
  const records = path.join(out, 'conversions.jsonl');
  // The folder of unfinished outputs is made after the records were read, where they would be written.
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--temp-dir', records];
  const { status, stdout, stderr } = await complete(args);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /Errors: 3\n/);
  assert.match(
    stderr,
    /^Note: what other runs have made meanwhile could not be looked at: it is a folder, as in S3: put its files into one, .*\n$/,
  );
});

test('a hostile record line crashes neither convert nor status', async (t) => {
  const { out, run } = await makeDataSet(t, DAYS.slice(0, 1));
  await run([]);
  const file = path.join(out, 'conversions.jsonl');
  const [line = ''] = fs.readFileSync(file, 'utf8').split('\n');
  fs.appendFileSync(file, `${line.replace('"interval":"1m"', '"interval":{"toString":1}')}\n`);
  await run([]);
  await run(['--dry-run']);
  const { status } = await complete(['status', '--output-dir', out, '--source-dir', out]);
  assert.equal(status, 0);
});

test('an output that cannot be read is made again when a record tells of it, and is named when none does', async (t) => {
  const user = unprivileged(t);
  if (!user) return;
  const { sourceDir, out } = await makeDataSet(t);
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--workers', '1'];
  for (const folder of [sourceDir, out]) fs.chmodSync(folder, 0o777);
  assert.equal((await complete(args, user)).status, 0);
  const [first = ''] = DAYS;
  const [file, records] = [fileOf(out, first), path.join(out, 'conversions.jsonl')];
  const before = readOutputs(out);
  const later = new Date(Date.now() - 3_600_000);

  // Of another time than its record's, so that its content has to tell.
  fs.utimesSync(file, later, later);
  fs.chmodSync(file, 0);
  const again = await complete(args, user);
  assert.equal(again.status, 0, again.stdout + again.stderr);
  assert.match(again.stdout, new RegExp(`DONE .*${first}.*\\(was stale: it cannot be read \\(EACCES`));
  assert.match(again.stdout, /Successfully processed: 1\nSkipped \(already exist\): 2\n/);
  assertSameOutputs(readOutputs(out), before);

  fs.chmodSync(file, 0);
  fs.renameSync(records, `${records}.away`);
  const { status, stderr } = await complete(args, user);
  assert.equal(status, 2);
  assert.match(stderr, new RegExp(`^bookgrid: Cannot read ${file}: EACCES.*\nNo record tells how it was made`));
});

test('a folder of outputs that cannot be read is named: what lies there may be of another meaning', async (t) => {
  const user = unprivileged(t);
  if (!user) return;
  const { sourceDir, out } = await makeDataSet(t);
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--workers', '1'];
  for (const folder of [sourceDir, out]) fs.chmodSync(folder, 0o777);
  assert.equal((await complete(args, user)).status, 0);
  const folder = path.dirname(fileOf(out, ''));
  fs.chmodSync(folder, 0o300);
  const { stderr } = await complete([...args, '--dry-run'], user);
  fs.chmodSync(folder, 0o755);
  assert.match(stderr, new RegExp(`^Note: Cannot read the folder ${folder}: EACCES`));
  assert.equal((await complete([...args, '--dry-run'], user)).stderr, '');
});
