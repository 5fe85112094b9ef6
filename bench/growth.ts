/** What becomes of time and memory when archives, depths, books or the number of rows grow. One worker. */
import path from 'node:path';
import { type Archive, DENSE, makeArchive } from './archives.js';
import { bookgrid, type Contestant, measure, median, type Result, race } from './measure.js';
import { checkOutputs, type Wanted } from './reference.js';
import { mb, type Section, significant, type Target, USAGE_HEAD, usageCells } from './report.js';
import type { Settings, Subject } from './subject.js';

/** Sixteen times as long is a whole day. */
const MAX_BASE_MINUTES = 90;
const INTERVALS = ['1h', '1m', '1s', '100ms'];

interface Step {
  name: string;
  archive: Archive;
  wanted: Wanted;
}

export const growth: Subject = async (settings) => {
  const make = (name: string, minutes: number | undefined, depth: number) => {
    settings.log(`making an archive, ${name}`);
    // As many updates in a burst whatever the depth, so that only the book is larger.
    return makeArchive(path.join(settings.folder, name), { ...DENSE, depth, updatesPerBurst: 350 }, minutes);
  };
  const usual = await make('usual', settings.minutes ?? 200, 500);
  const deep = await make('deep', settings.minutes ?? 200, 5000);
  const baseMinutes = Math.min(settings.minutes ?? MAX_BASE_MINUTES, MAX_BASE_MINUTES);
  const lengths: Step[] = [];
  for (const times of [1, 4, 16]) {
    const archive = await make(`×${times}`, baseMinutes * times, 500);
    lengths.push({ name: `×${times}: ${mb(archive.textBytes)} MB`, archive, wanted: { depths: [200, 500] } });
  }
  const depth = (name: string, depths: number[], archive = usual): Step => ({ name, archive, wanted: { depths } });
  const depths = [depth('200', [200]), depth('500', [500]), depth('200 and 500', [200, 500])];
  const books = [
    depth('500 levels, rows of 200', [200]),
    depth('5,000 levels, rows of 200', [200], deep),
    depth('5,000 levels, rows of 5,000', [5000], deep),
  ];
  const intervals = INTERVALS.map((interval) => ({
    name: interval,
    archive: usual,
    wanted: { depths: [10], interval },
  }));
  const about = `${mb(usual.textBytes)} MB of text, contract dense 500`;
  return {
    sections: [
      await measureSteps('length of the archive', 'Contract dense 500, both depths.', lengths, settings, longest),
      await measureSteps('depth of the rows', `${about}, a row a minute.`, depths, settings),
      await measureSteps('levels in the book', `Contract dense, a row a minute.`, books, settings),
      await measureSteps('number of rows', `${about}, depth 10.`, intervals, settings, shortestInterval),
    ],
  };
};

type StepResult = Result<Step & Contestant>;

async function measureSteps(
  what: string,
  text: string,
  steps: Step[],
  { folder, runs, log }: Settings,
  targets: (results: StepResult[]) => Target[] = () => [],
): Promise<Section> {
  const output = path.join(folder, 'output');
  const contestants = steps.map(({ archive, wanted, ...step }) => {
    const { depths, interval = '1m' } = wanted;
    const rows = ['--depths', depths.join(), '--interval', interval];
    const command = bookgrid(archive.path, '--output-dir', output, ...rows, '--overwrite', '--workers', '1');
    return { ...step, archive, wanted, command, work: archive };
  });
  for (const { name, command, archive, wanted } of contestants) {
    log(`${what}: checking ${name}`);
    await measure(command);
    await checkOutputs(output, archive, wanted);
  }
  log(`${what}: measuring`);
  const results = await race(contestants, runs);
  const perGigabyte = (result: StepResult) => (median(result, 'cpuSeconds') / result.archive.textBytes) * 1e9;
  return {
    title: `Growth: ${what}`,
    text,
    table: {
      head: [what, ...USAGE_HEAD, 'CPU s per GB of text'],
      rows: results.map((result) => [result.name, ...usageCells(result), significant(perGigabyte(result))]),
    },
    targets: targets(results),
  };
}

function longest(results: StepResult[]): Target[] {
  return results.slice(-1).map((result) => ({
    what: `peak memory, one worker, ${mb(result.archive.textBytes)} MB of text`,
    measured: median(result, 'peakBytes') / 1e6,
    limit: 150,
    unit: ' MB',
  }));
}

function shortestInterval(results: StepResult[]): Target[] {
  const [minute, shortest] = ['1m', '100ms'].map((name) => results.find((result) => result.name === name));
  if (!minute || !shortest) return [];
  const measured = median(shortest, 'cpuSeconds') / median(minute, 'cpuSeconds');
  return [{ what: 'CPU seconds of a row every 100 ms, as a multiple of one every minute', measured, limit: 2 }];
}
