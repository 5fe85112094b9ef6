/** The outputs that are known to be right, byte for byte, for archives that are not this project's own. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from './support/cli.js';
import { readOutputs, readTree, tempDir } from './support/files.js';

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures', import.meta.url));
const SOURCE = path.join(FIXTURES, 'source');
const REAL = path.join(FIXTURES, 'real-messages');
const skip = fs.existsSync(SOURCE) ? false : `the fixtures are not there: ${FIXTURES}`;

describe('golden outputs', { skip }, () => {
  const trees = [
    { golden: 'as-of', args: [] },
    { golden: 'as-of', args: ['--workers', '1'] },
    { golden: 'python', args: ['--compat', 'python'] },
  ];
  for (const { golden, args } of trees) {
    test(`${golden} ${args.join(' ')}`, async (t) => {
      const out = tempDir(t);
      const { status, stderr } = await runCli(['--source-dir', SOURCE, '--output-dir', out, ...args]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const outputs = readOutputs(out);
      const expected = readTree(path.join(FIXTURES, 'golden', golden));
      // There are no golden files of the Python scripts for the hand-written archive.
      if (golden === 'python') outputs.delete('0050/ODDUSDT/2025-10-25_ODDUSDT_ob50_1m.csv');
      assert.deepEqual([...outputs.keys()].sort(), [...expected.keys()].sort());
      for (const [name, content] of expected) assert.ok(outputs.get(name) === content, `${name} differs`);
    });
  }

  const ADA = '0200/ADAUSDC/2025-10-25_ADAUSDC_ob200.data.gz';
  const MNT = '0200/MNTUSDT/2025-10-26_MNTUSDT_ob200.data.zip';
  const ODD = '0050/ODDUSDT/2025-10-25_ODDUSDT_ob50.data.zip';
  const REAL = '0500/XRPUSDT/2024-12-01_XRPUSDT_ob500.data.zip';
  const variants: [golden: string, archive: string, args: string][] = [
    ['ADAUSDC-depth25-1m-gap-skip-formatted', ADA, '--depths 25 --on-gap skip --include-formatted-timestamp'],
    ['MNTUSDT-depth5-5s', MNT, '--depths 5 --interval 5s'],
    ['ODDUSDT-depth5-1m-formatted', ODD, '--depths 5 --include-formatted-timestamp'],
    ['python-ADAUSDC-depth200-formatted', ADA, '--compat python --include-formatted-timestamp'],
    ['real-XRPUSDT-depth10-100ms', REAL, '--depths 10 --interval 100ms'],
    ['real-XRPUSDT-depth500-1s', REAL, '--depths 500 --interval 1s'],
  ];
  for (const [golden, archive, args] of variants) {
    test(golden, async (t) => {
      const out = tempDir(t);
      const { status, stderr } = await runCli([path.join(SOURCE, archive), '--output-dir', out, ...args.split(' ')]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const [content, ...others] = readOutputs(out).values();
      assert.equal(others.length, 0);
      assert.ok(content === fs.readFileSync(path.join(FIXTURES, 'golden/variants', `${golden}.csv`), 'latin1'));
    });
  }

  test('every variant has its test', () => {
    const files = fs.readdirSync(path.join(FIXTURES, 'golden/variants')).map((name) => name.replace('.csv', ''));
    assert.deepEqual(files.sort(), variants.map(([golden]) => golden).sort());
  });
});

describe('real messages of five recordings', {
  skip: fs.existsSync(REAL) ? false : `the fixtures are not there: ${REAL}`,
}, () => {
  const names = fs.existsSync(REAL) ? fs.readdirSync(REAL).filter((name) => name.endsWith('.data')) : [];

  test('are there', () => assert.equal(names.length, 5));

  for (const name of names) {
    test(name, async (t) => {
      const out = tempDir(t);
      const { status, stderr } = await runCli([path.join(REAL, name), '--output-dir', out, '--interval', '100ms']);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      const [[output, content] = [], ...others] = readOutputs(out);
      assert.equal(others.length, 0);
      const golden = name.replace('.data', '_100ms.csv');
      assert.equal(path.basename(output ?? ''), golden);
      assert.ok(content === fs.readFileSync(path.join(REAL, 'golden', golden), 'latin1'), `${golden} differs`);
    });
  }
});
