/** What is kept in little memory comes out as it went in, whatever it is. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArchiveList } from '../../src/catalog/archive-list.js';
import type { ArchiveFile } from '../../src/catalog/find-archives.js';
import type { FoundOutput } from '../../src/catalog/find-outputs.js';
import { MARKETS } from '../../src/catalog/market.js';
import { OutputList } from '../../src/catalog/output-list.js';
import { nameOutput, parsePlace, placeOf } from '../../src/catalog/output-name.js';
import { RecordList } from '../../src/catalog/record-list.js';
import type { RecordedOutput } from '../../src/catalog/recorded-output.js';
import { holds } from '../support/holds.js';

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((some) => some.join(''));

const etag = fc.oneof(
  hex(32),
  fc.tuple(hex(32), fc.integer({ min: 1, max: 10_000 })).map(([md5, parts]) => `${md5}-${parts}`),
  hex(32).map((text) => text.toUpperCase()),
  hex(32).map((text) => `${text}-0`),
  hex(32).map((text) => `${text}-01`),
  hex(30),
  fc.string(),
);
const sizeBytes = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 31, max: 2 ** 50 }));
const version = fc.oneof(
  fc.record({ sizeBytes, mtimeMs: fc.integer({ min: -1, max: 2 ** 42 }) }),
  fc.record({ sizeBytes, etag }),
  fc.record({ sizeBytes }),
);
const pair = fc.constantFrom('BTCUSDT', 'ETHUSDT', 'BTC-PERP', 'a_b');
const date = fc.constantFrom('2025-01-15', '2025-01-16', '1970-01-01', '1969-12-31', '9999-12-31', '0001-01-01');

const archive = fc
  .tuple(
    fc.record({ date, pair, sourceDepth: fc.constantFrom(1, 200, 9999), isDayFile: fc.boolean() }),
    version,
    fc.option(fc.constantFrom(...MARKETS), { nil: undefined }),
    fc.constantFrom('.data.zip', '.data.gz', '.data', '-copy.zip', ''),
    fc.constantFrom('', '/', './a/', '/x/2025-01-15/', 's3://bucket/a b/', 'C:\\x\\'),
    fc.constantFrom('usual', 'padded', 'named otherwise', 'path that is not its name'),
  )
  .map(([of, file, market, ending, folder, naming]): ArchiveFile => {
    const depth = naming === 'padded' ? String(of.sourceDepth).padStart(4, '0') : of.sourceDepth;
    const fileName = naming === 'named otherwise' ? `x${ending}` : `${of.date}_${of.pair}_ob${depth}${ending}`;
    const place = folder + (naming === 'path that is not its name' ? 'other' : fileName);
    return { ...of, ...file, ...(market && { market }), fileName, path: place };
  });

test('archives', () =>
  holds(
    fc.property(fc.array(archive, { maxLength: 60 }), (archives) => {
      const list = new ArchiveList();
      for (const file of archives) list.push(file);
      assert.equal(list.length, archives.length);
      assert.deepEqual([...list], archives);
      assert.deepEqual(
        archives.map((_, index) => list.at(index)),
        archives,
      );
      assert.deepEqual(list.pairs, new Set(archives.map((file) => file.pair)));
      const groups = [...list.byPair()].flatMap(([name, indices]) => {
        assert.deepEqual(
          [...indices],
          [...indices].sort((a, b) => a - b),
        );
        return Array.from(indices, (index) => [name, index]);
      });
      assert.deepEqual(
        groups.sort(([, a], [, b]) => Number(a) - Number(b)),
        archives.map((file, index) => [file.pair, index]),
      );
    }),
  ));

const output = fc
  .tuple(
    fc.record({
      outputDir: fc.constantFrom('out', path.resolve('out'), '/', 's3://bucket', 's3://bucket/spot/1m'),
      market: fc.option(fc.constantFrom(...MARKETS), { nil: undefined }),
      contents: fc.constantFrom({ kind: 'metrics' } as const, { kind: 'book', depth: 7 } as const),
      format: fc.constantFrom('csv', 'csv.gz', 'parquet'),
      partition: fc.constantFrom('none', 'hive'),
      intervalMs: fc.constantFrom(100, 60_000, 86_400_000),
    }),
    version,
    pair,
    date.filter((day) => day >= '1000'),
  )
  .map(([{ outputDir, market, ...form }, file, symbol, day]): FoundOutput => {
    const named = nameOutput(outputDir, { pair: symbol, date: day, market }, form);
    const name = parsePlace(placeOf(named));
    if (!name) throw new Error(`${named.path} is no output's path`);
    return { ...name, path: named.path, ...file };
  });

test('outputs', () =>
  holds(
    fc.property(fc.array(output, { maxLength: 60 }), (outputs) => {
      const list = new OutputList();
      for (const found of outputs) list.push(found);
      assert.deepEqual([...list], outputs);
      const ofPair = [...list.byPair()].flatMap(([name, indices]) => Array.from(indices, (index) => [index, name]));
      assert.deepEqual(
        new Map(ofPair as [number, string][]),
        new Map(outputs.map((found, index) => [index, found.pair])),
      );
    }),
  ));

const count = fc.oneof(fc.nat(), fc.constant(Number.NaN), fc.constant(1.5), fc.constant(2 ** 40));
const record = fc
  .record({
    archive: fc
      .tuple(fc.constantFrom('2025-01-15_BTCUSDT_ob500.zip', '2025-01-16_BTCUSDT_ob500.zip', 'x', ''), version)
      .map(([fileName, file]) => ({ fileName, mtimeMs: undefined, ...file })),
    shape: fc.constantFrom({}, { interval: '1m' }, { interval: '1m', impacts: [1, 2] }),
    formatVersion: fc.constantFrom(1, 2, 1.5),
    hasBadLines: fc.boolean(),
    messageForm: fc.constantFrom('spot', 'contract', undefined),
    sha256: fc.oneof(
      hex(64),
      hex(64).map((text) => text.toUpperCase()),
      fc.constant(undefined),
      fc.constant(''),
    ),
    counts: fc.record({ rows: count, filledRows: count, suspectRows: count }, { noNullPrototype: true }),
  })
  .chain((told) =>
    fc
      .oneof(version, fc.constant({ sizeBytes: undefined }))
      .map((file): RecordedOutput => ({ mtimeMs: undefined, ...told, ...file })),
  );
const place = fc.constantFrom(
  '0500/BTCUSDT/2025-01-15_BTCUSDT_ob500_1m.csv',
  '0500/BTCUSDT/2025-01-16_BTCUSDT_ob500_1m.csv',
  '0500/symbol=BTCUSDT/date=2025-01-15/2025-01-15_BTCUSDT_ob500_1m.csv',
  '0500/BTCUSDT/1970-01-01_BTCUSDT_ob500_1m.csv',
  '0500/BTCUSDT/2025-13-45_BTCUSDT_ob500_1m.csv',
  'no day',
  '',
);

test('records: all of a place, the latest first, and places in the order of their last records', () =>
  holds(
    fc.property(fc.array(fc.tuple(place, record), { maxLength: 60 }), (records) => {
      const list = new RecordList();
      const simple = new Map<string, RecordedOutput[]>();
      for (const [where, made] of records) {
        list.push(where, made);
        const known = simple.get(where) ?? [];
        simple.delete(where);
        simple.set(where, [...known, made]);
      }
      assert.deepEqual([...list.places()], [...simple.keys()]);
      for (const [where, known] of simple) assert.deepEqual([...list.of(where)], known.reverse());
      assert.deepEqual([...list.of('0500/BTCUSDT/2025-01-17_BTCUSDT_ob500_1m.csv')], []);
    }),
  ));
