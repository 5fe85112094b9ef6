import { type GivenQueue, type QueuePlace, queueOptions, readQueuePlace } from '../console/queue-options.js';
import { newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { ArchiveQueue } from '../executors/queue/archive-queue.js';

/** The command line of `bookgrid retry`, read and checked. */
export interface RetryOptions {
  queue: QueuePlace;
  json: boolean;
}

/** The command line of `bookgrid retry` as commander knows it. */
export function buildRetryCommand() {
  return newCommand('bookgrid retry')
    .usage('--queue redis://HOST/DATABASE [options]')
    .description('Lets the failed jobs of a queue be tried again, as when an archive was mended or a disk is back.')
    .addOption(queueOptions.queue())
    .addOption(queueOptions.queueName())
    .addOption(sharedOptions.json());
}

/**
 * Reads the command line of `bookgrid retry`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} when no queue is said.
 */
export function parseRetryLine(argv: string[]): RetryOptions {
  const given = parseOptions<GivenQueue & { json?: true }>(buildRetryCommand(), argv);
  return { queue: readQueuePlace(given), json: given.json ?? false };
}

/**
 * Puts failed jobs back into the queue.
 *
 * @throws {@link StorageError} when the server cannot be reached.
 */
export async function retry({ queue: place, json }: RetryOptions, { stdout, stderr }: Surroundings): Promise<void> {
  const queue = await ArchiveQueue.open(place.address, place.name, lineWriter(stderr));
  try {
    const retried = await queue.retryFailed();
    const text = `${retried} failed jobs of queue ${place.name} will be tried again.`;
    lineWriter(stdout)(json ? JSON.stringify({ event: 'retried', queue: place.name, retried }) : text);
  } finally {
    await queue.close();
  }
}
