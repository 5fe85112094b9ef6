/** What a queue costs: beside a run of one machine, and with half a million jobs in it. Needs redis-server. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { launchRedis } from '../test/support/redis.js';
import { type Archive, copies, DENSE, makeArchive } from './archives.js';
import { bookgrid, type Measured, measure, spread } from './measure.js';
import { checkCopies } from './reference.js';
import { mb, type Section, significant } from './report.js';
import type { Settings, Subject } from './subject.js';

const PORT = 17_379;
const QUEUE = ['--queue', `redis://127.0.0.1:${PORT}/0`];
const MANY = 500_000;
const SMALL = 300;
const LARGE = 4;

export const queue: Subject = async (settings) => {
  const { folder, log } = settings;
  const redisFolder = path.join(folder, 'redis');
  fs.mkdirSync(redisFolder, { recursive: true });
  const redis = await launchRedis(redisFolder, PORT);
  try {
    log('making archives');
    const small = await makeArchive(path.join(folder, 'small'), DENSE, 1 / 3);
    const large = await makeArchive(path.join(folder, 'large'), DENSE, settings.minutes ?? 200);
    return {
      sections: [
        await besideOneMachine('300 small archives', small, SMALL, [1], settings),
        await besideOneMachine('4 large archives', large, LARGE, [1, 2], settings),
        await manyJobs(settings),
      ],
    };
  } finally {
    redis.kill();
  }
};

/** Runs the same archives by `convert` and by `worker`, in turns. */
async function besideOneMachine(
  title: string,
  archive: Archive,
  count: number,
  workerCounts: number[],
  { folder, runs, log }: Settings,
): Promise<Section> {
  const source = path.join(folder, title, 'source');
  const output = path.join(folder, title, 'output');
  const archives = await copies(archive, count, source);
  const folders = ['--source-dir', source, '--output-dir', output, '--overwrite'];
  const rows: string[][] = [];
  for (const workers of workerCounts) {
    const options = ['--workers', String(workers)];
    const local = () => measure(bookgrid('convert', ...folders, ...options));
    const queued = async () => {
      await measure(bookgrid('submit', ...folders, ...QUEUE));
      return measure(bookgrid('worker', '--until-done', ...options, ...QUEUE));
    };
    const measured: [Measured[], Measured[]] = [[], []];
    for (const [index, run] of [local, queued].entries()) {
      log(`${title}: checking`);
      fs.rmSync(output, { recursive: true, force: true });
      await run();
      await checkCopies(output, archive, archives, { depths: [200, 500] });
      measured[index] = [];
    }
    log(`${title}: measuring`);
    for (let run = 0; run < runs; run++) {
      measured[0].push(await local());
      measured[1].push(await queued());
    }
    const [alone, throughQueue] = measured.map((those) => spread(those.map((one) => one.cpuSeconds)).median);
    if (alone === undefined || throughQueue === undefined) throw new Error('nothing was measured');
    rows.push([
      String(workers),
      significant(alone),
      significant(throughQueue),
      significant(throughQueue / alone),
      significant((1000 * (throughQueue - alone)) / count),
    ]);
  }
  return {
    title: `Queue: ${title}`,
    text: `${count} × ${mb(archive.textBytes)} MB of text, by \`convert\` and by \`worker --until-done\`, which ends up to a second after the last job. Without the CPU time of Redis.`,
    table: { head: ['workers', 'CPU s, convert', 'CPU s, worker', 'ratio', 'more, ms a job'], rows },
  };
}

/** Submits archives that are names only: planning does not open them. */
async function manyJobs({ folder, log }: Settings): Promise<Section> {
  log(`making ${MANY} names of archives`);
  const source = path.join(folder, 'many');
  for (let pair = 0; pair < 500; pair++) {
    const pairFolder = path.join(source, 'linear', '0200', `PAIR${pair}USDT`);
    fs.mkdirSync(pairFolder, { recursive: true });
    for (let day = 0; day < MANY / 500; day++) {
      const date = new Date(Date.UTC(2023, 0, 1 + day)).toISOString().slice(0, 10);
      fs.writeFileSync(path.join(pairFolder, `${date}_PAIR${pair}USDT_ob200.data.zip`), '');
    }
  }
  log('submitting');
  const before = usedMemory();
  const submit = bookgrid('submit', '--source-dir', source, '--output-dir', path.join(folder, 'none'), ...QUEUE);
  const { wallSeconds, cpuSeconds, peakBytes } = await measure(submit);
  const redisBytes = usedMemory() - before;
  return {
    title: `Queue: ${MANY} jobs submitted`,
    text: 'Archives of 500 symbols and 1,000 days, found in folders of a local disk. Redis with an append-only file, flushed once a second.',
    table: {
      head: [
        'jobs',
        'wall s',
        'CPU s of submit',
        'peak memory of submit, MB',
        'memory of Redis, MB',
        'bytes of Redis a job',
      ],
      rows: [
        [
          String(MANY),
          significant(wallSeconds),
          significant(cpuSeconds),
          mb(peakBytes),
          mb(redisBytes),
          significant(redisBytes / MANY),
        ],
      ],
    },
  };
}

function usedMemory(): number {
  const { stdout } = spawnSync('redis-cli', ['-p', String(PORT), 'info', 'memory'], { encoding: 'utf8' });
  return Number(/used_memory:(\d+)/.exec(stdout)?.[1]);
}
