/**
 * Measures what planning takes when there are very many archives in S3: memory, time and requests of `convert --dry-run`, of
 * one shard, of `status` and, where there is a redis-server, of `submit`. The bucket is listed by a server that computes
 * its keys.
 *
 *     node dist/bench/many-keys.js [--symbols N] [--days N]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { freePort } from '../test/support/free-port.js';
import { startListedBucket } from '../test/support/listed-bucket.js';
import { launchRedis, NO_REDIS } from '../test/support/redis.js';
import { CREDENTIALS, flagsFor } from '../test/support/s3-servers.js';
import { bookgrid, measure } from './measure.js';

const options = new Command('many-keys')
  .description('Memory, time and requests of planning in S3.')
  .option('--symbols <n>', 'symbols', Number, 500)
  .option('--days <n>', 'days of each', Number, 2000)
  .option('--only <name>', 'measure only what has this in its name')
  .parse()
  .opts<{ symbols: number; days: number; only?: string }>();

const keys = options.symbols * options.days;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-many-keys-'));
const [few, many] = [await startListedBucket(1, 1), await startListedBucket(options.symbols, options.days)];
const port = await freePort();
const redis = NO_REDIS ? undefined : await launchRedis(dir, port);
try {
  const queue = ['--queue', `redis://127.0.0.1:${port}/0`];
  const { source, made } = many;
  const none = source.replace(/source$/, 'none');
  const subjects: [name: string, args: string[]][] = [
    ['convert --dry-run, nothing made', ['--source-dir', source, '--output-dir', none, '--dry-run']],
    [
      'convert --shard 3/16, nothing made',
      ['--source-dir', source, '--output-dir', none, '--dry-run', '--shard', '3/16'],
    ],
    ['convert --dry-run, all made', ['--source-dir', source, '--output-dir', made, '--depths', '200', '--dry-run']],
    ['status, all made', ['status', '--source-dir', source, '--output-dir', made]],
    ['submit, all made', ['submit', '--source-dir', source, '--output-dir', made, '--depths', '200', ...queue]],
    ['submit, nothing made', ['submit', '--source-dir', source, '--output-dir', none, ...queue]],
  ];
  console.log(`${keys} archives of ${options.symbols} symbols; "all made": as many outputs and records\n`);
  console.log(
    '| | peak MB | of one archive | more, bytes an archive | CPU s | wall s | requests |\n|---|---|---|---|---|---|---|',
  );
  for (const [name, args] of subjects) {
    if (options.only !== undefined && !name.includes(options.only)) continue;
    if (name.startsWith('submit') && !redis) continue;
    // Jobs of the two servers are not the same: each has a queue.
    const on = (server: typeof few) => {
      const queueOf = ({ endpoint }: typeof few) =>
        name.startsWith('submit')
          ? ['--queue-name', `${name.slice(8)}-${new URL(endpoint).port}`.replaceAll(' ', '-').replace(',', '')]
          : [];
      const environment = Object.entries(CREDENTIALS).map(([variable, value]) => `${variable}=${value}`);
      return measure([
        'env',
        'AWS_REGION=us-east-1',
        ...environment,
        ...bookgrid(...args, ...queueOf(server), ...flagsFor(server)),
      ]);
    };
    const least = await on(few);
    const before = many.requests;
    const { peakBytes, cpuSeconds, wallSeconds } = await on(many);
    const cells = [
      ...[name, mb(peakBytes), mb(least.peakBytes), ((peakBytes - least.peakBytes) / keys).toFixed(0)],
      ...[cpuSeconds.toFixed(1), wallSeconds.toFixed(1), String(many.requests - before)],
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  redis?.kill();
  await Promise.all([few.close(), many.close()]);
  fs.rmSync(dir, { recursive: true, force: true });
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
