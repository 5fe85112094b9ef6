// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { clean } from '../console/clean-text.js';
import { describeHeldBack } from '../console/held-back.js';
import { parseWhole } from '../console/option-values.js';
import { type GivenQueue, type QueuePlace, queueOptions, readQueuePlace } from '../console/queue-options.js';
import { JsonReporter, TextReporter } from '../console/report.js';
import { newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { fittedWriter, hasColors } from '../console/terminal.js';
import type { ConvertEntry } from '../convert/job-queue.js';
import type { Outcome } from '../convert/run.js';
import { type DefaultWorkers, defaultWorkers } from '../executors/default-workers.js';
import { describeAddress } from '../executors/queue/address.js';
import { MAX_TRIES } from '../executors/queue/archive-queue.js';
import { type QueueOutcome, workOnQueue } from '../executors/queue/work.js';
import { workerThreadsExecutor } from '../executors/worker-threads.js';

/** The command line of `bookgrid worker`, read and checked. */
export interface WorkerOptions {
  queue: QueuePlace;
  /** `undefined`: as many as the machine, or the container, has room for. */
  workers: number | undefined;
  /** How long a read of an archive may take, in ms; 0: as long as it takes. */
  stallTimeoutMs: number;
  untilDone: boolean;
  json: boolean;
}

const EXPLANATION = `
A job that fails because of its archive is kept with its error and not tried again. One that fails
because of a disk or a network is tried ${MAX_TRIES} times in all, after longer and longer waits. When this
machine's disk is full, the job is handed back and the worker ends.
Ctrl+C or SIGTERM hands back what is not finished. What a machine that dies was doing is given to
another worker some seconds later.

Exit status: 0 all is done (--until-done), 1 some jobs of the queue have failed (--until-done), or this machine's disk
is full, 2 wrong usage or jobs of another version, 130 after Ctrl+C, 143 after SIGTERM.`;

/** The command line of `bookgrid worker` as commander knows it. */
export function buildWorkerCommand() {
  return newCommand('bookgrid worker')
    .usage('--queue redis://HOST/DATABASE [options]')
    .description('Takes jobs from a queue and converts them, until it is stopped.')
    .addOption(queueOptions.queue())
    .addOption(queueOptions.queueName())
    .addOption(
      new commander.Option(
        '--workers <n>',
        'Archives converted at a time. (default: CPU cores available, fewer where a container’s memory holds no more)',
      ).argParser((text) => parseWhole(text, 1024, 'a number of workers')),
    )
    .addOption(
      new commander.Option(
        '--until-done',
        'End when no job is left, waiting or running anywhere. Use it when machines are paid by the hour.',
      ),
    )
    .addOption(sharedOptions.stallTimeout())
    .addOption(sharedOptions.json())
    .addHelpText('after', EXPLANATION);
}

/**
 * Reads the command line of `bookgrid worker`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} when no queue is said.
 */
export function parseWorkerLine(argv: string[]): WorkerOptions {
  const given = parseOptions<GivenQueue & { workers?: number; stallTimeout: number; untilDone?: true; json?: true }>(
    buildWorkerCommand(),
    argv,
  );
  const { workers, stallTimeout: stallTimeoutMs, untilDone = false, json = false } = given;
  return { queue: readQueuePlace(given), workers, stallTimeoutMs, untilDone, json };
}

/**
 * Works on a queue.
 *
 * @returns whether all is well: `false` when the disk is full, or nothing is left to do but jobs have failed.
 * @throws {@link UsageError} when the jobs are of another version; {@link StorageError} when the server cannot be reached.
 */
export async function worker(options: WorkerOptions, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const { queue, untilDone, json, stallTimeoutMs } = options;
  const { workers, heldBack }: DefaultWorkers =
    options.workers === undefined ? defaultWorkers() : { workers: options.workers };
  const [write, warn] = [lineWriter(stdout), lineWriter(stderr)];
  const reporter = json
    ? new JsonReporter(write)
    : new TextReporter(fittedWriter(stdout), { color: hasColors(stdout) });
  if (heldBack) warn(describeHeldBack({ workers, heldBack }));
  if (!json)
    write(`Working on queue ${queue.name} at ${describeAddress(queue.address)} with ${workers} parallel workers`);
  let number = 0;
  const ending = await workOnQueue(queue.address, queue.name, {
    executor: workerThreadsExecutor({ slots: workers, stallTimeoutMs }),
    untilDone,
    signal,
    onOutcome: (outcome) => reporter.outcome(toOutcome(outcome, ++number)),
    onNote: (note) => warn(`bookgrid: ${clean(note)}`),
  });
  if (ending === 'disk-full')
    warn('bookgrid: the disk is full: the job was handed back. Free some space and start again.');
  if (ending === 'done' && !json) write('No job is left in the queue.');
  if (ending === 'failed' && !json) write('No job is left in the queue but such as have failed (bookgrid watch).');
  return ending === 'done' || ending === 'stopped';
}

/** As a run of one machine tells it; numbers count what this worker took. */
function toOutcome({ job, result, tries, isTriedAgain }: QueueOutcome, number: number): Outcome {
  const { path, fileName, sizeBytes, pair, market } = job.archive;
  const remark = isTriedAgain
    ? `try ${tries} of ${MAX_TRIES}, to be tried again`
    : tries > 1
      ? `try ${tries}`
      : undefined;
  const entry: ConvertEntry = {
    ...{ number, path, fileName, sizeBytes, pair, ...(market && { market }), action: 'convert', job },
    ...(remark !== undefined && { remark }),
  };
  return { entry, result };
}
