/** Archives anywhere below the source folder, and markets kept apart: SPEC of inputs and outputs, with real runs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CLI, finished } from '../support/cli.js';
import { readOutputs, tempDir } from '../support/files.js';
import { complete, makeArchive, readRecords } from '../support/runs.js';
import { unprivileged } from '../support/unprivileged.js';

const DAY = '2025-01-15';
const nameOf = (pair: string, depth: number) => `${DAY}_${pair}_ob${depth}.data.zip`;

/** Moves made archives to where a layout has them. */
async function layOut(sourceDir: string, places: Record<string, [pair: string, depth: number, seed?: number]>) {
  for (const [folder, [pair, depth, seed = 1]] of Object.entries(places)) {
    const archive = await makeArchive(path.join(sourceDir, '.made'), { pair, depth, market: { seed } });
    fs.mkdirSync(path.join(sourceDir, folder), { recursive: true });
    fs.renameSync(archive, path.join(sourceDir, folder, path.basename(archive)));
  }
}

const LAYOUTS: [what: string, folder: string, out: string][] = [
  ['the scripts’ DEPTH/PAIR', '0200/AAAUSDT', '0200/AAAUSDT'],
  ['three digits of depth', '200/AAAUSDT', '0200/AAAUSDT'],
  ['a flat folder', '.', '0200/AAAUSDT'],
  ['MARKET/DEPTH/PAIR', 'linear/0200/AAAUSDT', 'linear/0200/AAAUSDT'],
  ['Bybit’s own MARKET/PAIR', 'spot/AAAUSDT', 'spot/0200/AAAUSDT'],
  ['deep below other folders', 'disk 1/bybit/inverse/2025/01', 'inverse/0200/AAAUSDT'],
];

for (const [what, folder, outFolder] of LAYOUTS) {
  test(`archives are found in ${what}`, async (t) => {
    const [sourceDir, out] = [tempDir(t), tempDir(t)];
    await layOut(sourceDir, { [folder]: ['AAAUSDT', 200] });
    const args = ['--source-dir', sourceDir, '--output-dir', out];
    const { status, stdout } = await complete(args);
    assert.equal(status, 0, stdout);
    assert.deepEqual([...readOutputs(out).keys()], [`${outFolder}/${DAY}_AAAUSDT_ob200_1m.csv`]);
    assert.match((await complete(args)).stdout, /Skipped \(already exist\): 1\n/);
    assert.equal((await complete(['verify', '--output-dir', out])).status, 0);
  });
}

test('linear, inverse and spot archives of one pair and day do not take each other’s outputs', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const markets = ['linear', 'inverse', 'spot'];
  await layOut(sourceDir, {
    'linear/0200/AAAUSDT': ['AAAUSDT', 200, 1],
    'inverse/0200/AAAUSDT': ['AAAUSDT', 200, 2],
    'spot/AAAUSDT': ['AAAUSDT', 200, 3],
  });
  const args = ['--source-dir', sourceDir, '--output-dir', out];
  const first = await complete([...args, '--metrics', '--format', 'csv,parquet']);
  assert.equal(first.status, 0, first.stdout);
  const outputs = readOutputs(out);
  assert.equal(outputs.size, 12);
  const books = markets.map((market) => outputs.get(`${market}/0200/AAAUSDT/${DAY}_AAAUSDT_ob200_1m.csv`));
  assert.equal(new Set(books).size, 3, 'three markets, three books');
  assert.deepEqual(
    readRecords(out)
      .map((record) => (record?.['outputs'] as { path: string }[] | undefined)?.[0]?.path.split('/')[0])
      .sort(),
    [...markets].sort(),
  );
  // The texts are made in the form of contract archives, which the folder spot contradicts.
  assert.match(first.stdout, /spot/);

  const status = await complete(['status', ...args]);
  for (const market of markets) assert.match(status.stdout, new RegExp(`^${market} +AAAUSDT ob200 1m csv `, 'm'));
  const one = await complete(['status', ...args, '--market', 'spot']);
  assert.doesNotMatch(one.stdout, /^linear/m);

  const inFolder = { cwd: tempDir(t) };
  const join = (more: string[]) =>
    complete(['join', '--symbols', 'AAAUSDT', '--format', 'csv', '--output-dir', out, ...more], inFolder);
  const vague = await join([]);
  assert.equal(vague.status, 2);
  assert.match(vague.stderr, /--market/);
  assert.equal((await join(['--market', 'inverse'])).status, 0);
  const chosen = await complete([...args, '--market', 'linear', '--overwrite']);
  assert.match(chosen.stdout, /Total files: 1\n/);
});

test('spot archives that take the outputs of linear ones, with no folder that tells them apart, are noted', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const folders = { linear: path.join(sourceDir, 'linear'), spot: path.join(sourceDir, 'spot') };
  for (const [index, date] of ['2025-09-01', '2025-09-02'].entries()) {
    for (const [market, folder] of Object.entries(folders)) {
      const style = market === 'spot' ? 'spot' : 'contract';
      // The second day is there for spot alone: it would lie beside the other.
      if (index === 0 || market === 'spot') {
        await makeArchive(folder, { pair: 'BTCUSDT', date, depth: 200, market: { style, seed: index } });
      }
    }
  }
  const convert = async (folder: string, outputDir = out, ...more: string[]) => {
    const args = ['--source-dir', folder, '--output-dir', outputDir, ...more];
    const { status, stdout, stderr } = await complete(args);
    assert.equal(status, 0, stdout);
    return stderr;
  };
  // The source folder itself is not on the way from it.
  assert.equal(await convert(folders.linear), '');
  const note = /^Note: outputs of BTCUSDT are, or were, of spot archives as well as of contract archives/;
  assert.match(await convert(folders.spot, out, '--from', '2025-09-02'), note, 'beside it');
  assert.match(await convert(folders.spot), note, 'in its place');
  assert.equal(await convert(folders.spot), '', 'all of one market now');
  assert.equal(await convert(sourceDir, tempDir(t)), '', 'the folders tell');
});

test('folders are followed once: links to folders above, and two ways to one folder, give each archive once', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await layOut(sourceDir, { 'a/0200/AAAUSDT': ['AAAUSDT', 200] });
  fs.symlinkSync('..', path.join(sourceDir, 'a', 'above'));
  fs.symlinkSync('a', path.join(sourceDir, 'b'));
  const { status, stdout } = await complete(['--source-dir', sourceDir, '--output-dir', out]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /Total files: 1\n/);
});

test('a copy of an archive at another place is skipped, and the line says which stands for it', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await layOut(sourceDir, { old: ['AAAUSDT', 200], new: ['AAAUSDT', 200] });
  const { status, stdout } = await complete(['--source-dir', sourceDir, '--output-dir', out]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /SKIPPED .*200 comes from .*ob200\.data\.zip/);
});

/** Regression of the attack "a folder that cannot be looked at is left out without a word". */
test('a folder that cannot be searched is an error, and the others are converted', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await layOut(sourceDir, { '0200/AAAUSDT': ['AAAUSDT', 200], '0200/BBBUSDT': ['BBBUSDT', 200] });
  fs.symlinkSync('loop', path.join(sourceDir, 'loop'));
  fs.symlinkSync('/nowhere/unmounted', path.join(sourceDir, '0500'));
  const user = unprivileged(t);
  if (!user) return;
  fs.chmodSync(path.join(sourceDir, '0200/BBBUSDT'), 0o000);
  // So that it can be removed, by whoever runs this.
  const open = () => fs.chmodSync(path.join(sourceDir, '0200/BBBUSDT'), 0o755);
  for (const dir of [sourceDir, path.join(sourceDir, '0200'), out]) fs.chmodSync(dir, 0o777);
  const { status, stdout } = await complete(['--source-dir', sourceDir, '--output-dir', out], user);
  open();
  assert.equal(status, 1, stdout);
  assert.match(stdout, /DONE +AAAUSDT/);
  assert.match(stdout, /ERROR .*BBBUSDT.*permission denied/i);
  assert.match(stdout, /ERROR .*loop.*ELOOP/);
  assert.match(stdout, /ERROR .*0500.*not there/);
});

test('what is passed over is counted, and the first few are named', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await layOut(sourceDir, { '0200/AAAUSDT': ['AAAUSDT', 200] });
  for (const name of ['notes.txt', 'README', `${nameOf('AAAUSDT', 200)}.crdownload`]) {
    fs.writeFileSync(path.join(sourceDir, '0200', name), 'x');
  }
  fs.mkdirSync(path.join(sourceDir, '.hidden'));
  fs.writeFileSync(path.join(sourceDir, '.hidden', nameOf('BBBUSDT', 200)), 'x');
  const { status, stdout, stderr } = await complete(['--source-dir', sourceDir, '--output-dir', out]);
  assert.equal(status, 0);
  assert.match(stdout, /Total files: 1\n/);
  assert.match(stderr, /^Note: passed over 3 files [\s\S]*README/);
});

/** Runs a command line of the shell, in which `\\351` and the like are bytes that are not UTF-8. */
async function runBytes(cwd: string, line: string) {
  const child = spawn('sh', ['-c', line.replaceAll('bookgrid', `'${process.execPath}' '${CLI}'`)], { cwd });
  return finished(child);
}

test('a name that is not UTF-8 is an ERROR that says what to do, and the others are converted', async (t) => {
  const folder = tempDir(t);
  await makeArchive(path.join(folder, 'source'), { pair: 'AAAUSDT', depth: 200 });
  const archive = `0200/AAAUSDT/${nameOf('AAAUSDT', 200)}`;
  const place = (name: string) => {
    const bytes = Buffer.concat([Buffer.from(`${folder}/source/`), Buffer.from(name, 'latin1')]);
    fs.mkdirSync(bytes.subarray(0, bytes.lastIndexOf('/')), { recursive: true });
    try {
      fs.copyFileSync(path.join(folder, 'source', archive), bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EILSEQ') return false;
      throw error;
    }
    return true;
  };
  const isPlaced = [`A\xe9/${nameOf('BBBUSDT', 200)}`, `0200/AAAUSDT/${DAY}_\xff\xfe_ob200.data.zip`, 'n\xe9.txt'].map(
    place,
  );
  if (isPlaced.includes(false)) return t.skip('NOT CHECKED: names that are not UTF-8, since this file system has none');

  const { status, stdout, stderr } = await runBytes(folder, 'bookgrid --source-dir source --output-dir out');
  assert.equal(status, 1, stdout);
  assert.match(stdout, /ERROR +\? +A\ufffd +→ its name is not UTF-8: give it another one\n/);
  assert.match(
    stdout,
    /ERROR +\? +0200\/AAAUSDT\/2025-01-15_\ufffd\ufffd_ob200\.data\.zip +→ its name is not UTF-8: give it another one\n/,
  );
  assert.match(stdout, /DONE +AAAUSDT/);
  assert.match(stderr, /^Note: passed over 1 file .* such as source\/n\ufffd\.txt\n$/);

  const bad = `"$(printf 'source/0200/AAAUSDT/${DAY}_\\377\\376_ob200.data.zip')"`;
  const given = await runBytes(folder, `bookgrid ${bad} source/${archive} --output-dir given`);
  assert.equal(given.status, 1, given.stderr);
  assert.match(
    given.stdout,
    /ERROR +\? +2025-01-15_\ufffd\ufffd_ob200\.data\.zip +→ its name is not UTF-8: give it another one\n/,
  );
  assert.match(given.stdout, /DONE +AAAUSDT/);

  const before = fs.readdirSync(folder);
  const into = await runBytes(folder, `bookgrid --source-dir source --output-dir "$(printf 'out\\351')"`);
  assert.equal(into.status, 2);
  assert.match(
    into.stderr,
    /--output-dir.* is invalid\. Expected another folder: its name is not UTF-8: give it another one\./,
  );
  assert.deepEqual(fs.readdirSync(folder), before, 'no folder of another name is made');
});
