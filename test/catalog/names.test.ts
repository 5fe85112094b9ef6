import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatInterval, isDate, parseInterval } from '../../src/base/time.js';
import { findDate, parseArchiveName, parseTopic } from '../../src/catalog/archive-name.js';
import { MARKETS } from '../../src/catalog/market.js';
import {
  type Contents,
  nameOutput,
  parsePlace,
  placeOf,
  stagingFolderOf,
  unpartitionedPlace,
} from '../../src/catalog/output-name.js';
import { PARTITIONS } from '../../src/catalog/partition.js';
import { FORMAT_NAMES } from '../../src/output/formats.js';
import { holds } from '../support/holds.js';

describe('archive names', () => {
  const valid: [name: string, date: string, pair: string, depth: number][] = [
    ['2025-01-15_BTCUSDT_ob500.data.zip', '2025-01-15', 'BTCUSDT', 500],
    ['2025-10-26_1000PEPEUSDT_ob200.data.gz', '2025-10-26', '1000PEPEUSDT', 200],
    ['2025-08-21_BTCUSDT-26SEP25_ob500.data', '2025-08-21', 'BTCUSDT-26SEP25', 500],
    ['2026-06-17_WC_ARG_ALG_USDT-17JUN26_ob200.data.zip', '2026-06-17', 'WC_ARG_ALG_USDT-17JUN26', 200],
    ['2025-01-15_X_ob50_ob200 (copy).zip', '2025-01-15', 'X_ob50', 200],
  ];
  for (const [name, date, pair, sourceDepth] of valid) {
    test(name, () => assert.deepEqual(parseArchiveName(name), { date, pair, sourceDepth }));
  }

  const invalid = [
    'BTCUSDT_ob500.data.zip',
    '2025-02-30_BTCUSDT_ob500.data.zip',
    '2025-01-15_BTC/USDT_ob500.data.zip',
    '2025-01-15_BTCUSDT_ob0.data.zip',
    '2025-01-15_BTCUSDT_ob50000.data.zip',
    '2025-01-15__ob500.data.zip',
  ];
  for (const name of invalid) test(`not ${name}`, () => assert.equal(parseArchiveName(name), undefined));

  test('a date anywhere in a name', () => {
    assert.equal(findDate('book-2025-01-15.zip'), '2025-01-15');
    assert.equal(findDate('book-2025-13-15.zip'), undefined);
    assert.equal(findDate('12025-01-155.zip'), undefined);
  });

  test('days of the calendar', () => {
    assert.ok(isDate('2024-02-29'));
    for (const text of ['2025-02-29', '2025-1-15', '15-01-2025', '2025-01-15T00:00', ''])
      assert.ok(!isDate(text), text);
  });
});

test('topics', () => {
  assert.deepEqual(parseTopic('orderbook.500.XRPUSDT'), { pair: 'XRPUSDT', sourceDepth: 500 });
  for (const topic of ['', 'trade.XRPUSDT', 'orderbook.500.../../etc', 'orderbook.0.X', 'orderbook.500.X/Y']) {
    assert.equal(parseTopic(topic), undefined, topic);
  }
});

describe('intervals', () => {
  const valid: [text: string, ms: number, shortest: string][] = [
    ['1ms', 1, '1ms'],
    ['100ms', 100, '100ms'],
    ['1000ms', 1000, '1s'],
    ['60s', 60_000, '1m'],
    ['90s', 90_000, '90s'],
    ['5m', 300_000, '5m'],
    ['60m', 3_600_000, '1h'],
    ['24h', 86_400_000, '24h'],
    ['1d', 86_400_000, '24h'],
    ['1440m', 86_400_000, '24h'],
  ];
  for (const [text, ms, shortest] of valid) {
    test(text, () => {
      assert.equal(parseInterval(text), ms);
      assert.equal(formatInterval(ms), shortest);
    });
  }

  for (const text of [
    '',
    '1',
    'm',
    '0s',
    '7m',
    '7h',
    '25h',
    '1.5s',
    '-1m',
    '0d',
    '2d',
    '1D',
    '1M',
    ' 1m',
    '99999999999s',
  ]) {
    test(`not ${JSON.stringify(text)}, which the message names`, () => {
      const isSaid = (error: unknown) => error instanceof RangeError && error.message.includes(text);
      assert.throws(() => parseInterval(text), isSaid);
    });
  }
});

describe('outputs', () => {
  // What an output folder is called says nothing, whatever it looks like.
  const outputDirs = [
    '/out',
    'spot',
    '/a/spot/0200',
    'x/0200/symbol=X/date=2025-01-15',
    's3://bucket/metrics/AAA',
    '.',
  ];
  const pair = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
  const date = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10));
  const contents: fc.Arbitrary<Contents> = fc.oneof(
    fc.constant({ kind: 'metrics' as const }),
    fc.integer({ min: 1, max: 9999 }).map((depth) => ({ kind: 'book' as const, depth })),
  );
  const named = fc.record({
    outputDir: fc.constantFrom(...outputDirs),
    market: fc.constantFrom(undefined, ...MARKETS),
    pair,
    date,
    contents,
    format: fc.constantFrom(...FORMAT_NAMES),
    partition: fc.constantFrom(...PARTITIONS),
  });

  test('the place tells everything that it was made of, in whatever folder it lies', () => {
    holds(
      fc.property(named, ({ outputDir, market, contents, format, partition, ...day }) => {
        const form = { contents, intervalMs: 60_000, format };
        const output = nameOutput(outputDir, { ...day, market }, { ...form, partition });
        const place = placeOf(output);
        assert.ok(output.path.endsWith(place));
        assert.equal(placeOf({ path: place, market }), place, 'as in records');
        assert.deepEqual(parsePlace(place), {
          kind: contents.kind,
          market,
          partition,
          depth: contents.kind === 'book' ? contents.depth : undefined,
          ...day,
          interval: '1m',
          format,
        });
        const plain = placeOf(nameOutput(outputDir, { ...day, market }, { ...form, partition: 'none' }));
        assert.equal(unpartitionedPlace(place), plain);
        assert.ok(!/date=[^/]*$/.test(stagingFolderOf({ path: place })));
      }),
    );
  });

  const FILE = '2025-01-15_AAA_ob200_1m.csv';
  const places: [place: string, staged: string | undefined][] = [
    [`0200/AAA/${FILE}`, '0200/AAA'],
    [`spot/0200/symbol=AAA/date=2025-01-15/${FILE}`, 'spot/0200/symbol=AAA'],
    [`0200/symbol=AAA/date=2025-01-16/${FILE}`, undefined],
    [`0200/symbol=AAA/${FILE}`, undefined],
    [`0200/AAA/date=2025-01-15/${FILE}`, undefined],
    [`0200/symbol=BBB/date=2025-01-15/${FILE}`, undefined],
    [`0500/symbol=AAA/date=2025-01-15/${FILE}`, undefined],
    [`other/0200/AAA/${FILE}`, undefined],
    [`0200/AAA/more/${FILE}`, undefined],
    ['', undefined],
  ];
  for (const [place, staged] of places) {
    test(`${place || 'nothing'} is ${staged === undefined ? 'no' : 'an'} output’s place`, () => {
      assert.equal(parsePlace(place) !== undefined, staged !== undefined);
      if (staged !== undefined) assert.equal(stagingFolderOf({ path: place }), staged);
    });
  }
});
