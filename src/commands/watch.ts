import { setTimeout } from 'node:timers/promises';
import { unlessAborted } from '../base/aborted.js';
import { monotonicMs } from '../base/clock.js';

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { UsageError } from '../base/usage-error.js';
import { clean } from '../console/clean-text.js';
import { LiveLine } from '../console/live-line.js';
import { formatDuration } from '../console/progress.js';
import { type GivenQueue, type QueuePlace, queueOptions, readQueuePlace } from '../console/queue-options.js';
import { newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { canRedraw, hasEscapes } from '../console/terminal.js';
import { ArchiveQueue, type QueueCounts } from '../executors/queue/archive-queue.js';
import { parseWorkerName } from '../executors/queue/job-taker.js';

/** The command line of `bookgrid watch`, read and checked. */
export interface WatchOptions {
  queue: QueuePlace;
  once: boolean;
  json: boolean;
}

const EXPLANATION = `
Ends when no job is left, waiting or running. Exit status: 0 all is done, 1 some jobs failed.

Example:
  bookgrid watch --queue redis://10.0.0.5/0 --once --json`;

/** The command line of `bookgrid watch` as commander knows it. */
export function buildWatchCommand() {
  return newCommand('bookgrid watch')
    .usage('--queue redis://HOST/DATABASE [options]')
    .description('Shows how far a queue is: jobs done, waiting, running, failed, and who works on it. Changes nothing.')
    .addOption(queueOptions.queue())
    .addOption(queueOptions.queueName())
    .addOption(new commander.Option('--once', 'Show it once and end. Use it in scripts.'))
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
}

/**
 * Reads the command line of `bookgrid watch`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} when no queue is said.
 */
export function parseWatchLine(argv: string[]): WatchOptions {
  const given = parseOptions<GivenQueue & { once?: true; json?: true }>(buildWatchCommand(), argv);
  const { once = false, json = false } = given;
  return { queue: readQueuePlace(given), once, json };
}

/** What there is to see at one moment. */
interface View extends QueueCounts {
  /** Jobs done or failed a minute, since it is watched; 0 until some were. */
  perMinute: number;
  /** At that rate; `undefined` until there is one. */
  secondsLeft: number | undefined;
  machines: { host: string; workers: number }[];
}

const EVERY_MS = 1000;
/** Without a terminal a line is printed so often, when something has changed. */
const LINE_EVERY_MS = 10_000;
const FAILURES_SHOWN = 20;

/**
 * Shows how far a queue is, again and again until all is done.
 *
 * @returns whether no job has failed.
 * @throws {@link UsageError} when no job was ever submitted; {@link StorageError} when the server cannot be reached.
 */
export async function watch(options: WatchOptions, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const { queue: place, once, json } = options;
  const [write, warn] = [lineWriter(stdout), lineWriter(stderr)];
  const isLive = !json && !once && canRedraw(stdout);
  const live = isLive ? new LiveLine(stdout, { hasEscapes: hasEscapes() }) : undefined;
  const onChange = (note: string) => {
    live?.erase();
    warn(`bookgrid: ${note}`);
  };
  const queue = await ArchiveQueue.open(place.address, place.name, { onChange, signal });
  try {
    const look = await unlessAborted(viewer(queue), signal);
    let shownAtMs = Number.NEGATIVE_INFINITY;
    let shown = '';
    for (;;) {
      const view = look && (await unlessAborted(look(), signal));
      if (!view) return true; // stopped while the server was away
      const { total, waiting, active, delayed, failed } = view;
      if (total === 0) throw new UsageError(`No job was ever submitted to the queue ${place.name} (bookgrid submit).`);
      const isOver = once || signal.aborted || waiting + active + delayed === 0;
      const text = json ? JSON.stringify({ event: 'queue', queue: place.name, ...view }) : describe(view).join('\n');
      if (live) live.draw(describeInLine(view));
      else if (!isOver && text !== shown && monotonicMs() - shownAtMs >= LINE_EVERY_MS) {
        write(text);
        shownAtMs = monotonicMs();
        shown = text;
      }
      if (isOver) {
        live?.erase();
        write(text);
        for (const line of await describeFailures(queue, failed, json)) write(line);
        return failed === 0;
      }
      await setTimeout(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await queue.close();
  }
}

/** Looks, and reckons the rate since the first look. */
async function viewer(queue: ArchiveQueue): Promise<() => Promise<View>> {
  const first = await queue.counts();
  const startMs = monotonicMs();
  return async () => {
    const counts = await queue.counts();
    const finished = counts.done + counts.failed - first.done - first.failed;
    const minutes = (monotonicMs() - startMs) / 60_000;
    const perMinute = finished > 0 && minutes > 0 ? finished / minutes : 0;
    const left = counts.waiting + counts.active + counts.delayed;
    const secondsLeft = perMinute > 0 ? Math.round((60 * left) / perMinute) : undefined;
    return {
      ...counts,
      perMinute: Math.round(perMinute * 10) / 10,
      secondsLeft,
      machines: machinesOf(await queue.workers()),
    };
  };
}

function machinesOf(names: string[]): View['machines'] {
  const workers = new Map<string, number>();
  for (const name of names) {
    const worker = parseWorkerName(name);
    if (worker) workers.set(worker.host, (workers.get(worker.host) ?? 0) + worker.slots);
  }
  return [...workers].map(([host, count]) => ({ host, workers: count }));
}

function describe({ total, done, waiting, active, delayed, failed, perMinute, secondsLeft, machines }: View): string[] {
  const percent = Math.floor((100 * (done + failed)) / total);
  const rate = secondsLeft === undefined ? '' : ` · ${perMinute} a minute · ${formatDuration(secondsLeft)} left`;
  const workers = machines.reduce((sum, machine) => sum + machine.workers, 0);
  const where = machines.map((machine) => `${clean(machine.host)} (${machine.workers})`).join(', ');
  return [
    `${done}/${total} done, ${failed} failed · ${percent} %${rate}`,
    `${active} running, ${waiting} waiting, ${delayed} to be tried again`,
    workers === 0 ? 'No worker is connected (bookgrid worker)' : `${workers} workers: ${where}`,
  ];
}

/** In what fits into a line of 80 columns; what comes last may be cut off. */
function describeInLine({ total, done, active, failed, perMinute, secondsLeft, machines, ...others }: View): string {
  const workers = machines.reduce((sum, machine) => sum + machine.workers, 0);
  const where = machines.map((machine) => clean(machine.host)).join(', ');
  return [
    `${done}/${total} done`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(secondsLeft === undefined ? [] : [`${perMinute} a minute`, `${formatDuration(secondsLeft)} left`]),
    workers === 0 ? 'no worker is connected' : `${workers} workers on ${where}`,
    `${active} running`,
    ...(others.delayed > 0 ? [`${others.delayed} to be tried again`] : []),
  ].join(' · ');
}

async function describeFailures(queue: ArchiveQueue, failed: number, json: boolean): Promise<string[]> {
  if (failed === 0) return [];
  const failures = await queue.failures(FAILURES_SHOWN);
  if (json) return failures.map((failure) => JSON.stringify({ event: 'failed job', ...failure }));
  const more = failed - failures.length;
  return [
    'Failed (bookgrid retry tries them again):',
    ...failures.map(({ archive, error }) => `  ${clean(archive)}: ${clean(error)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
