/**
 * Whole Parquet files, of which mostly the footer is changed: they are read, or refused in words, by what reads outputs
 * and by what joins them.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AsyncBuffer } from 'hyparquet';
import { joinDays } from '../../src/join/join-days.js';
import { JoinError } from '../../src/join/join-error.js';
import type { Layout } from '../../src/output/book-writer.js';
import { createBookWriter } from '../../src/output/create-writer.js';
import { OutputError } from '../../src/view/book-columns.js';
import { readLastTimeMs } from '../../src/view/last-row.js';
import { readBookParquet, readTableNamesParquet, readTableParquet } from '../../src/view/read-parquet.js';
import { batchOf, MemorySink, type TestRow } from '../../test/support/output-rows.js';
import type { Target, TargetContext } from '../target.js';

const DATE = '2025-01-15';
const MIDNIGHT_MS = Date.parse(DATE);

export function createTarget({ folder }: TargetContext): Target {
  const file = path.join(folder, 'day.parquet');
  return {
    unit: 'executions',
    coverage: ['/dist/fuzzing/src/', 'hyparquet'],
    maxBytes: 8192,
    dictionary: ['PAR1', 'timestamp', 'bid_price', 'side', Buffer.of(0x15, 0), Buffer.of(0x19, 0xfc), Buffer.alloc(4)],
    seeds,
    async run(input) {
      await expectRefusal(async () => {
        for await (const _ of readBookParquet(inMemory(input)));
      });
      await expectRefusal(async () =>
        readTableParquet(inMemory(input), {}, await readTableNamesParquet(inMemory(input))),
      );
      fs.writeFileSync(file, input);
      await expectRefusal(() => readLastTimeMs(file));
      await expectRefusal(() =>
        joinDays(
          [{ path: file, date: DATE }],
          {
            format: 'parquet',
            outputPath: path.join(folder, 'joined.parquet'),
            strict: false,
            intervalMs: 60_000,
            from: DATE,
            to: DATE,
          },
          new AbortController().signal,
        ),
      );
    },
  };
}

/** Runs what may refuse a file in words, but do nothing worse. */
async function expectRefusal(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof OutputError || error instanceof JoinError)) throw error;
  }
}

function inMemory(bytes: Buffer): AsyncBuffer {
  return {
    byteLength: bytes.length,
    // A copy: hyparquet wants memory that begins where the bytes do.
    slice: (start, end) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  };
}

async function seeds(): Promise<Buffer[]> {
  const files: Buffer[] = [];
  for (const layout of ['lists', 'wide', 'long'] as const) {
    for (const quality of [false, true]) files.push(await parquetFile(layout, quality));
  }
  return files;
}

async function parquetFile(layout: Layout, quality: boolean): Promise<Buffer> {
  const sink = new MemorySink();
  const writer = await createBookWriter(sink, {
    format: 'parquet',
    symbol: 'FUZZUSDT',
    depth: 2,
    layout,
    quality,
    decimals: quality && 'decimal',
    compression: 'snappy',
    formattedTimestamp: false,
    metadata: { symbol: 'FUZZUSDT' },
  });
  const rows = [1, 2, 3].map(
    (row): TestRow => ({
      boundaryMs: MIDNIGHT_MS + row * 60_000,
      ageMs: 5,
      flags: [row === 2, false, false, row === 3],
      bids: [
        ['1.5', `${row}`],
        ['1.4', '2'],
      ],
      asks: [['1.6', '3']],
    }),
  );
  const batch = batchOf(rows, 2);
  writer.write(batch, batch.books[0]);
  writer.finish();
  return sink.bytes;
}
