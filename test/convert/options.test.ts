/** One check of options for the command line and the library. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { convertArchive, findArchives, plan, readMessages, snapshots, takeInventory, UsageError } from 'bookgrid';
import { OPTION_DEFAULTS, resolveOptions } from '../../src/convert/options.js';
import { readOutputs, tempDir } from '../support/files.js';
import { makeArchive } from '../support/runs.js';

/** Options as a program without types may give them. */
type Given = Record<string, unknown>;

const resolve = (given: Given) => resolveOptions({ outputDir: 'out', ...given } as { outputDir: string });

const WRONG: [given: Given, message: RegExp][] = [
  [{ intervalMs: 7 }, /^intervalMs is 7\. It must be whole ms that divide a day evenly/],
  [{ intervalMs: 0 }, /^intervalMs is 0\./],
  [{ intervalMs: -60_000 }, /^intervalMs is -60000\./],
  [{ intervalMs: Number.NaN }, /^intervalMs is null\./],
  [{ intervalMs: '1m' }, /^intervalMs is "1m"\./],
  [{ intervalMs: 172_800_000 }, /^intervalMs is 172800000\./],
  [
    { depths: [-1] },
    /^depths is \[-1\]\. It must be a list of at least one item, each a whole number of levels from 1 to/,
  ],
  [{ depths: [0] }, /^depths is \[0\]\./],
  [{ depths: [20.5] }, /^depths is \[20\.5\]\./],
  [{ depths: [200, 10_000] }, /^depths is /],
  [{ depths: [] }, /^depths is \[\]\./],
  [{ depths: 200 }, /^depths is 200\./],
  [
    { depths: Array.from({ length: 65 }, (_, i) => i + 1) },
    /^depths has 65 depths with 2145 levels a side in all; at most 64 /,
  ],
  [
    { depths: [9999, 9998, 9997, 9996, 9995] },
    /^depths has 5 depths with 49985 levels a side in all; at most 64 depths and 40000 /,
  ],
  [{ formats: ['xls'] }, /^formats is \["xls"\]\. It must be .*csv or csv\.gz or parquet\.$/],
  [{ formats: [] }, /^formats is \[\]\./],
  [{ formats: 'csv' }, /^formats is "csv"\./],
  [{ layout: 'tall' }, /^layout is "tall"\. It must be lists or wide or long\.$/],
  [{ onGap: null }, /^onGap is null\. It must be fill or skip\.$/],
  [{ quality: 'yes' }, /^quality is "yes"\. It must be true or false\.$/],
  [
    { imbalanceLevels: [0] },
    /^imbalanceLevels is \[0\]\. It must be a list of at least one item, each a whole number of levels from 1 to 9999\.$/,
  ],
  [{ bandsBps: [10_001] }, /^bandsBps is \[10001\]\. .* each a whole number of bps from 1 to 10000\.$/],
  [{ bandsBps: [] }, /^bandsBps is \[\]\./],
  [
    { impacts: Array.from({ length: 105 }, (_, index) => index + 1) },
    /^imbalanceLevels, bandsBps and impacts make 258 columns of metrics, and 256 are possible: choose fewer$/,
  ],
  [{ impacts: [0.5] }, /^impacts is \[0\.5\]\./],
  [{ outputDir: '' }, /^outputDir is ""\. It must be the path of a folder\.$/],
  [{ outputDir: undefined }, /^outputDir is missing/],
  [{ symbols: ['../x'] }, /^symbols is \["\.\.\/x"\]\./],
  [{ from: '2025-02-30' }, /^from is "2025-02-30"\. It must be a day of the calendar/],
  [{ from: '2025-02-02', to: '2025-02-01' }, /^from 2025-02-02 is after to 2025-02-01/],
  [{ books: false }, /^Nothing is to be made/],
  [
    { formattedTimestamp: true, formats: ['parquet'] },
    /^formattedTimestamp is for CSV: in Parquet, timestamp is a time already/,
  ],
  [{ compat: 'python', intervalMs: 1000 }, /^compat python writes one-minute rows only: leave intervalMs out$/],
  [
    { compat: 'python', quality: true },
    /^compat python writes CSV as the scripts did: leave formats, quality and metrics/,
  ],
  [{ interval: 1000 }, /^There is no option interval\. Options are intervalMs, /],
];

describe('a wrong option is told with what was given and what would be right', () => {
  for (const [given, message] of WRONG) {
    test(JSON.stringify(given), () => {
      assert.throws(
        () => resolve(given),
        (error: Error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

test('the formatted timestamp is for CSV, with Parquet beside it or without', () => {
  for (const formats of [['csv'], ['csv.gz', 'parquet']]) {
    assert.equal(resolve({ formattedTimestamp: true, formats }).formattedTimestamp, true);
  }
});

test('undefined means the default, of every option', () => {
  const names = Object.keys(OPTION_DEFAULTS);
  assert.deepEqual(resolve(Object.fromEntries(names.map((name) => [name, undefined]))), resolve({}));
  assert.deepEqual(resolve({}), { ...OPTION_DEFAULTS, outputDir: 'out' });
});

test('what is given twice is there once, in order; symbols are upper-cased', () => {
  const { depths, formats, symbols } = resolve({
    depths: [500, 200, 500],
    formats: ['parquet', 'csv', 'parquet'],
    symbols: ['xrpusdt', 'BTCUSDT', 'XRPUSDT'],
  });
  assert.deepEqual(depths, [200, 500]);
  assert.deepEqual(formats, ['csv', 'parquet']);
  assert.deepEqual(symbols, ['BTCUSDT', 'XRPUSDT']);
});

test('the command line’s names are used where they are given', () => {
  assert.throws(
    () => resolveOptions({ outputDir: 'x', intervalMs: 7 }, (name) => `--${name}`),
    /^UsageError: --intervalMs/,
  );
});

test('every function of the library checks before it reads or writes anything', async (t) => {
  const [source, outputDir] = [tempDir(t), path.join(tempDir(t), 'out')];
  const archive = await makeArchive(source, { pair: 'AAAUSDT' });
  const inventory = await takeInventory(await findArchives(source), outputDir);
  for (const [given] of WRONG) {
    const options = { outputDir, ...given } as { outputDir: string };
    await assert.rejects(convertArchive(archive, options), UsageError, JSON.stringify(given));
    assert.throws(() => plan(inventory, options), UsageError, JSON.stringify(given));
  }
  assert.throws(() => snapshots(archive, { onGap: 'never' as 'fill' }), UsageError);
  assert.throws(() => snapshots(archive, { depths: 'all' as unknown as number[] }), UsageError);
  assert.throws(() => readMessages(archive, { onBadLine: 'ignore' as 'fail' }), UsageError);
  assert.ok(!fs.existsSync(outputDir));
});

test('undefined as an interval makes rows a minute, and a depth given twice is one output', async (t) => {
  const [source, outputDir] = [tempDir(t), tempDir(t)];
  const archive = await makeArchive(source, { pair: 'AAAUSDT' });
  const result = await convertArchive(archive, { outputDir, intervalMs: undefined, depths: [5, 5], signal: undefined });
  assert.ok(result.status === 'done');
  assert.equal(result.counts.rows, 3);
  assert.equal(result.outputs.length, 1);
  assert.deepEqual([...readOutputs(outputDir).keys()], ['0005/AAAUSDT/2025-01-15_AAAUSDT_ob5_1m.csv']);
});
