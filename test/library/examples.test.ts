/** The examples, run as the comment at their top says. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SAMPLES, writeSample } from '../../src/samples/samples.js';
import { readOutputs, tempDir } from '../support/files.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
const [spot, contract] = SAMPLES;
assert.ok(spot && contract);

async function runExample(name: string, ...args: string[]): Promise<{ lines: string[]; stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path.join(EXAMPLES, name), ...args]);
  return { lines: stdout.trimEnd().split('\n'), stderr };
}

test('spread and depth', async (t) => {
  const { lines, stderr } = await runExample('spread-and-depth.js', await writeSample(tempDir(t), spot.market));
  assert.equal(stderr, '');
  assert.equal(lines[0], 'time,spread_bps,bid_quantity_10bps,ask_quantity_10bps');
  assert.equal(lines.length, 1 + 7);
  assert.match(lines[1] ?? '', /^2025-10-25T00:01:00.000Z,\d\.\d{3},[\d.]+,[\d.]+$/);
});

test('replay', async (t) => {
  const { lines, stderr } = await runExample('replay.js', await writeSample(tempDir(t), contract.market));
  assert.equal(stderr, '');
  assert.equal(lines[0], 'ts,cts,bid,bid_quantity,ask,ask_quantity');
  assert.ok(lines.length > 100);
  for (const quote of lines.slice(1)) {
    const [tsMs = 0, ctsMs = 0, bid = 0, , ask = 0] = quote.split(',').map(Number);
    assert.ok(ctsMs <= tsMs && bid < ask, quote);
  }
});

test('convert a folder', async (t) => {
  const [source, out] = [tempDir(t), path.join(tempDir(t), 'out')];
  for (const { market } of SAMPLES) await writeSample(source, market);
  const { lines } = await runExample('convert-folder.js', source, out);
  assert.equal(lines[0], '2 of 2 archives are to be converted');
  assert.deepEqual(
    lines
      .slice(1)
      .map((text) => text.replace(/^\d+ % /, ''))
      .sort(),
    ['2025-10-25_ENAUSDT_ob500.data.zip: done 6 rows', '2025-10-25_MNTUSDT_ob200.data.zip: done 7 rows'],
  );
  assert.deepEqual(
    [...readOutputs(out).keys()],
    SAMPLES.flatMap(({ expected }) => expected.map((output) => output.path)).sort(),
  );
  const again = await runExample('convert-folder.js', source, out);
  assert.equal(again.lines[0], '0 of 2 archives are to be converted');
});

test('each is short enough to be read at once, and run here', () => {
  const names = fs.readdirSync(EXAMPLES);
  assert.deepEqual(names.sort(), ['convert-folder.js', 'replay.js', 'spread-and-depth.js']);
  for (const name of names) assert.ok(fs.readFileSync(path.join(EXAMPLES, name), 'utf8').split('\n').length < 40, name);
});
