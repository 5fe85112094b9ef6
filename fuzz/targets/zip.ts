/**
 * Whole zip files: the two inflaters make the same of them, and what is taken for right has the CRC-32 and the size that
 * a directory record in the file tells.
 */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { readZip } from '../../src/archive/zip.js';
import { memorySource } from '../memory-source.js';
import { readAll } from '../read-all.js';
import { bookText } from '../samples.js';
import type { Target } from '../target.js';
import { type ZipForm, zipFile } from '../wrappings.js';

/** Fields of a central directory record (APPNOTE.TXT 4.3.12). */
const RECORD = Buffer.from('PK\x01\x02', 'latin1');
const RECORD_BYTES = 46;
const CRC_AT = 16;

export function createTarget(): Target {
  return {
    unit: 'executions',
    coverage: ['/dist/fuzzing/src/', 'yauzl'],
    maxBytes: 4096,
    dictionary: [
      ...['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'PK\x07\x08', '.data', '../', '/'].map(
        (text) => Buffer.from(text, 'latin1'),
      ),
      ...[Buffer.of(1, 0, 28, 0), Buffer.alloc(8, 0xff), Buffer.alloc(8), Buffer.of(0x75, 0x70, 5, 0, 1)],
    ],
    seeds,
    run,
  };
}

function seeds(): Buffer[] {
  const text = bookText(1, 500);
  const forms: ZipForm[] = [
    {},
    { isStored: true },
    { isStreamed: true },
    { isStreamed: true, isZip64: true },
    { isZip64: true, hasOtherMembers: true },
    { comment: 'made', extra: Buffer.of(0x55, 0x54, 1, 0, 0), folder: 'a/b/' },
  ];
  return forms.map((form) => zipFile('2025-01-15_FUZZUSDT_ob5.data', text, form));
}

async function run(input: Buffer): Promise<void> {
  const [byKernel, byNode] = await Promise.all(
    (['kernel', 'node'] as const).map((inflater) =>
      readAll(readZip(memorySource(input), { inflater, onRead: () => {} })),
    ),
  );
  assert.equal(plain(byKernel), plain(byNode));
  if (!byKernel || !('text' in byKernel)) return;
  const { text } = byKernel;
  assert.ok(directoryCrcs(input).includes(crc32(text)), 'the CRC-32 of the text is that of a directory record');
}

/** One inflater says which member is damaged, and that the words are zlib's; the other does neither. */
function plain(outcome: Awaited<ReturnType<typeof readAll>> | undefined): string | undefined {
  if (outcome && 'text' in outcome) return outcome.text.toString('latin1');
  return outcome?.problem.replace(/^damaged: .* does not inflate \((zlib: )?/s, 'does not inflate (');
}

function directoryCrcs(zip: Buffer): number[] {
  const crcs: number[] = [];
  for (let at = zip.indexOf(RECORD); at >= 0; at = zip.indexOf(RECORD, at + 1)) {
    if (at + RECORD_BYTES <= zip.length) crcs.push(zip.readUInt32LE(at + CRC_AT));
  }
  return crcs;
}
