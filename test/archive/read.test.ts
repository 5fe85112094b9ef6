/** What is read from archives, against what unzip and Python's gzip module read from them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { ArchiveError } from '../../src/archive/archive-error.js';
import { readArchive } from '../../src/archive/open-archive.js';
import { tempDir } from '../support/files.js';
import { FIXTURE_TEXT, type Fixture, fixtures } from '../support/fixtures.js';

/** The text of an archive; `undefined` when it is refused. */
async function read(file: string): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readArchive(file)) chunks.push(Buffer.from(chunk));
  } catch (error) {
    assert.ok(error instanceof ArchiveError, `${file}: ${error}`);
    return undefined;
  }
  return Buffer.concat(chunks);
}

const hasUnzip = spawnSync('unzip', ['-v']).status === 0;
const hasPython = spawnSync('python3', ['-c', 'import gzip']).status === 0;
const NO_UNZIP = hasUnzip ? false : 'unzip is not installed: what it reads from zips is not compared';
const NO_PYTHON = hasPython ? false : 'python3 is not installed: what it reads from gzip files is not compared';

/** What Python's gzip module reads from each file; `undefined` when it refuses. */
function readByPython(files: string[]): (Buffer | undefined)[] {
  const script = `
import base64, gzip, json, sys
def read(name):
    try:
        return base64.b64encode(gzip.open(name).read()).decode()
    except Exception:
        return None
print(json.dumps([read(name) for name in json.load(sys.stdin)]))`;
  const options = { input: JSON.stringify(files), maxBuffer: 1 << 28 };
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script], options);
  assert.equal(status, 0, String(stderr));
  const texts = JSON.parse(String(stdout)) as (string | null)[];
  return texts.map((text) => (text === null ? undefined : Buffer.from(text, 'base64')));
}

const ALL = [...fixtures('archives'), ...fixtures('bad')];

for (const { name, path: file } of fixtures('archives').filter((archive) => !archive.name.startsWith('PLAIN-'))) {
  test(`reads ${name}`, async () => {
    assert.equal(String(await read(file)), String(FIXTURE_TEXT));
  });
}

test('reads from zips what unzip does, or nothing', { skip: NO_UNZIP }, async (t) => {
  for (const { name, fileName, path: file } of ALL.filter(endsWith('.zip'))) {
    await t.test(name, async (t) => {
      const text = await read(file);
      if (!text) return t.diagnostic('refused');
      const unzipped = spawnSync('unzip', ['-p', file, '*.data']);
      assert.equal(unzipped.status, 0, fileName);
      assert.equal(String(text), String(unzipped.stdout));
    });
  }
});

test("reads from gzip files what Python's gzip module does, and refuses what it refuses", {
  skip: NO_PYTHON,
}, async () => {
  // Python takes a file of no bytes for one of no members.
  const gzips = ALL.filter(endsWith('.gz')).filter(({ path: file }) => fs.statSync(file).size > 0);
  const expected = readByPython(gzips.map(({ path: file }) => file));
  for (const [index, { name, path: file }] of gzips.entries()) {
    assert.equal(asText(await read(file)), asText(expected[index]), name);
  }
});

const FIRST = gzipSync('first\n');
const SECOND = gzipSync('second\n');
const GZIP_TAILS: Record<string, Buffer[]> = {
  'a zero': [FIRST, Buffer.alloc(1)],
  'a tape block of zeros': [FIRST, Buffer.alloc(10240 - FIRST.length)],
  'zeros over several reads': [FIRST, Buffer.alloc(1_000_000)],
  'zeros, then a member': [FIRST, Buffer.alloc(100), SECOND],
  'zeros over several reads, then a member': [FIRST, Buffer.alloc(1_000_000), SECOND],
  'a member, then zeros': [FIRST, SECOND, Buffer.alloc(100)],
  'zeros, then half a member': [FIRST, Buffer.alloc(100), SECOND.subarray(0, 12)],
  'zeros, then garbage': [FIRST, Buffer.alloc(100), Buffer.from('garbage')],
  'zeros over several reads, then garbage': [FIRST, Buffer.alloc(1_000_000), Buffer.from('garbage')],
  'a single zero, then garbage': [FIRST, Buffer.from('\0garbage')],
  garbage: [FIRST, Buffer.from('garbage')],
  'the first byte of a member': [FIRST, SECOND.subarray(0, 1)],
  'half the header of a member': [FIRST, SECOND.subarray(0, 5)],
  'a member without its trailer': [FIRST, SECOND.subarray(0, -8)],
};

test("what may follow a gzip member is what Python's gzip module lets follow", { skip: NO_PYTHON }, async (t) => {
  const dir = tempDir(t);
  const tails = Object.entries(GZIP_TAILS).map(([tail, parts], index) => {
    const file = path.join(dir, `${index}.data.gz`);
    fs.writeFileSync(file, Buffer.concat(parts));
    return { tail, file };
  });
  const expected = readByPython(tails.map(({ file }) => file));
  for (const [index, { tail, file }] of tails.entries()) {
    await t.test(tail, async () => {
      assert.equal(asText(await read(file)), asText(expected[index]));
    });
  }
});

test('a gzip member may begin at any place of a read', async (t) => {
  const file = path.join(tempDir(t), 'x.data.gz');
  const content = FIRST.subarray(10); // after the header
  for (const edge of [32 * 1024, 64 * 1024, 256 * 1024]) {
    for (let offset = -20; offset <= 20; offset++) {
      // A name in the header (FNAME, RFC 1952) makes the first member exactly as long as wanted.
      const nameBytes = edge + offset - FIRST.length - 1;
      const header = Buffer.concat([Buffer.from(FIRST.subarray(0, 10)), Buffer.alloc(nameBytes, 'n'), Buffer.alloc(1)]);
      header[3] = 8;
      fs.writeFileSync(file, Buffer.concat([header, content, SECOND, FIRST]));
      assert.equal(asText(await read(file)), 'first\nsecond\nfirst\n', `the second member at ${edge} + ${offset}`);
    }
  }
});

test('text comes out whole, however well it is packed and however it fills the buffers', async (t) => {
  const dir = tempDir(t);
  const texts = {
    'one byte': Buffer.from('x'),
    'a read, stored': Buffer.alloc(256 * 1024, 'ab'),
    'an output buffer': Buffer.alloc(1024 * 1024, 'x'),
    'an output buffer and a byte': Buffer.alloc(1024 * 1024 + 1, 'x'),
    'many output buffers of one read': Buffer.alloc(40 * 1024 * 1024, 'line\n'),
    'hardly packed': Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * index * 31) >> 7)),
  };
  for (const [what, text] of Object.entries(texts)) {
    for (const level of [0, 6]) {
      const file = path.join(dir, 'x.data.gz');
      fs.writeFileSync(file, gzipSync(text, { level }));
      assert.ok((await read(file))?.equals(text), `${what}, gzip level ${level}`);
    }
  }
});

test('what is said to have been read adds up to the file', async (t) => {
  const file = path.join(tempDir(t), 'x.data.gz');
  fs.writeFileSync(file, gzipSync(deflateRawSync(Buffer.alloc(3_000_000, 'noise of no use')), { level: 0 }));
  let readBytes = 0;
  for await (const _ of readArchive(file, { onRead: (bytes) => (readBytes += bytes) }));
  assert.equal(readBytes, fs.statSync(file).size);
});

function endsWith(ending: string): (archive: Fixture) => boolean {
  return ({ fileName }) => fileName.endsWith(ending);
}

function asText(bytes: Buffer | undefined): string {
  return bytes === undefined ? '(refused)' : String(bytes);
}
