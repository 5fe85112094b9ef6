import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatInterval, isDate, parseInterval } from '../../src/base/time.js';
import { findDate, parseArchiveName, parseTopic } from '../../src/catalog/archive-name.js';

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
