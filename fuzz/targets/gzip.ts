/** Whole gzip files: they are read as the definition of the format says, or refused where it refuses them. */
import assert from 'node:assert/strict';
import { crc32, gzipSync, inflateRawSync } from 'node:zlib';
import { readGzip } from '../../src/archive/gzip.js';
import { memorySource } from '../memory-source.js';
import { readAll } from '../read-all.js';
import { bookText } from '../samples.js';
import type { Target } from '../target.js';
import { gzipFile } from '../wrappings.js';

export function createTarget(): Target {
  return {
    unit: 'executions',
    coverage: ['/dist/fuzzing/src/', 'minizlib', 'minipass'],
    maxBytes: 2048,
    dictionary: [Buffer.of(0x1f, 0x8b, 8), Buffer.of(0x1f, 0x8b, 8, 0), Buffer.alloc(8), gzipSync('')],
    seeds: () => {
      const text = bookText(1, 400);
      const forms = [
        {},
        { members: 3 },
        { members: 2, paddingBytes: 20 },
        { hasFullHeader: true },
        { members: 2, hasEmptyMembers: true },
      ];
      return forms.map((form) => gzipFile(text, form));
    },
    async run(input) {
      const outcome = await readAll(readGzip(memorySource(input), { inflater: 'kernel', onRead: () => {} }));
      const text = 'text' in outcome ? outcome.text.toString('latin1') : undefined;
      assert.equal(text, byDefinition(input)?.toString('latin1'), 'problem' in outcome ? outcome.problem : undefined);
    },
  };
}

/** A file that is no gzip file. */
class Refused extends Error {}

/** The text as RFC 1952 defines it; `undefined`: it is no gzip file. Zeros may follow members. */
function byDefinition(file: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  try {
    for (let at = 0; at < file.length; ) {
      const { text, end } = readMember(file, at);
      parts.push(text);
      at = end;
      while (file[at] === 0) at++;
    }
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
  return parts.length > 0 ? Buffer.concat(parts) : undefined;
}

const [FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED] = [2, 4, 8, 16, 0xe0] as const;

function readMember(file: Buffer, start: number): { text: Buffer; end: number } {
  let at = start;
  const take = (bytes: number) => {
    if (at + bytes > file.length) throw new Refused();
    at += bytes;
    return file.subarray(at - bytes, at);
  };
  const takeText = () => {
    while (take(1)[0] !== 0);
  };
  const header = take(10);
  const flags = header[3] ?? 0;
  if (header.readUInt16BE(0) !== 0x1f8b || header[2] !== 8 || flags & RESERVED) throw new Refused();
  if (flags & FEXTRA) take(take(2).readUInt16LE());
  if (flags & FNAME) takeText();
  if (flags & FCOMMENT) takeText();
  if (flags & FHCRC) {
    const crc = crc32(file.subarray(start, at)) & 0xffff;
    if (take(2).readUInt16LE() !== crc) throw new Refused();
  }
  const { text, bytesUsed } = inflated(file.subarray(at));
  take(bytesUsed);
  if (take(4).readUInt32LE() !== crc32(text) || take(4).readUInt32LE() !== text.length) throw new Refused();
  return { text, end: at };
}

function inflated(data: Buffer): { text: Buffer; bytesUsed: number } {
  try {
    // With `info` it tells how far the data went, which its type does not say.
    const answer = inflateRawSync(data, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { text: answer.buffer, bytesUsed: answer.engine.bytesWritten };
  } catch {
    throw new Refused();
  }
}
