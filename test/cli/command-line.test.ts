import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, type TestContext, test } from 'node:test';
import { VERSION } from '../../src/base/version.js';
import { buildConvertCommand } from '../../src/commands/convert-options.js';
import { CLI, finished } from '../support/cli.js';
import { readOutputs, readTree, tempDir } from '../support/files.js';
import { archiveName, DAY, DAY_MS, line, writeLines } from '../support/messages.js';
import {
  assertSameOutputs,
  complete,
  ENDLESS_OPTIONS,
  listFiles,
  MADE_ROWS,
  makeArchive,
  makeEndless,
  readRecords,
} from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-command-line-'));
const source = path.join(root, 'source');
const DATES = ['2025-01-14', '2025-01-15', '2025-01-16'];

/** Two pairs of three days each; the first has 500 levels, the second 200. */
before(async () => {
  for (const date of DATES) {
    await makeArchive(source, { pair: 'AAAUSDT', date });
    await makeArchive(source, { pair: 'BBB-26SEP25', date, depth: 200, ending: '.data.gz' });
  }
});

after(() => fs.rmSync(root, { recursive: true, force: true }));

function sha256Of(file: string): string {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}

const names = (out: string) => [...readOutputs(out).keys()];

function csv(pair: string, date: string, depth: number, interval = '1m'): string {
  return `${String(depth).padStart(4, '0')}/${pair}/${date}_${pair}_ob${depth}_${interval}.csv`;
}

/** Labels of an output's rows, ms since the epoch. */
function labels(text: string | undefined, column = 0): number[] {
  const [, ...rows] = (text ?? '').trimEnd().split('\r\n');
  return rows.map((row) => Number(row.split(',')[column]));
}

/** Runs with `--source-dir` (the common one unless told otherwise) into a new folder; everything must go well. */
async function convert(t: TestContext, args: string[], { sourceDir = source, out = tempDir(t) } = {}) {
  const { status, stdout, stderr } = await complete([
    '--workers',
    '1',
    '--source-dir',
    sourceDir,
    '--output-dir',
    out,
    ...args,
  ]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, stdout);
  return { out, stdout, outputs: readOutputs(out) };
}

const SUMMARY = (total: number, done: number, skipped: number, errors: number, notes = '') =>
  `\\n={80}\\nProcessing complete!\\nTotal files: ${total}\\nSuccessfully processed: ${done}\\n` +
  `Skipped \\(already exist\\): ${skipped}\\nErrors: ${errors}\\nTime elapsed: \\d+\\.\\d seconds \\(\\d+\\.\\d minutes\\)\\n` +
  `Average time per file: \\d+\\.\\d\\d seconds\\n${notes}={80}\\n`;

test('standard output is as the specification prints it: DONE, SKIPPED, ERROR, summary, exit status 1', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await makeArchive(sourceDir, { pair: 'BTCUSDT' });
  await makeArchive(sourceDir, { pair: 'ADAUSDT', depth: 200 });
  const cut = await makeArchive(sourceDir, { pair: 'SOLUSDT', depth: 200 });
  fs.truncateSync(cut, 1000);
  await complete(['--source-dir', sourceDir, '--output-dir', out, '--symbols', 'ADAUSDT']);

  const args = ['--source-dir', sourceDir, '--output-dir', out, '--workers', '2'];
  const { status, stdout, stderr } = await complete(args);
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
  const archiveLines = [
    `\\[1/3\\] SKIPPED  ADAUSDT    ${DAY}_ADAUSDT_ob200\\.data\\.zip        \\[200\\]\\n`,
    `\\[2/3\\] ERROR    SOLUSDT    ${DAY}_SOLUSDT_ob200\\.data\\.zip        → truncated: the zip's directory is missing \\(file cut short\\?\\)\\n`,
    `\\[3/3\\] DONE     BTCUSDT    ${DAY}_BTCUSDT_ob500\\.data\\.zip        \\[200,500\\] → ${MADE_ROWS} snapshots ✓\\n`,
  ];
  const [skipped, ...others] = archiveLines;
  const inAnyOrder = `(?:${others.join('')}|${others.reverse().join('')})`;
  const head =
    'Processing with 2 parallel workers\\nScanning source directories\\.\\.\\.\\nFound 3 archive files to process\\n\\n';
  const failed =
    "Failed:\\n  2025-01-15_SOLUSDT_ob200\\.data\\.zip: truncated: the zip's directory is missing \\(file cut short\\?\\)\\n";
  assert.match(stdout, new RegExp(`^${head}${skipped}${inAnyOrder}${SUMMARY(3, 1, 1, 1, failed)}$`));
});

test('exit status 0 when all is converted, and again when all exists; no colours, no progress', async (t) => {
  const { out, stdout } = await convert(t, []);
  assert.match(stdout, new RegExp(`${SUMMARY(6, 6, 0, 0)}$`));
  const again = await convert(t, [], { out });
  assert.match(again.stdout, new RegExp(`${SUMMARY(6, 0, 6, 0)}$`));
  assert.equal(again.stdout.match(/ SKIPPED /g)?.length, 6);
  for (const text of [stdout, again.stdout]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
  }
});

const EVERYTHING = DATES.flatMap((date) => [
  csv('AAAUSDT', date, 200),
  csv('AAAUSDT', date, 500),
  csv('BBB-26SEP25', date, 200),
]).sort();

for (const { args, expected } of [
  { args: [], expected: EVERYTHING },
  { args: ['--symbols', 'AAAUSDT'], expected: EVERYTHING.filter((name) => name.includes('AAA')) },
  { args: ['--symbols', 'BBB-26SEP25, AAAUSDT'], expected: EVERYTHING },
  { args: ['--symbols', 'aaausdt,Bbb-26sep25'], expected: EVERYTHING },
  { args: ['--from', '2025-01-15'], expected: EVERYTHING.filter((name) => !name.includes('01-14')) },
  { args: ['--to', '2025-01-15'], expected: EVERYTHING.filter((name) => !name.includes('01-16')) },
  { args: ['--from', DAY, '--to', DAY], expected: EVERYTHING.filter((name) => name.includes(DAY)) },
  { args: ['--depths', '500', '--symbols', 'AAAUSDT'], expected: EVERYTHING.filter((name) => name.includes('ob500')) },
  {
    args: ['--depths', '10,3', '--from', DAY, '--to', DAY],
    expected: ['AAAUSDT', 'BBB-26SEP25'].flatMap((pair) => [csv(pair, DAY, 10), csv(pair, DAY, 3)]).sort(),
  },
  ...[
    ['60s', '1m'],
    ['1000ms', '1s'],
    ['90s', '90s'],
    ['24h', '24h'],
    ['1d', '24h'],
  ].map(([given = '', written]) => ({
    args: ['--interval', given, '--depths', '5', '--symbols', 'AAAUSDT', '--to', '2025-01-14'],
    expected: [csv('AAAUSDT', '2025-01-14', 5, written)],
  })),
]) {
  test(`outputs of: ${args.join(' ') || 'no options'}`, async (t) => {
    assert.deepEqual([...(await convert(t, args)).outputs.keys()], expected);
  });
}

test('a depth that no source reaches is SKIPPED with the reason, and nothing is made', async (t) => {
  const { outputs, stdout } = await convert(t, ['--depths', '1000']);
  assert.equal(outputs.size, 0);
  assert.equal(stdout.match(/ SKIPPED .*\[1000\] \(the source has [25]00 levels\)\n/g)?.length, 6);
});

test('without --depths a shallow source gives its own depth', async (t) => {
  const sourceDir = tempDir(t);
  await makeArchive(sourceDir, { pair: 'AAAUSDT', depth: 50 });
  const { outputs } = await convert(t, [], { sourceDir });
  assert.deepEqual([...outputs.keys()], [csv('AAAUSDT', DAY, 50)]);
});

test('BOOKGRID_SOURCE_DIR and BOOKGRID_OUTPUT_DIR stand in for the options, which come first', async (t) => {
  const [out, other] = [tempDir(t), tempDir(t)];
  const env = { ...process.env, BOOKGRID_SOURCE_DIR: source, BOOKGRID_OUTPUT_DIR: out };
  assert.equal((await complete([], { env })).status, 0);
  assert.deepEqual(names(out), EVERYTHING);
  assert.equal((await complete(['--output-dir', other], { env })).status, 0);
  assert.deepEqual(names(other), EVERYTHING);
  const wrong = { ...env, BOOKGRID_SOURCE_DIR: path.join(other, 'no such') };
  assert.equal((await complete(['--source-dir', source], { env: wrong })).status, 0);
  // A source folder from the surroundings is no contradiction to an archive on the command line.
  const archive = path.join(
    source,
    '0200',
    'BBB-26SEP25',
    archiveName({ pair: 'BBB-26SEP25', depth: 200, ending: '.data.gz' }),
  );
  assert.equal((await complete([archive], { env })).status, 0);
});

test('`convert` as the first word changes nothing', async (t) => {
  const [plain, worded] = [await convert(t, []), tempDir(t)];
  const { status } = await complete(['convert', '--source-dir', source, '--output-dir', worded]);
  assert.equal(status, 0);
  assertSameOutputs(readOutputs(worded), plain.outputs);
});

/** A minute with two messages, a quiet one, and one with a message. */
const GAP_LINES = [
  line({ type: 'snapshot', atMs: 500, bids: [['1.5', '10']], asks: [['1.6', '20']], u: 1 }),
  line({ atMs: 59_000, bids: [['1.5', '11']], u: 2 }),
  line({ atMs: 130_000, bids: [['1.5', '12']], u: 3 }),
];

/** Converts lines given as an archive by its path; `badLine` is put before the last. */
async function convertLines(t: TestContext, args: string[], { lines = GAP_LINES, name = archiveName() } = {}) {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const archive = await writeLines(folder, lines, name);
  const result = await complete(['--workers', '1', archive, '--output-dir', out, ...args]);
  const outputs = fs.existsSync(out) ? readOutputs(out) : new Map<string, string>();
  return { ...result, archive, out, outputs };
}

const BID_QUANTITIES = (text: string | undefined) =>
  (text ?? '')
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((row) => row.split(',').slice(0, 3).join(' '));

const row = (minute: number, quantity: number) => `${DAY_MS + minute * 60_000} 1.5 ${quantity}`;

for (const { args, rows, notes } of [
  {
    args: [],
    rows: [row(1, 11), row(2, 11), row(3, 12)],
    notes: 'Notes: 1 archive with filled intervals; see conversions.jsonl\n',
  },
  {
    args: ['--on-gap', 'fill'],
    rows: [row(1, 11), row(2, 11), row(3, 12)],
    notes: 'Notes: 1 archive with filled intervals; see conversions.jsonl\n',
  },
  {
    args: ['--on-gap', 'skip'],
    rows: [row(1, 11), row(3, 12)],
    notes: 'Notes: 1 archive with intervals left out; see conversions.jsonl\n',
  },
  // Over a minute of look-ahead: the book after the message of 00:02:10 under the label of 00:00.
  { args: ['--compat', 'python'], rows: [row(0, 12)], notes: '' },
]) {
  test(`rows and notes of: ${args.join(' ') || 'no options'}`, async (t) => {
    const { status, stdout, stderr, outputs } = await convertLines(t, args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.deepEqual([...outputs.keys()], [csv('TESTUSDT', DAY, 200), csv('TESTUSDT', DAY, 500)]);
    for (const text of outputs.values()) assert.deepEqual(BID_QUANTITIES(text), rows);
    assert.match(stdout, new RegExp(`→ ${rows.length} snapshots ✓\\n${SUMMARY(1, 1, 0, 0, notes)}$`));
  });
}

for (const { args, first, rowStart } of [
  { args: [], first: 'timestamp,bid_price_1,bid_qty_1,', rowStart: `${DAY_MS + 60_000},1.5,11,` },
  {
    args: ['--no-formatted-timestamp'],
    first: 'timestamp,bid_price_1,bid_qty_1,',
    rowStart: `${DAY_MS + 60_000},1.5,11,`,
  },
  {
    args: ['--include-formatted-timestamp'],
    first: 'timestamp_formatted,timestamp,bid_price_1,bid_qty_1,',
    rowStart: `${DAY}T00:01:00.0000,${DAY_MS + 60_000},1.5,11,`,
  },
]) {
  test(`columns of: ${args.join(' ') || 'no options'}`, async (t) => {
    const { outputs } = await convertLines(t, args);
    for (const [name, text] of outputs) {
      const [header = '', row = ''] = text.split('\r\n');
      assert.ok(header.startsWith(first) && row.startsWith(rowStart), `${header.slice(0, 60)}\n${row.slice(0, 60)}`);
      const depth = name.includes('ob200') ? 200 : 500;
      const columns = 4 * depth + (args[0] === '--include-formatted-timestamp' ? 2 : 1);
      assert.deepEqual([header.split(',').length, row.split(',').length], [columns, columns]);
    }
  });
}

const BAD_LINES = [...GAP_LINES.slice(0, 2), '{"topic":', ...GAP_LINES.slice(2)];
for (const { args, expected } of [
  { args: [], expected: 1 },
  { args: ['--on-bad-line', 'fail'], expected: 1 },
  { args: ['--on-bad-line', 'skip'], expected: 0 },
  { args: ['--compat', 'python'], expected: 0 },
]) {
  test(`a line that is no message, with ${args.join(' ') || 'no options'}: exit status ${expected}`, async (t) => {
    const { status, stdout, outputs } = await convertLines(t, args, { lines: BAD_LINES });
    assert.equal(status, expected, stdout);
    if (expected === 0) {
      assert.match(stdout, /Notes: 1 archive with .*lines passed over/);
      assert.equal(outputs.size, 2);
    } else {
      assert.match(stdout, /ERROR .* → line 3: not JSON/);
      assert.equal(outputs.size, 0);
    }
  });
}

test('a name that is not DATE_PAIR_obN: pair, depth and date come from the first message, nothing is clipped', async (t) => {
  const nextDay = line({ atMs: 86_400_000 + 61_000, bids: [['1.5', '13']], u: 4 });
  const named = await convertLines(t, ['--on-gap', 'skip'], { lines: [...GAP_LINES, nextDay] });
  assert.deepEqual(labels(named.outputs.get(csv('TESTUSDT', DAY, 500))), [DAY_MS + 60_000, DAY_MS + 180_000]);
  const unnamed = await convertLines(t, ['--on-gap', 'skip'], {
    lines: [...GAP_LINES, nextDay],
    name: 'my capture.data',
  });
  assert.deepEqual({ status: unnamed.status, stderr: unnamed.stderr }, { status: 0, stderr: '' });
  assert.deepEqual([...unnamed.outputs.keys()], [...named.outputs.keys()]);
  assert.deepEqual(labels(unnamed.outputs.get(csv('TESTUSDT', DAY, 500))), [
    DAY_MS + 60_000,
    DAY_MS + 180_000,
    DAY_MS + 86_400_000 + 120_000,
  ]);
});

test('a name with a date and nothing else is clipped to that day', async (t) => {
  const nextDay = line({ atMs: 86_400_000 + 61_000, bids: [['1.5', '13']], u: 4 });
  const { outputs } = await convertLines(t, ['--on-gap', 'skip'], {
    lines: [...GAP_LINES, nextDay],
    name: `book-${DAY}.data.gz`,
  });
  assert.deepEqual(labels(outputs.get(csv('TESTUSDT', DAY, 500))), [DAY_MS + 60_000, DAY_MS + 180_000]);
});

test('an archive whose topic tells nothing fails with the reason; the others are converted', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const foreign = await writeLines(folder, [GAP_LINES[0]?.replace('orderbook.500', 'trades') ?? ''], 'a.data');
  const empty = path.join(folder, 'b.data');
  fs.writeFileSync(empty, '');
  const good = await writeLines(folder, GAP_LINES);
  const { status, stdout, stderr } = await complete([foreign, empty, good, good, '--output-dir', out]);
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
  assert.match(stdout, /ERROR +\? +a\.data +→ .*its topic is "trades\.TESTUSDT"/);
  assert.match(stdout, /ERROR +\? +b\.data +→ the file is empty/);
  assert.match(stdout, /Total files: 3\nSuccessfully processed: 1\n/, 'a file given twice is one archive');
  assert.deepEqual(names(out), [csv('TESTUSDT', DAY, 200), csv('TESTUSDT', DAY, 500)]);
});

test('an empty line before the first message is no hindrance, whether or not the name tells what it is', async (t) => {
  for (const name of [archiveName(), 'capture.data']) {
    const { status, stdout, outputs } = await convertLines(t, [], { lines: ['', ...GAP_LINES], name });
    assert.equal(status, 0, stdout);
    assert.deepEqual([...outputs.keys()], [csv('TESTUSDT', DAY, 200), csv('TESTUSDT', DAY, 500)]);
  }
});

test('--overwrite makes outputs again, without it they are left as they are', async (t) => {
  const { out, outputs } = await convert(t, ['--symbols', 'AAAUSDT', '--to', '2025-01-14']);
  const [name = ''] = outputs.keys();
  const inodeOf = () => fs.statSync(path.join(out, name)).ino;
  const before = inodeOf();
  await convert(t, ['--symbols', 'AAAUSDT', '--to', '2025-01-14'], { out });
  assert.equal(inodeOf(), before);
  const { stdout } = await convert(t, ['--symbols', 'AAAUSDT', '--to', '2025-01-14', '--overwrite'], { out });
  assert.match(stdout, /DONE .* \[200,500\]/);
  assert.notEqual(inodeOf(), before);
  assertSameOutputs(readOutputs(out), outputs);
});

test('only the missing depths of an archive are made', async (t) => {
  const { out, outputs } = await convert(t, ['--symbols', 'AAAUSDT', '--to', '2025-01-14']);
  fs.rmSync(path.join(out, csv('AAAUSDT', '2025-01-14', 200)));
  const kept = path.join(out, csv('AAAUSDT', '2025-01-14', 500));
  const { mtimeMs } = fs.statSync(kept);
  const { stdout } = await convert(t, ['--symbols', 'AAAUSDT', '--to', '2025-01-14'], { out });
  assert.match(stdout, /DONE .* \[200\] → 3 snapshots ✓\n/);
  assert.equal(fs.statSync(kept).mtimeMs, mtimeMs);
  assertSameOutputs(readOutputs(out), outputs);
});

test('a 0200 and a 0500 source of one day: the first gives depth 200, the second 500, and says so', async (t) => {
  const sourceDir = tempDir(t);
  await makeArchive(sourceDir, { pair: 'AAAUSDT', depth: 200, market: { seed: 1 } });
  await makeArchive(sourceDir, { pair: 'AAAUSDT', depth: 500, market: { seed: 2 } });
  const first = await convert(t, ['--workers', '2'], { sourceDir });
  assert.match(first.stdout, /DONE .*_ob500.* \[500\] → 3 snapshots ✓ \(200 comes from .*_ob200\.data\.zip\)\n/);
  assert.match(first.stdout, /DONE .*_ob200\.data\.zip +\[200\] → 3 snapshots ✓\n/);
  assert.notDeepEqual(
    BID_QUANTITIES(first.outputs.get(csv('AAAUSDT', DAY, 200))),
    BID_QUANTITIES(first.outputs.get(csv('AAAUSDT', DAY, 500))),
  );
  const { stdout } = await convert(t, ['--depths', '200'], { sourceDir });
  assert.match(stdout, /\[2\/2\] SKIPPED .*_ob500\.data\.zip +\[200\] \(200 comes from .*_ob200\.data\.zip\)\n/);
});

test('paths with spaces and umlauts, relative and absolute', async (t) => {
  const cwd = path.join(tempDir(t), 'Märkte und Bücher');
  await makeArchive(path.join(cwd, 'Quelle für „alles“'), { pair: 'AAAUSDT' });
  const args = [
    '--source-dir',
    'Quelle für „alles“',
    '--output-dir',
    './Ausgabe $HOME; ls',
    '--temp-dir',
    'Täglich (temp)',
  ];
  const { status, stderr } = await complete(args, { cwd });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.deepEqual(names(path.join(cwd, 'Ausgabe $HOME; ls')), [csv('AAAUSDT', DAY, 200), csv('AAAUSDT', DAY, 500)]);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['Ausgabe $HOME; ls', 'Quelle für „alles“', 'Täglich (temp)']);
});

test('the sources are not changed', async (t) => {
  const earlier = readTree(source);
  await convert(t, []);
  assertSameOutputs(readTree(source), earlier);
});

test('--dry-run tells what would be done, and makes nothing', async (t) => {
  const folder = tempDir(t);
  const out = path.join(folder, 'out');
  await makeArchive(path.join(folder, 'in'), { pair: 'AAAUSDT' });
  await makeArchive(path.join(folder, 'in'), { pair: 'AAAUSDT', depth: 200 });
  const common = [
    '--source-dir',
    path.join(folder, 'in'),
    '--output-dir',
    out,
    '--temp-dir',
    path.join(folder, 'temp'),
  ];
  const { status, stdout, stderr } = await complete([...common, '--dry-run', '--depths', '200']);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.deepEqual(fs.readdirSync(folder), ['in']);
  const [first, target, second, totals, estimate, free, end] = stdout.split('\n');
  assert.match(first ?? '', /^\[1\] CONVERT {2}\S+_ob200\.data\.zip →$/);
  assert.equal(target?.trim(), path.join(out, csv('AAAUSDT', DAY, 200)));
  assert.match(
    second ?? '',
    /^\[2\] SKIP {5}\S+_ob500\.data\.zip \[200\]: made from another archive \(200 comes from \S+\)$/,
  );
  assert.deepEqual([totals, end], ['Dry run: 2 archives, 1 to convert, 1 to skip, 0 unusable', '']);
  assert.equal(estimate, 'Estimate: 1 output of together 7.8 MB (by typical sizes)');
  assert.match(free ?? '', new RegExp(`^Free at ${out}: [\\d.]+ .B$`));

  const json = await complete([...common, '--dry-run', '--json', '--depths', '200']);
  const events = json.stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(
    events.map(({ event, action }) => [event, action]),
    [
      ['plan', 'convert'],
      ['plan', 'skip'],
      ['plan-summary', undefined],
    ],
  );
  assert.deepEqual(fs.readdirSync(folder), ['in']);
});

test('--json: every line is an object; start, an archive each, summary', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await makeArchive(sourceDir, { pair: 'AAAUSDT' });
  await makeArchive(sourceDir, { pair: 'BBBUSDT' });
  fs.writeFileSync(await makeArchive(sourceDir, { pair: 'CCCUSDT' }), 'not a zip');
  await complete(['--source-dir', sourceDir, '--output-dir', out, '--symbols', 'AAAUSDT']);
  const { status, stdout, stderr } = await complete([
    '--source-dir',
    sourceDir,
    '--output-dir',
    out,
    '--json',
    '--workers',
    '2',
  ]);
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(events[0], { event: 'start', workers: 2, total: 3 });
  const { seconds, ...summary } = events.at(-1) ?? {};
  assert.equal(typeof seconds, 'number');
  assert.deepEqual(summary, {
    event: 'summary',
    ending: 'complete',
    total: 3,
    done: 1,
    skipped: 1,
    failed: 1,
    left: 0,
    notes: [],
  });
  const archives = events.slice(1, -1).sort((a, b) => Number(a['number']) - Number(b['number']));
  assert.deepEqual(
    archives.map(({ event, number, pair, status }) => ({ event, number, pair, status })),
    [
      { event: 'archive', number: 1, pair: 'AAAUSDT', status: 'skipped' },
      { event: 'archive', number: 2, pair: 'BBBUSDT', status: 'done' },
      { event: 'archive', number: 3, pair: 'CCCUSDT', status: 'failed' },
    ],
  );
  assert.deepEqual(archives[0]?.['reason'], 'exists');
  assert.equal(archives[1]?.['rows'], MADE_ROWS);
  assert.match(String(archives[2]?.['error']), /^not a zip file/);
});

test('--version prints the version of the package, with -V too', async () => {
  for (const flag of ['--version', '-V']) {
    assert.deepEqual(await complete([flag]), { status: 0, signal: null, stdout: `${VERSION}\n`, stderr: '' });
  }
});

test('--help names every option, warns of the look-ahead, and fits a page', async () => {
  const { status, stdout, stderr } = await complete(['--help']);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const options = buildConvertCommand().options.map(({ long }) => long ?? '');
  assert.ok(options.length >= 18);
  for (const option of [...options, '--help']) assert.match(stdout, new RegExp(`^ .*${option}\\b`, 'm'));
  assert.match(stdout, /WARNING.*look ahead/s);
  assert.ok(stdout.split('\n').every((text) => text.length <= 100));
  for (const variable of ['BOOKGRID_SOURCE_DIR', 'BOOKGRID_OUTPUT_DIR']) assert.ok(stdout.includes(variable));
  assert.equal((await complete(['-h'])).stdout, stdout);
  assert.equal((await complete(['convert', '--help'])).stdout, stdout);
});

const COMMANDS = [
  'convert',
  'download',
  'status',
  'join',
  'peek',
  'plot',
  'view',
  'verify',
  'audit',
  'submit',
  'worker',
  'watch',
  'retry',
  'help',
  'version',
];

test('help of a command is its --help, that of convert the program’s, which lists all commands', async () => {
  const { stdout: help } = await complete(['--help']);
  for (const name of COMMANDS) assert.match(help, new RegExp(`^  ${name} +[A-Z].*\\.$`, 'm'));
  for (const [words, same] of [
    ['help', '--help'],
    ['help convert', '--help'],
    ['help help', '--help'],
    ['help --help', '--help'],
    ['help download', 'download --help'],
    ['help status', 'status --help'],
    ['help join', 'join --help'],
    ['help audit', 'audit --help'],
    ['version', '--version'],
  ] as const) {
    const result = await complete(words.split(' '));
    assert.deepEqual(result, await complete(same.split(' ')), words);
    assert.deepEqual([result.status, result.stderr], [0, ''], words);
  }
});

for (const [words, first] of [
  ['statsu', 'statsu is neither a command nor a file. Did you mean status?'],
  ['jion --symbols BTCUSDT', 'jion is neither a command nor a file. Did you mean join?'],
  ['archives/0500', 'archives/0500 is neither a command nor a file.'],
  ['help statsu', 'statsu is no command. Did you mean status?'],
  ['help archives', 'archives is no command.'],
] as const) {
  test(`a word that is no command: ${words}`, async (t) => {
    const { status, stdout, stderr } = await complete(words.split(' '), { cwd: tempDir(t) });
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
    const lines = stderr.split('\n');
    assert.equal(lines[0], `bookgrid: ${first}`);
    const listed = lines.slice(2, 2 + COMMANDS.length).map((text) => text.trim().split(' ')[0]);
    assert.deepEqual([lines[1], ...listed], ['Commands:', ...COMMANDS]);
    assert.match(
      lines[2 + COMMANDS.length] ?? '',
      words.startsWith('help') ? /bookgrid --help/ : /\.zip.*--source-dir DIR/,
    );
  });
}

test('a command after the options is told to come first', async (t) => {
  const { status, stderr } = await complete(['--json', 'status'], { cwd: tempDir(t) });
  assert.deepEqual(
    { status, stderr },
    {
      status: 2,
      stderr: 'bookgrid: status is a command, and a command comes first: bookgrid status … (bookgrid help status)\n',
    },
  );
});

test('a first word that is a file is an archive, unless it is a command', async (t) => {
  const cwd = tempDir(t);
  for (const name of ['notes', 'status']) fs.writeFileSync(path.join(cwd, name), '');
  const archive = await writeLines(cwd, GAP_LINES);
  const done = await complete([path.basename(archive), '--output-dir', 'out'], { cwd });
  assert.equal(done.status, 0, done.stderr);
  const folders = ['--output-dir', 'none', '--source-dir', 'none'];
  assert.match((await complete(['notes', '--output-dir', 'out'], { cwd })).stderr, /notes is no archive by its name/);
  assert.match(
    (await complete(['./status', '--output-dir', 'out'], { cwd })).stderr,
    /status is no archive by its name/,
  );
  assert.match((await complete(['status', ...folders], { cwd })).stderr, /^bookgrid: Nothing found: no output/);
});

test('without anything to work on, whoever calls it for the first time is told what to do', async (t) => {
  const { BOOKGRID_SOURCE_DIR: _, ...env } = process.env;
  const { status, stderr } = await complete(['--output-dir', path.join(tempDir(t), 'out')], { env });
  assert.equal(status, 2);
  for (const words of ['--help', '--test', '--source-dir DIR', 'BOOKGRID_SOURCE_DIR', 'archive files as arguments']) {
    assert.ok(stderr.includes(words), `${words}: ${stderr}`);
  }
});

test('none of the symbols asked for is there: those that are, the most alike first', async (t) => {
  const sourceDir = tempDir(t);
  for (let number = 10; number < 34; number++) {
    const file = path.join(sourceDir, '0200', `A${number}USDT`, archiveName({ pair: `A${number}USDT`, depth: 200 }));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '');
  }
  const args = ['--source-dir', sourceDir, '--output-dir', path.join(sourceDir, 'out'), '--symbols', 'a33usd'];
  const { status, stderr } = await complete(args);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /There are archives of A33USDT, A30USDT, A31USDT, A32USDT, A10USDT, (A\d\dUSDT(, )?){15} and 4 more\.\n$/,
  );
});

/** Each value costs a start of Node: all of them when there is time, else two. */
function values(...all: string[]): string[] {
  return process.env['CI_LONG'] === '1' ? all : all.slice(0, 2);
}

/** Wrong ways to call it; `%` is a folder with an empty folder, a file, an archive and a folder of sources. */
const WRONG: [args: string, reason: RegExp][] = [
  ['--sorce-dir %/in', /unknown option '--sorce-dir'\n\(Did you mean --source-dir\?\)/],
  ['--partition daily', /argument 'daily' is invalid\. Allowed choices are none, hive/],
  ['--worker 2', /Did you mean --workers\?/],
  ['--depth 200', /unknown option '--depth'\n\(Did you mean --depths\?\)\nTry bookgrid --help\./],
  ['--symbol=BTCUSDT', /Did you mean --symbols\?/],
  ['-output-dir %/out', /unknown option '-output-dir'\n\(Did you mean --output-dir\?\)/],
  ['--source %/in', /unknown option '--source'\n\(Did you mean --source-dir\?\)/],
  ['convert --format=cvs', /--format.* argument 'cvs' is invalid\. Expected some of csv, csv\.gz, parquet\./],
  ['--source-dir', /argument missing/],
  ...values('0', '1.5', '1025', '1e1', '').map((value): [string, RegExp] => [
    `--workers=${value}`,
    /--workers.* is invalid\. Expected a number of workers from 1 to 1024\./,
  ]),
  ...values('0', '10000', '200,', '').map((value): [string, RegExp] => [
    `--depths=${value}`,
    /--depths.* is invalid\. Expected depths from 1 to 9999\./,
  ]),
  ...values('60', '1w', '').map((value): [string, RegExp] => [
    `--interval=${value}`,
    new RegExp(`--interval.* is invalid\\. An interval is a number and a unit, such as .*, and "${value}" is not\\.`),
  ]),
  ...values('7s', '0s', '25h', '2d').map((value): [string, RegExp] => [
    `--interval=${value}`,
    new RegExp(`--interval.* is invalid\\. An interval must divide a day evenly, .*, and ${value} does not\\.`),
  ]),
  ...values('2025-02-30', '2025-1-1', '').flatMap((value): [string, RegExp][] => [
    [`--from=${value}`, /--from.* is invalid\. Expected a day of the calendar/],
    [`--to=${value}`, /--to.* is invalid\. Expected a day of the calendar/],
  ]),
  ['--from 2025-01-16 --to 2025-01-15', /--from 2025-01-16 is after --to 2025-01-15/],
  ['--symbols=BTC/USDT', /--symbols.* is invalid\. Expected symbols such as BTCUSDT,ETHUSDT\./],
  ['--symbols=BTCUSDT,', /Expected symbols/],
  ['--on-gap=maybe', /Allowed choices are fill, skip/],
  ['--on-bad-line=ignore', /Allowed choices are fail, skip/],
  ['--compat=perl', /Allowed choices are python/],
  ['--compat python --interval 1s', /--compat python writes one-minute rows only/],
  ['--compat python --on-gap skip', /--compat python has no row for a quiet minute/],
  ['--include-formatted-timestamp --no-formatted-timestamp', /cannot be used with/],
  [
    '--include-formatted-timestamp --format parquet',
    /--include-formatted-timestamp is for CSV: in Parquet, timestamp is a time already/,
  ],
  ['--test --source-dir %/in', /--test .* takes no option but --workers/],
  ['--test --json', /--test .* takes no option but --workers/],
  ['--test %/archive', /--test .* takes no option but --workers/],
  ['%/archive --source-dir %/in', /ARCHIVE arguments or --source-dir, not both/],
];

/** Nothing to work on, which shows only when it is looked for. */
const NOTHING_TO_DO: [args: string, reason: RegExp][] = [
  ['%/missing.data.zip', /No such file: .*missing\.data\.zip/],
  ['%/in', /in is a folder\. To convert all archives below it: --source-dir .*in/],
  ['%/file', /file is no archive by its name, which must end in \.zip, \.gz, \.data/],
  [
    '--source-dir %/missing',
    /No such folder: .*missing\n.*--source-dir DIR or BOOKGRID_SOURCE_DIR.*arguments\.\n.*--help.*--test/,
  ],
  ['--source-dir %/file', /file is a file, a folder was expected/],
  [
    '--source-dir %/empty',
    /No archive found below .*empty\. Looked in all folders for DATE_SYMBOL_obN.*\n.*--source-dir.*\n.*--help.*--test/,
  ],
  [
    '--source-dir %/in --symbols NONEUSDT',
    /None of the 1 archives .* is one that --market, --symbols, --from and --to ask for\. There are archives of AAAUSDT\.\n/,
  ],
  ['--source-dir %/in --from 2030-01-01', /None of the 1 archives/],
  ['--json --source-dir %/missing', /No such folder: .*missing/],
];

interface Wrong {
  cases: [args: string, reason: RegExp][];
  /** What may have been printed before the mistake shows. */
  stdout: RegExp;
}

async function assertRefused(t: TestContext, { cases, stdout: mayPrint }: Wrong): Promise<void> {
  const [folder, cwd] = [tempDir(t), tempDir(t)];
  fs.mkdirSync(path.join(folder, 'empty'));
  fs.writeFileSync(path.join(folder, 'file'), 'x');
  const archive = await makeArchive(path.join(folder, 'in'), { pair: 'AAAUSDT' });
  const earlier = listFiles(folder);
  const env = { ...process.env, BOOKGRID_SOURCE_DIR: path.join(folder, 'in') };
  const check = async ([command, reason]: [string, RegExp]) => {
    const given = command.split(' ').map((word) => word.replace('%/archive', archive).replace('%', folder));
    const hasOutput = command.includes('--output-dir') || command.includes('--test');
    const output = hasOutput ? [] : ['--output-dir', path.join(cwd, 'out')];
    const { status, stdout, stderr } = await complete([...output, ...given], { cwd, env });
    assert.equal(status, 2, `${command}: ${stderr}`);
    assert.match(stderr, reason, command);
    assert.match(stderr, /^(Note: .*\n)*bookgrid: /, command);
    assert.doesNotMatch(stderr, /\n {4}at /, `${command}: no stack trace`);
    assert.match(stdout, command.includes('--json') ? /^$/ : mayPrint, command);
  };
  // Two at a time: mostly they wait for Node to start.
  const queue = [...cases];
  const work = async () => {
    for (let wrong = queue.shift(); wrong; wrong = queue.shift()) await check(wrong);
  };
  await Promise.all([work(), work()]);
  assert.deepEqual(listFiles(folder), earlier);
  assert.deepEqual(fs.readdirSync(cwd), []);
}

test('wrong usage: exit status 2, the reason on standard error, nothing on standard output, nothing made', async (t) => {
  await assertRefused(t, { cases: WRONG, stdout: /^$/ });
});

const INTRODUCTION =
  /^(Processing with \d+ parallel workers?\nScanning source directories\.\.\.\n(Found \d+ archive files to process\n\n)?)?$/;

test('nothing to work on: exit status 2, what was looked for and where, nothing made', async (t) => {
  await assertRefused(t, { cases: NOTHING_TO_DO, stdout: INTRODUCTION });
});

for (const [options, reason] of [
  ['--output-dir %/file', /Cannot write to the output folder .*file/],
  ['--output-dir %/file/below', /Cannot write to the output folder .*below/],
  ['--temp-dir %/file', /--temp-dir|temp folder/],
  ['--temp-dir=', /--temp-dir|temp folder/],
  ['--source-dir=', /--source-dir.*empty|Expected a folder/],
] as const) {
  test(`a folder that cannot be used is refused: ${options}`, async (t) => {
    await assertRefused(t, { cases: [[options, reason]], stdout: INTRODUCTION });
  });
}

test('a folder where an output should be is an error, not an output', async (t) => {
  const out = tempDir(t);
  fs.mkdirSync(path.join(out, csv('AAAUSDT', DAY, 500)), { recursive: true });
  const args = ['--source-dir', source, '--output-dir', out, '--symbols', 'AAAUSDT', '--from', DAY, '--to', DAY];
  const { status, stdout } = await complete(args);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /ERROR .*_ob500_1m\.csv/);
});

test('records that cannot be written: an error of each archive, whose outputs do not appear, exit status 1', async (t) => {
  const out = tempDir(t);
  fs.symlinkSync('nowhere/conversions.jsonl', path.join(out, 'conversions.jsonl'));
  const { status, stdout, stderr } = await complete(['--source-dir', source, '--output-dir', out]);
  assert.equal(status, 1);
  assert.equal(stderr, '');
  const errors = stdout.match(/ERROR .* → [^\n]*conversions\.jsonl could not be written: ENOENT[^\n]*\n/g);
  assert.equal(errors?.length, 6);
  assert.deepEqual(
    listFiles(out).map((file) => path.basename(file)),
    ['conversions.jsonl'],
  );
});

test('records that cannot be read: nothing is converted, a message says what to do, exit status 2', async (t) => {
  const out = tempDir(t);
  fs.mkdirSync(path.join(out, 'conversions.jsonl'));
  const { status, stderr } = await complete(['--source-dir', source, '--output-dir', out]);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /^bookgrid: Cannot read [^\n]*conversions\.jsonl: it is a folder, as in S3: [^\n]*\nIt says [^\n]*move it away/,
  );
  assert.deepEqual(listFiles(out), []);
});

const HAS_FULL = fs.existsSync('/dev/full');
test('a full disk under standard output is told in one line', {
  skip: !HAS_FULL && 'NOT CHECKED: there is no /dev/full here',
}, async (t) => {
  const full = fs.openSync('/dev/full', 'w');
  try {
    const args = ['--source-dir', source, '--output-dir', tempDir(t)];
    const { status, stderr } = await complete(args, { stdio: ['ignore', full, 'pipe'] });
    assert.equal(status, 1);
    assert.match(stderr, /^bookgrid: [^\n]*ENOSPC[^\n]*\n$/);
  } finally {
    fs.closeSync(full);
  }
});

test('a named pipe among the archives is no archive, and does not make the run wait for ever', {
  skip: spawnSync('mkfifo', ['--version']).error !== undefined && 'NOT CHECKED: mkfifo(1) is not here',
}, async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  await makeArchive(sourceDir, { pair: 'AAAUSDT' });
  spawnSync('mkfifo', [path.join(sourceDir, '0500', 'AAAUSDT', `2025-01-16_AAAUSDT_ob500.data`)]);
  const { status, signal, stdout } = await complete(['--source-dir', sourceDir, '--output-dir', out], {
    timeout: 10_000,
  });
  assert.equal(signal, null, 'it had to be killed');
  assert.equal(status, 1);
  assert.match(stdout, /ERROR +AAAUSDT +2025-01-16_\S+ +→ not a regular file\n/);
  assert.match(stdout, /Successfully processed: 1\n/);
});

test('notes of what may not be meant go to standard error', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const archive = await makeArchive(sourceDir, { pair: 'AAAUSDT' });
  fs.copyFileSync(archive, path.join(path.dirname(archive), 'copy of it.zip'));
  fs.writeFileSync(path.join(path.dirname(archive), '.hidden.zip'), '');
  const { status, stdout, stderr } = await complete([
    '--source-dir',
    sourceDir,
    '--output-dir',
    out,
    '--symbols',
    'AAAUSDT,BTCUSD',
  ]);
  assert.equal(status, 0);
  assert.match(
    stderr,
    /^Note: no archive of BTCUSD was found\.\nNote: passed over 1 file not named [^\n]*copy of it\.zip\n$/,
  );
  assert.match(stdout, /Total files: 1\n/);
});

test('conversions.jsonl has a line for each archive converted or failed, none for those skipped', async (t) => {
  const [sourceDir, out] = [tempDir(t), tempDir(t)];
  const good = await makeArchive(sourceDir, { pair: 'AAAUSDT' });
  const bad = await makeArchive(sourceDir, { pair: 'BBBUSDT', depth: 200 });
  fs.writeFileSync(bad, 'not a zip');
  const args = ['--source-dir', sourceDir, '--output-dir', out, '--workers', '1'];
  await complete(args);
  const records = new Map(readRecords(out).map((record) => [record?.['pair'], record]));
  assert.equal(records.size, 2);
  const { finishedAt, seconds, ...done } = records.get('AAAUSDT') ?? {};
  assert.ok(Math.abs(Date.parse(String(finishedAt)) - Date.now()) < 60_000);
  assert.equal(typeof seconds, 'number');
  const { firstTsMs, lastTsMs, updates, ...fixed } = done;
  assert.ok(Number(firstTsMs) > DAY_MS && Number(firstTsMs) < DAY_MS + 1200);
  assert.ok(Number(lastTsMs) > DAY_MS + 120_000 && Number(lastTsMs) < DAY_MS + 127_000);
  assert.ok(Number(updates) > 125);
  assert.deepEqual(fixed, {
    archive: good,
    archiveBytes: fs.statSync(good).size,
    archiveMtimeMs: Math.round(fs.statSync(good).mtimeMs),
    pair: 'AAAUSDT',
    date: DAY,
    sourceDepth: 500,
    status: 'done',
    outputs: [200, 500].map((depth) => ({
      kind: 'book',
      depth,
      format: 'csv',
      path: csv('AAAUSDT', DAY, depth),
      bytes: fs.statSync(path.join(out, csv('AAAUSDT', DAY, depth))).size,
      mtimeMs: Math.round(fs.statSync(path.join(out, csv('AAAUSDT', DAY, depth))).mtimeMs),
      sha256: sha256Of(path.join(out, csv('AAAUSDT', DAY, depth))),
      shape: {
        interval: '1m',
        onGap: 'fill',
        onBadLine: 'fail',
        compat: 'none',
        quality: false,
        formattedTimestamp: false,
        partition: 'none',
      },
      formatVersion: 1,
    })),
    market: 'contract',
    messages: 125,
    snapshots: 1,
    earlyDeltas: 0,
    outOfOrderMessages: 0,
    updateIdBreaks: 0,
    badLines: 0,
    rows: MADE_ROWS,
    filledRows: 0,
    skippedBoundaries: 0,
    crossedRows: 0,
    suspectRows: 0,
    version: VERSION,
  });
  const failed = records.get('BBBUSDT');
  assert.deepEqual([failed?.['status'], failed?.['date'], failed?.['sourceDepth']], ['failed', DAY, 200]);
  assert.match(String(failed?.['error']), /^not a zip file/);

  // Half a line, as a run leaves it whose power was cut: the next record is not made part of it.
  fs.appendFileSync(path.join(out, 'conversions.jsonl'), '{"archive":"half');
  await complete(args);
  const again = readRecords(out);
  assert.deepEqual(
    again.slice(2).map((record) => record?.['status']),
    [undefined, 'failed'],
  );
  assert.match(fs.readFileSync(path.join(out, 'conversions.jsonl'), 'utf8'), /\n\{"archive":"half\n\{/);
});

const HAS_SCRIPT = spawnSync('script', ['-qec', 'exit 7', '/dev/null'], { stdio: 'ignore' }).status === 7;
const NO_TERMINAL = !HAS_SCRIPT && 'NOT CHECKED: the display on a terminal, since script(1) of util-linux is not here';

/** Runs under a terminal of its own, and presses Ctrl+C there as soon as the screen shows `stopAt`. */
async function onTerminal(command: string, { stopAt, env }: { stopAt?: RegExp; env?: NodeJS.ProcessEnv } = {}) {
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...rest } = process.env;
  const child = spawn('script', ['-qec', `stty cols 100 rows 30; ${command}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...rest, TERM: 'xterm-256color', ...env },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  const ended = finished(child);
  let shown = '';
  child.stdout.on('data', (text: string) => {
    const isShown = stopAt?.test(shown);
    shown += text;
    if (!isShown && stopAt?.test(shown)) child.stdin.write('\u0003');
  });
  const { status, stdout: screen } = await ended;
  return { status, screen };
}

const quoted = (words: string[]) => words.map((word) => `'${word}'`).join(' ');
const GREEN_DONE = '\u001b[32mDONE';
const LIVE_LINE = /\d+\/1 archives · \d+ % · [\d.]+ MB\/s/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOR = /\u001b\[\d*m/;

test('on a terminal: a live line on standard error, taken away by Ctrl+C', { skip: NO_TERMINAL }, async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  const command = quoted([process.execPath, CLI, await makeEndless(folder), '--output-dir', out, ...ENDLESS_OPTIONS]);
  const { status, screen } = await onTerminal(command, { stopAt: LIVE_LINE });
  assert.equal(status, 130, screen);
  assert.match(screen, LIVE_LINE);
  assert.doesNotMatch(screen.slice(screen.indexOf('Processing stopped by SIGINT.')), LIVE_LINE);

  const file = path.join(folder, 'stdout.txt');
  const redirected = await onTerminal(`${command} >'${file}'`, { stopAt: LIVE_LINE });
  assert.match(redirected.screen, LIVE_LINE);
  const text = fs.readFileSync(file, 'utf8');
  assert.match(text, /^Processing with 1 parallel worker\n[^·]*Processing stopped by SIGINT\.\n[^·]*={80}\n$/);
  assert.ok(!text.includes('\u001b'), 'no control sequences in the file');
});

test('on a terminal: colours on standard output, unless NO_COLOR is set', { skip: NO_TERMINAL }, async (t) => {
  const out = tempDir(t);
  const args = [
    '--source-dir',
    source,
    '--output-dir',
    out,
    '--overwrite',
    '--symbols',
    'AAAUSDT',
    '--to',
    '2025-01-14',
  ];
  const command = quoted([process.execPath, CLI, ...args]);
  const colored = await onTerminal(command);
  assert.equal(colored.status, 0, colored.screen);
  assert.ok(colored.screen.includes(GREEN_DONE), colored.screen);

  const plain = await onTerminal(command, { env: { NO_COLOR: '1' } });
  assert.match(plain.screen, /\] DONE /);
  assert.doesNotMatch(plain.screen, COLOR);

  const file = path.join(out, 'stderr.txt');
  const stdoutOnly = await onTerminal(`${command} 2>'${file}'`);
  assert.ok(stdoutOnly.screen.includes(GREEN_DONE));
  assert.equal(fs.readFileSync(file, 'utf8'), '');

  const json = await onTerminal(`${command} --json`);
  for (const row of json.screen.trimEnd().split('\r\n')) assert.equal(typeof JSON.parse(row), 'object', row);
});
