/**
 * Converts whole-day archives and prints time and peak memory for 1, 2, … workers. The output of the first archive
 * is compared with that of an independent program before anything is measured.
 *
 *     node dist/bench/full-day.js [--minutes N] [--workers N] [--limit-mb FIRST,FURTHER]
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { readArchive } from '../src/archive/open-archive.js';
import { toDate } from '../src/base/time.js';
import type { MarketOptions } from '../src/samples/market.js';
import { writeSample } from '../src/samples/samples.js';
import { measureCli } from './measure.js';

const REFERENCE = fileURLToPath(new URL('../../test/independent/snapshots.py', import.meta.url));
const FIRST_DAY_MS = Date.UTC(2025, 0, 15);
const DAY_MS = 86_400_000;

const options = new Command('full-day')
  .description('Time and peak memory of converting whole-day archives of 500 levels (about 1 GB of text each).')
  .option('--minutes <n>', 'length of each archive, instead of a whole day', Number)
  .option('--workers <n>', 'measure 1 to so many workers, an archive each', Number, 2)
  .option('--limit-mb <first,further>', 'fail when peak memory is over FIRST MB, and FURTHER for each further worker')
  .parse()
  .opts<{ minutes?: number; workers: number; limitMb?: string }>();

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-full-day-'));
try {
  const archives = await writeDays(path.join(dir, 'source'), options.workers, options.minutes);
  const [first = ''] = archives;
  console.log(
    `${archives.length} archives of ${mb(await textBytes(first))} MB text, ${mb(fs.statSync(first).size)} MB zipped`,
  );
  await checkOutput(first, dir);
  console.log('output: equal to that of test/independent/snapshots.py, byte for byte\n');
  console.log('| workers | archives | wall s | CPU s | peak MB |\n|---|---|---|---|---|');
  for (let workers = 1; workers <= options.workers; workers++) {
    const args = [...archives.slice(0, workers), '--output-dir', path.join(dir, 'out'), '--overwrite'];
    const { wallSeconds, cpuSeconds, peakBytes } = await measureCli([...args, '--workers', String(workers)]);
    const cells = [workers, workers, wallSeconds.toFixed(1), cpuSeconds.toFixed(1), mb(peakBytes)];
    console.log(`| ${cells.join(' | ')} |`);
    requireBelow(peakBytes / 1e6, workers);
  }
} finally {
  fs.rmSync(dir, { recursive: true, force: true });
}

async function writeDays(sourceDir: string, count: number, minutes: number | undefined): Promise<string[]> {
  const paths: string[] = [];
  for (let day = 0; day < count; day++) {
    const market: MarketOptions = {
      symbol: 'XRPUSDT',
      date: toDate(FIRST_DAY_MS + day * DAY_MS),
      depth: 500,
      style: 'contract',
      seed: 1 + day,
      ...(minutes === undefined ? {} : { durationMs: minutes * 60_000 }),
    };
    paths.push(await writeSample(sourceDir, market));
  }
  return paths;
}

async function textBytes(archive: string): Promise<number> {
  let sum = 0;
  for await (const chunk of readArchive(archive)) sum += chunk.length;
  return sum;
}

/** Chunks that hold: a stream keeps several at a time. */
async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

async function checkOutput(archive: string, workDir: string): Promise<void> {
  const output = path.join(workDir, 'checked');
  await measureCli([archive, '--output-dir', output, '--depths', '500']);
  const [date = ''] = path.basename(archive).split('_');
  const reference = path.join(workDir, 'reference.csv');
  const python = spawn('python3', [REFERENCE, '500', '60000', date], {
    stdio: ['pipe', fs.openSync(reference, 'w'), 'inherit'],
  }) as ChildProcessByStdio<Writable, null, null>;
  const ended = once(python, 'exit');
  await pipeline(copies(readArchive(archive)), python.stdin);
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new Error(`${REFERENCE} ended with status ${status}`);
  const ours = fs.readFileSync(path.join(output, '0500/XRPUSDT', `${date}_XRPUSDT_ob500_1m.csv`));
  if (!ours.equals(fs.readFileSync(reference))) throw new Error('the output differs from the reference');
}

function requireBelow(peakMb: number, workers: number): void {
  if (options.limitMb === undefined) return;
  const [first = 0, further = 0] = options.limitMb.split(',').map(Number);
  const limitMb = first + (workers - 1) * further;
  if (!(peakMb <= limitMb)) throw new Error(`${workers} workers used ${peakMb.toFixed(0)} MB, over ${limitMb} MB`);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
