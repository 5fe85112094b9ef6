import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readTree, tempDir } from '../support/files.js';
import { complete, makeArchive } from '../support/runs.js';

async function status(args: string[], expected = { status: 0, stderr: '' }): Promise<string> {
  const { status, stdout, stderr } = await complete(['status', ...args]);
  assert.deepEqual({ status, stderr }, expected, stdout);
  return stdout;
}

/** A source and what was made of it: days of every kind. */
async function makeHoldings(t: TestContext): Promise<{ sourceDir: string; out: string; args: string[] }> {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const args = ['--source-dir', sourceDir, '--output-dir', out];
  for (const date of ['2025-01-30', '2025-01-31', '2025-02-01', '2025-02-04', '2025-02-05']) {
    await makeArchive(sourceDir, { pair: 'AAAUSDT', date });
  }
  // Half a minute without a message around a boundary each, and a message missed before the last two rows.
  const market = { gaps: [{ fromMs: 50_000, toMs: 121_000 }], breaksAtMs: [45_000] };
  await makeArchive(sourceDir, { pair: 'B-26SEP25', date: '2025-02-01', depth: 200, market });
  const cut = await makeArchive(sourceDir, { pair: 'B-26SEP25', date: '2025-02-02', depth: 200 });
  fs.truncateSync(cut, 1000);
  await complete([...args, '--workers', '2']);
  // Not converted yet.
  await makeArchive(sourceDir, { pair: 'AAAUSDT', date: '2025-02-08' });
  // Changed since.
  fs.utimesSync(path.join(sourceDir, '0500/AAAUSDT/2025-01-31_AAAUSDT_ob500.data.zip'), 1, 1);
  // Made by another program.
  const python = path.join(out, '0200/AAAUSDT/2025-02-07_AAAUSDT_ob200_1m.csv');
  fs.copyFileSync(path.join(out, '0200/AAAUSDT/2025-02-05_AAAUSDT_ob200_1m.csv'), python);
  return { sourceDir, out, args };
}

/** Of the failure, which was a moment ago. */
const TODAY = new Date().toISOString().slice(0, 10);

test('a table by symbol, kind and month: done, stale, missing, failed, to do, unrecorded, rows', async (t) => {
  const { sourceDir, out, args } = await makeHoldings(t);
  const before = [readTree(out), readTree(sourceDir)];
  assert.deepEqual((await status(args)).split('\n'), [
    'SYMBOL    KIND         MONTH   DONE STALE MISSING FAILED TO DO NO RECORD ROWS FILLED SUSPECT MISSING DAYS',
    'AAAUSDT   ob200 1m csv 2025-01    1     1       0      0     0         0    6      0       0',
    'AAAUSDT   ob200 1m csv 2025-02    4     0       4      0     1         1    9      0       0 02-03 06 08',
    'AAAUSDT   ob500 1m csv 2025-01    1     1       0      0     0         0    6      0       0',
    'AAAUSDT   ob500 1m csv 2025-02    3     0       5      0     1         0    9      0       0 02-03 06-08',
    'B-26SEP25 ob200 1m csv 2025-02    1     0       1      1     0         0    3      1       3 02',
    'TOTAL                            10     2      10      1     2         1   33      1       3',
    '',
    'Failed:',
    `  2025-02-02_B-26SEP25_ob200.data.zip: truncated: the zip's directory is missing (file cut short?) (since ${TODAY})`,
    '',
  ]);
  assert.deepEqual([readTree(out), readTree(sourceDir)], before, 'it changes nothing');
});

test('--json: one object a line', async (t) => {
  const { args } = await makeHoldings(t);
  const objects = (await status([...args, '--json']))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(objects.length, 7);
  assert.deepEqual(objects[1], {
    event: 'month',
    pair: 'AAAUSDT',
    kind: 'book',
    depth: 200,
    interval: '1m',
    format: 'csv',
    partition: 'none',
    month: '2025-02',
    done: 4,
    stale: 0,
    missing: 4,
    unpublished: 0,
    failed: 0,
    toDo: 1,
    unrecorded: 1,
    rows: 9,
    filledRows: 0,
    suspectRows: 0,
    missingDays: ['2025-02-02', '2025-02-03', '2025-02-06', '2025-02-08'],
  });
  const { since, ...failed } = objects[5];
  assert.deepEqual(failed, {
    event: 'failed',
    pair: 'B-26SEP25',
    date: '2025-02-02',
    fileName: '2025-02-02_B-26SEP25_ob200.data.zip',
    error: "truncated: the zip's directory is missing (file cut short?)",
  });
  assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000);
  assert.deepEqual(objects[6], {
    event: 'total',
    done: 10,
    stale: 2,
    missing: 10,
    unpublished: 0,
    failed: 1,
    toDo: 2,
    unrecorded: 1,
    rows: 33,
    filledRows: 1,
    suspectRows: 3,
  });
});

test('--symbols, --from and --to choose', async (t) => {
  const { args } = await makeHoldings(t);
  const chosen = await status([...args, '--symbols', 'AAAUSDT', '--from', '2025-01-31', '--to', '2025-02-03']);
  assert.deepEqual(chosen.split('\n').slice(1, -1), [
    'AAAUSDT ob200 1m csv 2025-01    0     1       0      0     0         0    3      0       0',
    'AAAUSDT ob200 1m csv 2025-02    1     0       2      0     0         0    3      0       0 02-03',
    'AAAUSDT ob500 1m csv 2025-01    0     1       0      0     0         0    3      0       0',
    'AAAUSDT ob500 1m csv 2025-02    1     0       2      0     0         0    3      0       0 02-03',
    'TOTAL                           2     2       4      0     0         0   12      0       0',
  ]);
  const unknown = await complete(['status', ...args, '--symbols', 'AAAUSDT,ZZZ']);
  assert.equal(unknown.stderr, 'Note: nothing is known of ZZZ.\n');
  const lower = await status([...args, '--symbols', 'b-26sep25']);
  assert.match(lower, /^B-26SEP25 ob200 1m csv 2025-02 /m);
  const none = await complete(['status', ...args, '--symbols', 'AAAUSD']);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /^bookgrid: Nothing found, .*\. There is something of AAAUSDT, B-26SEP25\.\n$/);
});

test('without archives: what is there is told, with a note', async (t) => {
  const { args, out } = await makeHoldings(t);
  const none = path.join(out, 'none');
  const text = await status(['--output-dir', out, '--source-dir', none], {
    status: 0,
    stderr: `Note: no such folder: ${none}; without --source-dir, changed archives and those to do are not seen\n`,
  });
  assert.match(text, /^AAAUSDT +ob200 1m csv 2025-02 +4 +0 +3 +0 +0 +1 .* 02-03 06$/m);
  assert.match(text, /^TOTAL +12 +0 +8 +1 +0 +1 /m);

  fs.rmSync(out, { recursive: true });
  assert.match(await status(args), /\nTOTAL +0 +0 +12 +0 +8 +0 +0 +0 +0\n/);
});

test('what a failed archive has, once it is put right and converted, is done', async (t) => {
  const { sourceDir, args } = await makeHoldings(t);
  await makeArchive(sourceDir, { pair: 'B-26SEP25', date: '2025-02-02', depth: 200 });
  await complete(args);
  assert.match(await status(args), /\nTOTAL +15 +0 +7 +0 +0 +1 /);
});

test('each kind of output is told apart: an extra run adds nothing to the rows of another, and what is deleted shows', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const args = ['--source-dir', sourceDir, '--output-dir', out];
  for (const date of ['2025-01-15', '2025-01-16']) await makeArchive(sourceDir, { pair: 'AAAUSDT', date });
  await complete([...args, '--depths', '500', '--metrics']);
  await complete([...args, '--depths', '5', '--interval', '30s', '--format', 'parquet']);
  fs.rmSync(path.join(out, '0500/AAAUSDT/2025-01-16_AAAUSDT_ob500_1m.csv'));
  assert.deepEqual((await status(args)).split('\n').slice(1, -1), [
    'AAAUSDT ob5 30s parquet 2025-01    2     0       0      0     0         0   10      0       0',
    'AAAUSDT ob500 1m csv    2025-01    1     0       1      0     1         0    3      0       0 16',
    'AAAUSDT metrics 1m csv  2025-01    2     0       0      0     0         0    6      0       0',
    'TOTAL                              5     0       1      0     1         0   19      0       0',
  ]);
});

test('a wrong date does not become a hundred thousand lines', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  for (const date of ['0001-01-02', '2025-01-15', '9999-12-30']) {
    await makeArchive(sourceDir, { pair: 'AAAUSDT', date, ending: '.data' });
  }
  const lines = (await status(['--source-dir', sourceDir, '--output-dir', out])).split('\n');
  assert.equal(lines.length, 8, lines.join('\n'));
  assert.match(lines[2] ?? '', /^AAAUSDT - +0001-02… .* to 2024-12$/);
});

test('suspect rows that a record of version 0.1 did not count are not known', async (t) => {
  const { args, out } = await makeHoldings(t);
  const file = path.join(out, 'conversions.jsonl');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('"suspectRows"', '"unheardOf"'));
  assert.match(await status(args), /\nTOTAL .* 33 +1 +\?\n/);
  assert.match(await status([...args, '--json']), /"suspectRows":null\}\n$/);
});

test('--help explains the columns; --help of the program names the command', async () => {
  const help = await status(['--help']);
  for (const word of [
    'DONE',
    'STALE',
    'MISSING',
    'FAILED',
    'TO DO',
    'NO RECORD',
    'SUSPECT',
    '--output-dir',
    '--json',
  ]) {
    assert.ok(help.includes(word), word);
  }
  assert.ok(help.split('\n').every((text) => text.length <= 100));
  assert.match((await complete(['--help'])).stdout, /bookgrid status/);
});

for (const [args, reason] of [
  ['--ouput-dir x', /unknown option '--ouput-dir'\n\(Did you mean --output-dir\?\)\nTry bookgrid status --help\./],
  ['--from 2025-02-30', /Expected a day of the calendar/],
  ['--from 2025-02-02 --to 2025-02-01', /--from 2025-02-02 is after --to 2025-02-01/],
  ['--workers 2', /unknown option '--workers'/],
  ['BTCUSDT', /too many arguments/],
  ['--output-dir %/none --source-dir %/none', /Nothing found: no output .* Say where they are with --output-dir/],
] as const) {
  test(`wrong usage: status ${args}`, async (t) => {
    const { status, stdout, stderr } = await complete(['status', ...args.replaceAll('%', tempDir(t)).split(' ')]);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
    assert.match(stderr, /^bookgrid: /);
    assert.match(stderr, reason);
  });
}

test('a day of which there can be nothing is not missing: before a market began, or without an archive of the depth', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  for (const [date, depth] of [
    ['2025-08-18', 500],
    ['2025-08-20', 500],
    ['2025-08-21', 200],
    ['2025-08-23', 200],
  ] as const) {
    await makeArchive(path.join(sourceDir, 'linear'), { pair: 'AAAUSDT', date, depth });
  }
  await makeArchive(path.join(sourceDir, 'spot'), { pair: 'AAAUSDT', date: '2025-04-27', depth: 200 });
  await makeArchive(path.join(sourceDir, 'spot'), { pair: 'AAAUSDT', date: '2025-05-01', depth: 200 });
  const args = ['--source-dir', sourceDir, '--output-dir', out];
  await complete(args);
  assert.deepEqual((await status(args)).split('\n'), [
    'MARKET SYMBOL  KIND         MONTH   DONE STALE MISSING UNPUBLISHED FAILED TO DO NO RECORD ROWS FILLED SUSPECT MISSING DAYS',
    'linear AAAUSDT ob200 1m csv 2025-08    4     0       2           0      0     0         0   12      0       0 19 22',
    'linear AAAUSDT ob500 1m csv 2025-08    2     0       1           3      0     0         0    6      0       0 19',
    'spot   AAAUSDT ob200 1m csv 2025-04    1     0       2           1      0     0         0    3      0       0 29-30',
    'spot   AAAUSDT ob200 1m csv 2025-05    1     0       0           0      0     0         0    3      0       0',
    '       TOTAL                           8     0       5           4      0     0         0   24      0       0',
    '',
  ]);
});
