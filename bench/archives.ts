/** The made archives that are measured. The same length gives the same text everywhere. */
import fs from 'node:fs';
import path from 'node:path';
import { depthFolder } from '../src/catalog/archive-name.js';
import { type MarketOptions, marketText } from '../src/samples/market.js';
import { writeArchive } from '../src/samples/write-archive.js';

export interface Archive {
  market: Market;
  /** Length; `undefined`: a whole day. */
  minutes: number | undefined;
  path: string;
  pair: string;
  date: string;
  /** Levels a side. */
  depth: number;
  zipBytes: number;
  textBytes: number;
  messages: number;
  /** Levels in all messages. */
  updates: number;
}

export type Market = Omit<MarketOptions, 'date'>;

const DATE = '2025-01-15';

/** Bybit's XRPUSDT perpetual: a level at nearly every tick. */
export const DENSE: Market = { symbol: 'XRPUSDT', depth: 500, style: 'contract', seed: 1 };

/** Bybit's BTCUSDT perpetual: levels lie several ticks apart, prices have two decimals and a tick of 0.10. */
export const SPARSE: Market = {
  ...DENSE,
  symbol: 'BTCUSDT',
  spacing: 'sparse',
  startPrice: '96543.10',
  tickSize: '0.10',
  quantityStep: '0.001',
};

export const SPOT: Market = {
  symbol: 'ADAUSDC',
  depth: 200,
  style: 'spot',
  seed: 1,
  startPrice: '0.6543',
  quantityStep: '0.01',
};

/** @param minutes length; `undefined` for a whole day and the seconds after it that Bybit's files have. */
export async function makeArchive(folder: string, market: Market, minutes: number | undefined): Promise<Archive> {
  const { symbol: pair, depth } = market;
  const member = `${DATE}_${pair}_ob${depth}.data`;
  const file = path.join(folder, depthFolder(depth), pair, `${member}.zip`);
  const archive: Archive = {
    market,
    minutes,
    path: file,
    pair,
    date: DATE,
    depth,
    zipBytes: 0,
    textBytes: 0,
    messages: 0,
    updates: 0,
  };
  function* counted(): Generator<Uint8Array> {
    const length = minutes === undefined ? {} : { durationMs: minutes * 60_000 };
    for (const chunk of marketText({ ...market, date: DATE, ...length })) {
      archive.textBytes += chunk.length;
      archive.messages += occurrences(chunk, '\n');
      archive.updates += occurrences(chunk, '["');
      yield chunk;
    }
  }
  await writeArchive(file, member, counted());
  archive.zipBytes = fs.statSync(file).size;
  return archive;
}

/** Archives of other symbols with the same text but for the symbol, which must be that of the name. */
export async function copies(archive: Archive, count: number, folder: string): Promise<Archive[]> {
  const made: Archive[] = [];
  for (let number = 1; number <= count; number++) {
    const market = { ...archive.market, symbol: `COPY${number}USDT` };
    made.push(await makeArchive(folder, market, archive.minutes));
  }
  return made;
}

/** Where the program puts books of a depth. */
export function outputFolder(folder: string, depth: number): string {
  return path.join(folder, depthFolder(depth));
}

/** Where the program puts an output of the archive. */
export function outputPath(folder: string, { pair, date }: Archive, depth: number, interval = '1m'): string {
  return path.join(outputFolder(folder, depth), pair, `${date}_${pair}_ob${depth}_${interval}.csv`);
}

function occurrences(chunk: Uint8Array, pattern: string): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let count = 0;
  for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at + 1)) count++;
  return count;
}
