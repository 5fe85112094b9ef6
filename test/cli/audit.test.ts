/** `bookgrid audit` as a user runs it: days after days, damaged archives, all formats, exit statuses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { writeArchive } from '../../src/samples/write-archive.js';
import { runCli } from '../support/cli.js';
import { tempDir } from '../support/files.js';
import { assertPrintable } from '../support/printed.js';
import { complete, makeArchive, start, until } from '../support/runs.js';

type Json = Record<string, unknown>;

const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2025, 0, 14);
const dateOf = (day: number) => new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);

interface Given {
  type?: 'snapshot' | 'delta';
  /** ms after the midnight that the day begins with. */
  atMs: number;
  u: number;
}

/** An archive of one level a side; the day counts from the first. */
async function writeDay(folder: string, day: number, messages: Given[], pair = 'JOINUSDT'): Promise<string> {
  const lines = messages.map(({ type = 'delta', atMs, u }) => {
    const ts = FIRST_DAY_MS + day * DAY_MS + atMs;
    const data = { s: pair, b: [['1.5', '3']], a: [['1.6', '4']], u, seq: u };
    return `${JSON.stringify({ topic: `orderbook.1.${pair}`, type, ts, data, cts: ts - 3 })}\n`;
  });
  const member = `${dateOf(day)}_${pair}_ob1.data`;
  const file = path.join(folder, `${member}.zip`);
  await writeArchive(file, member, [Buffer.from(lines.join(''))]);
  return file;
}

/** From just after midnight to a few seconds past the next, as Bybit's files are; the closing snapshot repeats `u`. */
function wholeDay(firstU: number): Given[] {
  return [
    { type: 'snapshot', atMs: 600, u: firstU },
    { atMs: DAY_MS / 2, u: firstU + 1 },
    { atMs: DAY_MS + 100, u: firstU + 2 },
    { type: 'snapshot', atMs: DAY_MS + 700, u: firstU + 2 },
  ];
}

async function events(args: string[], expectedStatus: number): Promise<Json[]> {
  const { status, stdout, stderr } = await runCli(['audit', ...args, '--format', 'json']);
  assert.equal(status, expectedStatus, stderr);
  assert.equal(stderr, '');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
}

const daysOf = (all: Json[]) => all.filter(({ event }) => event === 'day');

test('a day goes on from the one before: by the next u, by the u of the closing snapshot, or where files overlap', async (t) => {
  const folder = tempDir(t);
  await writeDay(folder, 0, wholeDay(100));
  await writeDay(folder, 1, [{ type: 'snapshot', atMs: 900, u: 103 }, ...wholeDay(103).slice(1)]); // goes on
  await writeDay(folder, 2, wholeDay(105)); // repeats
  const overlapping = wholeDay(107);
  await writeDay(folder, 3, [...overlapping, { atMs: DAY_MS + 800, u: 110 }, { atMs: DAY_MS + 900, u: 111 }]);
  await writeDay(folder, 4, [
    { type: 'snapshot', atMs: 700, u: 109 },
    { atMs: 800, u: 110 },
    { atMs: DAY_MS, u: 111 },
  ]);
  const all = await events([folder], 0);
  assert.deepEqual(
    daysOf(all).map(({ date, nextDay, closingSnapshot: _, faults }) => [date, nextDay, faults]),
    [
      [dateOf(0), { state: 'joined', missingMessages: null, silenceMs: 200 }, []],
      [dateOf(1), { state: 'joined', missingMessages: null, silenceMs: -100 }, []],
      [dateOf(2), { state: 'joined', missingMessages: null, silenceMs: -100 }, []],
      [dateOf(3), { state: 'joined', missingMessages: null, silenceMs: -200 }, []],
      [dateOf(4), null, []],
    ],
  );
  const [{ book } = {}] = daysOf(all) as { book?: Json }[];
  assert.deepEqual(book?.['closingSnapshot'], { tsMs: FIRST_DAY_MS + DAY_MS + 700, updateId: 102, repeats: true });
});

test('a day does not go on: messages are missing, u began anew, a day is missing', async (t) => {
  const folder = tempDir(t);
  await writeDay(folder, 0, wholeDay(100));
  await writeDay(folder, 1, wholeDay(110)); // 103 to 109 are missing
  await writeDay(folder, 2, wholeDay(1)); // a restart
  await writeDay(folder, 5, wholeDay(4)); // two days later
  await writeDay(folder, 6, [{ atMs: 500, u: 6 }, ...wholeDay(7)]); // a delta comes before its snapshot
  const all = await events([folder], 1);
  assert.deepEqual(
    daysOf(all).map(({ nextDay, faults, notes }) => [nextDay, faults, notes]),
    [
      [{ state: 'gap', missingMessages: 7, silenceMs: -100 }, ['gap'], []],
      [{ state: 'rebased', missingMessages: null, silenceMs: -100 }, [], ['rebased']],
      [null, [], []],
      [{ state: 'unknown', missingMessages: null, silenceMs: -200 }, [], []],
      [null, [], ['early-deltas']],
    ],
  );
  assert.deepEqual(
    all.filter(({ event }) => event === 'missing-days'),
    [{ event: 'missing-days', pair: 'JOINUSDT', dates: [dateOf(3), dateOf(4)] }],
  );
  assert.deepEqual(all.at(-1), {
    event: 'total',
    archives: 5,
    sound: 4,
    missingDays: 2,
    unusable: 0,
    messages: 21,
    archiveBytes: daysOf(all).reduce((sum, { archiveBytes }) => sum + Number(archiveBytes), 0),
  });
});

test('markets and depths are apart', async (t) => {
  const folder = tempDir(t);
  await writeDay(path.join(folder, 'linear'), 0, wholeDay(100));
  await writeDay(path.join(folder, 'spot'), 1, wholeDay(500));
  const all = await events([folder], 0);
  assert.deepEqual(
    all.map(({ event, market, nextDay }) => [event, market, nextDay]),
    [
      ['day', 'linear', null],
      ['day', 'spot', null],
      ['total', undefined, undefined],
    ],
  );
  assert.equal((await events([folder, '--market', 'spot'], 0)).length, 2);
});

/** Seven archives of one text, each damaged in its own way. */
async function makeDamaged(folder: string): Promise<{ messages: number }> {
  const whole = await makeArchive(folder, { pair: 'WHOLEUSDT', market: { seed: 3, durationMs: 600_000, depth: 100 } });
  const zip = fs.readFileSync(whole);
  const plain = spawnSync('unzip', ['-p', whole], { maxBuffer: 2 ** 30 }).stdout;
  const write = (pair: string, ending: string, bytes: Uint8Array) =>
    fs.writeFileSync(path.join(folder, `2025-01-15_${pair}_ob500.data${ending}`), bytes);
  const named = (pair: string) => Buffer.from(plain.toString('latin1').replaceAll('WHOLEUSDT', pair), 'latin1');
  const zipped = async (pair: string) => {
    const file = path.join(folder, `2025-01-15_${pair}_ob500.data.zip`);
    await writeArchive(file, `2025-01-15_${pair}_ob500.data`, [named(pair)], { level: 1 });
    return fs.readFileSync(file);
  };
  const cut = await zipped('CUTUSDT');
  write('CUTUSDT', '.zip', cut.subarray(0, cut.length >> 1));
  const crc = await zipped('CRCUSDT');
  const directory = crc.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  crc[directory + 16] = (crc[directory + 16] ?? 0) ^ 1;
  write('CRCUSDT', '.zip', crc);
  const gz = gzipSync(named('GZUSDT'));
  write('GZUSDT', '.gz', gz.subarray(0, gz.length >> 1));
  write('NONEUSDT', '.zip', Buffer.alloc(0));
  write('NOTZIPUSDT', '.zip', Buffer.from('<html>not found</html>'));
  write('OTHERUSDT', '', plain);
  fs.symlinkSync('nowhere', path.join(folder, '2025-01-15_LOSTUSDT_ob500.data.zip'));
  assert.ok(zip.length > 1000);
  return { messages: plain.toString('latin1').trimEnd().split('\n').length };
}

test('a damaged archive is broken, and what could be read of it is told', async (t) => {
  const folder = tempDir(t);
  const { messages } = await makeDamaged(folder);
  const all = await events([folder], 1);
  const byPair = new Map(daysOf(all).map((day) => [day['pair'], day]));
  const told = (pair: string) => {
    const { faults, integrity, problem } = byPair.get(pair) ?? {};
    return { faults, integrity, problem };
  };
  assert.deepEqual(told('WHOLEUSDT'), { faults: [], integrity: 'right', problem: null });
  assert.deepEqual(told('CUTUSDT'), {
    faults: ['damaged'],
    integrity: 'damaged',
    problem: "truncated: the zip's directory is missing (file cut short?)",
  });
  assert.match(String(told('CRCUSDT').problem), /^damaged: .* has CRC-32 [0-9a-f]{8}, the zip's directory says/);
  assert.match(String(told('GZUSDT').problem), /^truncated: the gzip data ends in the middle/);
  assert.deepEqual(told('NOTZIPUSDT').faults, ['damaged']);
  assert.deepEqual(told('NONEUSDT'), {
    faults: ['damaged'],
    integrity: 'damaged',
    problem: 'the file is empty; download it again',
  });
  assert.deepEqual(told('OTHERUSDT').faults, ['unusable']);
  assert.match(String(told('OTHERUSDT').problem), /its name says orderbook\.500\.OTHERUSDT, its first message/);
  const read = (pair: string) => Number(byPair.get(pair)?.['messages']);
  assert.equal(read('WHOLEUSDT'), messages);
  assert.equal(read('CRCUSDT'), messages);
  for (const pair of ['CUTUSDT', 'GZUSDT']) {
    assert.ok(read(pair) > messages * 0.4 && read(pair) < messages * 0.6, `${pair}: ${read(pair)} of ${messages}`);
    // Nothing but the end is wrong with it.
    const { breaks, badLines } = byPair.get(pair) ?? {};
    assert.deepEqual({ breaks, badLines }, { breaks: 0, badLines: 0 });
  }
  const [lost] = all.filter(({ event }) => event === 'unusable');
  assert.equal(lost?.['pair'], 'LOSTUSDT');
  assert.equal((all.at(-1) as Json)['unusable'], 1);
});

test('the table has a line a day, and beneath it what is wrong', async (t) => {
  const folder = tempDir(t);
  await writeDay(folder, 0, wholeDay(100));
  await writeDay(folder, 1, wholeDay(110));
  await writeDay(folder, 4, wholeDay(113));
  const { status, stdout } = await runCli(['audit', folder]);
  assert.equal(status, 1);
  const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '));
  assert.deepEqual(lines, [
    'DAY SYMBOL DEPTH FIRST LAST MESSAGES SNAPS BREAKS MISSING SUSPECT SILENCE MED/P99 ms CROSSED TICK STEP NEXT DAY VERDICT',
    '2025-01-14 JOINUSDT 1 00:00:00.600 01-15 00:00:00 4 2 0 0 0ms 12.0h 3/3 0ms 0.1 1 gap GAP',
    "7 messages missing between it and the next day's archive",
    '2025-01-15 JOINUSDT 1 00:00:00.600 01-16 00:00:00 4 2 0 0 0ms 12.0h 3/3 0ms 0.1 1 - ok',
    '2025-01-18 JOINUSDT 1 00:00:00.600 01-19 00:00:00 4 2 0 0 0ms 12.0h 3/3 0ms 0.1 1 - ok',
    '2025-01-16 JOINUSDT: MISSING-DAY to 2025-01-17, 2 days',
    '',
    lines[7],
    '',
  ]);
  assert.match(
    lines[7] ?? '',
    /^3 archives, \d[\d.]* (bytes|kB), 12 messages: 2 without a fault, 1 with one; 2 days missing, 0 not/,
  );
});

async function makeSome(t: TestContext): Promise<string> {
  const folder = tempDir(t);
  await writeDay(path.join(folder, 'linear'), 0, wholeDay(100));
  await writeDay(path.join(folder, 'linear'), 1, wholeDay(110));
  await writeDay(path.join(folder, 'linear'), 4, wholeDay(113));
  await makeDamaged(folder);
  return folder;
}

test('CSV and Parquet hold the same, a row a day, as DuckDB reads them', async (t) => {
  const folder = await makeSome(t);
  const out = tempDir(t);
  const [csv, parquet] = [path.join(out, 'audit.csv'), path.join(out, 'audit.parquet')];
  for (const [format, file] of [
    ['csv', csv],
    ['parquet', parquet],
  ] as const) {
    const { status, stdout } = await runCli(['audit', folder, '--format', format, '-o', file]);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  }
  assert.deepEqual(fs.readdirSync(out), ['audit.csv', 'audit.parquet']);
  const connection = await (await DuckDBInstance.create()).connect();
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const columns =
    'pair, date::VARCHAR AS date, faults, messages::VARCHAR AS messages, next_day_missing_messages::VARCHAR AS missing, price_step::VARCHAR AS price_step, problem, closing_snapshot_repeats AS repeats';
  const [fromCsv, fromParquet] = [
    await query(`SELECT ${columns} FROM '${csv}'`),
    await query(`SELECT ${columns} FROM '${parquet}'`),
  ];
  assert.deepEqual(
    fromCsv,
    fromParquet.map((row) => ({ ...row, faults: row['faults'] || null })),
  );
  const joined = fromParquet
    .filter(({ pair }) => pair === 'JOINUSDT')
    .map(({ date, faults, missing }) => [date, faults, missing]);
  assert.deepEqual(joined, [
    ['2025-01-14', 'gap', '7'],
    ['2025-01-15', '', null],
    ['2025-01-18', '', null],
    ['2025-01-16', 'missing-day', null],
    ['2025-01-17', 'missing-day', null],
  ]);
  const [first] = await query(
    `SELECT epoch_ms(first_ts)::VARCHAR AS ms, typeof(first_ts) AS type FROM '${parquet}' WHERE date = '2025-01-14'`,
  );
  assert.equal(first?.['ms'], String(FIRST_DAY_MS + 600));
  const printed = await runCli(['audit', folder, '--format', 'csv']);
  assert.equal(printed.stdout, fs.readFileSync(csv, 'utf8'));
});

test('the html page needs nothing from elsewhere, has all days, and shows foreign text as text', async (t) => {
  const folder = await makeSome(t);
  fs.mkdirSync(path.join(folder, '<script>alert(1)<'));
  fs.symlinkSync('nowhere', path.join(folder, '<script>alert(1)<', '2025-01-15_EVILUSDT_ob500.data.zip'));
  const { status, stdout } = await runCli(['audit', folder, '--format', 'html']);
  assert.equal(status, 1);
  assert.match(stdout, /^<!doctype html>/);
  assert.match(stdout, /<\/html>\n$/);
  assert.doesNotMatch(stdout, /https?:|<script|<link|<img|url\(|@import/);
  assert.match(stdout, /default-src 'none'/);
  assert.match(stdout, /&#60;script&#62;alert\(1\)&#60;/);
  for (const text of ['linear/JOINUSDT', '2025-01-16: missing', '2025-01-14: faulty', 'Messages', 'CUTUSDT']) {
    assert.ok(stdout.includes(text), text);
  }
});

test('the same comes out whatever the number of workers', async (t) => {
  const folder = await makeSome(t);
  const [one, four] = await Promise.all(
    ['1', '4'].map((workers) => runCli(['audit', folder, '--format', 'json', '--workers', workers])),
  );
  assert.equal(one?.stdout, four?.stdout);
});

test('--quick tells what the records of an output folder do, and an output folder is known by them', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  await makeArchive(folder, { pair: 'AAAUSDT', market: { breaksAtMs: [30_000] } });
  await makeArchive(folder, { pair: 'AAAUSDT', date: '2025-01-17' });
  const cut = await makeArchive(path.join(folder, 'spot'), { pair: 'BBBUSDT' });
  fs.truncateSync(cut, 1000);
  await complete(['--source-dir', folder, '--output-dir', out]);
  const read = await events(['--source-dir', folder], 1);
  const quick = await events(['--quick', '--output-dir', out], 1);
  for (const args of [[out], ['--quick', out]]) assert.deepEqual(await events(args, 1), quick);
  const basic = ({
    event,
    market,
    pair,
    date,
    messages,
    snapshots,
    updates,
    breaks,
    faults,
    firstTsMs,
    lastTsMs,
  }: Json) => ({
    event,
    market,
    pair,
    date,
    ...(pair === 'BBBUSDT' || event === 'total'
      ? {}
      : { messages, snapshots, updates, breaks, faults, firstTsMs, lastTsMs }),
  });
  assert.deepEqual(quick.map(basic), read.map(basic));
  const [first] = quick;
  assert.deepEqual([first?.['source'], first?.['book'], first?.['faults']], ['record', null, ['breaks']]);
  const [other] = quick.filter(({ pair }) => pair === 'BBBUSDT');
  assert.deepEqual([other?.['market'], other?.['faults']], ['spot', ['unusable']]);
});

test('--quick: a record of another hand harms neither the terminal nor the rest, and a full disk is no fault of an archive', async (t) => {
  const out = tempDir(t);
  const record = {
    archive: 'a.zip',
    pair: 'AAAUSDT',
    date: '2025-01-15',
    status: 'done',
    sourceDepth: 500,
    messages: 7,
  };
  const records = [
    record,
    { ...record, status: 'failed', failureKind: 'disk-full', error: 'no space left on device' },
    { ...record, archive: 'b.zip', date: '2025-01-16', firstTsMs: 1e300, messages: 1.5, breaks: -3, badLines: 1e300 },
    { ...record, archive: 'c.zip', pair: 'X\u001b[31m\u001b]0;t\u0007\n2025-01-17 fake' },
    {
      ...record,
      archive: 'd.zip',
      date: '2025-01-17',
      status: 'failed',
      failureKind: 'archive',
      error: '\u001b[31mbad\nline',
    },
  ];
  fs.writeFileSync(path.join(out, 'conversions.jsonl'), records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  for (const format of ['table', 'csv']) {
    const { status, stdout, stderr } = await complete(['audit', '--quick', out, '--format', format]);
    assert.deepEqual({ status, stderr }, { status: 1, stderr: '' }, stdout);
    assertPrintable(stdout.replaceAll('\r\n', '\n'));
    assert.doesNotMatch(stdout, /fake/);
  }
  const found = (await events(['--quick', out], 1)).filter(({ event }) => event === 'day');
  assert.deepEqual(
    found.map(({ date, messages, faults }) => [date, messages, faults]),
    [
      ['2025-01-15', 7, []],
      ['2025-01-16', 0, []],
      ['2025-01-17', 7, ['unusable']],
    ],
  );
});

test('what cannot be is said', async (t) => {
  const folder = tempDir(t);
  await writeDay(folder, 0, wholeDay(100));
  const file = path.join(folder, `${dateOf(0)}_JOINUSDT_ob1.data.zip`);
  const cases: [args: string[], message: RegExp][] = [
    [[folder, '--format', 'parquet'], /--format parquet writes no text: say where to, with -o FILE/],
    [['--quick', folder], /No conversions\.jsonl in /],
    [['--quick', file], /--quick reads the records of an output folder, and .* is none/],
    [[path.join(folder, 'nothing')], /No such file: /],
    [[folder, '-o', folder], /-o .* is a folder, a file was expected/],
    [[folder, '--symbols', 'OTHERUSDT'], /Nothing to audit in /],
    [['--source-dir', path.join(folder, 'nothing')], /nothing/],
    [[folder, '--from', '2025-02-01', '--to', '2025-01-01'], /--from 2025-02-01 is after --to 2025-01-01/],
    [[folder, '--format', 'xml'], /Allowed choices are table, json, csv, parquet, html/],
  ];
  for (const [args, message] of cases) {
    const { status, stdout, stderr } = await runCli(['audit', ...args]);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
    assert.match(stderr, message);
  }
  const { status, stdout } = await runCli(['audit', file]);
  assert.equal(status, 0);
  assert.match(stdout, /JOINUSDT .* ok\n/);
});

test('Ctrl+C ends it, and leaves no file', async (t) => {
  const [folder, out] = [tempDir(t), tempDir(t)];
  for (const day of [10, 11, 12, 13]) {
    await makeArchive(folder, {
      pair: 'LONGUSDT',
      date: `2025-01-${day}`,
      market: { depth: 500, durationMs: 300_000, messageIntervalMs: 50 },
    });
  }
  for (const args of [[], ['-o', path.join(out, 'audit.csv'), '--format', 'csv']]) {
    const { child, ended, printed } = start(['audit', folder, '--workers', '1', ...args]);
    if (args.length === 0) await printed(/DAY/);
    else await until(() => fs.readdirSync(out).length > 0, 'a file is staged');
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    if (status === 0) continue; // it was faster
    assert.equal(status, 130, stderr);
    assert.deepEqual(fs.readdirSync(out), []);
  }
});
