import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseArchiveName } from '../../src/catalog/archive-name.js';
import { type ArchiveFile, type FoundArchives, noArchives } from '../../src/catalog/find-archives.js';
import type { Labels } from '../../src/catalog/labels.js';
import { contentsOf } from '../../src/catalog/output-name.js';
import type { OutputRecord } from '../../src/catalog/recorded-output.js';
import { ConflictError } from '../../src/convert/conflicts.js';
import type { PlanOptions } from '../../src/convert/options.js';
import { type PlanEntry, plan } from '../../src/convert/plan.js';
import { formatVersionOf } from '../../src/output/formats.js';
import { inventoryOf } from '../support/inventories.js';

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

const scanOf = (...paths: string[]): FoundArchives => ({ ...noArchives(), archives: paths.map(archive) });
const inventory = (...paths: string[]) => inventoryOf(scanOf(...paths));

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
      const entries = plan(inventory(file), { ...OPTIONS, ...(depths ? { depths } : {}) });
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
      const there = Object.fromEntries(existing.map((file) => [file, 'as-of' as const]));
      assert.deepEqual(summarize(plan(inventoryOf(scanOf(D500), there), { ...OPTIONS, overwrite })), [expected]);
    });
  }
});

/** The record of an output made of {@link D500}, or of what differs from it, with the default options. */
function record({ archive = {}, shape = {}, ...others }: DeepPartial<OutputRecord> = {}): OutputRecord {
  return {
    archive: { fileName: path.basename(D500), sizeBytes: 1, mtimeMs: 1000, ...archive },
    shape: {
      interval: '1m',
      onGap: 'fill',
      onBadLine: 'fail',
      compat: 'none',
      quality: false,
      formattedTimestamp: false,
      ...shape,
    },
    formatVersion: 1,
    hasBadLines: false,
    ...others,
  };
}

type DeepPartial<T> = { [K in keyof T]?: T[K] extends object ? Partial<T[K]> : T[K] };

/** The one archive {@link D500}, of whose two outputs those exist that have a record, or the labels of their rows. */
function planWith(records: Record<string, OutputRecord | Labels>, options: Partial<PlanOptions> = {}): PlanEntry {
  const [entry] = plan(inventoryOf(scanOf(D500), records), { ...OPTIONS, ...options });
  assert.ok(entry);
  return entry;
}

/** Why each output of the entry is stale; `undefined` for one that is not there. */
function staleOf(entry: PlanEntry): (string | undefined)[] {
  return entry.action === 'convert' ? entry.job.outputs.map(({ stale }) => stale) : [];
}

const QUALITY_2: DeepPartial<OutputRecord> = { shape: { quality: true }, formatVersion: 2 };

describe('outputs with a record', () => {
  const upToDate: [what: string, made: DeepPartial<OutputRecord>, options: Partial<PlanOptions>][] = [
    ['the same archive and options', {}, {}],
    [
      'a record of version 0.1, without time and quality',
      { archive: { mtimeMs: undefined }, shape: { quality: undefined } },
      {},
    ],
    ['an option that does not shape it', {}, { layout: 'wide', impacts: [1], inflater: 'node', tempDir: '/tmp' }],
    ['--on-bad-line skip, where failing found no bad line', { hasBadLines: false }, { onBadLine: 'skip' }],
    ['--on-bad-line fail, where skipping found no bad line', { shape: { onBadLine: 'skip' } }, {}],
    ['a shape with an option that is not known here', { shape: { novelty: true } }, {}],
    ['with --quality, made since its flags are columns', QUALITY_2, { quality: true }],
  ];
  for (const [what, made, options] of upToDate) {
    test(`up to date: ${what}`, () => {
      const entry = planWith({ [OUT200]: record(made), [OUT500]: record(made) }, options);
      assert.deepEqual(describeEntry(entry), 'skip 200,500: exists');
      assert.ok(!('unrecorded' in entry));
    });
  }

  const stale: [reason: string, made: DeepPartial<OutputRecord>, options?: Partial<PlanOptions>][] = [
    ['the archive has changed', { archive: { sizeBytes: 2 } }],
    ['the archive has changed', { archive: { mtimeMs: 1001 } }],
    ['it was made from XRPUSDT.data.zip', { archive: { fileName: 'XRPUSDT.data.zip' } }],
    ['onGap fill → skip', {}, { onGap: 'skip' }],
    ['quality false → true', { shape: { quality: undefined } }, { quality: true }],
    ['onBadLine skip → fail', { shape: { onBadLine: 'skip' }, hasBadLines: true }],
    ['onGap fill → skip, formattedTimestamp false → true', {}, { onGap: 'skip', formattedTimestamp: true }],
    ['format version 7 → 1', { formatVersion: 7 }],
    ['format version 1 → 2', { shape: { quality: true } }, { quality: true }],
    ['quality true → false', { shape: { quality: true } }],
    ['quality true → false', QUALITY_2],
  ];
  for (const [reason, made, options] of stale) {
    test(`stale: ${reason}`, () => {
      const entry = planWith({ [OUT200]: record(made), [OUT500]: record(made) }, { onStale: 'remake', ...options });
      assert.deepEqual(staleOf(entry), [reason, reason]);
    });
  }

  test('a missing and a stale one are made, one that is up to date is not', () => {
    assert.deepEqual(staleOf(planWith({ [OUT200]: record({ formatVersion: 0 }) })), [
      'format version 0 → 1',
      undefined,
    ]);
    const entry = planWith({ [OUT200]: record({ formatVersion: 0 }), [OUT500]: record() });
    assert.equal(describeEntry(entry), 'convert 200');
  });

  test('one without a record is taken as done, and named', () => {
    const both = planWith({ [OUT200]: 'as-of', [OUT500]: record() });
    assert.equal(describeEntry(both), 'skip 200,500: exists');
    assert.ok(both.action === 'skip' && contentsOf(both.unrecorded ?? []) === '200');
    const one = planWith({ [OUT200]: 'as-of' });
    assert.equal(describeEntry(one), 'convert 500');
    assert.ok(one.action === 'convert' && contentsOf(one.unrecorded ?? []) === '200');
  });

  test('--overwrite makes all again and does not ask why', () => {
    const entry = planWith({ [OUT200]: 'as-of', [OUT500]: record({ formatVersion: 0 }) }, { overwrite: true });
    assert.equal(describeEntry(entry), 'convert 200,500');
    assert.deepEqual(staleOf(entry), [undefined, undefined]);
  });

  test('each output is compared by the options that shape it', () => {
    const options: Partial<PlanOptions> = { formats: ['csv', 'parquet'], metrics: true, depths: [200], layout: 'wide' };
    const outputs = planWith({}, options);
    assert.ok(outputs.action === 'convert');
    const { shape } = record();
    const made = record({ shape: { ...shape, layout: 'lists', decimals: false, impacts: [10_000, 100_000] } });
    const records = Object.fromEntries(
      outputs.job.outputs.map(({ path, ...output }) => [path, { ...made, formatVersion: formatVersionOf(output, {}) }]),
    );
    const layout = planWith(records, { ...options, onStale: 'remake' });
    assert.deepEqual(staleOf(layout), ['layout lists → wide']);
    // A record that has no levels and bands is of a file with those that are the default.
    for (const [changed, reason] of [
      [{ impacts: [5] }, 'impacts 10000,100000 → 5'],
      [{ imbalanceLevels: [5] }, 'imbalanceLevels 1,5,10,50 → 5'],
      [{ bandsBps: [2, 10] }, 'bandsBps 5,10,25,50,100 → 2,10'],
    ] as const) {
      const metrics = planWith(records, { ...options, layout: 'lists', ...changed, onStale: 'remake' });
      assert.deepEqual(staleOf(metrics), [reason, reason]);
    }
  });
});

describe('how Parquet is compressed', () => {
  const wanted: Partial<PlanOptions> = { formats: ['parquet'], depths: [200] };
  const output = OUT200.replace(/csv$/, 'parquet');
  const { shape } = record();
  const made = (compression: string | undefined) =>
    record({ shape: { ...shape, layout: 'lists', decimals: false, compression }, formatVersion: 2 });

  for (const compression of ['zstd', 'snappy', undefined]) {
    test(`auto takes what is there, made with ${compression ?? 'the only one there was'}`, () => {
      assert.equal(describeEntry(planWith({ [output]: made(compression) }, wanted)), 'skip 200: exists');
    });
  }

  test('one that is asked for by its name is another than the other', () => {
    const options: Partial<PlanOptions> = { ...wanted, compression: 'snappy' };
    assert.deepEqual(refusalOf({ [output]: made('zstd') }, options).conflicts[0]?.differences, [
      { option: 'compression', made: 'zstd', wanted: 'snappy' },
    ]);
    assert.equal(describeEntry(planWith({ [output]: made(undefined) }, options)), 'skip 200: exists');
  });
});

/** What a plan refuses: the paths, each with what differs. */
function refusalOf(outputs: Record<string, OutputRecord | Labels>, options: Partial<PlanOptions>): ConflictError {
  try {
    planWith(outputs, options);
  } catch (error) {
    assert.ok(error instanceof ConflictError, String(error));
    return error;
  }
  throw new Error('nothing was refused');
}

describe('outputs whose rows mean something else', () => {
  const conflicting: [what: string, made: OutputRecord | Labels, options: Partial<PlanOptions>, says: RegExp][] = [
    ['a forgotten option', record({ shape: { quality: true } }), {}, /1 made quality true, and not quality false/],
    ['another option', record(), { onGap: 'skip' }, /1 made onGap "fill", and not onGap "skip"/],
    ['labels of the Python scripts', 'python', {}, /1 made by the Python scripts.*looks ahead/],
    ['as-of labels, and the scripts’ are wanted', 'as-of', { compat: 'python' }, /1 made as of their labels/],
    ['a record of the scripts’ labels', record({ shape: { compat: 'python' } }), {}, /compat "python"/],
  ];
  for (const [what, made, options, says] of conflicting) {
    test(`${what}: nothing is planned; kept or made again when told so`, () => {
      const refusal = refusalOf({ [OUT200]: made }, options);
      assert.deepEqual(
        refusal.conflicts.map(({ path }) => path),
        [OUT200],
      );
      assert.match(refusal.message, says);
      assert.match(refusal.message, /onStale: 'remake'[\s\S]*onStale: 'keep'/);
      assert.equal(describeEntry(planWith({ [OUT200]: made }, { ...options, onStale: 'remake' })), 'convert 200,500');
      const kept = planWith({ [OUT200]: made }, { ...options, onStale: 'keep' });
      assert.equal(describeEntry(kept), 'convert 500');
      assert.ok('kept' in kept && contentsOf(kept.kept ?? []) === '200');
    });
  }

  test('also when they are of other days, beside which new ones would lie', () => {
    const other = OUT200.replace('2025-01-15', '2025-01-14');
    assert.equal(refusalOf({ [other]: 'python' }, {}).conflicts.length, 1);
    // Another interval, another depth and another pair are other data sets.
    for (const path of [other.replace('_1m', '_5m'), other.replace('0200', '0100').replace('ob200', 'ob100')]) {
      assert.equal(describeEntry(planWith({ [path]: record({ shape: { quality: true } }) })), 'convert 200,500');
    }
    // Nothing is made, so nothing is mixed.
    const done = { [other]: 'python', [OUT200]: record(), [OUT500]: record() } as const;
    assert.equal(describeEntry(planWith(done)), 'skip 200,500: exists');
  });

  test('what its archive has made stale is made again, whatever --on-stale says', () => {
    for (const onStale of ['refuse', 'keep', 'remake'] as const) {
      const made = record({ archive: { sizeBytes: 2 } });
      assert.deepEqual(staleOf(planWith({ [OUT200]: made, [OUT500]: made }, { onStale })), [
        'the archive has changed',
        'the archive has changed',
      ]);
    }
  });

  test('an output that is spoiled is not kept because its options differ as well', () => {
    const made = record({ archive: { sizeBytes: 2 }, shape: { quality: true } });
    const entry = planWith({ [OUT200]: made, [OUT500]: record({ shape: { quality: true } }) }, { onStale: 'keep' });
    assert.equal(describeEntry(entry), 'convert 200');
    assert.deepEqual(staleOf(entry), ['the archive has changed; quality true → false']);
    // One of an earlier version is whole: kept is what the user asked for.
    const older = record({ shape: { quality: true }, formatVersion: 0 });
    assert.equal(
      describeEntry(planWith({ [OUT200]: older, [OUT500]: older }, { onStale: 'keep' })),
      'skip 200,500: exists',
    );
  });
});

describe('another partition', () => {
  const HIVE200 = '/out/0200/symbol=XRPUSDT/date=2025-01-15/2025-01-15_XRPUSDT_ob200_1m.csv';
  const version = { sizeBytes: 1, mtimeMs: 1 };
  const inHive = record({ shape: { partition: 'hive' } });
  const cases: [from: string, made: Record<string, OutputRecord | Labels>, partition: 'none' | 'hive', to: string][] = [
    [OUT200, { [OUT200]: record() }, 'hive', HIVE200],
    [OUT200, { [OUT200]: 'as-of' }, 'hive', HIVE200],
    [HIVE200, { [HIVE200]: inHive }, 'none', OUT200],
    [HIVE200, { [HIVE200]: 'as-of' }, 'none', OUT200],
    // What is there twice is one too many, also when the right one is up to date.
    [OUT200, { [OUT200]: record(), [HIVE200]: inHive }, 'hive', HIVE200],
  ];
  for (const [from, made, partition, to] of cases) {
    test(`${Object.keys(made)}, ${partition} wanted: never a second one beside it`, () => {
      const options = { partition, depths: [200] };
      const { conflicts } = refusalOf(made, options);
      assert.deepEqual(
        conflicts.map(({ path, differences }) => [path, differences[0]?.option]),
        [[from, 'partition']],
      );
      const kept = planWith(made, { ...options, onStale: 'keep' });
      assert.ok(kept.action === 'skip');
      assert.deepEqual(
        kept.kept?.map(({ path }) => path),
        [from],
      );
      for (const how of [{ onStale: 'remake' }, { overwrite: true }] as const) {
        const entry = planWith(made, { ...options, ...how });
        assert.ok(entry.action === 'convert');
        assert.deepEqual(
          entry.job.outputs.map(({ path, removes }) => [path, removes]),
          [[to, { path: from, ...version }]],
        );
      }
    });
  }

  test('up to date where it is wanted', () => {
    assert.equal(
      describeEntry(planWith({ [HIVE200]: inHive }, { partition: 'hive', depths: [200] })),
      'skip 200: exists',
    );
  });
});

describe('two archives with one output', () => {
  test('the first in plan order makes it, the other makes what is its own and says so', () => {
    const [first, second] = plan(inventory(D500, D200), OPTIONS);
    assert.deepEqual(summarize([first, second] as PlanEntry[]), ['convert 200', 'convert 500']);
    assert.equal(first?.path, D200);
    assert.equal(second && 'remark' in second ? second.remark : '', `200 comes from ${D200}`);
  });

  test('with nothing of its own left, the other is skipped', () => {
    const [, second] = plan(inventory(D500, D200), { ...OPTIONS, depths: [200] });
    assert.deepEqual(summarize([second] as PlanEntry[]), ['skip 200: made from another archive']);
  });

  test('the same day as .gz and .zip', () => {
    const gz = D500.replace('.zip', '.gz');
    assert.deepEqual(summarize(plan(inventory(D500, gz), OPTIONS)), [
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
  const entries = plan(inventory(...[...paths].reverse()), OPTIONS);
  assert.deepEqual(
    entries.map(({ number, path }) => [number, path]),
    paths.map((path, index) => [index + 1, path]),
  );
});

test('--symbols, --from and --to choose, both days included', () => {
  const days = ['2025-01-14', '2025-01-15', '2025-01-16', '2025-01-17'];
  const paths = days.flatMap((day) => ['A', 'B'].map((pair) => `0200/${pair}/${day}_${pair}_ob200.data.zip`));
  const chosen = plan(inventory(...paths), { ...OPTIONS, symbols: ['B'], from: '2025-01-15', to: '2025-01-16' });
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
    const [entry] = plan(inventory(D500), { ...OPTIONS, intervalMs, depths: [5] });
    assert.ok(entry?.action === 'convert');
    assert.equal(entry.job.outputs[0]?.path, `/out/0005/XRPUSDT/2025-01-15_XRPUSDT_ob5_${suffix}.csv`);
  }
});

test('a plan is plain JSON', () => {
  const scan = { ...scanOf(D500, D200), unusable: [{ path: 'x', fileName: 'x', pair: '?', problem: 'broken' }] };
  const entries = plan(inventoryOf(scan), { ...OPTIONS, tempDir: '/tmp' });
  assert.deepEqual(JSON.parse(JSON.stringify(entries)), entries);
  assert.deepEqual(summarize(entries), ['fail: broken', 'convert 200', 'convert 500']);
});
