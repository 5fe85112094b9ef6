/** What the readers make of outputs, in every format and layout, is what was written. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { createBookWriter, createTableWriter } from '../../src/output/create-writer.js';
import type { Format } from '../../src/output/formats.js';
import { ParquetBookWriter } from '../../src/output/parquet/book.js';
import { type BookColumns, type BookRange, FLAG, joinBookColumns } from '../../src/view/book-columns.js';
import { readBook, readTableNamesOf, readTableOf, readWholeBook } from '../../src/view/open-output.js';
import { readBookCsv } from '../../src/view/read-csv.js';
import { seekRow } from '../../src/view/seek-row.js';
import { tempDir } from '../support/files.js';
import { holdsInTime } from '../support/holds.js';
import {
  batchOf,
  type Level,
  MemorySink,
  metricsBatch,
  type TestRow,
  testRows,
  writeRows,
} from '../support/output-rows.js';

const DEPTH = 4;
const FORMATS: [format: Format, layout: 'lists' | 'wide' | 'long', decimals: false | 'decimal' | 'text'][] = [
  ['csv', 'lists', false],
  ['csv.gz', 'lists', false],
  ['parquet', 'lists', false],
  ['parquet', 'lists', 'decimal'],
  ['parquet', 'lists', 'text'],
  ['parquet', 'wide', false],
  ['parquet', 'wide', 'text'],
  ['parquet', 'long', false],
];

/** A row as it was written, and as it was read. */
interface PlainRow {
  timeMs: number;
  flags: number;
  bids: [number, number][];
  asks: [number, number][];
}

function asWritten({ boundaryMs, flags: given, bids, asks }: TestRow, depth: number, quality: boolean): PlainRow {
  const [isFilled, isSuspect, isCrossed, isPartial] = given;
  const numbers = (side: Level[]) =>
    side.slice(0, depth).map((level): [number, number] => [Number(level[0]), Number(level[1])]);
  let flags = 0;
  if (quality) {
    if (isFilled) flags |= FLAG.filled;
    if (isSuspect) flags |= FLAG.suspect;
    if (isCrossed) flags |= FLAG.crossed;
    if (isPartial) flags |= FLAG.partial;
    if (Math.min(bids.length, asks.length) < DEPTH) flags |= FLAG.thin;
  }
  if (bids[0] && asks[0] && Number(bids[0][0]) >= Number(asks[0][0])) flags |= FLAG.crossed;
  return { timeMs: boundaryMs, flags, bids: numbers(bids), asks: numbers(asks) };
}

function asRead(columns: BookColumns): PlainRow[] {
  return Array.from({ length: columns.rows }, (_, row) => {
    const side = (prices: Float64Array, quantities: Float64Array, count: number) =>
      Array.from({ length: count }, (_, level): [number, number] => {
        const at = row * columns.depth + level;
        return [prices[at] as number, quantities[at] as number];
      });
    return {
      timeMs: columns.timesMs[row] as number,
      flags: columns.flags[row] as number,
      bids: side(columns.bidPrices, columns.bidQuantities, columns.bidCounts[row] as number),
      asks: side(columns.askPrices, columns.askQuantities, columns.askCounts[row] as number),
    };
  });
}

for (const [format, layout, decimals] of FORMATS) {
  for (const quality of [false, true]) {
    const name = [format, format === 'parquet' && `${layout} ${decimals || 'doubles'}`, quality && 'with flags'];
    test(`rows of ${name.filter(Boolean).join(', ')}`, async (t) => {
      const file = path.join(tempDir(t), `book.${format}`);
      const range = fc.record(
        { first: fc.nat(40), last: fc.nat(40), depth: fc.integer({ min: 1, max: 6 }) },
        { requiredKeys: [] },
      );
      await holdsInTime(
        fc.asyncProperty(testRows, range, async (rows, { first, last, depth }) => {
          const sink = new MemorySink();
          const options = {
            symbol: 'A',
            depth: DEPTH,
            layout,
            decimals,
            quality,
            compression: 'auto' as const,
            metadata: {},
            formattedTimestamp: quality,
          };
          // Small row groups, so that there are several.
          const writer =
            format === 'parquet'
              ? new ParquetBookWriter(sink, options, 100)
              : await createBookWriter(sink, { format, ...options });
          writeRows(writer, rows, DEPTH);
          fs.writeFileSync(file, sink.bytes);
          const fromMs = first === undefined ? undefined : rows[first]?.boundaryMs;
          const toMs = last === undefined ? undefined : rows[last]?.boundaryMs;
          const wanted = rows
            .filter(({ boundaryMs }) => boundaryMs >= (fromMs ?? -Infinity) && boundaryMs <= (toMs ?? Infinity))
            // A level that is not there has no row, so these have none at all.
            .filter(({ bids, asks }) => layout !== 'long' || format !== 'parquet' || bids.length + asks.length > 0)
            .map((row) => asWritten(row, depth ?? Infinity, quality))
            .map((row) => ({ ...row, bids: row.bids.slice(0, DEPTH), asks: row.asks.slice(0, DEPTH) }));
          assert.deepEqual(asRead(await readWholeBook(file, { fromMs, toMs, depth })), wanted);
        }),
      );
    });
  }
}

/** Rows with few different values, so that there are dictionaries and runs, and with sides of every length. */
function repetitiveRows(count: number): TestRow[] {
  const side = (levels: number): Level[] => Array.from({ length: levels }, (_, at) => [`${at % 3}.5`, `${at % 2}`]);
  return Array.from({ length: count }, (_, at) => ({
    boundaryMs: at * 60_000,
    ageMs: 0,
    flags: [at % 7 === 0, false, false, false],
    bids: side(at % 5),
    asks: side(Math.min(at, 3)),
  }));
}

for (const layout of ['lists', 'wide', 'long'] as const) {
  test(`pages as another program writes them, in the layout ${layout}`, async (t) => {
    const [file, rewritten] = ['ours', 'theirs'].map((name) => path.join(tempDir(t), `${name}.parquet`)) as [
      string,
      string,
    ];
    const sink = new MemorySink();
    const compression = 'snappy';
    const options = {
      symbol: 'A',
      depth: DEPTH,
      layout,
      decimals: false,
      quality: true,
      compression,
      metadata: {},
    } as const;
    const writer = new ParquetBookWriter(sink, options);
    const batch = batchOf(repetitiveRows(3000), DEPTH);
    writer.write(batch, batch.books[0]);
    writer.finish();
    fs.writeFileSync(file, sink.bytes);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    t.after(() => {
      connection.closeSync();
      instance.closeSync();
    });
    const ours = asRead(await readWholeBook(file));
    // Of version 1, and of version 2 with the encodings that are used only there.
    for (const version of ['V1', 'V2']) {
      const how = `FORMAT parquet, PARQUET_VERSION ${version}, COMPRESSION snappy`;
      await connection.run(`COPY (SELECT * FROM '${file}') TO '${rewritten}' (${how})`);
      assert.deepEqual(asRead(await readWholeBook(rewritten)), ours);
    }
    assert.ok(ours.length > 2000);
    await connection.run(`COPY (SELECT * FROM '${file}') TO '${rewritten}' (FORMAT parquet, COMPRESSION gzip)`);
    await assert.rejects(readWholeBook(rewritten), /compressed by GZIP; only Snappy, Zstandard and none can be read/);
  });
}

test('every cut of the text into pieces gives the same rows', async () => {
  const text = Buffer.from(
    'timestamp,bid_price_1,bid_qty_1,ask_price_1,ask_qty_1\r\n60000,1.5,2,1.6,3\r\n120000,,,1.7,4\r\n',
  );
  async function* cut(length: number) {
    for (let start = 0; start < text.length; start += length) yield text.subarray(start, start + length);
  }
  for (let length = 1; length <= text.length; length++) {
    assert.deepEqual(asRead(await joined(readBookCsv(cut(length)))), [
      { timeMs: 60_000, flags: 0, bids: [[1.5, 2]], asks: [[1.6, 3]] },
      { timeMs: 120_000, flags: 0, bids: [], asks: [[1.7, 4]] },
    ]);
  }
});

test('decimals are the nearest doubles, however long', async () => {
  const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(20)).map(([digits, point]) => {
    const text = String(digits).padStart(point + 1, '0');
    return point === 0 ? text : `${text.slice(0, -point)}.${text.slice(-point)}`;
  });
  await holdsInTime(
    fc.asyncProperty(decimal, decimal, async (price, quantity) => {
      const [row] = asRead(await fromText(`timestamp,bid_price_1,bid_qty_1\n1,${price},${quantity}\n`));
      assert.deepEqual(row?.bids, [[Number(price), Number(quantity)]]);
    }),
  );
});

const HEADER = 'timestamp,bid_price_1,bid_qty_1,bid_price_2,bid_qty_2';
const WRONG: [what: string, text: string, message: RegExp][] = [
  ['empty', '', /the file is empty/],
  ['no line end', 'timestamp', /no line end/],
  ['another header', 'a,b\n', /begins with "a,b": expected column names, timestamp/],
  ['no levels', 'timestamp,mid\n1,2\n', /names no levels/],
  ['cut short', `${HEADER}\n1,2,3,4`, /last line has no end/],
  ['too few cells', `${HEADER}\n1,2,3\n`, /line 2: it has 3 cells: expected 5/],
  ['too many cells', `${HEADER}\n1,2,3,4,5,6\n`, /line 2: it has more than 5 cells/],
  ['no number', `${HEADER}\n1,2,3,4,5\n2,x,3,4,5\n`, /line 3: bid_price_1 is "x": expected a decimal/],
  ['no time', `${HEADER}\nx,2,3,4,5\n`, /line 2: timestamp is "x"/],
  ['times backwards', `${HEADER}\n2,2,3,4,5\n1,2,3,4,5\n`, /line 3: timestamp 1 comes after 2/],
  ['a time twice', `${HEADER}\n2,2,3,4,5\n2,2,3,4,5\n`, /line 3: timestamp 2 comes after 2/],
  ['a hole in the levels', `${HEADER}\n1,,,4,5\n`, /line 2: bid_price_2 follows an empty level/],
  ['a price without a quantity', `${HEADER}\n1,2,,,\n`, /line 2: a level has a price and no quantity/],
];

for (const [what, text, message] of WRONG) {
  test(`not an output: ${what}`, async (t) => {
    await assert.rejects(fromText(text), { name: 'OutputError', message });
    const file = path.join(tempDir(t), 'a.csv.gz');
    fs.writeFileSync(file, gzipSync(text));
    await assert.rejects(readWholeBook(file), { name: 'OutputError', message });
  });
}

test('a Parquet file that is none, and one of something else', async (t) => {
  const file = path.join(tempDir(t), 'a.parquet');
  for (const [bytes, message] of [
    ['', /no whole Parquet file/],
    ['PAR1 and then nothing', /no whole Parquet file/],
  ] as const) {
    fs.writeFileSync(file, bytes);
    await assert.rejects(readWholeBook(file), { name: 'OutputError', message });
  }
  const sink = new MemorySink();
  const options = {
    symbol: 'A',
    columns: ['mid'],
    compression: 'auto',
    metadata: {},
    formattedTimestamp: false,
  } as const;
  const writer = await createTableWriter(sink, { format: 'parquet', ...options });
  writer.write(metricsBatch([1], [[2]]));
  writer.finish();
  fs.writeFileSync(file, sink.bytes);
  await assert.rejects(readWholeBook(file), { name: 'OutputError', message: /its columns are timestamp, symbol, mid/ });
});

for (const format of ['csv', 'csv.gz', 'parquet'] as const) {
  test(`columns of metrics as ${format}`, async () => {
    const sink = new MemorySink();
    const columns = ['mid', 'spread', 'messages'];
    const options = { symbol: 'A', compression: 'auto', metadata: {}, formattedTimestamp: true } as const;
    const writer = await createTableWriter(sink, { format, columns, ...options });
    const rows = [1, 2, 3, 4, 5];
    writer.write(
      metricsBatch(
        rows.map((row) => row * 1000),
        rows.map((row) => [row / 3, row === 2 ? Number.NaN : 0.1, row]),
      ),
    );
    writer.finish();
    const bytes = sink.bytes;
    const source = {
      sizeBytes: bytes.length,
      version: { sizeBytes: bytes.length },
      read: async (buffer: Uint8Array, position: number) => bytes.copy(buffer, 0, position, position + buffer.length),
      close: async () => {},
    };
    assert.deepEqual(
      await readTableOf(`a.${format}`, source, { fromMs: 2000, toMs: 4000 }, ['spread', 'mid', 'none']),
      {
        timesMs: Float64Array.of(2000, 3000, 4000),
        names: ['mid', 'spread'],
        values: [Float64Array.of(2 / 3, 1, 4 / 3), Float64Array.of(Number.NaN, 0.1, 0.1)],
      },
    );
  });
}

/** Rows of so many equal levels a side, in one row group: a file of a few kilobytes. */
function equalLevels(rows: number, depth: number, decimals: false | 'text', qty = '1'): Buffer {
  const sink = new MemorySink();
  const options = { symbol: 'A', depth, layout: 'lists', decimals, quality: false, compression: 'auto' } as const;
  const writer = new ParquetBookWriter(sink, { ...options, metadata: {} }, 2 ** 24);
  const side = Array.from({ length: depth }, (): Level => ['2.5', qty]);
  const flags: TestRow['flags'] = [false, false, false, false];
  const row = (_: unknown, at: number): TestRow => ({ boundaryMs: at * 1000, ageMs: 0, flags, bids: side, asks: side });
  writeRows(writer, Array.from({ length: rows }, row), depth);
  return sink.bytes;
}

test('lists of more values than a small file of ours has are refused before they fill the memory', async (t) => {
  const file = path.join(tempDir(t), 'a.parquet');
  fs.writeFileSync(file, equalLevels(500, 1000, false));
  assert.equal((await readWholeBook(file)).rows, 500);
  fs.writeFileSync(file, equalLevels(1500, 1000, false));
  const message = /^column bid_price cannot be read: it has 1500000 values, of which a file of \d+ bytes has no room$/;
  await assert.rejects(readWholeBook(file), { name: 'OutputError', message });
});

test('a text that is far too long for a number is not read as one', async (t) => {
  const file = path.join(tempDir(t), 'a.parquet');
  fs.writeFileSync(file, equalLevels(10, 10, 'text', `1${'0'.repeat(200)}.5`));
  assert.equal((await readWholeBook(file)).bidQuantities[99], 1e200);
  fs.writeFileSync(file, equalLevels(10, 10, 'text', `1${'0'.repeat(100_000)}`));
  const message = 'a number has 100001 characters: expected at most 1024';
  await assert.rejects(readWholeBook(file), { name: 'OutputError', message });
});

test('what a disk says of a Parquet file is told, and not that the file is damaged', async () => {
  const bytes = equalLevels(600, 400, 'text');
  for (const failing of [1, 2, 3]) {
    let reads = 0;
    const source = {
      sizeBytes: bytes.length,
      version: { sizeBytes: bytes.length },
      read: async (buffer: Uint8Array, position: number) => {
        if (++reads === failing)
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
        return bytes.copy(buffer, 0, position, position + buffer.length);
      },
      close: async () => {},
    };
    await assert.rejects(readTableOf('a.parquet', source, {}, ['bid_price']), {
      name: 'Error',
      message: 'EIO: i/o error, read',
    });
  }
});

test('a row of a large CSV is found without reading what is before it', async (t) => {
  const file = path.join(tempDir(t), 'a.csv');
  const rows = 100_000;
  const lines = Array.from({ length: rows }, (_, row) => `${(row + 1) * 1000},${row}.5,${'1'.repeat(1 + (row % 17))}`);
  fs.writeFileSync(file, `timestamp,bid_price_1,bid_qty_1\r\n${lines.join('\r\n')}\r\n`);
  const handle = await fs.promises.open(file);
  t.after(() => handle.close());
  const { size } = await handle.stat();
  let bytesRead = 0;
  const source = {
    sizeBytes: size,
    version: { sizeBytes: size },
    async read(buffer: Uint8Array, position: number) {
      const { bytesRead: count } = await handle.read(buffer, 0, buffer.length, position);
      bytesRead += count;
      return count;
    },
  };
  for (const row of [0, 1, 2, 4711, 50_000, rows - 2, rows - 1]) {
    bytesRead = 0;
    const { startByte } = await seekRow(source, (row + 1) * 1000);
    assert.ok(bytesRead < 2 ** 21, `${bytesRead} bytes`);
    const [found] = asRead(await firstPart(readBook(file, { fromMs: (row + 1) * 1000, toMs: (row + 1) * 1000 })));
    assert.deepEqual(found?.bids, [[row + 0.5, Number('1'.repeat(1 + (row % 17)))]]);
    assert.ok(startByte < size);
  }
});

test('a wrong row behind the one that was sought is told by its place in the file', async (t) => {
  const file = path.join(tempDir(t), 'a.csv');
  const lines = Array.from({ length: 20_000 }, (_, row) => `${(row + 1) * 1000},${row === 15_100 ? 'x' : row},1`);
  const text = `timestamp,bid_price_1,bid_qty_1\r\n${lines.join('\r\n')}\r\n`;
  fs.writeFileSync(file, text);
  const message = /^line (\d+) from byte (\d+) on: bid_price_1 is "x": expected a decimal$/;
  const error = await readWholeBook(file, { fromMs: 15_000_000 }).catch((thrown: Error) => thrown);
  assert.ok(error instanceof Error);
  const [, line, byte] = message.exec(error.message) ?? assert.fail(error.message);
  assert.match(text.slice(Number(byte)).split('\r\n')[Number(line) - 1] ?? '', /,x,1$/);
});

for (const format of ['csv', 'csv.gz', 'parquet'] as const) {
  test(`the names of columns of metrics as ${format}, for which the rows are not read`, async () => {
    const sink = new MemorySink();
    const options = { symbol: 'A', compression: 'auto', metadata: {}, formattedTimestamp: true } as const;
    const writer = await createTableWriter(sink, { format, columns: ['mid', 'spread'], ...options });
    for (let minute = 0; minute < 100; minute++) {
      const rows = Array.from({ length: 1000 }, (_, row) => minute * 1000 + row + 1);
      writer.write(
        metricsBatch(
          rows,
          rows.map((row) => [Math.sqrt(row), Math.sin(row)]),
        ),
      );
    }
    writer.finish();
    const { bytes } = sink;
    let bytesRead = 0;
    const source = {
      sizeBytes: bytes.length,
      version: { sizeBytes: bytes.length },
      async read(buffer: Uint8Array, position: number) {
        const count = bytes.copy(buffer, 0, position, position + buffer.length);
        bytesRead += count;
        return count;
      },
      close: async () => {},
    };
    assert.deepEqual(await readTableNamesOf(`a.${format}`, source), ['mid', 'spread']);
    assert.ok(bytes.length > 1.5e6 && bytesRead < 1.2e6, `${bytesRead} of ${bytes.length} bytes`);
  });
}

async function fromText(text: string, range?: BookRange): Promise<BookColumns> {
  async function* whole() {
    if (text !== '') yield Buffer.from(text);
  }
  return joined(readBookCsv(whole(), range));
}

async function joined(parts: AsyncIterable<BookColumns>): Promise<BookColumns> {
  const all = [];
  for await (const part of parts) all.push(part);
  return joinBookColumns(all);
}

async function firstPart(parts: AsyncIterable<BookColumns>): Promise<BookColumns> {
  for await (const part of parts) return part;
  return joinBookColumns([]);
}
