/**
 * Archives that are damaged, forged or cannot be had: each is one ERROR line that says why, leaves nothing behind, and
 * keeps no other archive from being converted. The archives of {@link ERRORS} are in fixtures/bad, made by make-bad.py.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { constants, crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import { writeArchive } from '../src/samples/write-archive.js';
import { type CliResult, runCli } from './support/cli.js';
import { readTree, tempDir } from './support/files.js';
import {
  archivePath,
  FIXTURE_CSV,
  FIXTURE_TEXT,
  fixture,
  fixtureName,
  fixtureOutput,
  fixtures,
} from './support/fixtures.js';
import { NO_PEAK_MEMORY, runCliMeasured } from './support/peak-memory.js';
import { archiveLines, assertPrintable, type PrintedLine, withoutControls } from './support/printed.js';
import { unprivileged } from './support/unprivileged.js';

const MEMBER = '2025-01-15_TESTUSDT_ob2.data';
const [SNAPSHOT = '', DELTA = ''] = String(FIXTURE_TEXT).split('\n');

const EMPTY = 'the file is empty; download it again';
const ZIP_CUT = "truncated: the zip's directory is missing (file cut short?)";
const GZIP_CUT = 'truncated: the gzip data ends in the middle (file cut short?)';
const SPLIT =
  'one part of a zip that was split over several files, which no Bybit archive is; put it together, or download it again';
const NOT_GZIP = 'not a gzip file, or followed by bytes that are none (incorrect gzip header); download it again';
const DIRECTORY = "damaged: the zip's directory cannot be read";
const OUTSIDE = "a member's name points outside of the zip, which no Bybit archive does";
const wrongCrc = (member: string, found: string, said: string) =>
  `damaged: ${member} has CRC-32 ${found}, the zip's directory says ${said}; download it again`;
const wrongSize = (found: string, said: number) =>
  `damaged: ${MEMBER} has ${found} bytes, the zip's directory says ${said}; download it again`;
const doesNotInflate = (why: string) => `damaged: ${MEMBER} does not inflate (zlib: ${why}); download it again`;
const packedBy = (method: number) =>
  `${MEMBER} is packed by compression method ${method}; only 0 (stored) and 8 (deflated) can be read`;

/** Archives that `--on-bad-line skip` cannot help: the error of each, by the name of its fixture. */
const ERRORS: Record<string, string | RegExp> = {
  'EMPTY-FILE': EMPTY,
  'GZIP-EMPTY-FILE': EMPTY,
  'DATA-EMPTY-FILE': EMPTY,
  'NOT-A-ZIP': 'not a zip file: it begins with \\x3c\\x21\\x44\\x4f instead of PK\\x03\\x04',
  'GZIP-NAMED-ZIP': 'not a zip file: it begins with \\x1f\\x8b\\x08\\x00 instead of PK\\x03\\x04',
  'CUT-IN-MEMBER': ZIP_CUT,
  'CUT-IN-LOCAL-HEADER': ZIP_CUT,
  'CUT-IN-DIRECTORY': ZIP_CUT,
  'CUT-IN-END-RECORD': ZIP_CUT,
  'BYTES-AFTER-THE-END':
    /^damaged: the zip's directory cannot be read \(Invalid comment length\. Expected: 7\. Found: 0\./,
  'FIRST-OF-SEVERAL-DISKS': SPLIT,
  'LAST-OF-SEVERAL-DISKS': SPLIT,
  'DIRECTORY-OFFSET-WRONG': `${DIRECTORY} (invalid central directory file header signature: 0x8000000)`,
  'DIRECTORY-OFFSET-BEYOND': `${DIRECTORY} (unexpected EOF)`,
  'ZIP64-OFFSET-BEYOND': /^damaged: the zip's directory cannot be read \(/,
  'LOCAL-HEADER-DAMAGED': `${DIRECTORY} (invalid local file header signature: 0x4024b50)`,
  // The right CRC-32s are those that unzip -t finds.
  'WRONG-CRC': wrongCrc(MEMBER, 'e151e8e4', 'deadbeef'),
  'WRONG-CRC-STORED': wrongCrc(MEMBER, 'e151e8e4', '00000012'),
  'FLIPPED-BIT-STORED': wrongCrc(MEMBER, '0a193ab3', 'e151e8e4'),
  'FLIPPED-BIT': doesNotInflate('invalid block type'),
  'SIZE-TOO-SMALL': wrongSize('more', SNAPSHOT.length + 1),
  'SIZE-ONE-TOO-SMALL': wrongSize('more', FIXTURE_TEXT.length - 1),
  'SIZE-ZERO': wrongSize('more', 0),
  'SIZE-TOO-LARGE': wrongSize(`only ${FIXTURE_TEXT.length}`, FIXTURE_TEXT.length + 1),
  'PACKED-SIZE-TOO-SMALL': doesNotInflate('unexpected end of file'),
  'PACKED-SIZE-ZERO': doesNotInflate('unexpected end of file'),
  'PACKED-SIZE-TOO-LARGE': `${DIRECTORY} (file data overflows file bounds: ${30 + MEMBER.length} + 100000 > 297)`,
  'STORED-SIZES-DIFFER': `${DIRECTORY} (compressed/uncompressed size mismatch for stored file: ${FIXTURE_TEXT.length} != 5)`,
  'NO-MEMBER': 'no .data member among the 0 in the zip; exactly one was expected',
  'NO-DATA-MEMBER': 'no .data member among the 2 in the zip; exactly one was expected',
  'TWO-DATA-MEMBERS': 'two .data members, a.data and b.data; exactly one was expected',
  'NAME-WITH-DOTDOT': `${OUTSIDE} (invalid relative path: ../../NAME-WITH-DOTDOT.data)`,
  'NAME-WITH-BACKSLASHES': `${OUTSIDE} (invalid relative path: ../NAME-WITH-BACKSLASHES.data)`,
  'NAME-ABSOLUTE': `${OUTSIDE} (absolute path: /tmp/NAME-ABSOLUTE.data)`,
  'NAME-WITH-DRIVE': `${OUTSIDE} (absolute path: C:NAME-WITH-DRIVE.data)`,
  'NAME-WITH-ESCAPES': wrongCrc('\x1b[2J\x1b]0;owned\x07\x9b31m\n.data', 'e151e8e4', '00000001'),
  ENCRYPTED: `${MEMBER} is encrypted; only plain members can be read`,
  'STRONGLY-ENCRYPTED': `${DIRECTORY} (strong encryption is not supported)`,
  'PACKED-BY-BZIP2': packedBy(12),
  'PACKED-BY-LZMA': packedBy(14),
  'GZIP-CUT': GZIP_CUT,
  'GZIP-CUT-IN-HEADER': GZIP_CUT,
  'GZIP-CUT-IN-TRAILER': GZIP_CUT,
  'GZIP-SECOND-MEMBER-CUT': GZIP_CUT,
  'GZIP-WRONG-CRC': 'damaged: the gzip data does not inflate (zlib: incorrect data check); download it again',
  'GZIP-WRONG-LENGTH': 'damaged: the gzip data does not inflate (zlib: incorrect length check); download it again',
  'GZIP-THEN-1-BYTES': NOT_GZIP,
  'GZIP-THEN-2-BYTES': NOT_GZIP,
  'GZIP-THEN-3-BYTES': NOT_GZIP,
  'GZIP-THEN-CUT-HEADER': GZIP_CUT,
  'GZIP-THEN-GARBAGE': NOT_GZIP,
  'NOT-A-GZIP': NOT_GZIP,
  'ZIP-NAMED-GZIP': NOT_GZIP,
  'EMPTY-MEMBER': 'no message in it',
  'NO-MESSAGE': 'no message in it',
  'NO-SNAPSHOT': 'no snapshot among its 2 messages, so there is no book to start from',
  'DAY-BEFORE': 'none of its 1 messages is of 2025-01-15, the day in its name; the last is of 2025-01-14',
  'DAY-AFTER': 'none of its 1 messages is of 2025-01-15, the day in its name; the last is of 2025-01-16',
  'DAY-BETWEEN': 'none of its 2 messages is of 2025-01-15, the day in its name; the last is of 2025-01-16',
  'OTHER-PAIR': notOf('orderbook.2.OTHER-PAIR', 'orderbook.2.TESTUSDT'),
  'OTHER-SYMBOL': notOf('orderbook.2.OTHER-SYMBOL', 'TESTUSDT'),
  'OTHER-DEPTH': notOf('orderbook.2.OTHER-DEPTH', 'orderbook.50.OTHER-DEPTH'),
  'OTHER-TOPIC': notOf('orderbook.2.OTHER-TOPIC', 'tickers.OTHER-TOPIC'),
};

const TYPE = '"type" must be "snapshot" or "delta", found';
const TS = '"ts" must be a whole number of ms since 1970, found';
const LEVEL = 'where ["price","quantity"] in plain decimals was expected';

/** What a line that is JSON, and no message, has wrong: the error is `line 2: not an order book message: …`. */
const NO_MESSAGE: Record<string, string> = {
  'LINE-AN-ARRAY': 'an object was expected, found [1,2]',
  'LINE-A-NUMBER': 'an object was expected, found 17',
  'LINE-A-STRING': 'an object was expected, found "snapshot"',
  'LINE-NULL': 'an object was expected, found null',
  'LINE-TRUE': 'an object was expected, found true',
  'LINE-EMPTY-OBJECT': `${TYPE} nothing`,
  'LINE-ESCAPES-IN-JSON': `${TYPE} "\\u001b[2J 1A "`,
  'TYPE-UNKNOWN': `${TYPE} "update"`,
  'TYPE-MISSING': `${TYPE} nothing`,
  'TS-MISSING': `${TS} nothing`,
  'TS-TEXT': `${TS} "1736899201000"`,
  'TS-NULL': `${TS} null`,
  'TS-NEGATIVE': `${TS} -1`,
  'TS-FRACTION': `${TS} 1736899201000.5`,
  'TS-HUGE': `${TS} 1e+300`,
  'TS-YEAR-10000': `${TS} 253402300800000`,
  'DATA-MISSING': '"data" must be an object, found nothing',
  'DATA-ARRAY': '"data" must be an object, found []',
  'DATA-NULL': '"data" must be an object, found null',
  'B-MISSING': '"b" must be a list of [price, quantity], found nothing',
  'A-MISSING': '"a" must be a list of [price, quantity], found nothing',
  'B-NOT-A-LIST': '"b" must be a list of [price, quantity], found {"9.95":"77"}',
  'A-NOT-A-LIST': '"a" must be a list of [price, quantity], found "none"',
  'U-TEXT': '"u" must be a whole number, found "2"',
  'U-FRACTION': '"u" must be a whole number, found 2.5',
  'LEVEL-OF-THREE': `"b" holds ["9.95","7","1"] ${LEVEL}`,
  'LEVEL-OF-ONE': `"b" holds ["9.95"] ${LEVEL}`,
  'LEVEL-NOT-A-LIST': `"a" holds "10.0" ${LEVEL}`,
  'LEVEL-NULL': `"a" holds null ${LEVEL}`,
  'LEVEL-NUMBERS': `"b" holds [9.95,77] ${LEVEL}`,
  'PRICE-400-DIGITS': `"b" holds the price "${'9'.repeat(56)}… of more than 18 digits`,
  'PRICE-400-DECIMALS': `"b" holds the price "0.${'0'.repeat(54)}… of more than 18 digits`,
  'PRICE-19-DIGITS': '"b" holds the price "1234567890123456789" of more than 18 digits',
};

/** Texts that are no plain decimal, as JSON has them. A fixture has each as a price, another as a quantity. */
const NO_DECIMALS: Record<string, string> = {
  EXPONENT: '1e5',
  NAN: 'NaN',
  INFINITY: 'Infinity',
  NEGATIVE: '-1',
  PLUS: '+1',
  EMPTY: '',
  'NO-INTEGER': '.5',
  'NO-FRACTION': '5.',
  'SPACE-BEFORE': ' 1',
  'SPACE-AFTER': '1 ',
  HEX: '0x1',
  'TWO-POINTS': '1.2.3',
  COMMA: '1,5',
  'LINE-FEED': '1\\n',
  'ARABIC-DIGITS': '\u0661',
};

/** Archives that are right but for one line: the error of each. `--on-bad-line skip` converts them without the line. */
const BAD_LINES: Record<string, string> = {
  ...mapValues(NO_MESSAGE, (reason) => `line 2: not an order book message: ${reason}`),
  ...Object.fromEntries(
    Object.entries(NO_DECIMALS).flatMap(([name, text]) => [
      [`PRICE-${name}`, `line 2: not an order book message: "b" holds ["${text}","1"] ${LEVEL}`],
      [`QUANTITY-${name}`, `line 2: not an order book message: "a" holds ["10.06","${text}"] ${LEVEL}`],
    ]),
  ),
  'LINE-OF-ANOTHER-PAIR': `line 2: a message of orderbook.2.ETHUSDT in an archive of orderbook.2.LINE-OF-ANOTHER-PAIR`,
  'LINE-OF-ANOTHER-SYMBOL': `line 2: a message of ETHUSDT in an archive of orderbook.2.LINE-OF-ANOTHER-SYMBOL`,
  'LINE-OF-ANOTHER-DEPTH': `line 2: a message of orderbook.50.LINE-OF-ANOTHER-DEPTH in an archive of orderbook.2.LINE-OF-ANOTHER-DEPTH`,
  'LINE-NOT-UTF8': 'line 2: not UTF-8 text',
  'LINE-LATIN1': 'line 2: not UTF-8 text',
  'LINE-TWO-OBJECTS': notJson(2, secondLine('LINE-TWO-OBJECTS')),
  'LINE-CUT': notJson(2, secondLine('LINE-CUT')),
  'LINE-SINGLE-QUOTES': notJson(2, secondLine('LINE-SINGLE-QUOTES')),
  'LINE-NUL-BYTES': notJson(2, '\0'.repeat(20)),
  'LINE-WITH-ESCAPES': notJson(2, '\x1b[2J\x1b[31m\x1b]0;owned\x07\x9b1A\r\x7f'),
  'LINE-WITH-BOM': notJson(1, `\ufeff${SNAPSHOT}`),
  'FIRST-LINE-CUT': notJson(1, SNAPSHOT.slice(80)),
  'LAST-LINE-CUT': notJson(3, SNAPSHOT.slice(0, 80)),
};

/** Whatever the running Node has to say about a text that is not JSON, and the beginning of the text. */
function notJson(lineNumber: number, text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    const beginning = text.length <= 60 ? text : `${text.slice(0, 57)}…`;
    return `line ${lineNumber}: not JSON (${(error as Error).message}): ${beginning}`;
  }
  throw new Error(`this is JSON: ${text}`);
}

function secondLine(name: string): string {
  return fs.readFileSync(fixture('bad', name).path, 'utf8').split('\n')[1] ?? '';
}

function notOf(said: string, found: string): string {
  return `its name says ${said}, its first message ${found}: give it the name of what it holds`;
}

function mapValues(values: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

/** A folder with `src`, in it two good archives, the first and the last of the plan, and `out`. */
function workspace(t: TestContext): { dir: string; src: string; out: string } {
  const dir = tempDir(t);
  const src = path.join(dir, 'src');
  for (const pair of GOOD) fs.writeFileSync(archivePath(src, fixtureName(pair)), FIXTURE_TEXT);
  return { dir, src, out: path.join(dir, 'out') };
}

const GOOD = ['0GOOD', 'ZZGOOD'];

/** The record of each pair in conversions.jsonl. */
type Records = Map<string, Record<string, unknown>>;

function readRecords(out: string): Records {
  const file = path.join(out, 'conversions.jsonl');
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return new Map(records.map((record) => [String(record['pair']), record]));
}

interface Run extends CliResult {
  lines: Map<string, PrintedLine>;
  records: Records;
}

/**
 * Converts `src` and asserts what holds whatever the archives are: these and no other outputs, right to the byte, no
 * unfinished ones, nothing beside them, and a terminal left alone.
 */
async function convert(
  { dir, src, out }: { dir: string; src: string; out: string },
  args: string[],
  { made = [], run = runCli }: { made?: string[]; run?: (args: string[]) => Promise<CliResult> } = {},
): Promise<Run> {
  const sources = fs.readdirSync(src, { recursive: true }).length;
  const result = await run(['--source-dir', src, '--output-dir', out, '--workers', '2', ...args]);
  assert.ok(fs.existsSync(out), `nothing was converted: ${result.stderr}`);
  const tree = readTree(out);
  tree.delete('conversions.jsonl');
  const expected = [...GOOD, ...made].map((pair) => [fixtureOutput(pair), FIXTURE_CSV] as const);
  assert.deepEqual([...tree.keys()].sort(), expected.map(([name]) => name).sort(), result.stdout + result.stderr);
  assert.deepEqual(tree, new Map([...expected].sort()));
  assert.equal(fs.readdirSync(src, { recursive: true }).length, sources, 'nothing is written among the archives');
  assert.deepEqual(
    fs.readdirSync(dir).filter((name) => name !== 'peak'),
    ['out', 'src'],
    'nothing is written beside',
  );
  assertPrintable(result.stdout);
  assertPrintable(result.stderr);
  return {
    ...result,
    lines: archiveLines(result.stdout),
    records: readRecords(out),
  };
}

function assertError({ lines, status }: Run, pair: string, error: string | RegExp): void {
  const printed = lines.get(pair);
  assert.equal(printed?.status, 'ERROR');
  if (typeof error === 'string') assert.equal(printed.text, withoutControls(error));
  else assert.match(printed.text, error);
  assert.equal(status, 1);
}

function putFixtures({ src }: { src: string }): void {
  for (const { fileName, path: file } of fixtures('bad')) fs.copyFileSync(file, archivePath(src, fileName));
}

test('every bad fixture has its error here, and every error a fixture', () => {
  const names = fixtures('bad').map(({ name }) => name);
  assert.deepEqual(names.sort(), [...Object.keys(ERRORS), ...Object.keys(BAD_LINES)].sort());
});

test('bad archives are errors, each with its cause, and the good ones among them are converted', async (t) => {
  const place = workspace(t);
  putFixtures(place);
  const run = await convert(place, []);
  const errors = { ...ERRORS, ...BAD_LINES };
  for (const [name, error] of Object.entries(errors)) {
    await t.test(name, () => {
      assertError(run, name, error);
      const record = run.records.get(name);
      assert.equal(record?.['status'], 'failed');
      assert.equal(withoutControls(String(record['error'])), run.lines.get(name)?.text);
    });
  }
  await t.test('each is counted', () => {
    const total = Object.keys(errors).length + GOOD.length;
    assert.match(
      run.stdout,
      new RegExp(`^Total files: ${total}\nSuccessfully processed: 2\n.*: 0\nErrors: ${total - 2}$`, 'm'),
    );
    assert.equal(run.stderr, '');
  });
  await t.test('the main thread says the same as workers', async () => {
    const second = workspace(t);
    putFixtures(second);
    const alone = await convert(second, ['--workers', '1']);
    assert.deepEqual([...alone.lines].sort(), [...run.lines].sort());
    assert.equal(alone.status, 1);
  });
  assert.ok(!fs.existsSync('/tmp/NAME-ABSOLUTE.data'));
});

test('--on-bad-line skip makes the rows as if a bad line were not there, and helps against nothing else', async (t) => {
  const place = workspace(t);
  putFixtures(place);
  const run = await convert(place, ['--on-bad-line', 'skip'], { made: Object.keys(BAD_LINES) });
  for (const name of Object.keys(BAD_LINES)) {
    await t.test(name, () => {
      assert.equal(run.lines.get(name)?.status, 'DONE');
      const { badLines, messages } = run.records.get(name) ?? {};
      assert.deepEqual({ badLines, messages }, { badLines: 1, messages: 2 });
    });
  }
  for (const [name, error] of Object.entries(ERRORS)) await t.test(name, () => assertError(run, name, error));
});

const TOO_LONG = `longer than ${4 * 1024 * 1024} bytes`;
const READ_BYTES = 256 * 1024;
const MANY = 5_000_000;
const NESTED = `${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}`;

function snapshotOf(levels: number, price = 1_000_000): string {
  const bids = Array.from({ length: levels }, (_, index) => [String(price - index), '1']);
  return SNAPSHOT.replace('[["10.0","5"],["9.9","6"]]', JSON.stringify(bids));
}

/** Large archives, made here: text and, when it is one line that is wrong, the error of it. */
const LARGE: Record<string, { text: string; error: string | RegExp; isLine: boolean }> = {
  'a long line': { text: `${SNAPSHOT}\n${'x'.repeat(MANY)}\n${DELTA}\n`, error: `line 2: ${TOO_LONG}`, isLine: true },
  'a long line at the end of the file': {
    text: `${SNAPSHOT}\n${DELTA}\n${'x'.repeat(MANY)}`,
    error: `line 3: ${TOO_LONG}`,
    isLine: true,
  },
  'a long line whose end is the first byte of a read': {
    text: `${`${SNAPSHOT}\n`.padEnd(20 * READ_BYTES, 'x')}\n${DELTA}\n`,
    error: `line 2: ${TOO_LONG}`,
    isLine: true,
  },
  'a long line that ends in blanks': {
    text: `${SNAPSHOT}\n${'x'.repeat(MANY)}${' '.repeat(2 * READ_BYTES)}\n${DELTA}\n`,
    error: `line 2: ${TOO_LONG}`,
    isLine: true,
  },
  'brackets never closed': {
    text: `${SNAPSHOT}\n${'['.repeat(3_000_000)}\n${DELTA}\n`,
    error: notJson(2, '['.repeat(3_000_000)),
    isLine: true,
  },
  'deeply nested brackets': {
    text: `${SNAPSHOT}\n${NESTED}\n${DELTA}\n`,
    error: /^line 2: not an order book message: an object was expected, found something nested too deeply to show$/,
    isLine: true,
  },
  'deeply nested brackets in a message': {
    text: `${SNAPSHOT}\n${DELTA.replace('"delta"', NESTED)}\n${DELTA}\n`,
    error:
      /^line 2: not an order book message: "type" must be "snapshot" or "delta", found something nested too deeply to show$/,
    isLine: true,
  },
  'a book of too many levels': {
    text: `${snapshotOf(100_001)}\n${DELTA}\n`,
    error: 'line 1: the book has grown past 100000 levels a side, which no real one does',
    isLine: false,
  },
  'a book that grows to too many levels': {
    text: `${snapshotOf(60_000)}\n\n${snapshotOf(40_001, 9_000_000).replace('snapshot', 'delta')}\n`,
    error: 'line 3: the book has grown past 100000 levels a side, which no real one does',
    isLine: false,
  },
};

test('large text that is wrong is an error, a line of it can be passed over', async (t) => {
  const place = workspace(t);
  const cases = Object.entries(LARGE).map(([what, large], index) => ({ what, pair: `LARGE-${index}`, ...large }));
  for (const { pair, text } of cases) fs.writeFileSync(archivePath(place.src, fixtureName(pair)), text);
  const [run] = await Promise.all([
    runCli(['--source-dir', place.src, '--output-dir', place.out, '--workers', '1']),
    runCli(['--source-dir', place.src, '--output-dir', `${place.out}-skip`, '--workers', '1', '--on-bad-line', 'skip']),
  ]);
  const skipped = readRecords(`${place.out}-skip`);
  for (const { what, pair, error, isLine } of cases) {
    await t.test(what, () => {
      assertError({ ...run, lines: archiveLines(run.stdout), records: new Map() }, pair, error);
      assert.ok(!fs.existsSync(path.join(place.out, fixtureOutput(pair))));
      const { status, badLines } = skipped.get(pair) ?? {};
      assert.deepEqual(
        { status, badLines },
        isLine ? { status: 'done', badLines: 1 } : { status: 'failed', badLines: 0 },
      );
      const csv = path.join(`${place.out}-skip`, fixtureOutput(pair));
      if (isLine) assert.equal(fs.readFileSync(csv, 'latin1'), FIXTURE_CSV);
      else assert.ok(!fs.existsSync(csv));
    });
  }
  await t.test('and the good archives among them are converted', () => {
    for (const out of [place.out, `${place.out}-skip`]) {
      for (const pair of GOOD)
        assert.equal(fs.readFileSync(path.join(out, fixtureOutput(pair)), 'latin1'), FIXTURE_CSV);
      assert.deepEqual(
        [...readTree(out).keys()].filter((name) => name.endsWith('.part')),
        [],
      );
    }
  });
});

test('what a book may hold at most, and a quantity of any length, are no errors', async (t) => {
  const place = workspace(t);
  fs.writeFileSync(archivePath(place.src, fixtureName('FULL')), `${snapshotOf(100_000)}\n`);
  const quantity = `0.${'123456789'.repeat(50)}`;
  fs.writeFileSync(archivePath(place.src, fixtureName('LONG')), SNAPSHOT.replace('"5"', `"${quantity}"`));
  const { status, stdout } = await runCli(['--source-dir', place.src, '--output-dir', place.out, '--workers', '1']);
  assert.equal(status, 0, stdout);
  const rows = (pair: string) => fs.readFileSync(path.join(place.out, fixtureOutput(pair)), 'latin1').split('\r\n');
  assert.equal(rows('FULL')[1], '1736899260000,1000000,1,999999,1,10.1,7,10.2,8');
  assert.equal(rows('LONG')[1], `1736899260000,10.0,${quantity},9.9,6,10.1,7,10.2,8`);
});

/** More is a leak: Node itself and its workers take 100 MB, and a slice of the worst input inflates to 33 MB. */
const FLAT_BYTES = 250_000_000;

/** Archives whose forged prices and times must cost no more than their text, by the most seconds that they may take. */
test('time and disk stay in proportion to what is forged', async (t) => {
  const message = (type: string, atMs: number, bids: [string, string][]) =>
    `{"type":"${type}","ts":${1736899200000 + atMs},"data":{"b":${JSON.stringify(bids)},"a":[["5500.00","1"]],"u":1}}\n`;
  const far = (index: number): [string, string] => [`0.${(index * 7919 + 1e8) % 1e9}${111111111 + index}`, '1'];
  const many = (count: number, of: (index: number) => [string, string]) =>
    Array.from({ length: count }, (_, at) => of(at));

  await t.test('prices of 18 digits off the ladder, up to as many levels as there may be', async (t) => {
    const place = workspace(t);
    const deltas = many(3400 * 30, far).map((level, index) => [level, index] as const);
    const lines = Array.from({ length: 3400 }, (_, at) =>
      message(
        'delta',
        at + 2,
        deltas.slice(at * 30, at * 30 + 30).map(([level]) => level),
      ),
    );
    const text = [message('snapshot', 1, [['3000.00', '1']]), ...lines].join('');
    fs.writeFileSync(archivePath(place.src, fixtureName('FAR')), text);
    const run = await convert(place, []);
    assertError(run, 'FAR', /^line \d+: the book has grown past 100000 levels a side/);
    // 48 s when the ladder was laid out anew every thousand levels.
    assert.ok(Number(run.records.get('FAR')?.['seconds']) < 10);
  });

  await t.test('a level at each end of the ladder, a row of metrics a second', async (t) => {
    const { src, out } = workspace(t);
    const rows = Array.from({ length: 6000 }, (_, at) => message('delta', at * 1000, [['3000.00', String(at + 1)]]));
    const start = message('snapshot', 0, [
      ['3000.00', '1'],
      ['500.00', '1'],
    ]);
    fs.writeFileSync(archivePath(src, fixtureName('SPREAD')), [start, ...rows].join(''));
    const args = ['--symbols', 'SPREAD', '--metrics', '--interval', '1s', '--workers', '1'];
    await runCli(['--source-dir', src, '--output-dir', out, ...args]);
    const { status, seconds, rows: made } = readRecords(out).get('SPREAD') ?? {};
    assert.deepEqual({ status, made }, { status: 'done', made: 5999 });
    assert.ok(Number(seconds) < 6, `${seconds} s, where each empty slot was looked at by itself 16 s`);
  });

  await t.test('one wild ts in a file without a date in its name', async (t) => {
    const { dir, out } = workspace(t);
    const file = path.join(dir, 'undated.data');
    const named = (text: string) => text.replace('{', '{"topic":"orderbook.2.WILD",');
    const lines = [message('snapshot', 1, [['3000.00', '1']]), message('delta', 8 * 86_400_000, [])];
    fs.writeFileSync(file, lines.map(named).join(''));
    const { stdout, status } = await runCli([file, '--output-dir', out, '--interval', '1ms', '--on-bad-line', 'skip']);
    assert.equal(status, 1);
    assert.match(stdout, /→ line 2: its ts, 2025-01-23T00:00:00\.000Z, is 8 days after all before it/);
    assert.deepEqual([...readTree(out).keys()], ['conversions.jsonl']);
  });
});

const LONG_LINE_BYTES = 200 * 1024 * 1024;
for (const mode of ['fail', 'skip']) {
  test(`a line of 200 MB, --on-bad-line ${mode}: memory stays flat`, { skip: NO_PEAK_MEMORY }, async (t) => {
    const place = workspace(t);
    const text = [`${SNAPSHOT}\n`, ...Array<string>(LONG_LINE_BYTES >> 20).fill('x'.repeat(1 << 20)), `\n${DELTA}\n`];
    const name = fixtureName('LONG', '.data.zip');
    await writeArchive(
      archivePath(place.src, name),
      MEMBER,
      text.map((part) => Buffer.from(part)),
      { level: 1 },
    );
    let peakBytes = 0;
    const run = await convert(place, ['--on-bad-line', mode], {
      made: mode === 'skip' ? ['LONG'] : [],
      run: async (args) => {
        const measured = await runCliMeasured(args, place.dir);
        peakBytes = measured.peakBytes;
        return measured;
      },
    });
    if (mode === 'fail') assertError(run, 'LONG', `line 2: ${TOO_LONG}`);
    else assert.equal(run.records.get('LONG')?.['badLines'], 1);
    t.diagnostic(`peak ${Math.round(peakBytes / 1e6)} MB`);
    assert.ok(peakBytes < FLAT_BYTES, `${peakBytes} bytes of memory`);
  });
}

test('a member that inflates to 4 GB where the directory says 375 bytes is an error at once', {
  skip: NO_PEAK_MEMORY,
}, async (t) => {
  const place = workspace(t);
  fs.writeFileSync(archivePath(place.src, fixtureName('BOMB', '.data.zip')), await bomb());
  let peakBytes = 0;
  const run = await convert(place, [], {
    run: async (args) => {
      const measured = await runCliMeasured(args, place.dir);
      peakBytes = measured.peakBytes;
      return measured;
    },
  });
  assertError(run, 'BOMB', wrongSize('more', FIXTURE_TEXT.length));
  t.diagnostic(`peak ${Math.round(peakBytes / 1e6)} MB`);
  assert.ok(peakBytes < FLAT_BYTES, `${peakBytes} bytes of memory`);
  // Inflating all of it takes four seconds and more.
  assert.ok(Number(run.records.get('BOMB')?.['seconds']) < 2);
});

/** A zip whose one member inflates to 4 GB of line feeds. Blocks that end in a full flush can be repeated at will. */
async function bomb(): Promise<Buffer> {
  const packer = createDeflateRaw({ level: 9 });
  const block = await flushed(packer, Buffer.alloc(1 << 20, '\n'));
  const packed = Buffer.concat([...Array<Buffer>(4096).fill(block), Buffer.from([3, 0])]);
  const name = Buffer.from(MEMBER);
  // From "flags" to "extra field length", which local header and directory have in common (APPNOTE.TXT 4.3.7, 4.3.12).
  const fields = Buffer.alloc(24);
  fields.writeUInt16LE(8, 2); // deflated
  fields.writeUInt32LE(crc32(FIXTURE_TEXT), 8);
  fields.writeUInt32LE(packed.length, 12);
  fields.writeUInt32LE(FIXTURE_TEXT.length, 16);
  fields.writeUInt16LE(name.length, 20);
  const local = Buffer.concat([Buffer.from('PK\x03\x04\x14\0', 'latin1'), fields, name, packed]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\x14\0\x14\0', 'latin1'), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

function flushed(packer: DeflateRaw, data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  packer.on('data', (part: Buffer) => parts.push(part));
  return new Promise((resolve) => {
    packer.write(data);
    packer.flush(constants.Z_FULL_FLUSH, () => resolve(Buffer.concat(parts)));
  });
}

/** Files that cannot be read, each put at the place of an archive, and what is said of them. */
const UNREADABLE: Record<string, { put: (file: string, dir: string) => void; error: RegExp }> = {
  'a symbolic link to nothing': {
    put: (file) => fs.symlinkSync('nowhere', file),
    error: /^a symbolic link to a file or folder that is not there$/,
  },
  'a symbolic link to itself': { put: (file) => fs.symlinkSync(path.basename(file), file), error: /ELOOP|link/ },
  'a symbolic link through a file': {
    put: (file) => {
      fs.writeFileSync(path.join(path.dirname(file), '.hidden'), '');
      fs.symlinkSync('.hidden/file', file);
    },
    error: /ENOTDIR|link/,
  },
  'a FIFO, which would be waited for': {
    put: (file) => assert.equal(spawnSync('mkfifo', [file]).status, 0),
    error: /file/,
  },
};

for (const [what, { put, error }] of Object.entries(UNREADABLE)) {
  test(`${what} is an error of its own`, { skip: process.platform === 'win32' && 'made for POSIX' }, async (t) => {
    const place = workspace(t);
    put(archivePath(place.src, fixtureName('BAD')), place.dir);
    const options = { timeout: 3000, killSignal: 'SIGKILL' } as const;
    const run = await convert(place, [], { run: (args) => runCli(args, options) });
    assertError(run, 'BAD', error);
  });
}

/** A workspace that somebody without rights can enter, and whose `out` they can write to. */
function openWorkspace(t: TestContext): { dir: string; src: string; out: string } {
  const place = workspace(t);
  fs.mkdirSync(place.out);
  fs.chmodSync(place.dir, 0o755);
  fs.chmodSync(place.out, 0o777);
  return place;
}

test('an archive that may not be read is an error of its own', async (t) => {
  const place = openWorkspace(t);
  const user = unprivileged(t);
  if (!user) return;
  const file = archivePath(place.src, fixtureName('SECRET'));
  fs.writeFileSync(file, FIXTURE_TEXT, { mode: 0o000 });
  const run = await convert(place, [], { run: (args) => runCli(args, user) });
  assertError(run, 'SECRET', `no permission (EACCES: permission denied, open '${file}')`);
});

test('an output folder that may not be written to is wrong usage', async (t) => {
  const place = openWorkspace(t);
  const user = unprivileged(t);
  if (!user) return;
  fs.chmodSync(place.out, 0o555);
  const { status, stderr } = await runCli(['--source-dir', place.src, '--output-dir', place.out], user);
  assert.match(stderr, /^bookgrid: Cannot write to the output folder .*out: EACCES: permission denied/);
  assert.equal(status, 2);
  assert.deepEqual(fs.readdirSync(place.out), []);
});

test('a folder for one pair that may not be written to is an error of its archive', async (t) => {
  const place = openWorkspace(t);
  const user = unprivileged(t);
  if (!user) return;
  fs.writeFileSync(archivePath(place.src, fixtureName('SHUT')), FIXTURE_TEXT);
  fs.mkdirSync(path.join(place.out, '0002'), { mode: 0o777 });
  fs.chmodSync(path.join(place.out, '0002'), 0o777);
  fs.mkdirSync(path.join(place.out, '0002', 'SHUT'), { mode: 0o555 });
  const run = await convert(place, [], { run: (args) => runCli(args, user) });
  assertError(run, 'SHUT', /^no permission \(EACCES: permission denied, open '.*\/0002\/SHUT\/\./);
});

test('a source folder or an output folder that is a file is wrong usage', async (t) => {
  const place = workspace(t);
  const file = path.join(place.dir, 'file');
  fs.writeFileSync(file, 'as it was');
  const source = await runCli(['--source-dir', file, '--output-dir', place.out]);
  const [first, second = ''] = source.stderr.split('\n');
  assert.equal(first, `bookgrid: ${file} is a file, a folder was expected`);
  assert.match(second, /^Say where the archives are with --source-dir DIR or BOOKGRID_SOURCE_DIR/);
  assert.equal(source.status, 2);
  assert.ok(!fs.existsSync(place.out), 'nothing is made');
  const output = await runCli(['--source-dir', place.src, '--output-dir', file]);
  assert.match(output.stderr, /^bookgrid: Cannot write to the output folder .*file: EEXIST/);
  assert.equal(output.status, 2);
  assert.equal(fs.readFileSync(file, 'utf8'), 'as it was');
});

test('escape sequences in the names of files do not reach the terminal', {
  skip: process.platform === 'win32' && 'its file names cannot have them',
}, async (t) => {
  const place = workspace(t);
  const folder = path.dirname(archivePath(place.src, fixtureName('BAD')));
  const escapes = '\x1b[2J\x1b]0;owned\x07';
  fs.writeFileSync(path.join(folder, fixtureName('BAD', `${escapes}.data`)), '');
  fs.writeFileSync(path.join(folder, `no archive's name${escapes}.data`), '');
  fs.writeFileSync(path.join(folder, fixtureName('OTHER', `${escapes}.data`)), '');
  for (const args of [[], ['--dry-run']]) {
    const all = ['--source-dir', place.src, '--output-dir', place.out, ...args];
    const { stdout, stderr } = await runCli(all);
    assertPrintable(stdout);
    assertPrintable(stderr);
  }
  const missing = await runCli([`${escapes}.data`]);
  assertPrintable(missing.stderr);
  assert.equal(missing.status, 2);
});
