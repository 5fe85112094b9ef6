import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Decimals, Layout } from '../../src/output/book-writer.js';
import { DECOMPRESSORS, HAS_ZSTD } from '../../src/output/compression.js';
import { createTableWriter, DoesNotFitDecimalError } from '../../src/output/create-writer.js';
import { CsvBookWriter } from '../../src/output/csv.js';
import { ParquetBookWriter, type ParquetOptions } from '../../src/output/parquet/book.js';
import { encoder } from '../../src/output/parquet/encoder.js';
import { ParquetTableWriter } from '../../src/output/parquet/table.js';
import { tempDir } from '../support/files.js';
import { holds } from '../support/holds.js';
import { batchOf, MemorySink, metricsBatch, type TestRow, testRows, writeRows } from '../support/output-rows.js';

const FLAGS = ['is_filled', 'is_suspect', 'is_crossed', 'is_thin', 'is_partial'];
const SYMBOL = 'XRPUSDT';
const LISTS = ['bid_price', 'bid_qty', 'ask_price', 'ask_qty'];
const REST = { compression: 'snappy', metadata: {} } as const;
const METADATA = { symbol: SYMBOL, depth: '500' };

/** A file's rows, as one reader or another or the CSV tells them: times as ms, values as texts. */
type Rows = Record<string, unknown>[];

function parquetOf(
  rows: TestRow[],
  format: Partial<ParquetOptions> & { depth: number },
  rowGroupValues?: number,
  batchRows?: number,
) {
  const sink = new MemorySink();
  const all = {
    symbol: SYMBOL,
    layout: 'lists',
    quality: false,
    decimals: false,
    compression: 'snappy',
    metadata: METADATA,
    ...format,
  } as const;
  const writer = new ParquetBookWriter(sink, all, rowGroupValues);
  writeRows(writer, rows, format.depth, batchRows);
  return sink.bytes;
}

/** What the Parquet file must hold, from the CSV. */
function expected(
  testRows: TestRow[],
  { depth, layout, quality, decimals }: Omit<ParquetOptions, 'symbol' | 'metadata' | 'compression'>,
): Rows {
  const sink = new MemorySink();
  const csv = new CsvBookWriter(sink, { depth, quality, formattedTimestamp: false });
  writeRows(csv, testRows, depth);
  const [header, ...lines] = sink.bytes.toString().split('\r\n').slice(0, -1);
  const names = (header as string).split(',');
  const value = (text: string) => {
    if (decimals === 'text') return text;
    return decimals === 'decimal' ? withScale18(text) : Number(text);
  };
  return lines.flatMap((line) => {
    const cells = line.split(',');
    const cell = Object.fromEntries(names.map((name, i) => [name, cells[i] as string]));
    const state = {
      timestamp: Number(cell['timestamp']),
      symbol: SYMBOL,
      ...(quality && { book_ts: Number(cell['book_ts']), age_ms: Number(cell['age_ms']) }),
      ...(quality && Object.fromEntries(FLAGS.map((flag) => [flag, cell[flag] === '1']))),
    };
    const levels = names.slice(names.indexOf('bid_price_1'));
    if (layout === 'wide') {
      const values = levels.map((name) => [name, cell[name] ? value(cell[name]) : null]);
      return [{ ...state, ...Object.fromEntries(values) }];
    }
    const lists = LISTS.map((list) => levels.filter((name) => name.startsWith(list)).map((name) => cell[name] ?? ''));
    const present = lists.map((list) => list.filter((text) => text !== '').map(value));
    if (layout === 'lists') return [{ ...state, ...Object.fromEntries(LISTS.map((name, i) => [name, present[i]])) }];
    return ['bid', 'ask'].flatMap((side, i) =>
      (present[2 * i] ?? []).map((price, j) => ({ ...state, side, level: j + 1, price, qty: present[2 * i + 1]?.[j] })),
    );
  });
}

/** As DuckDB prints DECIMAL(38, 18). */
function withScale18(text: string): string {
  const [integer = '', fraction = ''] = text.split('.');
  return `${BigInt(integer)}.${fraction.padEnd(18, '0')}`;
}

async function readByHyparquet(bytes: Buffer): Promise<Rows> {
  const { buffer, byteOffset, length } = bytes;
  const rows = await parquetReadObjects({
    file: buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer,
    compressors: DECOMPRESSORS,
  });
  const plain = (value: unknown) => {
    if (value instanceof Date) return value.getTime();
    return typeof value === 'bigint' ? Number(value) : value;
  };
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
}

/** DuckDB's bindings make doubles of decimals; its SQL does not. */
async function readByDuckDb(t: TestContext, bytes: Buffer): Promise<Rows> {
  const file = path.join(tempDir(t), 'book.parquet');
  fs.writeFileSync(file, bytes);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    const columns = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${file}'`)).getRowsJS();
    const selected = columns.map(([name, type]) => {
      if (type === 'TIMESTAMP WITH TIME ZONE') return `epoch_ms("${name}")::DOUBLE AS "${name}"`;
      if (type === 'BIGINT') return `"${name}"::DOUBLE AS "${name}"`;
      return String(type).startsWith('DECIMAL(38,18)')
        ? `"${name}"::VARCHAR${String(type).slice('DECIMAL(38,18)'.length)} AS "${name}"`
        : `"${name}"`;
    });
    const reader = await connection.runAndReadAll(`SELECT ${selected.join(', ')} FROM '${file}'`);
    return reader.getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const layouts = fc.constantFrom<Layout>('lists', 'wide', 'long');

test('hyparquet reads what the CSV says, in every layout, of any rows, in row groups of any size', async () => {
  const groupValues = fc.constantFrom(1, 50, 200, undefined);
  const decimals = fc.constantFrom<Decimals>(false, 'text');
  const format = fc.record({ depth: fc.integer({ min: 1, max: 5 }), layout: layouts, quality: fc.boolean(), decimals });
  const cases: [Buffer, Rows][] = [];
  holds(
    fc.property(testRows, format, groupValues, (rows, format, values) => {
      cases.push([parquetOf(rows, format, values), expected(rows, format)]);
    }),
  );
  for (const [bytes, rows] of cases) assert.deepEqual(await readByHyparquet(bytes), rows);
});

test('every cutting of the rows into batches gives the same bytes', () => {
  const format = fc.record({
    depth: fc.integer({ min: 1, max: 5 }),
    layout: layouts,
    quality: fc.boolean(),
    decimals: fc.constantFrom<Decimals>(false, 'text'),
  });
  const groupValues = fc.constantFrom(1, 50, 200, undefined);
  holds(
    fc.property(testRows, format, groupValues, fc.constantFrom(1, 2, 3, 7), (rows, format, values, size) => {
      assert.deepEqual(parquetOf(rows, format, values, size), parquetOf(rows, format, values));
    }),
  );
});

const NO_ZSTD = HAS_ZSTD ? false : `Node.js ${process.versions.node} has no zstd`;

test('compressed with zstd, every reader reads the same', { skip: NO_ZSTD }, async (t) => {
  const rows = fullBooks(100, 50);
  for (const layout of ['lists', 'wide', 'long'] as const) {
    const format = { depth: 50, layout, decimals: false, quality: true } as const;
    const bytes = parquetOf(rows, { ...format, compression: 'zstd' });
    const { row_groups } = parquetMetadata(new Uint8Array(bytes).buffer);
    for (const { meta_data } of row_groups[0]?.columns ?? []) assert.equal(meta_data?.codec, 'ZSTD');
    assert.ok(bytes.length < parquetOf(rows, format).length);
    assert.deepEqual(await readByDuckDb(t, bytes), expected(rows, format));
    assert.deepEqual(await readByHyparquet(bytes), expected(rows, format));
  }
});

interface Growing {
  grow: (pages: number) => number;
}

test('memory that cannot be had fails one file, and not those after it', () => {
  const { prototype } = (Reflect.get(globalThis, 'WebAssembly') as { Memory: { prototype: Growing } }).Memory;
  const { grow } = prototype;
  const write = (values: number) =>
    encoder().encode(
      Float64Array.from({ length: values }, (_, at) => at / 3),
      false,
    ).data;
  prototype.grow = () => {
    throw new RangeError('no memory');
  };
  try {
    assert.throws(() => write(3_000_000), /no memory/);
  } finally {
    prototype.grow = grow;
  }
  assert.deepEqual(Buffer.from(write(4)), Buffer.from(Float64Array.from([0, 1 / 3, 2 / 3, 1]).buffer));
  assert.equal(write(3_000_000).length, 24_000_000);
});

test('zstd gives the same bytes whatever was compressed before', { skip: NO_ZSTD }, () => {
  const of = (depth: number) => parquetOf(fullBooks(200, depth), { depth, compression: 'zstd' });
  const first = of(40);
  of(7);
  assert.deepEqual(of(40), first);
});

test('auto is zstd where the runtime has it, and snappy where not', () => {
  const rows = fullBooks(3, 2);
  const of = (compression: 'auto' | 'snappy' | 'zstd') => parquetOf(rows, { depth: 2, compression });
  assert.deepEqual(of('auto'), of(HAS_ZSTD ? 'zstd' : 'snappy'));
  if (!HAS_ZSTD) assert.throws(() => of('zstd'), /22\.15/);
});

const SAMPLE = fc.sample(testRows, { numRuns: 50, seed: 7 }).find((rows) => rows.length > 30) ?? [];
assert.ok(SAMPLE.length > 0);

for (const layout of ['lists', 'wide', 'long'] as const) {
  for (const decimals of [false, 'decimal', 'text'] as const) {
    test(`DuckDB reads what the CSV says: ${layout}, decimals ${decimals}`, async (t) => {
      for (const [rows, quality, rowGroupValues] of [
        [SAMPLE, true, undefined],
        [SAMPLE, false, 100],
        [[], true, undefined],
      ] as const) {
        const format = { depth: 4, layout, decimals, quality };
        assert.deepEqual(
          await readByDuckDb(t, parquetOf([...rows], format, rowGroupValues)),
          expected([...rows], format),
        );
      }
    });
  }
}

/** Prices that come again and quantities that do not, more of them than a dictionary has room for. */
function fullBooks(rows: number, depth: number): TestRow[] {
  const side = (row: number, sign: 1 | -1) =>
    Array.from({ length: depth }, (_, i): [string, string] => [
      (100 + sign * (i + 1 + (row % 7)) * 0.01).toFixed(2),
      ((row * depth + i) * 0.37).toFixed(3),
    ]);
  return Array.from({ length: rows }, (_, row) => ({
    boundaryMs: 1_736_899_260_000 + row * 60_000,
    ageMs: 12,
    flags: [false, false, false, false],
    bids: side(row, -1),
    asks: side(row, 1),
  }));
}

test('large row groups: dictionaries of both index widths, and columns without', async (t) => {
  const rows = fullBooks(400, 200);
  for (const decimals of [false, 'decimal', 'text'] as const) {
    const format = { depth: 200, layout: 'lists', decimals, quality: false } as const;
    const bytes = parquetOf(rows, format);
    assert.deepEqual(await readByDuckDb(t, bytes), expected(rows, format));
    if (decimals !== 'decimal') assert.deepEqual(await readByHyparquet(bytes), expected(rows, format));
  }
});

test('the file goes to its sink row group by row group', () => {
  const sink = new MemorySink();
  const format = { symbol: SYMBOL, depth: 10, layout: 'lists', quality: false, decimals: false, ...REST } as const;
  const writer = new ParquetBookWriter(sink, format, 42 * 100);
  const sizes = fullBooks(300, 10).map((row) => {
    const batch = batchOf([row], 10);
    writer.write(batch, batch.books[0]);
    return sink.bytes.length;
  });
  assert.deepEqual([sizes[98], (sizes[99] ?? 0) > 5_000, sizes[198]], [0, true, sizes[99]]);
});

test('the footer tells types, order, and what was told of the file', () => {
  const bytes = parquetOf(SAMPLE, { depth: 4, quality: true }, 300);
  const { schema, row_groups, key_value_metadata } = parquetMetadata(new Uint8Array(bytes).buffer);
  assert.deepEqual(key_value_metadata, [
    { key: 'symbol', value: 'XRPUSDT' },
    { key: 'depth', value: '500' },
  ]);
  const timestamp = schema.find(({ name }) => name === 'timestamp');
  assert.equal(timestamp?.repetition_type, 'REQUIRED');
  assert.deepEqual(timestamp?.logical_type, { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' });
  assert.ok(row_groups.length > 1);
  for (const { sorting_columns } of row_groups) {
    assert.deepEqual(sorting_columns, [{ column_idx: 0, descending: false, nulls_first: false }]);
  }
});

test('symbol is a dictionary of one entry, however few or many rows, with its range', () => {
  for (const layout of ['lists', 'wide', 'long'] as const) {
    for (const rows of [fullBooks(1, 4), fullBooks(300, 4)]) {
      const bytes = parquetOf(rows, { depth: 4, layout, quality: true });
      const { schema, row_groups } = parquetMetadata(new Uint8Array(bytes).buffer);
      const { name, repetition_type, type, converted_type, logical_type } = schema[2] ?? {};
      assert.deepEqual(
        [name, repetition_type, type, converted_type, logical_type],
        ['symbol', 'REQUIRED', 'BYTE_ARRAY', 'UTF8', { type: 'STRING' }],
      );
      assert.ok(row_groups.length > 0);
      for (const { columns } of row_groups) {
        const column = columns[1]?.meta_data;
        assert.deepEqual(column?.path_in_schema, ['symbol']);
        assert.ok(column.dictionary_page_offset);
        assert.ok(column.encodings.includes('RLE_DICTIONARY'));
        assert.ok(column.total_compressed_size < 120, 'it takes next to nothing');
        assert.deepEqual([column.statistics?.min_value, column.statistics?.max_value], [SYMBOL, SYMBOL]);
      }
    }
  }
});

test('DuckDB tells the pairs of many files apart, and passes over files of other pairs', async (t) => {
  const dir = tempDir(t);
  const symbols = ['1000PEPEUSDT', 'BTCUSDT-26SEP25', SYMBOL];
  for (const [i, symbol] of symbols.entries()) {
    fs.writeFileSync(path.join(dir, `${i}.parquet`), parquetOf(fullBooks(3 + i, 4), { depth: 4, symbol }));
  }
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  t.after(() => {
    connection.closeSync();
    instance.closeSync();
  });
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS();
  const files = path.join(dir, '*.parquet');
  assert.deepEqual(
    await ask(`SELECT symbol, count(*)::INTEGER FROM '${files}' GROUP BY symbol ORDER BY symbol`),
    symbols.map((symbol, i) => [symbol, 3 + i]),
  );
  assert.deepEqual(await ask(`SELECT count(*)::INTEGER FROM '${files}' WHERE symbol = '${SYMBOL}'`), [[5]]);
  assert.deepEqual(
    await ask(`SELECT DISTINCT stats_min_value, stats_max_value FROM parquet_metadata('${files}')
      WHERE path_in_schema = 'symbol' ORDER BY 1`),
    symbols.map((symbol) => [symbol, symbol]),
  );
});

test('a value that does not fit DECIMAL is an error that names it', () => {
  const row = (price: string): TestRow => ({
    boundaryMs: 0,
    ageMs: 0,
    flags: [false, false, false, false],
    bids: [[price, '1']],
    asks: [],
  });
  const format = { depth: 1, decimals: 'decimal' } as const;
  for (const price of ['123456789012345678901', '0.0000000000000000001']) {
    assert.throws(
      () => parquetOf([row(price)], format),
      (error) => error instanceof DoesNotFitDecimalError && error.text === price && error.message.includes(price),
    );
  }
  // Zeros around a number are no digits of it.
  parquetOf([row('00012345678901234567890.1234567890123456780000')], format);
});

const TABLE = { symbol: SYMBOL, formattedTimestamp: false, ...REST };

test('tables: doubles, null for NaN, in every reader', async (t) => {
  const value = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, 0, -0, 1.5));
  const values = fc.sample(fc.tuple(value, value), { numRuns: 300, seed: 3 });
  const rows = values.map(([mid, spread], i) => ({
    timestamp: i * 60_000,
    symbol: SYMBOL,
    mid: Number.isNaN(mid) ? null : mid,
    spread: Number.isNaN(spread) ? null : spread,
  }));
  for (const rowGroupValues of [120, undefined]) {
    const sink = new MemorySink();
    const writer = new ParquetTableWriter(sink, { ...TABLE, columns: ['mid', 'spread'] }, rowGroupValues);
    writer.write(
      metricsBatch(
        values.map((_, i) => i * 60_000),
        values,
      ),
    );
    writer.finish();
    assert.deepEqual(await readByHyparquet(sink.bytes), rows);
    assert.deepEqual(await readByDuckDb(t, sink.bytes), rows);
  }
});

test('a table without rows has its columns', async (t) => {
  const sink = new MemorySink();
  (await createTableWriter(sink, { ...TABLE, format: 'parquet', columns: ['mid'] })).finish();
  assert.deepEqual(await readByDuckDb(t, sink.bytes), []);
  assert.deepEqual(parquetMetadata(new Uint8Array(sink.bytes).buffer).num_rows, 0n);
});
