import path from 'node:path';
import { writeArchive } from '../../src/samples/write-archive.js';

/** Midnight of the day that the made archives of the tests are for. */
export const DAY = '2025-01-15';
export const DAY_MS = Date.parse(`${DAY}T00:00:00Z`);

export interface LineOptions {
  type?: 'snapshot' | 'delta';
  /** ms after midnight of {@link DAY}. */
  atMs: number;
  bids?: [string, string][];
  asks?: [string, string][];
  u?: number;
}

/** One line of an archive, without its end, as contract files have it. */
export function line({ type = 'delta', atMs, bids = [], asks = [], u = 1 }: LineOptions): string {
  const ts = DAY_MS + atMs;
  const data = { s: 'TESTUSDT', b: bids, a: asks, u, seq: 1000 + u };
  return JSON.stringify({ topic: 'orderbook.500.TESTUSDT', type, ts, data, cts: ts - 2 });
}

/** The name an archive of the tests has. */
export function archiveName({ pair = 'TESTUSDT', date = DAY, depth = 500, ending = '.data.zip' } = {}): string {
  return `${date}_${pair}_ob${depth}${ending}`;
}

/** Writes lines as an archive into `folder` and returns its path. */
export async function writeLines(folder: string, lines: string[], name = archiveName()): Promise<string> {
  const file = path.join(folder, name);
  await writeArchive(file, name.replace(/\.(zip|gz)$/, ''), [Buffer.from(`${lines.join('\n')}\n`)]);
  return file;
}
