import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { CLI } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { HAS_PTY, pressKeys, textOf } from '../support/keys-on-terminal.js';
import { archiveName, DAY, DAY_MS, line, writeLines } from '../support/messages.js';
import { asOfRows, type TestMessage } from '../support/oracle.js';
import { complete, makeArchive } from '../support/runs.js';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-peek-'));
after(() => fs.rmSync(root, { recursive: true, force: true }));

const PAIR = 'AAAUSDT';
const DEPTH = 8;
let archive: string;
/** Outputs of one archive in every format and layout. */
const outputs: string[] = [];
/** The same rows as text. */
let csv: string;

/** Five minutes with a silence and a break, at 10 s, of which the last is cut off by the end of the archive. */
before(async () => {
  const market = {
    depth: DEPTH,
    durationMs: 307_000,
    gaps: [{ fromMs: 100_000, toMs: 145_000 }],
    breaksAtMs: [200_000],
  };
  archive = await makeArchive(path.join(root, 'linear'), { pair: PAIR, depth: DEPTH, market });
  const kinds = [
    ['--format', 'csv,csv.gz'],
    ['--format', 'parquet'],
    ['--format', 'parquet', '--layout', 'wide'],
    ['--format', 'parquet', '--layout', 'long'],
    ['--format', 'parquet', '--decimals'],
  ];
  for (const [index, kind] of kinds.entries()) {
    const out = path.join(root, `out-${index}`);
    const args = ['--source-dir', root, '--output-dir', out, '--interval', '10s', '--quality', ...kind];
    const { status, stderr } = await complete(args);
    assert.equal(status, 0, stderr);
    const day = path.join(out, 'linear', '0008', PAIR);
    outputs.push(...fs.readdirSync(day).map((name) => path.join(day, name)));
  }
  csv = outputs.find((file) => file.endsWith('.csv')) ?? '';
});

interface Peeked {
  timeMs: number;
  message?: { number: number; tsMs: number; badLinesBefore: number };
  mid?: number;
  spread?: number;
  spreadBps?: number;
  bids: [number, number][];
  asks: [number, number][];
  [flag: `is${string}`]: boolean;
}

async function peekJson(file: string, ...args: string[]): Promise<Peeked> {
  const { status, stdout, stderr } = await complete(['peek', file, '--json', ...args]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout.split('\n').length, 2, 'one line');
  return JSON.parse(stdout) as Peeked;
}

/** A row of the CSV by the names of its columns. */
function csvRows(): Map<string, string>[] {
  const [header = '', ...lines] = fs.readFileSync(csv, 'latin1').trimEnd().split('\r\n');
  const names = header.split(',');
  return lines.map((text) => new Map(text.split(',').map((cell, index) => [names[index] ?? '', cell])));
}

function sideOf(row: Map<string, string>, side: 'bid' | 'ask', levels: number): [number, number][] {
  const cell = (kind: string, level: number) => row.get(`${side}_${kind}_${level + 1}`) ?? '';
  return Array.from({ length: levels }, (_, level) => level)
    .filter((level) => cell('price', level) !== '')
    .map((level) => [Number(cell('price', level)), Number(cell('qty', level))]);
}

test('a row of an output is that of the CSV, in every format and layout', async () => {
  const rows = csvRows();
  assert.equal(outputs.length, 6);
  assert.equal(rows.length, 31);
  for (const [index, file] of outputs.entries()) {
    for (const number of [index, 9 + index, 20 + index]) {
      const row = rows[number];
      assert.ok(row);
      const atMs = Number(row.get('timestamp'));
      const levels = 1 + (number % DEPTH);
      const peeked = await peekJson(file, '--at', String(atMs + 9_999), '--levels', String(levels));
      assert.equal(peeked.timeMs, atMs, file);
      assert.deepEqual(peeked.bids, sideOf(row, 'bid', levels), file);
      assert.deepEqual(peeked.asks, sideOf(row, 'ask', levels), file);
      for (const flag of ['Filled', 'Suspect', 'Crossed', 'Thin', 'Partial'] as const) {
        assert.equal(peeked[`is${flag}`], row.get(`is_${flag.toLowerCase()}`) === '1', `${file} ${atMs} ${flag}`);
      }
      const [bid, ask] = [peeked.bids[0]?.[0] ?? 0, peeked.asks[0]?.[0] ?? 0];
      assert.deepEqual([peeked.mid, peeked.spread], [(bid + ask) / 2, ask - bid]);
      assert.ok(Math.abs((peeked.spreadBps ?? 0) - ((ask - bid) / ((bid + ask) / 2)) * 1e4) < 1e-9);
    }
  }
});

test('first and last', async () => {
  const rows = csvRows();
  for (const file of outputs) {
    assert.equal((await peekJson(file)).timeMs, Number(rows[0]?.get('timestamp')), file);
    assert.equal((await peekJson(file, '--at', 'last')).timeMs, Number(rows.at(-1)?.get('timestamp')), file);
  }
  const [first, last] = [await peekJson(archive), await peekJson(archive, '--at', 'last')];
  assert.deepEqual([first.message?.number, first.timeMs], [1, first.message?.tsMs]);
  assert.ok(last.timeMs > DAY_MS + 306_000 && last.timeMs <= DAY_MS + 308_100);
});

test('the book of an archive at an instant is the row that convert writes for it', async () => {
  for (const row of csvRows().filter((_, index) => index % 6 === 0 || index === 30)) {
    const atMs = Number(row.get('timestamp'));
    const peeked = await peekJson(archive, '--at', String(atMs));
    assert.equal(peeked.timeMs, atMs);
    assert.deepEqual([peeked.bids, peeked.asks], [sideOf(row, 'bid', 10), sideOf(row, 'ask', 10)]);
    assert.equal(peeked.message?.tsMs, Number(row.get('book_ts')));
    for (const flag of ['Suspect', 'Crossed', 'Thin', 'Partial'] as const) {
      assert.equal(peeked[`is${flag}`], row.get(`is_${flag.toLowerCase()}`) === '1', `${atMs} ${flag}`);
    }
  }
});

test('to the millisecond, by the definition', async (t) => {
  const snapshot: TestMessage = { type: 'snapshot', tsMs: DAY_MS + 500, bids: [['1', '5']], asks: [['2', '5']] };
  const deltas = Array.from({ length: 60 }, (_, index): TestMessage => {
    const level: [string, string] = [`1.${index % 7}`, String(index % 3)];
    return { type: 'delta', tsMs: DAY_MS + 500 + 37 * index, bids: [level], asks: [] };
  });
  const all = [snapshot, ...deltas];
  const lines = all.map(({ tsMs, ...rest }, index) => line({ ...rest, atMs: tsMs - DAY_MS, u: index + 1 }));
  for (const ending of ['.data', '.data.gz', '.data.zip']) {
    const file = await writeLines(tempDir(t), lines, archiveName({ ending }));
    const rows = asOfRows(all, { intervalMs: 1, depth: 10, dayMs: undefined, onGap: 'fill' });
    for (const at of [500, 536, 537, 1123, 1124, 2000, 2683]) {
      const cells = rows.find(({ boundaryMs }) => boundaryMs === DAY_MS + at)?.cells.split(',') ?? [];
      const numbers = (from: number) =>
        Array.from({ length: 10 }, (_, level) =>
          cells.slice(from + 2 * level, from + 2 * level + 2).map(Number),
        ).filter(([price]) => price !== 0);
      const peeked = await peekJson(file, '--at', String(DAY_MS + at));
      assert.deepEqual([peeked.bids, peeked.asks], [numbers(0), numbers(20)], `${ending} at ${at}`);
    }
  }
});

/** A row of the ladder: what is shown in its columns. */
function levelsOf(text: string): string[][] {
  return [...text.matchAll(/^(ask|bid) (\d+) +([\d.]+) +([\d.]+) +([\d.]+) {2}(\S*)$/gm)].map((match) =>
    match.slice(1),
  );
}

test('the ladder: asks above, bids below, sums, bars as long as their quantities, in the order of prices', async () => {
  const { status, stdout, stderr } = await complete(['peek', csv, '--at', '00:01', '--levels', '5']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^AAAUSDT linear {2}2025-01-15 00:01:00\.000 UTC\n/);
  assert.match(stdout, /\nspread 0\.0\d+ \([\d.]+ bps\) · mid \d\.\d+\n/);
  assert.match(stdout, /\nquality: nothing to remark\n$/);
  const row = csvRows()[5];
  assert.ok(row);
  const levels = levelsOf(stdout);
  const [asks, bids] = [sideOf(row, 'ask', 5), sideOf(row, 'bid', 5)];
  const sum = (side: [number, number][], level: number) =>
    side.slice(0, level + 1).reduce((total, [, quantity]) => total + quantity, 0);
  assert.deepEqual(
    levels.map((cells) => cells.slice(0, 5).map((cell, index) => (index === 0 ? cell : Number(cell)))),
    [
      ...asks.map(([price, quantity], level) => ['ask', level + 1, price, quantity, sum(asks, level)]).reverse(),
      ...bids.map(([price, quantity], level) => ['bid', level + 1, price, quantity, sum(bids, level)]),
    ],
  );
  const most = Math.max(...[...asks, ...bids].map(([, quantity]) => quantity));
  const longest = Math.max(...levels.map((cells) => cells[5]?.length ?? 0));
  for (const [, , , quantity, , bar = ''] of levels) {
    assert.ok(Math.abs(bar.length - (Number(quantity) / most) * longest) <= 1, `${quantity}: ${bar}`);
  }
});

test('what is known of a row is told in words', async () => {
  const text = async (...args: string[]) => (await complete(['peek', ...args])).stdout;
  assert.match(await text(csv, '--at', '00:02:00'), /\nfilled: no message came in its interval\n/);
  assert.match(await text(csv, '--at', '00:04:00'), /\nsuspect: messages are missing since the last full book\n/);
  assert.match(await text(csv, '--at', 'last'), /\npartial: the archive ended within its interval\n/);
  assert.match(
    await text(csv, '--at', '00:01:03.25'),
    /\nasked for 2025-01-15 00:01:03\.250: the latest row before it, 3\.25 s older\n/,
  );
  assert.match(await text(archive, '--at', '00:02:00'), /\nmessage \d+ of 00:01:39\.\d{3}, 20\.\d+ s before\n/);
});

test('a file without the columns of --quality says so', async (t) => {
  const out = tempDir(t);
  await complete(['--source-dir', root, '--output-dir', out]);
  const file = path.join(out, 'linear/0008', PAIR, `${DAY}_${PAIR}_ob8_1m.csv`);
  const { stdout } = await complete(['peek', file]);
  assert.match(stdout, /\nquality: not in the file \(convert --quality adds it\)\n$/);
  const row = await peekJson(file);
  assert.deepEqual([row['isCrossed'], row['isSuspect']], [false, undefined]);
});

test('lines of an archive that cannot be read are passed over, counted, and make the book suspect', async (t) => {
  const bids: [string, string][] = [['1', '5']];
  const lines = [line({ type: 'snapshot', atMs: 500, bids, u: 1 }), 'no message', line({ atMs: 900, bids, u: 2 })];
  const file = await writeLines(tempDir(t), lines);
  const { status, stdout } = await complete(['peek', file, '--at', 'last']);
  assert.equal(status, 0);
  assert.match(stdout, /\nmessage 2 of 00:00:00\.900 · 1 line before it could not be read\n/);
  assert.match(stdout, /\nno asks\nno spread, no mid\n/);
  assert.match(stdout, /\nsuspect: /);
  assert.equal((await peekJson(file))['isSuspect'], false, 'before it');
});

test('no row at that time: what there is instead', async () => {
  const messages: [args: string[], message: RegExp][] = [
    [
      [csv, '--at', '00:00:09.999'],
      /: .*_10s\.csv has no row at 2025-01-15 00:00:09\.999\. Its rows are of 2025-01-15 00:00:10\.000 to 2025-01-15 00:05:10\.000 \(UTC\)\n$/,
    ],
    [[csv, '--at', '00:05:20.001'], /has no row at 2025-01-15 00:05:20\.001/],
    [[archive, '--at', '2025-01-16'], /Its messages, from the first snapshot on, are of 2025-01-15 00:00:0\d\.\d+ to /],
    [[archive, '--at', '00:00'], /has no row at 2025-01-15 00:00:00\.000/],
    [[archive, '--at', '00:06:00.001'], /has no row/],
    [[csv, '--at', 'noon'], /'--at <time>' argument 'noon' is invalid\. Expected a time \(UTC\) such as 10:15/],
    [[csv, '--levels', '0'], /Expected levels from 1 to 9999/],
    [[csv, '--watch'], /--watch reads keys from a terminal/],
    [[csv, '--watch', '--json'], /--json prints one row/],
    [[archive, '--step', '1s'], /--step is what a key of --watch does/],
    [[csv, '--step', '1s', '--watch'], /--step is of archives/],
    [[], /missing required argument 'file'/],
    [[csv, csv], /too many arguments/],
    [[path.join(root, 'gone.csv')], /No such file: .*gone\.csv/],
    [[root], /is a folder: give one of the files in it/],
    [[CLI], /cli\.cjs is by its name neither an output .* nor an archive/],
  ];
  for (const [args, message] of messages) {
    const { status, stdout, stderr } = await complete(['peek', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
  assert.equal((await complete(['peek', csv, '--at', '00:05:20'])).status, 0, 'a row holds up to the next boundary');
});

test('a time without a day needs a day in the name', async (t) => {
  const file = path.join(tempDir(t), 'rows.csv');
  fs.copyFileSync(csv, file);
  const { status, stderr } = await complete(['peek', file, '--at', '00:01']);
  assert.equal(status, 2);
  assert.match(stderr, /The name of .*rows\.csv does not tell one day: give the day with the time/);
  assert.equal((await peekJson(file, '--at', '2025-01-15T00:01')).timeMs, DAY_MS + 60_000);
});

test('a file that is damaged, or of something else, is told in one line, exit status 1', async (t) => {
  const folder = tempDir(t);
  const files: [name: string, bytes: string | Uint8Array, message: RegExp][] = [
    ['cut.csv', fs.readFileSync(csv).subarray(0, -20), /its last line has no end/],
    ['empty.csv', '', /the file is empty/],
    ['other.csv', 'a,b\r\n1,2\r\n', /expected column names, timestamp among them/],
    ['metrics.csv', 'timestamp,spread\r\n1,2\r\n', /names no levels/],
    ['no-rows.csv', `${fs.readFileSync(csv, 'latin1').split('\r\n')[0]}\r\n`, /it has no row/],
    ['text.parquet', 'PAR1', /no whole Parquet file/],
    ['text.csv.gz', 'no gzip', /gzip/],
    ['2025-01-15_AAAUSDT_ob8.data.zip', 'no zip', /not a zip file/],
    ['2025-01-15_BBBUSDT_ob8.data.zip', fs.readFileSync(archive), /its name says .*BBBUSDT.* its first message/],
    ['2025-01-15_AAAUSDT_ob8.data', '{}\n', /no message in it/],
  ];
  for (const [name, bytes, message] of files) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, bytes);
    const { status, stdout, stderr } = await complete(['peek', file, '--at', 'last']);
    assert.equal(status, 1, `${name}: ${stderr}`);
    assert.match(stderr, message);
    assert.match(stderr, /^bookgrid: [^\n]*\n$/);
    assert.ok(stderr.includes(file), stderr);
    assert.equal(stdout, '');
  }
});

const skip = !HAS_PTY && 'NOT CHECKED: what peek shows on a terminal, since python3 has no pty here';
const node = (...args: string[]) => [process.execPath, CLI, 'peek', ...args];
const [LEFT, RIGHT, SHIFT_LEFT, SHIFT_RIGHT] = ['\u001b[D', '\u001b[C', '\u001b[1;2D', '\u001b[1;2C'];
const [HOME, END, PAGE_UP, PAGE_DOWN] = ['\u001b[H', '\u001b[F', '\u001b[5~', '\u001b[6~'];

test('--watch goes by keys, and leaves the terminal as it was', { skip }, () => {
  const time = (row: number) => new Date(DAY_MS + 10_000 * (row + 1)).toISOString().slice(11, 23);
  const moves: [key: string, row: number][] = [
    [RIGHT, 7],
    [RIGHT, 8],
    [LEFT, 7],
    [SHIFT_RIGHT, 17],
    [PAGE_DOWN, 27],
    [SHIFT_LEFT, 17],
    [PAGE_UP, 7],
    [END, 30],
    [HOME, 0],
    ['\u001a', 0], // Ctrl+Z, with no shell to go back to: it goes on at once
    [RIGHT, 1],
  ];
  for (const file of outputs) {
    const keys = moves.map(([press], index) => ({
      after: time(index === 0 ? 6 : (moves[index - 1]?.[1] ?? 0)),
      press,
    }));
    const run = pressKeys(node(file, '--at', '00:01:10', '--watch'), {
      keys: [...keys, { after: time(1), press: 'q' }],
    });
    assert.equal(run.status, 0, run.screens.join('\n'));
    assert.deepEqual([run.isCookedBefore, run.isCookedAfter], [true, true]);
    assert.ok(run.screens.at(-1)?.includes('\u001b[?25h'), 'the cursor is shown again');
  }
});

test('--watch on an archive: by message, or by --step', { skip }, async () => {
  const { message } = await peekJson(archive, '--at', '00:01');
  const number = message?.number ?? 0;
  const byMessage = pressKeys(node(archive, '--at', '00:01', '--watch', '--levels', '2'), {
    keys: [
      { after: `message ${number} of`, press: RIGHT },
      { after: `message ${number + 1} of`, press: SHIFT_LEFT },
      { after: `message ${number - 9} of`, press: HOME },
      { after: 'message 1 of', press: LEFT },
      { after: 'there is no more', press: END },
      { after: 'message ', press: 'q' },
    ],
  });
  assert.equal(byMessage.status, 0);
  const byStep = pressKeys(node(archive, '--at', '00:01:00.5', '--watch', '--step', '100ms'), {
    keys: [
      { after: '00:01:00.500 UTC', press: RIGHT },
      { after: '00:01:00.600 UTC', press: SHIFT_RIGHT },
      { after: '00:01:01.600 UTC', press: LEFT },
      { after: '00:01:01.500 UTC', press: 'q' },
    ],
  });
  assert.equal(byStep.status, 0);
});

test('--watch ended by Ctrl+C or a signal: the terminal is as it was', { skip }, () => {
  for (const [press, status] of [
    ['\u0003', 130],
    ['signal 15', 143],
    ['signal 1', 129],
  ] as const) {
    const run = pressKeys(node(csv, '--watch'), { keys: [{ after: 'q quits', press }] });
    assert.equal(run.status, status, press);
    assert.equal(run.isCookedAfter, true, press);
    assert.ok(run.screens.at(-1)?.includes('\u001b[?25h'), press);
  }
});

test('a terminal of 40 columns and 16 lines has room for it', { skip }, () => {
  const { screens } = pressKeys(node(csv, '--watch', '--levels', '50'), {
    columns: 40,
    rows: 16,
    keys: [{ after: 'q quits', press: 'q' }],
  });
  const lines = textOf(screens[0] ?? '')
    .trimEnd()
    .split('\n');
  assert.ok(lines.length <= 16, `${lines.length} lines`);
  for (const text of lines) assert.ok(text.length <= 40, text);
  assert.ok(lines.some((text) => /█/.test(text)));
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOR = /\u001b\[3[0-9]m/;

test('colours on a terminal, none with NO_COLOR, neither they nor Unicode with TERM=dumb', { skip }, () => {
  const shown = (env: Record<string, string>) =>
    pressKeys(node(csv), { env, keys: [] }).screens.join('').replaceAll('\r', '');
  assert.match(shown({}), COLOR);
  assert.match(shown({}), /█/);
  assert.doesNotMatch(shown({ NO_COLOR: '1' }), COLOR);
  assert.match(shown({ NO_COLOR: '1' }), /█/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing else is meant
  assert.match(shown({ TERM: 'dumb' }), /^[\u0000-\u007f]*#[\u0000-\u007f]*$/);
  assert.ok(!shown({ TERM: 'dumb' }).includes('\u001b'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: nothing else is meant
  assert.match(shown({ LANG: 'C' }), /^[\u0000-\u007f]*#[\u0000-\u007f]*$/);
  assert.match(shown({ LANG: 'de_DE.UTF-8' }), /█/);
});
