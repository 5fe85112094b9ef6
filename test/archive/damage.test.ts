/** Whatever happens to an archive's bytes, it gives the intact archive's output or none. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readArchive } from '../../src/archive/open-archive.js';
import { RECORDS_FILE } from '../../src/catalog/records.js';
import { SAMPLING_DEFAULTS } from '../../src/catalog/shaping-options.js';
import { type JobResult, runJob } from '../../src/convert/recorded-job.js';
import { tempDir } from '../support/files.js';
import { FIXTURE_CSV, FIXTURE_TEXT, fixture } from '../support/fixtures.js';

/**
 * Converts bytes as an archive, passing over bad lines, which must not make damage pass. No `csv` means that nothing is left in the output folder but a record.
 */
async function convert(dir: string, bytes: Uint8Array, ending: string): Promise<JobResult & { csv?: string }> {
  const [pair, date, outputDir] = ['TESTUSDT', '2025-01-15', path.join(dir, 'out')];
  const fileName = `${date}_${pair}_ob2.data${ending}`;
  const archive = { pair, date, sourceDepth: 2, path: path.join(dir, fileName), fileName, isDayFile: true };
  fs.writeFileSync(archive.path, bytes);
  const output = path.join(outputDir, 'rows.csv');
  fs.rmSync(output, { force: true });
  const result = await runJob({
    archive: { ...archive, sizeBytes: bytes.length, mtimeMs: 0 },
    outputs: [{ kind: 'book', depth: 2, format: 'csv', path: output }],
    options: { ...SAMPLING_DEFAULTS, onBadLine: 'skip' },
    overwrite: false,
    inflater: 'kernel',
    outputDir,
  });
  const left = fs.readdirSync(outputDir).filter((name) => name !== RECORDS_FILE);
  if (result.status !== 'done') {
    assert.deepEqual(left, [], 'a failed archive leaves nothing');
    return result;
  }
  assert.deepEqual(left, ['rows.csv']);
  return { ...result, csv: fs.readFileSync(output, 'latin1') };
}

/** Not the bare message of a library or of Node. */
const IN_OUR_WORDS =
  /^(damaged: |truncated: |not a |no \.data member|a member's name|.+ is (encrypted|packed by)|one part of a zip)/;

for (const name of ['DEFLATED', 'ZIP64-DIRECTORY', 'GZIP']) {
  const intact = fs.readFileSync(fixture('archives', name).path);
  const ending = name.startsWith('GZIP') ? '.gz' : '.zip';

  test(`${name} cut short after any byte is an error; only the whole of it is none`, async (t) => {
    const dir = tempDir(t);
    for (let length = 0; length < intact.length; length++) {
      const result = await convert(dir, intact.subarray(0, length), ending);
      assert.ok(result.status === 'failed', `cut after ${length} bytes: ${result.status}`);
      assert.match(result.error, length === 0 ? /^the file is empty/ : /^truncated|^not a zip file: it begins with/);
    }
    assert.equal((await convert(dir, intact, ending)).csv, FIXTURE_CSV);
  });

  test(`${name} with a bit of any byte flipped gives the same output or an error`, async (t) => {
    const dir = tempDir(t);
    let sameOutput = 0;
    for (let at = 0; at < intact.length; at++) {
      const result = await convert(dir, flipped(intact, at, at % 8), ending);
      if (result.status === 'done') {
        assert.equal(result.csv, FIXTURE_CSV, `byte ${at}`);
        sameOutput++;
      } else {
        assert.ok(result.status === 'failed');
        assert.match(result.error, IN_OUR_WORDS, `byte ${at}`);
      }
    }
    assert.ok(sameOutput > 0, 'the bits of a timestamp do not matter');
  });
}

test('DEFLATED with any one bit flipped reads the same or is refused', async (t) => {
  const intact = fs.readFileSync(fixture('archives', 'DEFLATED').path);
  const file = path.join(tempDir(t), 'x.zip');
  for (let bit = 0; bit < intact.length * 8; bit++) {
    fs.writeFileSync(file, flipped(intact, bit >> 3, bit & 7));
    let text = Buffer.alloc(0);
    try {
      for await (const chunk of readArchive(file)) text = Buffer.concat([text, chunk]);
    } catch (error) {
      assert.match((error as Error).message, IN_OUR_WORDS, `bit ${bit}`);
      continue;
    }
    assert.ok(text.equals(FIXTURE_TEXT), `bit ${bit}`);
  }
});

function flipped(intact: Buffer, at: number, bit: number): Buffer {
  const damaged = Buffer.from(intact);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
  return damaged;
}
