/**
 * Converts the same archives from a disk to a disk and from S3 to S3, by a server on this machine, and prints time and peak
 * memory of both. What comes out is compared byte for byte before anything is measured. The server takes its time from the
 * same cores, so what it used is told, too, and what that leaves possible. It is s3rver, the cheapest that npm has and that
 * checks signatures and knows uploads in parts: it streams objects from files.
 *
 *     node dist/bench/object-storage.js [--minutes N] [--workers N] [--archives N] [--runs N] [--min-ratio X] [--limit-mb N]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { toDate } from '../src/base/time.js';
import { writeSample } from '../src/samples/samples.js';
import { readOutputs } from '../test/support/files.js';
import {
  BUCKET,
  CREDENTIALS,
  flagsFor,
  putFolder,
  readObjects,
  type S3Server,
  startS3rver,
} from '../test/support/s3-servers.js';
import { bookgrid, type Contestant, type Measured, measure, type Result, spread } from './measure.js';

const FIRST_DAY_MS = Date.UTC(2025, 0, 15);
const DAY_MS = 86_400_000;

const options = new Command('object-storage')
  .description('Throughput and memory of S3 on this machine, beside those of its disk.')
  .option('--minutes <n>', 'length of each archive, instead of a whole day', Number)
  .option('--workers <n>', 'archives converted at a time', Number, 1)
  .option('--archives <n>', 'archives for each worker, one after the other', Number, 3)
  .option('--runs <n>', 'how often each is measured', Number, 5)
  .option('--min-ratio <x>', 'fail when S3 reaches less than this part of the throughput of the disk', Number)
  .option('--limit-mb <n>', 'fail when peak memory with S3 is over so many MB a worker', Number)
  .parse()
  .opts<{ minutes?: number; workers: number; archives: number; runs: number; minRatio?: number; limitMb?: number }>();

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-object-storage-'));
const server = await startS3rver();
try {
  const source = path.join(dir, 'source');
  const archives = await writeDays(source);
  await putFolder(server, source, 'source');
  const bytes = archives.reduce((sum, file) => sum + fs.statSync(file).size, 0);
  console.log(`${archives.length} archives of ${mb(bytes)} MB zipped, ${options.workers} workers`);
  const contestants = [onDisk(archives), inS3(archives, source)];
  for (const { command } of contestants) await measure(command);
  await compare(server);
  console.log('outputs: equal, byte for byte\n');
  report(await raceBeside(server, contestants), bytes);
} finally {
  await server.close();
  fs.rmSync(dir, { recursive: true, force: true });
}

async function writeDays(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (let day = 0; day < options.workers * options.archives; day++) {
    const date = toDate(FIRST_DAY_MS + day * DAY_MS);
    const length = options.minutes === undefined ? {} : { durationMs: options.minutes * 60_000 };
    paths.push(
      await writeSample(folder, { symbol: 'XRPUSDT', date, depth: 500, style: 'contract', seed: 1 + day, ...length }),
    );
  }
  return paths;
}

function settings(): string[] {
  return ['--overwrite', '--workers', String(options.workers)];
}

function onDisk(archives: string[]): Contestant {
  const args = [...archives, '--output-dir', path.join(dir, 'out'), ...settings()];
  return { name: 'disk', command: bookgrid(...args) };
}

function inS3(archives: string[], source: string): Contestant {
  const paths = archives.map((file) => `s3://${BUCKET}/source/${path.relative(source, file)}`);
  const args = [...paths, '--output-dir', `s3://${BUCKET}/out`, ...settings(), ...flagsFor(server)];
  const environment = Object.entries(CREDENTIALS).map(([name, value]) => `${name}=${value}`);
  return { name: 'S3', command: ['env', ...environment, ...bookgrid(...args)] };
}

async function compare(from: S3Server): Promise<void> {
  const expected = readOutputs(path.join(dir, 'out'));
  if (expected.size === 0) throw new Error('nothing was made');
  const made = await readObjects(from, 'out/0');
  for (const [name, text] of expected) {
    if (made.get(`out/${name}`) !== text) throw new Error(`${name} is not the same in S3`);
  }
}

/** What a run took, and the server meanwhile. */
interface Beside extends Measured {
  serverSeconds: number;
}

async function raceBeside({ pid }: S3Server, contestants: Contestant[]): Promise<Result<Contestant, Beside>[]> {
  const results = contestants.map((contestant): Result<Contestant, Beside> => ({ ...contestant, runs: [] }));
  for (let run = 0; run < options.runs; run++) {
    for (const { command, runs } of results) {
      const before = cpuSecondsOf(pid);
      const measured = await measure(command);
      runs.push({ ...measured, serverSeconds: cpuSecondsOf(pid) - before });
    }
  }
  return results;
}

/** What a process has used until now; not a number where there is no /proc. Hundredths of a second, see proc_pid_stat(5). */
function cpuSecondsOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!fs.existsSync(file)) return Number.NaN;
  const fields = fs.readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function report(results: Result<Contestant, Beside>[], bytes: number): void {
  console.log('| data in | wall s | MB of archives a second | CPU s | CPU s of the server | peak MB |');
  console.log('|---|---|---|---|---|---|');
  const medians = results.map(({ name, runs }) => {
    const of = (what: keyof Beside) => spread(runs.map((run) => run[what])).median;
    const rate = bytes / 1e6 / of('wallSeconds');
    const seconds = [of('cpuSeconds'), of('serverSeconds')].map((value) => value.toFixed(2));
    console.log(
      `| ${[name, of('wallSeconds').toFixed(2), rate.toFixed(1), ...seconds, mb(of('peakBytes'))].join(' | ')} |`,
    );
    return { rate, cpuSeconds: of('cpuSeconds'), serverSeconds: of('serverSeconds'), peakMb: of('peakBytes') / 1e6 };
  });
  const [disk, s3] = medians as [(typeof medians)[0], (typeof medians)[0]];
  const ratio = s3.rate / disk.rate;
  const perWorker = s3.peakMb / options.workers;
  console.log(`\nS3 reaches ${ratio.toFixed(2)} of the disk's throughput, with ${perWorker.toFixed(0)} MB a worker.`);
  const most = (seconds: number) => (disk.cpuSeconds / seconds).toFixed(2);
  console.log(
    `With all cores at work it reaches ${most(s3.cpuSeconds + s3.serverSeconds)} at most beside this server, and ` +
      `${most(s3.cpuSeconds)} with one elsewhere: that is the CPU time of the disk beside that of S3.`,
  );
  if (options.minRatio !== undefined && ratio < options.minRatio) throw new Error(`that is under ${options.minRatio}`);
  if (options.limitMb !== undefined && perWorker > options.limitMb)
    throw new Error(`that is over ${options.limitMb} MB`);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
