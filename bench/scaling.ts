/** What more workers give: over equal archives, over many small ones, over a single one. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Archive, copies, DENSE, makeArchive } from './archives.js';
import { bookgrid, measure, median, type Result, race, spread } from './measure.js';
import { checkCopies } from './reference.js';
import { mb, type Section, significant, type Target, USAGE_HEAD, usageCells, type Work } from './report.js';
import type { Settings, Subject } from './subject.js';

const DEPTHS = [200, 500];
const SMALL_MINUTES = 1 / 3;

export const scaling: Subject = async (settings) => {
  const { folder, log } = settings;
  log('making archives');
  const long = await makeArchive(path.join(folder, 'long'), DENSE, settings.minutes ?? 200);
  const short = await makeArchive(path.join(folder, 'short'), DENSE, SMALL_MINUTES);
  return {
    sections: [
      await measureSet('16 equal archives', long, 16, settings),
      await measureSet('300 small archives', short, 300, settings),
      await measureSet('one large archive', long, 1, settings),
    ],
  };
};

interface Contender {
  name: string;
  command: string[];
  /** `undefined`: processes that know nothing of each other, which tell what the machine has to give. */
  workers: number | undefined;
  work: Work;
}

const TWO_SHARDS = '"$@" --shard 1/2 & one=$!; "$@" --shard 2/2 && wait "$one"';

async function measureSet(title: string, archive: Archive, count: number, settings: Settings): Promise<Section> {
  const folder = path.join(settings.folder, title);
  const source = path.join(folder, 'source');
  const output = path.join(folder, 'output');
  const archives = await copies(archive, count, source);
  const work = { textBytes: count * archive.textBytes, updates: count * archive.updates };
  const contestants = workerCounts().map((workers): Contender => {
    const args = ['--source-dir', source, '--output-dir', output, '--overwrite', '--workers', String(workers)];
    return { name: `${workers}`, command: bookgrid(...args), workers, work };
  });
  if (count > 1) {
    const args = ['--source-dir', source, '--output-dir', output, '--overwrite', '--workers', '1'];
    const command = ['sh', '-c', TWO_SHARDS, 'sh', ...bookgrid(...args)];
    contestants.push({ name: '1 and 1, two processes with `--shard`', command, workers: undefined, work });
  }
  settings.log(`${title}: checking`);
  for (const { command } of contestants) {
    fs.rmSync(output, { recursive: true, force: true });
    await measure(command);
    await checkCopies(output, archive, archives, { depths: DEPTHS });
  }
  settings.log(`${title}: measuring`);
  const results = await race(contestants, settings.runs);
  const [alone] = results;
  if (!alone) throw new Error('nothing was measured');
  // Of runs in the same turn, which the rest of the machine slows alike.
  const throughput = (result: Result) =>
    spread(result.runs.map((run, round) => (alone.runs[round]?.wallSeconds ?? Number.NaN) / run.wallSeconds)).median;
  return {
    title: `Workers: ${title}`,
    text:
      `${count} × ${mb(archive.textBytes)} MB of text, ${mb(archive.zipBytes)} MB zipped; contract dense 500, ` +
      'both depths.',
    table: {
      head: ['workers', ...USAGE_HEAD, 'throughput, one worker = 1'],
      rows: results.map((result) => [result.name, ...usageCells(result), significant(throughput(result))]),
    },
    targets: count === 1 ? [] : results.flatMap((result) => targets(result, alone, throughput(result), count)),
  };
}

/** What two workers are to do, and what each of many small archives is to cost. */
const THROUGHPUT: Record<number, number> = { 16: 1.85, 300: 1.6 };
const SMALL_MS = 3;

function targets(result: Result<Contender>, alone: Result, throughput: number, count: number): Target[] {
  const { workers } = result;
  if (workers === undefined) return [];
  const of = `${count} archives`;
  const peakMb = (of: Result) => median(of, 'peakBytes') / 1e6;
  if (workers === 1) {
    const eachMs = (median(alone, 'cpuSeconds') / count) * 1000;
    return count === 16
      ? [{ what: 'peak memory, one worker', measured: peakMb(alone), limit: 150, unit: ' MB' }]
      : [{ what: `${of}, CPU of each`, measured: eachMs, limit: SMALL_MS, unit: ' ms' }];
  }
  const furtherMb = (peakMb(result) - peakMb(alone)) / (workers - 1);
  const memory = { what: `memory for each of ${workers - 1} further workers`, measured: furtherMb, limit: 45 };
  return [
    ...(workers === 2
      ? [
          {
            what: `${of}, throughput of two workers`,
            measured: throughput,
            limit: THROUGHPUT[count] ?? Number.NaN,
            bound: 'at least' as const,
          },
        ]
      : []),
    ...(count === 16 ? [{ ...memory, unit: ' MB' }] : []),
  ];
}

/** 1, 2, 4, … and as many as there are cores; one by one up to 4. */
function workerCounts(): number[] {
  const cores = os.availableParallelism();
  const counts = [1, 2, 3, 4, 8, 16, 32, 64].filter((count) => count < cores);
  return [...counts, cores];
}
