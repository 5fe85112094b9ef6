/** Two builds side by side, before a change to the hot path lands: this tree against a commit. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Archive, copies, DENSE, makeArchive } from './archives.js';
import { type Contestant, measure, type Result, race, spread } from './measure.js';
import { significant } from './report.js';
import type { Settings } from './subject.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SMALL_ARCHIVES = 100;
const SMALL_MINUTES = 1 / 3;
const TEN_MESSAGES_MINUTES = 1 / 60;

interface Task {
  name: string;
  args: string[];
}

interface Build {
  name: 'before' | 'now';
  /** Its checkout. */
  folder: string;
}

type Contender = Contestant & { task: Task; build: Build };

/**
 * Builds a commit in a worktree of its own, and measures it and this tree in turns. Whether both wrote the same bytes is
 * told, and not required: a change may be meant to change them.
 *
 * @returns a table, as Markdown.
 * @throws when the commit cannot be built, or a run fails.
 */
export async function guard(ref: string, { folder, runs, minutes = 200, log }: Settings): Promise<string> {
  const commit = git('rev-parse', '--short', `${ref}^{commit}`);
  const before = path.join(folder, 'before');
  git('worktree', 'add', '--detach', before, commit);
  try {
    log(`building ${commit}`);
    build(before);
    log('making archives');
    const tasks = await makeTasks(folder, minutes);
    const builds: Build[] = [
      { name: 'before', folder: before },
      { name: 'now', folder: ROOT },
    ];
    const contenders = tasks.flatMap((task) => builds.map((one) => contender(task, one, folder)));
    log('comparing outputs');
    const areEqual = new Map<Task, boolean>();
    for (const task of tasks) {
      for (const { command } of contenders.filter((one) => one.task === task)) await measure(command);
      areEqual.set(task, isSameTree(outputOf(task, 'before', folder), outputOf(task, 'now', folder)));
    }
    log('measuring');
    return table(commit, await race(contenders, runs), areEqual);
  } finally {
    git('worktree', 'remove', '--force', before);
  }
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** With the packages of this tree when they are the same ones: else they are installed. */
function build(checkout: string): void {
  const lock = (of: string) => fs.readFileSync(path.join(of, 'package-lock.json'), 'utf8');
  if (lock(checkout) === lock(ROOT))
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(checkout, 'node_modules'));
  execFileSync(process.execPath, ['scripts/setup.mjs'], { cwd: checkout, stdio: ['ignore', 2, 2] });
}

async function makeTasks(folder: string, minutes: number): Promise<Task[]> {
  const long = await makeArchive(path.join(folder, 'long'), DENSE, minutes);
  const short = await makeArchive(path.join(folder, 'short'), DENSE, SMALL_MINUTES);
  const ten = await makeArchive(path.join(folder, 'ten'), DENSE, TEN_MESSAGES_MINUTES);
  const small = path.join(folder, 'small');
  await copies(short, SMALL_ARCHIVES, small);
  const one = (name: string, archive: Archive, ...args: string[]): Task => ({
    name,
    args: [archive.path, '--workers', '1', ...args],
  });
  return [
    one('CSV 200 and 500 every minute', long),
    one('CSV 10 every 100 ms', long, '--depths', '10', '--interval', '100ms'),
    one('Parquet lists 50 every second', long, '--depths', '50', '--interval', '1s', '--format', 'parquet'),
    one('Metrics every 100 ms', long, '--metrics-only', '--interval', '100ms', '--format', 'parquet'),
    { name: `${SMALL_ARCHIVES} archives of 0.3 MB`, args: ['--source-dir', small, '--workers', '1'] },
    { name: 'the same by two workers', args: ['--source-dir', small, '--workers', '2'] },
    one(`an archive of ${ten.messages} messages`, ten),
  ];
}

function contender(task: Task, of: Build, folder: string): Contender {
  // Its name is not the same in all commits.
  const { bin } = JSON.parse(fs.readFileSync(path.join(of.folder, 'package.json'), 'utf8'));
  const program = path.join(of.folder, bin.bookgrid);
  const output = ['--output-dir', outputOf(task, of.name, folder), '--overwrite'];
  return {
    name: `${task.name}, ${of.name}`,
    task,
    build: of,
    command: [process.execPath, program, ...task.args, ...output],
  };
}

function outputOf({ name }: Task, build: Build['name'], folder: string): string {
  return path.join(folder, 'output', name, build);
}

/** Whether two folders have the same outputs: records tell times. */
function isSameTree(a: string, b: string): boolean {
  const names = (folder: string) =>
    fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(csv|gz|parquet)$/.test(name))
      .sort();
  const [ours, theirs] = [names(a), names(b)];
  return (
    ours.join('\n') === theirs.join('\n') &&
    ours.every((name) => fs.readFileSync(path.join(a, name)).equals(fs.readFileSync(path.join(b, name))))
  );
}

function table(commit: string, results: Result<Contender>[], areEqual: Map<Task, boolean>): string {
  const rows = [...areEqual].map(([task, isEqual]) => {
    const runsOf = (build: Build['name']) =>
      results.find((result) => result.task === task && result.build.name === build)?.runs ?? [];
    const [before, now] = [runsOf('before'), runsOf('now')];
    const ratio = (what: 'cpuSeconds' | 'wallSeconds' | 'peakBytes') => {
      const { median, min, max } = spread(now.map((run, round) => run[what] / (before[round]?.[what] ?? Number.NaN)));
      return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
    };
    const cpu = (runs: typeof now) => significant(spread(runs.map((run) => run.cpuSeconds)).median);
    const cells = [task.name, cpu(before), cpu(now), ratio('cpuSeconds'), ratio('wallSeconds'), ratio('peakBytes')];
    return `| ${[...cells, isEqual ? 'yes' : '**no**'].join(' | ')} |`;
  });
  return [
    `This tree as a multiple of ${commit}: medians over turns, the smallest and the largest in brackets.\n`,
    '| what | CPU s before | CPU s now | CPU | wall | peak memory | same bytes |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
