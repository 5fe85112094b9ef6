import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { BookOptions } from '../../src/output/book-writer.js';
import { createBookWriter, createTableWriter } from '../../src/output/create-writer.js';
import { CsvBookWriter, CsvTableWriter } from '../../src/output/csv.js';
import type { Format } from '../../src/output/formats.js';
import { holds } from '../support/holds.js';
import { batchOf, MemorySink, metricsBatch, type TestRow, testRows, writeRows } from '../support/output-rows.js';

const FORMAT: BookOptions & { format: Format } = {
  format: 'csv',
  symbol: 'XRPUSDT',
  depth: 2,
  formattedTimestamp: false,
  quality: false,
  layout: 'lists',
  decimals: false,
  compression: 'auto',
  metadata: {},
};
const ROWS: TestRow[] = [
  {
    boundaryMs: 60_000,
    ageMs: 37,
    flags: [false, false, false, false],
    bids: [
      ['1.50', '7'],
      ['1.4', '0.10'],
    ],
    asks: [
      ['1.6', '2'],
      ['1.70', '3'],
    ],
  },
  { boundaryMs: 120_000, ageMs: 60_037, flags: [true, true, true, true], bids: [['1.5', '7']], asks: [] },
];

async function written(format: Partial<typeof FORMAT>, rows = ROWS, batchRows?: number): Promise<Buffer> {
  const sink = new MemorySink();
  const all = { ...FORMAT, ...format };
  const writer = await createBookWriter(sink, all);
  writeRows(writer, rows, all.depth, batchRows);
  return sink.bytes;
}

const LEVELS = 'bid_price_1,bid_qty_1,bid_price_2,bid_qty_2,ask_price_1,ask_qty_1,ask_price_2,ask_qty_2'.split(',');

test('rows are label and cells', async () => {
  assert.equal(
    (await written({})).toString(),
    [['timestamp', ...LEVELS].join(','), '60000,1.50,7,1.4,0.10,1.6,2,1.70,3', '120000,1.5,7,,,,,,', ''].join('\r\n'),
  );
});

const FLAGS = ['is_filled', 'is_suspect', 'is_crossed', 'is_thin', 'is_partial'];

test('quality stands between the timestamp and the levels, flags in their order', async () => {
  assert.equal(
    (await written({ quality: true, formattedTimestamp: true })).toString(),
    [
      ['timestamp_formatted', 'timestamp', 'book_ts', 'age_ms', ...FLAGS, ...LEVELS].join(','),
      '1970-01-01T00:01:00.0000,60000,59963,37,0,0,0,0,0,1.50,7,1.4,0.10,1.6,2,1.70,3',
      '1970-01-01T00:02:00.0000,120000,59963,60037,1,1,1,1,1,1.5,7,,,,,,',
      '',
    ].join('\r\n'),
  );
});

test('each flag has its own column', async () => {
  const [first] = ROWS as [TestRow];
  for (const at of [0, 1, 2, 3]) {
    const flags = [false, false, false, false].with(at, true) as TestRow['flags'];
    const [header, row] = (await written({ quality: true }, [{ ...first, flags }])).toString().split('\r\n');
    const set = header?.split(',').filter((_, column) => row?.split(',')[column] === '1');
    assert.deepEqual(set, [['is_filled', 'is_suspect', 'is_crossed', 'is_partial'][at]]);
  }
});

test('rows longer than the buffer keep their order', async () => {
  const long = '1'.repeat(300_000);
  const [first] = ROWS as [TestRow];
  const rows = [first, { ...first, bids: [[long, '1']] satisfies TestRow['bids'] }, first];
  const lines = (await written({}, rows)).toString().split('\r\n');
  assert.deepEqual(
    lines.map(({ length }) => length > 300_000),
    [false, false, true, false, false],
  );
  assert.equal(lines[1], lines[3]);
});

test('every cutting of the rows into batches gives the same bytes, in every form', () => {
  const format = fc.record({
    depth: fc.integer({ min: 1, max: 5 }),
    quality: fc.boolean(),
    formattedTimestamp: fc.boolean(),
  });
  holds(
    fc.property(testRows, format, fc.constantFrom(1, 2, 3, 7), (rows, options, size) => {
      const bytes = [rows.length, size].map((batchRows) => {
        const sink = new MemorySink();
        writeRows(new CsvBookWriter(sink, options), rows, options.depth, Math.max(1, batchRows));
        return sink.bytes;
      });
      assert.deepEqual(bytes[1], bytes[0]);
    }),
  );
});

test('times are written as Date and String write them, from years that have few digits to those that have many', () => {
  const time = fc.oneof(
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fc.constantFrom(0, 1, -1, 9_999_999, 10_000_000, 99_999_999, 951_782_399_999, 1e13, 253_402_300_800_000),
  );
  holds(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      const sink = new MemorySink();
      const writer = new CsvTableWriter(sink, { columns: [], formattedTimestamp: true });
      writer.write(
        metricsBatch(
          times,
          times.map(() => []),
        ),
      );
      writer.finish();
      assert.deepEqual(
        sink.bytes.toString().split('\r\n').slice(1, -1),
        times.map((timeMs) => `${new Date(timeMs).toISOString().replace('Z', '0')},${timeMs}`),
      );
    }),
  );
});

const many = Array.from({ length: 5_000 }, (_, i) => ({ ...(ROWS[i % 2] as TestRow), boundaryMs: i }));

test('csv.gz is the same bytes in one gzip member, which names no time and no system', async () => {
  const gzipped = await written({ format: 'csv.gz' }, many);
  assert.deepEqual(gunzipSync(gzipped), await written({}, many));
  assert.deepEqual([...gzipped.subarray(0, 10)].with(8, 0), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  assert.deepEqual(gzipped, await written({ format: 'csv.gz' }, many));
});

test("Python's gzip reads csv.gz", async (t) => {
  const program = 'import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))';
  const { error, status, stdout } = spawnSync('python3', ['-c', program], {
    input: await written({ format: 'csv.gz' }, many),
  });
  if (error) return t.skip(`NOT CHECKED: there is no python3 here (${error.message})`);
  assert.equal(status, 0);
  assert.deepEqual(stdout, await written({}, many));
});

test('a sink that fails in the middle of gzip data fails the writer', async () => {
  const failing = {
    write(): void {
      throw new Error('disk full');
    },
  };
  const writer = await createBookWriter(failing, { ...FORMAT, format: 'csv.gz' });
  const batch = batchOf(ROWS, 2);
  writer.write(batch, batch.books[0]);
  assert.throws(() => writer.finish(), /disk full/);
});

const TABLE = {
  format: 'csv',
  symbol: 'XRPUSDT',
  formattedTimestamp: false,
  compression: 'auto',
  metadata: {},
} as const;

test('tables are the shortest decimals, empty for NaN', async () => {
  const sink = new MemorySink();
  const columns = ['mid', 'spread_bps'];
  const writer = await createTableWriter(sink, { ...TABLE, columns });
  writer.write(
    metricsBatch(
      [60_000, 120_000],
      [
        [0.1 + 0.2, Number.NaN],
        [-1, 1e-9],
      ],
    ),
  );
  writer.finish();
  assert.equal(sink.bytes.toString(), 'timestamp,mid,spread_bps\r\n60000,0.30000000000000004,\r\n120000,-1,1e-9\r\n');
});

test('tables have the formatted timestamp first when it is asked for', async () => {
  const sink = new MemorySink();
  const writer = await createTableWriter(sink, { ...TABLE, formattedTimestamp: true, columns: ['mid'] });
  writer.write(metricsBatch([60_000], [[1.5]]));
  writer.finish();
  assert.equal(sink.bytes.toString(), 'timestamp_formatted,timestamp,mid\r\n1970-01-01T00:01:00.0000,60000,1.5\r\n');
});
