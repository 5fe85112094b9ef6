import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseArchiveName } from '../../src/convert/archive-name.js';
import { contentsOf, type PlanEntry, type PlanOptions, plan } from '../../src/convert/plan.js';
import type { ArchiveFile, ScanResult } from '../../src/convert/scan.js';

const OPTIONS: PlanOptions = {
  outputDir: '/out',
  intervalMs: 60_000,
  onGap: 'fill',
  onBadLine: 'fail',
  compat: 'none',
  formattedTimestamp: false,
  overwrite: false,
};

/** An archive by its path below the source folder. */
function archive(filePath: string): ArchiveFile {
  const fileName = filePath.split('/').at(-1) ?? '';
  const name = parseArchiveName(fileName);
  assert.ok(name, `${fileName} is no archive's name`);
  return { ...name, path: filePath, fileName, sizeBytes: 1, mtimeMs: 1000, isDayFile: true };
}

const scanOf = (...paths: string[]): ScanResult => ({ archives: paths.map(archive), unusable: [], ignored: [] });
const nothing = () => false;

/** `convert 200,500`, `skip 200: exists`: one line an entry. */
function summarize(entries: PlanEntry[]): string[] {
  return entries.map(describeEntry);
}

function describeEntry(entry: PlanEntry): string {
  switch (entry.action) {
    case 'convert':
      return `convert ${contentsOf(entry.job.outputs)}`;
    case 'skip':
      return `skip ${contentsOf(entry.outputs)}: ${entry.reason}`;
    case 'fail':
      return `fail: ${entry.problem}`;
  }
}

const D500 = '0500/XRPUSDT/2025-01-15_XRPUSDT_ob500.data.zip';
const D200 = '0200/XRPUSDT/2025-01-15_XRPUSDT_ob200.data.zip';
const OUT200 = '/out/0200/XRPUSDT/2025-01-15_XRPUSDT_ob200_1m.csv';
const OUT500 = '/out/0500/XRPUSDT/2025-01-15_XRPUSDT_ob500_1m.csv';

describe('depths', () => {
  const cases: [archive: string, depths: number[] | undefined, expected: string][] = [
    [D500, undefined, 'convert 200,500'],
    [D200, undefined, 'convert 200'],
    ['0050/X/2025-01-15_X_ob50.data.zip', undefined, 'convert 50'],
    ['1000/X/2025-01-15_X_ob1000.data.zip', undefined, 'convert 200,500'],
    [D500, [1, 50, 500], 'convert 1,50,500'],
    [D200, [50, 500], 'convert 50'],
    [D200, [500], 'skip 500: too shallow'],
  ];
  for (const [file, depths, expected] of cases) {
    test(`${file}, ${depths ?? 'default'}: ${expected}`, () => {
      const entries = plan(scanOf(file), { ...OPTIONS, ...(depths ? { depths } : {}) }, nothing);
      assert.deepEqual(summarize(entries), [expected]);
    });
  }
});

describe('outputs that exist', () => {
  const cases: [existing: string[], overwrite: boolean, expected: string][] = [
    [[], false, 'convert 200,500'],
    [[OUT200], false, 'convert 500'],
    [[OUT500], false, 'convert 200'],
    [[OUT200, OUT500], false, 'skip 200,500: exists'],
    [[OUT200, OUT500], true, 'convert 200,500'],
  ];
  for (const [existing, overwrite, expected] of cases) {
    test(`${existing.length} of two exist${overwrite ? ', --overwrite' : ''}: ${expected}`, () => {
      const exists = (file: string) => existing.includes(file);
      assert.deepEqual(summarize(plan(scanOf(D500), { ...OPTIONS, overwrite }, exists)), [expected]);
    });
  }
});

describe('two archives with one output', () => {
  test('the first in plan order makes it, the other makes what is its own and says so', () => {
    const [first, second] = plan(scanOf(D500, D200), OPTIONS, nothing);
    assert.deepEqual(summarize([first, second] as PlanEntry[]), ['convert 200', 'convert 500']);
    assert.equal(first?.path, D200);
    assert.equal(second && 'remark' in second ? second.remark : '', `200 comes from ${D200}`);
  });

  test('with nothing of its own left, the other is skipped', () => {
    const [, second] = plan(scanOf(D500, D200), { ...OPTIONS, depths: [200] }, nothing);
    assert.deepEqual(summarize([second] as PlanEntry[]), ['skip 200: made from another archive']);
  });

  test('the same day as .gz and .zip', () => {
    const gz = D500.replace('.zip', '.gz');
    assert.deepEqual(summarize(plan(scanOf(D500, gz), OPTIONS, nothing)), [
      'convert 200,500',
      'skip 200,500: made from another archive',
    ]);
  });
});

test('the order is depth folder, pair, date, whatever the order of finding', () => {
  const paths = [
    '0200/BTCUSDT/2025-01-16_BTCUSDT_ob200.data.zip',
    '0200/BTCUSDT-26SEP25/2025-01-01_BTCUSDT-26SEP25_ob200.data.zip',
    '0200/ETHUSDT/2025-01-01_ETHUSDT_ob200.data.zip',
    '0500/ADAUSDT/2025-01-01_ADAUSDT_ob500.data.zip',
  ];
  const entries = plan(scanOf(...[...paths].reverse()), OPTIONS, nothing);
  assert.deepEqual(
    entries.map(({ number, path }) => [number, path]),
    paths.map((path, index) => [index + 1, path]),
  );
});

test('--symbols, --from and --to choose, both days included', () => {
  const days = ['2025-01-14', '2025-01-15', '2025-01-16', '2025-01-17'];
  const paths = days.flatMap((day) => ['A', 'B'].map((pair) => `0200/${pair}/${day}_${pair}_ob200.data.zip`));
  const chosen = plan(scanOf(...paths), { ...OPTIONS, symbols: ['B'], from: '2025-01-15', to: '2025-01-16' }, nothing);
  assert.deepEqual(
    chosen.map(({ number, fileName }) => `${number} ${fileName.slice(0, 12)}`),
    ['1 2025-01-15_B', '2 2025-01-16_B'].map((text) => text.slice(0, 14)),
  );
});

test('output names carry the interval in its shortest form', () => {
  for (const [intervalMs, suffix] of [
    [100, '100ms'],
    [1500, '1500ms'],
    [90_000, '90s'],
    [300_000, '5m'],
    [86_400_000, '24h'],
  ] as const) {
    const [entry] = plan(scanOf(D500), { ...OPTIONS, intervalMs, depths: [5] }, nothing);
    assert.ok(entry?.action === 'convert');
    assert.equal(entry.job.outputs[0]?.path, `/out/0005/XRPUSDT/2025-01-15_XRPUSDT_ob5_${suffix}.csv`);
  }
});

test('a plan is plain JSON', () => {
  const scan = { ...scanOf(D500, D200), unusable: [{ path: 'x', fileName: 'x', pair: '?', problem: 'broken' }] };
  const entries = plan(scan, { ...OPTIONS, tempDir: '/tmp' }, nothing);
  assert.deepEqual(JSON.parse(JSON.stringify(entries)), entries);
  assert.deepEqual(summarize(entries), ['fail: broken', 'convert 200', 'convert 500']);
});
