import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { readOutputs, tempDir } from '../support/files.js';
import { archiveName, DAY } from '../support/messages.js';
import {
  assertSameOutputs,
  complete,
  listStaged,
  makeArchive,
  makeLargeSource,
  start,
  until,
} from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-resume-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));

const OUT200 = `0200/AAAUSDT/${DAY}_AAAUSDT_ob200_1m.csv`;
const OUT500 = `0500/AAAUSDT/${DAY}_AAAUSDT_ob500_1m.csv`;

/** One archive of 500 levels, converted once into a new folder. */
async function converted(t: TestContext, args: string[] = []) {
  const [sourceDir, out] = [path.join(tempDir(t), 'source'), tempDir(t)];
  const archive = await makeArchive(sourceDir, { pair: 'AAAUSDT' });
  const base = ['--source-dir', sourceDir, '--output-dir', out, '--workers', '1'];
  /** The line of the archive, or lines of a dry run. */
  const again = async (more: string[], expectedStatus = 0) => {
    const { status, stdout, stderr } = await complete([...base, ...more]);
    assert.deepEqual({ status, stderr }, { status: expectedStatus, stderr: '' }, stdout);
    return (stdout.split('\n\n')[1] ?? stdout).replace(/ {2,}/g, ' ').trimEnd();
  };
  assert.match(await again(args), /DONE .* ✓$/);
  return { sourceDir, out, archive, again, base };
}

const DONE = `[1/1] DONE AAAUSDT ${archiveName({ pair: 'AAAUSDT' })} [200,500] → 3 snapshots ✓`;
const SKIPPED = `[1/1] SKIPPED AAAUSDT ${archiveName({ pair: 'AAAUSDT' })} [200,500]`;

test('what is up to date is skipped: again, moved, under options that do not shape it', async (t) => {
  const { sourceDir, out, again } = await converted(t);
  assert.equal(await again([]), SKIPPED);
  assert.equal(
    await again(['--inflate', 'node', '--metrics-only', '--dry-run']).then((text) => text.includes('CONVERT')),
    true,
  );
  assert.equal(await again(['--on-bad-line', 'skip', '--inflate', 'node']), SKIPPED);
  const [movedSource, movedOut] = [path.join(tempDir(t), 's'), path.join(tempDir(t), 'o')];
  fs.renameSync(sourceDir, movedSource);
  fs.renameSync(out, movedOut);
  assert.equal(await again(['--source-dir', movedSource, '--output-dir', movedOut]), SKIPPED);
});

test('an archive that has changed is converted again, and then it is up to date', async (t) => {
  const { out, sourceDir, archive, again } = await converted(t);
  const before = readOutputs(out);
  fs.utimesSync(archive, 1_700_000_000, 1_700_000_000);
  assert.equal(await again([]), `${DONE} (was stale: the archive has changed)`);
  assertSameOutputs(readOutputs(out), before);
  assert.equal(await again([]), SKIPPED);

  await makeArchive(sourceDir, { pair: 'AAAUSDT', market: { seed: 99 } });
  fs.utimesSync(archive, 1_700_000_000, 1_700_000_000);
  assert.equal(await again([]), `${DONE} (was stale: the archive has changed)`);
  assert.notDeepEqual(readOutputs(out), before);
  assert.equal(await again([]), SKIPPED);
});

test('--on-stale remake: a changed option makes stale what it shapes, and that is made again', async (t) => {
  const { out, again: run, sourceDir } = await converted(t);
  const again = (more: string[]) => run([...more, '--on-stale', 'remake']);
  const filled = readOutputs(out);
  const dryRun = await again(['--on-gap', 'skip', '--dry-run']);
  assert.equal(
    dryRun.slice(0, dryRun.indexOf('\nEstimate: 2 outputs of together ')),
    [
      `[1] CONVERT ${path.join(sourceDir, '0500/AAAUSDT', archiveName({ pair: 'AAAUSDT' }))} →`,
      ` ${path.join(out, OUT200)} (stale: onGap fill → skip)`,
      ` ${path.join(out, OUT500)} (stale: onGap fill → skip)`,
      'Dry run: 1 archives, 1 to convert, 0 to skip, 0 unusable',
    ].join('\n'),
  );
  assert.equal(await again(['--on-gap', 'skip']), `${DONE} (was stale: onGap fill → skip)`);
  assert.equal(await again(['--on-gap', 'skip']), SKIPPED);
  const stamped = await again(['--include-formatted-timestamp', '--depths', '500']);
  assert.match(stamped, /\[500\] → 3 snapshots ✓ \(was stale: onGap skip → fill, formattedTimestamp false → true\)$/);
  assert.match(readOutputs(out).get(OUT500) ?? '', /^timestamp_formatted,/);
  assert.equal(await again([]), `${DONE} (was stale: 200: onGap skip → fill; 500: formattedTimestamp true → false)`);
  assertSameOutputs(readOutputs(out), filled);
  fs.rmSync(path.join(out, OUT500));
  assert.equal(await again(['--on-gap', 'skip']), `${DONE} (was stale: 200: onGap fill → skip)`);
});

test('--json tells why an output was made again', async (t) => {
  const { again } = await converted(t);
  const events = (await again(['--on-gap', 'skip', '--on-stale', 'remake', '--json']))
    .split('\n')
    .map((line) => JSON.parse(line));
  const { outputs } = events.find(({ event }) => event === 'archive');
  assert.deepEqual(
    outputs.map(({ stale }: { stale: string }) => stale),
    ['onGap fill → skip', 'onGap fill → skip'],
  );
});

test('an output that is not what was written is made again, and the line says so', async (t) => {
  const { out, again } = await converted(t);
  const before = readOutputs(out);
  fs.truncateSync(path.join(out, OUT200), 100);
  const bytes = before.get(OUT200)?.length;
  const reason = `it has 100 bytes, and ${bytes} were written`;
  assert.match(await again(['--dry-run']), new RegExp(`_ob200_1m.csv \\(stale: ${reason}\\)`));
  assert.equal(await again([]), `${DONE.replace('200,500', '200')} (was stale: ${reason})`);
  assertSameOutputs(readOutputs(out), before);
  assert.equal(await again([]), SKIPPED);
});

test('outputs without a record are taken as done, and a dry run names them', async (t) => {
  const { out, again } = await converted(t);
  fs.rmSync(path.join(out, 'conversions.jsonl'));
  assert.equal(await again([]), SKIPPED);
  const all = await again(['--dry-run']);
  assert.match(all, /^\[1\] SKIP \S+ \[200,500\]: exists \(200,500: no record of them, taken as done\)\n/);

  fs.rmSync(path.join(out, OUT500));
  const one = await again(['--dry-run']);
  assert.match(one, /^\[1\] CONVERT \S+ →\n \S+_ob500_1m\.csv \(200: no record of it, taken as done\)\n/);
  await again([]);
  assert.match(await again(['--dry-run']), /: exists \(200: no record of it, taken as done\)\n/);
  await again(['--overwrite']);
  assert.match(await again(['--dry-run']), /: exists\n/);
});

test('a failed conversion leaves the old output, stale until one succeeds', async (t) => {
  const { out, archive, again } = await converted(t);
  const [before, whole] = [readOutputs(out), fs.readFileSync(archive)];
  const { mtime } = fs.statSync(archive);
  fs.truncateSync(archive, 1000);
  for (let run = 0; run < 2; run++) assert.match(await again([], 1), /ERROR .* truncated/);
  assertSameOutputs(readOutputs(out), before);
  // The archive of the last success is back: its output has been up to date all along.
  fs.writeFileSync(archive, whole);
  fs.utimesSync(archive, mtime, mtime);
  assert.equal(await again([]), SKIPPED);
});

test('records are read past a cut-off line, garbage, and lines of another version', async (t) => {
  const { out, again } = await converted(t);
  const file = path.join(out, 'conversions.jsonl');
  const records = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, `garbage\n[]\n${records.replace('{', '{"novelty":{"deep":[1]},')}{"archive":"cut o`);
  assert.equal(await again([]), SKIPPED);
  assert.match(await again(['--on-gap', 'skip', '--on-stale', 'remake']), /was stale: onGap fill → skip/);
});

test('killed while it makes stale outputs again, a run is resumed by the same command', async (t) => {
  const [source, out] = [path.join(root, 'large'), tempDir(t)];
  await makeLargeSource(source, 12);
  const base = ['--source-dir', source, '--output-dir', out, '--workers', '2'];
  assert.equal((await complete(base)).status, 0);
  const changed = ['--include-formatted-timestamp', '--on-stale', 'remake'];
  const { child, ended, printed } = start([...base, ...changed]);
  await printed(/DONE/);
  await until(() => listStaged(out).length > 0 || child.exitCode !== null, 'it is in the middle of an output');
  child.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');

  const { status, stdout } = await complete([...base, ...changed]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /SKIPPED/);
  assert.match(stdout, /DONE .*was stale: formattedTimestamp false → true/);
  for (const [name, text] of readOutputs(out)) assert.match(text, /^timestamp_formatted,/, name);
  assert.match((await complete([...base, ...changed])).stdout, /Skipped \(already exist\): 12\n/);
});

/** Makes the records of an output folder those of version 0.1: no format version, no hash, options in one place. */
function asOfVersion01(out: string, options: Record<string, unknown>): void {
  const file = path.join(out, 'conversions.jsonl');
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  const older = lines.map((text) => {
    const record = JSON.parse(text);
    const outputs = record.outputs.map(({ kind, depth, format, path }: Record<string, unknown>) => {
      return { kind, depth, format, path };
    });
    return JSON.stringify({ ...record, outputs, options: { interval: '1m', onGap: 'fill', ...options } });
  });
  fs.writeFileSync(file, older.map((line) => `${line}\n`).join(''));
}

test('of outputs of version 0.1, those whose columns have changed are made again, and no others', async (t) => {
  const all = ['--metrics', '--format', 'csv,csv.gz,parquet'];
  const plain = await converted(t, all);
  asOfVersion01(plain.out, { formattedTimestamp: false });
  const before = readOutputs(plain.out);
  const dryRun = await plain.again([...all, '--dry-run']);
  assert.equal(dryRun.match(/_ob\d+_1m\.parquet \(stale: format version 1 → 2\)/g)?.length, 2, dryRun);
  assert.equal(dryRun.match(/USDT_1m\.csv(\.gz)? \(stale: format version 1 → 2\)/g)?.length, 2, dryRun);
  assert.equal(dryRun.match(/USDT_1m\.parquet \(stale: format version 1 → 3\)/g)?.length, 1, dryRun);
  assert.doesNotMatch(dryRun, /_ob\d+_1m\.csv/);
  assert.equal(await plain.again(['--format', 'csv,csv.gz']), SKIPPED);
  assert.match(
    await plain.again(all),
    /was stale: 200,500,metrics: format version 1 → 2; metrics: format version 1 → 3\)$/,
  );
  assert.deepEqual(readOutputs(plain.out), before, 'the bytes are the same where the version is');
  assert.match(await plain.again(all), /SKIPPED/);
});

for (const [option, recorded, made] of [
  ['--quality', { quality: true }, ['0200/AAAUSDT', '0500/AAAUSDT', 'metrics/AAAUSDT']],
  ['--include-formatted-timestamp', { formattedTimestamp: true }, ['metrics/AAAUSDT']],
] as const) {
  test(`CSV of version 0.1 made with ${option} is made again where its columns have changed`, async (t) => {
    const { out, again } = await converted(t, ['--metrics', option]);
    asOfVersion01(out, recorded);
    const inodes = () =>
      fs
        .readdirSync(out, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.csv'))
        .map((name) => [path.dirname(name), fs.statSync(path.join(out, name)).ino] as const);
    const before = new Map(inodes());
    assert.match(await again(['--metrics', option]), /was stale: format version 1 → [23]\)$/);
    const changed = inodes().filter(([folder, inode]) => before.get(folder) !== inode);
    assert.deepEqual(changed.map(([folder]) => folder).sort(), made);
  });
}
