import path from 'node:path';
import { unlessAborted } from '../base/aborted.js';
import { clean } from '../console/clean-text.js';
import { type GivenQueue, type QueuePlace, queueOptions, readQueuePlace } from '../console/queue-options.js';
import { newCommand } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import type { Job } from '../convert/plan.js';
import { describeAddress } from '../executors/queue/address.js';
import { ArchiveQueue } from '../executors/queue/archive-queue.js';
import { schemeOf } from '../storage/paths.js';
import { addConvertOptions, type ConvertOptions, readConvertLine } from './convert-options.js';
import { makePlan } from './make-plan.js';

/** The command line of `bookgrid submit`, read and checked. */
export interface SubmitOptions extends ConvertOptions {
  queue: QueuePlace;
}

const QUEUE = 'The queue:';

const EXAMPLES = `
Examples:
  bookgrid submit --queue redis://10.0.0.5/0 --source-dir /data/archives --output-dir /data/snapshots
  bookgrid worker --queue redis://10.0.0.5/0        on any number of machines
  bookgrid watch --queue redis://10.0.0.5/0

All machines must find archives and outputs under the same paths. Submitting again adds what has
come since, and nothing twice.`;

/** The command line of `bookgrid submit` as commander knows it. */
export function buildSubmitCommand() {
  const command = newCommand('bookgrid submit')
    .usage('[ARCHIVE…] --queue redis://HOST/DATABASE [options]')
    .description('Puts a job for each archive that is to be converted into a queue, for workers on any machine.')
    .argument('[ARCHIVE...]', 'Archives to convert. Without any: all below --source-dir.')
    .addOption(queueOptions.queue().helpGroup(QUEUE))
    .addOption(queueOptions.queueName().helpGroup(QUEUE))
    .addHelpText('after', EXAMPLES);
  addConvertOptions(command, ['--workers', '--stall-timeout', '--shard', '--dry-run', '--test']);
  return command;
}

/**
 * Reads the command line of `bookgrid submit`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseSubmitLine(argv: string[]): SubmitOptions {
  const command = buildSubmitCommand();
  command.parse(argv, { from: 'user' });
  return { ...readConvertLine(command), queue: readQueuePlace(command.opts<GivenQueue>()) };
}

/** Jobs that are sent in one go: their text has about a megabyte. */
const BATCH = 1000;

/**
 * Plans, and puts the jobs into the queue.
 *
 * @throws {@link UsageError} when there is nothing to work on, or the queue holds jobs with other options.
 * @throws {@link StorageError} when the server cannot be reached.
 */
export async function submit(options: SubmitOptions, { stdout, stderr, signal }: Surroundings): Promise<void> {
  const { queue: place, order, json } = options;
  const [write, warn] = [lineWriter(stdout), lineWriter(stderr)];
  const queue = await ArchiveQueue.open(place.address, place.name, { onChange: warn, signal });
  try {
    const counts = { total: 0, submitted: 0, queuedBefore: 0, skipped: 0, unusable: 0 };
    const { entries } = await makePlan(withWholePaths(options), warn);
    let batch: Job[] = [];
    const addBatch = async () => {
      const added = await unlessAborted(queue.add(batch, order), signal);
      if (added !== undefined) {
        counts.submitted += added;
        counts.queuedBefore += batch.length - added;
      }
      batch = [];
    };
    for (const entry of entries) {
      if (signal.aborted) break;
      counts.total++;
      if (entry.action === 'skip') counts.skipped++;
      else if (entry.action === 'fail') {
        counts.unusable++;
        warn(clean(`Cannot be used: ${entry.path}: ${entry.problem}`));
      } else if (batch.push(entry.job) === BATCH) await addBatch();
    }
    if (!signal.aborted) await addBatch();
    if (json) write(JSON.stringify({ event: 'submitted', queue: place.name, ...counts }));
    else {
      write(
        `${counts.submitted} jobs submitted to queue ${place.name} at ${describeAddress(place.address)}: of ${counts.total} archives, ` +
          `${counts.queuedBefore} were in it before, ${counts.skipped} need nothing, ${counts.unusable} cannot be used.`,
      );
    }
  } finally {
    await queue.close();
  }
}

/** Another machine has another current folder. */
function withWholePaths(options: SubmitOptions): SubmitOptions {
  const { outputDir, tempDir } = options.what;
  return {
    ...options,
    archives: options.archives.map(wholePath),
    sourceDir: wholePath(options.sourceDir),
    what: {
      ...options.what,
      outputDir: wholePath(outputDir),
      tempDir: tempDir === undefined ? undefined : wholePath(tempDir),
    },
  };
}

/** An address with a scheme is whole already. */
function wholePath(given: string): string {
  return schemeOf(given) === undefined ? path.resolve(given) : given;
}
