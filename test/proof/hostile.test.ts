/**
 * What somebody hostile may put where bookgrid reads: archives that unfold, directories of zip files that lie, records that
 * are none. Each costs at most itself, in bounded memory, and says why. Smaller cases are in `test/bad-input.test.ts`,
 * `test/archive/damage.test.ts` and `test/cli/trust.test.ts`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import type { CliResult } from '../support/cli.js';
import { readOutputs, readTree, tempDir } from '../support/files.js';
import { archivePath, FIXTURE_CSV, FIXTURE_TEXT, fixtureName, fixtureOutput } from '../support/fixtures.js';
import { NO_PEAK_MEMORY, runCliMeasured } from '../support/peak-memory.js';
import { assertPrintable } from '../support/printed.js';
import { logProof } from '../support/proof-log.js';
import { complete } from '../support/runs.js';

const IS_LONG = process.env['CI_LONG'] === '1';
const MEBIBYTE = 1 << 20;
/** Node itself and its workers take 100 MB, and slices of the worst input inflate to 33 MB each before they are collected. */
const FLAT_BYTES = 350_000_000;

const BAD = 'BADUSDT';
const GOOD = 'GOODUSDT';
const MEMBER = '2025-01-15_BADUSDT_ob2.data';

/** Runs the program and sees to its memory and to what it prints. */
async function measured(t: TestContext, args: string[]): Promise<CliResult> {
  const result = await runCliMeasured(args, tempDir(t));
  t.diagnostic(`peak ${Math.round(result.peakBytes / 1e6)} MB`);
  assert.ok(result.peakBytes < FLAT_BYTES, `${result.peakBytes} bytes of memory`);
  assertPrintable(result.stdout);
  assertPrintable(result.stderr);
  logProof({
    proof: 'hostile',
    command: args.find((word) => /^[a-z]+$/.test(word)) ?? 'convert',
    call: t.name,
    count: 1,
    found: 0,
  });
  return result;
}

/** A hostile archive, and what is to become of it. */
interface Hostile {
  ending: string;
  write: (file: string) => void;
  /** What its error says; absent: it is converted, as if nothing were wrong. */
  error?: RegExp;
}

/** A gzip file of so many equal mebibytes, after a beginning: members are concatenated, so a large one is made of small ones. */
function unfolding(mebibytes: number, letter: string, before = '', after = ''): (file: string) => void {
  return (file) => {
    const fd = fs.openSync(file, 'w');
    fs.writeSync(fd, gzipSync(before));
    const many = Buffer.concat(Array<Buffer>(16).fill(gzipSync(Buffer.alloc(MEBIBYTE, letter), { level: 9 })));
    for (let written = 0; written < mebibytes; written += 16) fs.writeSync(fd, many);
    fs.writeSync(fd, gzipSync(after));
    fs.closeSync(fd);
  };
}

const [SNAPSHOT = '', DELTA = ''] = String(FIXTURE_TEXT).split('\n');
const renamed = (text: string) => text.replaceAll('TESTUSDT', BAD);

/** Five million levels, in changes of ten thousand. */
function manyLevels(file: string): void {
  const fd = fs.openSync(file, 'w');
  fs.writeSync(fd, `${renamed(SNAPSHOT)}\n`);
  for (let message = 0; message < 500; message++) {
    const bids = Array.from({ length: 10_000 }, (_, at) => `["0.${100_000_000 + message * 10_000 + at}","1"]`);
    const change = renamed(DELTA).replace(/"b":\[.*?\],"a":\[.*?\](?=,"u")/, `"b":[${bids.join()}],"a":[]`);
    fs.writeSync(fd, `${change}\n`);
  }
  fs.closeSync(fd);
}

/** One entry of a zip's directory, as it says it (APPNOTE.TXT 4.3.12); what is larger than 4 bytes goes into zip64's field. */
interface Entry {
  name: string;
  sizeBytes?: bigint;
  packedBytes?: bigint;
  offset?: bigint;
}

/** A zip file of one member, whose directory says what is wanted. */
function forgedZip(entries: Entry[]): Buffer {
  const text = Buffer.from(renamed(String(FIXTURE_TEXT)));
  const packed = deflateRawSync(text);
  const common = (sizeBytes: number, packedBytes: number, nameBytes: number, extraBytes: number) => {
    const fields = Buffer.alloc(24);
    fields.writeUInt16LE(8, 2); // deflated
    fields.writeUInt32LE(crc32(text), 8);
    fields.writeUInt32LE(packedBytes, 12);
    fields.writeUInt32LE(sizeBytes, 16);
    fields.writeUInt16LE(nameBytes, 20);
    fields.writeUInt16LE(extraBytes, 22);
    return fields;
  };
  const name = Buffer.from(MEMBER);
  const local = [
    Buffer.from('PK\x03\x04\x2d\x00', 'latin1'),
    common(text.length, packed.length, name.length, 0),
    name,
    packed,
  ];
  const directory = entries.map((entry) => {
    const { sizeBytes = BigInt(text.length), packedBytes = BigInt(packed.length), offset = 0n } = entry;
    const wide = [sizeBytes, packedBytes, offset].filter((value) => value > 0xffff_fffen);
    const extra = Buffer.alloc(wide.length === 0 ? 0 : 4 + 8 * wide.length);
    if (wide.length > 0) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(8 * wide.length, 2);
      for (const [at, value] of wide.entries()) extra.writeBigUInt64LE(value, 4 + 8 * at);
    }
    const told = (value: bigint) => (value > 0xffff_fffen ? 0xffff_ffff : Number(value));
    const entryName = Buffer.from(entry.name);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(told(offset), 10);
    const fields = common(told(sizeBytes), told(packedBytes), entryName.length, extra.length);
    return Buffer.concat([Buffer.from('PK\x01\x02\x2d\x00\x2d\x00', 'latin1'), fields, tail, entryName, extra]);
  });
  const body = Buffer.concat(local);
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(body.length, 12);
  return Buffer.concat([body, listing, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

const zip = (entries: Entry[]) => (file: string) => fs.writeFileSync(file, forgedZip(entries));
const named = (count: number, ending: string): Entry[] =>
  Array.from({ length: count }, (_, at) => ({ name: `${at}${ending}` }));

const LARGE_MEBIBYTES = IS_LONG ? 10_240 : 512;
const LONG_LINE_MEBIBYTES = IS_LONG ? 1024 : 256;

const ARCHIVES: Record<string, Hostile> = {
  [`a bomb of ${LARGE_MEBIBYTES} MB of zeros`]: {
    ending: '.data.gz',
    write: unfolding(LARGE_MEBIBYTES, '\0'),
    error: /line 1: longer than 4194304 bytes/,
  },
  'a bomb of 16 MB of empty lines': {
    ending: '.data.gz',
    write: unfolding(16, '\n'),
    error: /no message in it/,
  },
  [`a line of ${LONG_LINE_MEBIBYTES} MB between good ones`]: {
    ending: '.data.gz',
    write: unfolding(LONG_LINE_MEBIBYTES, 'x', `${renamed(SNAPSHOT)}\n`, `\n${renamed(DELTA)}\n`),
    error: /line 2: longer than 4194304 bytes/,
  },
  'five million levels': {
    ending: '.data',
    write: manyLevels,
    error: /line \d+: the book has grown past 100000 levels a side/,
  },
  '10,000 members with data': {
    ending: '.data.zip',
    write: zip(named(10_000, '.data')),
    error: /two \.data members, 0\.data and 1\.data; exactly one was expected/,
  },
  '10,000 members without data': {
    ending: '.data.zip',
    write: zip(named(10_000, '.txt')),
    error: /no \.data member among the 10000 in the zip/,
  },
  '10,000 members that are one, overlapping': {
    ending: '.data.zip',
    write: zip([...named(9_999, '.txt'), { name: MEMBER }]),
  },
  'zip64: a size of 4 exabytes': {
    ending: '.data.zip',
    write: zip([{ name: MEMBER, sizeBytes: 1n << 62n }]),
    error: /damaged: /,
  },
  'zip64: packed in 4 exabytes': {
    ending: '.data.zip',
    write: zip([{ name: MEMBER, packedBytes: 1n << 62n }]),
    error: /damaged: /,
  },
  'zip64: an offset of 8 exabytes': {
    ending: '.data.zip',
    write: zip([{ name: MEMBER, offset: (1n << 63n) - 1n }]),
    error: /damaged: /,
  },
  'zip64: a size of 2 petabytes': {
    ending: '.data.zip',
    write: zip([{ name: MEMBER, sizeBytes: 1n << 51n }]),
    error: /has only \d+ bytes, the zip's directory says 2251799813685248/,
  },
};

for (const [what, { ending, write, error }] of Object.entries(ARCHIVES)) {
  test(what, { skip: NO_PEAK_MEMORY }, async (t) => {
    const dir = tempDir(t);
    const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
    write(archivePath(source, fixtureName(BAD, ending)));
    fs.writeFileSync(archivePath(source, fixtureName(GOOD)), String(FIXTURE_TEXT).replaceAll('TESTUSDT', GOOD));
    const args = ['--source-dir', source, '--output-dir', out, '--workers', '2'];
    const { status, stdout } = await measured(t, args);
    const made = error ? [GOOD] : [BAD, GOOD];
    if (error) assert.match(stdout, new RegExp(`ERROR +${BAD} .*${error.source}`));
    assert.equal(status, error ? 1 : 0, stdout);
    assert.deepEqual(readOutputs(out), new Map(made.map((pair) => [fixtureOutput(pair), FIXTURE_CSV])));
    assert.deepEqual(fs.readdirSync(dir).sort(), ['out', 'source'], 'nothing is written beside');
  });
}

/** A folder of archives, and one of outputs with their records. */
async function makeDataSet(t: TestContext) {
  const dir = tempDir(t);
  const [source, out] = [path.join(dir, 'source'), path.join(dir, 'out')];
  fs.writeFileSync(archivePath(source, fixtureName(GOOD)), String(FIXTURE_TEXT).replaceAll('TESTUSDT', GOOD));
  assert.equal((await complete(['--source-dir', source, '--output-dir', out])).status, 0);
  const records = path.join(out, 'conversions.jsonl');
  const line = fs.readFileSync(records, 'utf8').trimEnd();
  const commands = [
    ['convert', '--source-dir', source, '--output-dir', out],
    ['status', '--source-dir', source, '--output-dir', out],
    ['verify', '--output-dir', out],
  ];
  return { dir, source, out, records, line, commands };
}

/** What records may be that nobody has written. */
const RECORDS: Record<string, (line: string) => Iterable<string>> = {
  '__proto__ and constructor in records': (line) => [
    `{"__proto__":{"status":"done","polluted":true},${line.slice(1)}`,
    line.replace('"shape":{', '"shape":{"__proto__":{"polluted":true},'),
    line.replaceAll(GOOD, '__proto__').replaceAll('2025-01-15', 'constructor'),
    '{"status":"done","archive":"__proto__","outputs":[{"path":"__proto__","kind":"__proto__"}]}',
    '{"status":"done","archive":"x","outputs":{"__proto__":[],"length":1e9}}',
  ],
  'paths out of the folder in records': (line) =>
    ['../../../../etc/passwd', '/etc/passwd', `0002/../../${GOOD}.csv`, 'a\0b', '\\u001b[2Jx'].map((place) =>
      line.replace(fixtureOutput(GOOD), () => place),
    ),
  [`a record line of ${IS_LONG ? 200 : 40} MB`]: function* () {
    yield `{"archive":"${'x'.repeat((IS_LONG ? 200 : 40) * 1_000_000)}"}`;
  },
  [`${IS_LONG ? 200 : 20} MB of records`]: function* (line) {
    for (let written = 0; written < (IS_LONG ? 200 : 20) * 1_000_000; written += line.length) yield line;
  },
};

for (const [what, lines] of Object.entries(RECORDS)) {
  test(what, { skip: NO_PEAK_MEMORY }, async (t) => {
    const { dir, out, records, line, commands } = await makeDataSet(t);
    const before = readOutputs(out);
    const fd = fs.openSync(records, 'a');
    for (const hostile of lines(line)) fs.writeSync(fd, `${hostile}\n`);
    fs.writeSync(fd, `${line}\n`); // the last one holds
    fs.closeSync(fd);
    for (const command of commands) {
      const { status, stdout, stderr } = await measured(t, command);
      // What a record tells of, and is not there, is missing.
      assert.ok(status === 0 || command[0] === 'verify', `${command.join(' ')}: ${stdout}${stderr}`);
      assert.doesNotMatch(stdout + stderr, /polluted/);
      assert.match(stdout, command[0] === 'verify' ? /as they were written: 1\n/ : /./);
      for (const [, missing = ''] of stdout.matchAll(/^MISSING +(.*)$/gm)) {
        assert.ok(path.resolve(missing).startsWith(out + path.sep), `${missing} is looked for outside`);
      }
    }
    assert.deepEqual(readOutputs(out), before);
    assert.deepEqual(fs.readdirSync(dir).sort(), ['out', 'source']);
  });
}

const NO_RECORDS: Record<string, (file: string) => void> = {
  'a folder': (file) => fs.mkdirSync(file),
  'a FIFO': (file) => assert.equal(spawnSync('mkfifo', [file]).status, 0),
  'a device that never ends': (file) => fs.symlinkSync('/dev/zero', file),
};

for (const [what, put] of Object.entries(NO_RECORDS)) {
  test(`${what} in the place of the records`, { skip: NO_PEAK_MEMORY }, async (t) => {
    const { out, records, commands } = await makeDataSet(t);
    fs.rmSync(records);
    put(records);
    for (const command of commands) {
      const { status, stderr } = await measured(t, command);
      assert.equal(status, 2);
      assert.match(stderr, /Cannot read .*conversions\.jsonl: (not a regular file|it is a folder, as in S3)/);
    }
    assert.deepEqual([...readTree(path.join(out, '0002')).values()], [FIXTURE_CSV]);
  });
}

test('links in circles, and names with control characters', { skip: NO_PEAK_MEMORY }, async (t) => {
  const { source, out } = await makeDataSet(t);
  fs.symlinkSync('.', path.join(source, 'here'));
  fs.symlinkSync('..', path.join(source, 'above'));
  fs.symlinkSync('itself', path.join(source, 'itself'));
  fs.symlinkSync(path.join(source, '0002'), path.join(source, '0002', 'again'));
  const folder = path.join(source, '\x1b[2J\x1b]0;owned\x07\x9b31m\r\n');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, fixtureName('EVILUSDT', '.data.zip')), 'no zip');
  const args = ['--source-dir', source, '--output-dir', out];
  const { stdout, status } = await measured(t, args);
  assert.match(stdout, /Found 3 archive files/);
  assert.match(stdout, /ERROR .*ELOOP/);
  assert.match(stdout, /ERROR +EVILUSDT .*not a zip file/);
  assert.equal(status, 1);
});
