/**
 * Data of many kinds, packed by libdeflate and zopfli, whose streams zlib would not write: the kernel and zlib give the
 * data back. The bytes of an input choose the data, the program and its level.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Random } from '../../src/samples/random.js';
import { byKernel, byZlib } from '../../test/support/inflate-driver.js';
import { Choices } from '../choices.js';
import { hashOf } from '../hash.js';
import { bookText } from '../samples.js';
import type { Target, TargetContext } from '../target.js';

/** zopfli takes a second for a megabyte, and more where it repeats itself. */
const MAX_ZOPFLI_BYTES = 20_000;
/** In small pieces and rooms only so much: each call is checked. */
const MAX_SMALL_BYTES = 20_000;
const MAX_PARTS = 6;

const [CONTRACT, SPOT] = (['contract', 'spot'] as const).map((style, seed) => bookText(seed, 60_000, { style })) as [
  Buffer,
  Buffer,
];

export function createTarget({ folder }: TargetContext): Target {
  const file = path.join(folder, 'data');
  return {
    unit: 'executions',
    coverage: 'kernels',
    maxBytes: 200,
    seeds: () => [0, 1, 2, 3, 4, 5].map((kind) => Buffer.from([9, kind, 100, 200, kind, kind, 50, 100, kind])),
    run: (input) => run(input, file),
  };
}

function run(input: Buffer, file: string): void {
  const choices = new Choices(input);
  const level = choices.below(15);
  const data = Buffer.concat(Array.from({ length: 1 + choices.below(MAX_PARTS) }, () => partOf(choices)));
  fs.writeFileSync(file, data);
  const isZopfli = level > 12 && data.length <= MAX_ZOPFLI_BYTES;
  const stream = isZopfli
    ? packed('zopfli', ['--deflate', `--i${level - 12}`, '-c', file])
    : rawOf(packed('libdeflate-gzip', ['-c', `-${Math.min(level, 12) || 1}`, file]));
  const expected = { output: data, bytesUsed: stream.length };
  assert.deepEqual(byZlib(stream), expected);
  const random = new Random(hashOf(input));
  const sizes = (most: number) => () => 1 + random.below(most);
  assert.deepEqual(byKernel(stream, sizes(65_536), sizes(65_536)), expected);
  if (data.length <= MAX_SMALL_BYTES) assert.deepEqual(byKernel(stream, sizes(300), sizes(700)), expected);
}

/** A stretch of data: now and then up to 48 KB, so that matches reach as far back as they can. */
function partOf(choices: Choices): Buffer {
  const kind = choices.below(6);
  const bytes = choices.oneIn(6) ? choices.below(48_000) : choices.below(3000);
  const random = new Random(choices.byte());
  const filled = (value: () => number) => Buffer.from(Uint8Array.from({ length: bytes }, value));
  switch (kind) {
    case 0:
      return (choices.oneIn(2) ? CONTRACT : SPOT).subarray(choices.below(5000)).subarray(0, bytes);
    case 1:
      return Buffer.alloc(bytes, choices.byte());
    case 2:
      return filled(() => random.bits());
    case 3: // some bytes often, most seldom: codes of every length
      return filled(() => random.below(1 + random.below(1 + random.below(256))));
    case 4: // one thing again and again, near or far
      return Buffer.alloc(bytes, filled(() => random.bits()).subarray(0, 1 + choices.below(33_000)));
    default: // digits, as in prices
      return filled(() => 0x30 + random.below(10));
  }
}

/** What a program writes. @throws when it is not there, which must not pass for tried. */
function packed(program: string, args: readonly string[]): Buffer {
  const { error, status, stdout, stderr } = spawnSync(program, args, { maxBuffer: 1 << 26 });
  if (error) throw new Error(`${program} is needed (Debian: libdeflate-tools, zopfli): ${error.message}`);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** The deflate data of a gzip file with one member (RFC 1952, 2.3), whose header has a name at most. */
function rawOf(gzip: Buffer): Buffer {
  const hasName = ((gzip[3] ?? 0) & 8) !== 0;
  const start = hasName ? gzip.indexOf(0, 10) + 1 : 10;
  return gzip.subarray(start, -8);
}
