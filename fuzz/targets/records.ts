/**
 * The records of an output folder, of any bytes: a plan is made of them, or they are refused in words. No output is
 * planned outside of the output folder, and nothing that a record says reaches what all objects share.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../src/base/usage-error.js';
import { type FoundArchives, identifyArchives } from '../../src/catalog/find-archives.js';
import { takeInventory } from '../../src/catalog/inventory.js';
import { ConflictError } from '../../src/convert/conflicts.js';
import { resolveOptions } from '../../src/convert/options.js';
import { outputsOf, plan } from '../../src/convert/plan.js';
import { convertArchive } from '../../src/library/convert-archive.js';
import { bookText } from '../samples.js';
import type { Target, TargetContext } from '../target.js';
import { zipFile } from '../wrappings.js';

const MEMBER = '2025-01-15_FUZZUSDT_ob5.data';
/** When all was made. */
const TIME_MS = Date.parse('2025-01-16T00:00:00Z');

export async function createTarget({ folder }: TargetContext): Promise<Target> {
  const archive = path.join(folder, `${MEMBER}.zip`);
  const text = bookText(1, 2000);
  const wholeLines = text.subarray(0, text.lastIndexOf('\n') + 1);
  fs.writeFileSync(archive, zipFile(MEMBER, wholeLines));
  const outputDir = path.join(folder, 'output');
  const records = path.join(outputDir, 'conversions.jsonl');
  fs.utimesSync(archive, TIME_MS / 1000, TIME_MS / 1000);
  await convertArchive(archive, { outputDir });
  const seed = timeless(records, folder, outputDir);
  const archives = await identifyArchives([archive]);
  return {
    unit: 'executions',
    coverage: ['/dist/fuzzing/src/catalog/', '/dist/fuzzing/src/convert/'],
    maxBytes: 4096,
    dictionary: [
      ...['"status":"done"', '"status":"failed"', '"outputs":[', '"__proto__":{', '"constructor":', '"path":"', '../'],
      ...['"archiveBytes":', '"archiveMtimeMs":', '"sha256":"', '"shape":{', '"market":"linear"', '"etag":"', 'null'],
      ...['"pair":"FUZZUSDT"', '"date":"2025-01-15"', '"formatVersion":2', '"bytes":', '1e400', '\\u0000', '\n', '{}'],
      ...['"intervalMs":60000', '"badLines":0', 'symbol=FUZZUSDT/date=2025-01-15/', '0005/', '[]', '-1', '[[[[[[[['],
    ],
    seeds: () => seedsOf(seed),
    async run(input) {
      fs.writeFileSync(records, input);
      const before = fs.readdirSync(folder, { recursive: true });
      await planAll(archives, outputDir);
      assert.deepEqual(fs.readdirSync(folder, { recursive: true }), before, 'a plan writes nothing');
      assert.deepEqual(Object.keys(Object.prototype), [], 'what all objects share is as it was');
    },
  };
}

/**
 * What is true: changed a little it is still read. The same each time, but for the sizes and the hash, which are those of
 * what was made.
 */
function timeless(records: string, folder: string, outputDir: string): Buffer {
  const outputs = fs.readdirSync(outputDir, { recursive: true, encoding: 'utf8' });
  for (const name of outputs) fs.utimesSync(path.join(outputDir, name), TIME_MS / 1000, TIME_MS / 1000);
  const record = JSON.parse(fs.readFileSync(records, 'utf8'));
  record.archive = record.archive.replace(folder, '/archives');
  for (const output of record.outputs) output.mtimeMs = TIME_MS;
  return Buffer.from(`${JSON.stringify({ ...record, seconds: 1, finishedAt: new Date(TIME_MS).toISOString() })}\n`);
}

function seedsOf(record: Buffer): Buffer[] {
  const text = record.toString();
  const failed = text.replace('"status":"done"', '"status":"failed"');
  return [text, text + failed, failed + text, text.replace('"bytes":', '"bites":'), `\n${text}${text}{`].map((each) =>
    Buffer.from(each),
  );
}

async function planAll(archives: FoundArchives, outputDir: string): Promise<void> {
  for (const onStale of ['refuse', 'remake'] as const) {
    const options = resolveOptions({ outputDir, onStale });
    try {
      for (const entry of plan(await takeInventory(archives, outputDir), options)) {
        for (const output of outputsOf(entry)) assertInside(output.path, outputDir);
      }
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof ConflictError)) throw error;
    }
  }
}

function assertInside(file: string, folder: string): void {
  const from = path.relative(folder, file);
  assert.ok(!from.startsWith('..') && !path.isAbsolute(from), `${file} is in the output folder`);
}
