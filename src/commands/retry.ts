// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { type GivenQueue, type QueuePlace, queueOptions, readQueuePlace } from '../console/queue-options.js';
import { newCommand, parseOptions, sharedOptions } from '../console/shared-options.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { ArchiveQueue } from '../executors/queue/archive-queue.js';

/** The command line of `bookgrid retry`, read and checked. */
export interface RetryOptions {
  queue: QueuePlace;
  /** Leaves those alone that wait for another try. */
  failedOnly: boolean;
  /** Removes failed jobs instead. */
  drop: boolean;
  json: boolean;
}

/** The command line of `bookgrid retry` as commander knows it. */
export function buildRetryCommand() {
  return newCommand('bookgrid retry')
    .usage('--queue redis://HOST/DATABASE [options]')
    .description(
      'Lets the failed jobs of a queue be tried again, as when an archive was mended or a disk is back, and those that wait ' +
        'for another try at once.',
    )
    .addOption(queueOptions.queue())
    .addOption(queueOptions.queueName())
    .addOption(new commander.Option('--failed', 'Failed jobs only: those that wait for another try wait on.'))
    .addOption(new commander.Option('--drop', 'Remove failed jobs instead: they are given up.').conflicts('failed'))
    .addOption(sharedOptions.json());
}

/**
 * Reads the command line of `bookgrid retry`.
 *
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} when no queue is said.
 */
export function parseRetryLine(argv: string[]): RetryOptions {
  type Given = GivenQueue & { failed?: true; drop?: true; json?: true };
  const given = parseOptions<Given>(buildRetryCommand(), argv);
  const { failed: failedOnly = false, drop = false, json = false } = given;
  return { queue: readQueuePlace(given), failedOnly, drop, json };
}

/**
 * Puts failed jobs back into the queue, or removes them.
 *
 * @throws {@link StorageError} when the server cannot be reached.
 */
export async function retry(
  { queue: place, failedOnly, drop, json }: RetryOptions,
  { stdout, stderr, signal }: Surroundings,
): Promise<void> {
  const write = lineWriter(stdout);
  const queue = await ArchiveQueue.open(place.address, place.name, { onChange: lineWriter(stderr), signal });
  try {
    if (drop) {
      const dropped = await queue.dropFailed();
      const text = `${dropped} failed jobs of queue ${place.name} are removed.`;
      write(json ? JSON.stringify({ event: 'dropped', queue: place.name, dropped }) : text);
      return;
    }
    const promoted = failedOnly ? 0 : await queue.promoteDelayed();
    const retried = await queue.retryFailed();
    const more = promoted > 0 ? `, and ${promoted} that waited for another try are tried now` : '';
    const text = `${retried} failed jobs of queue ${place.name} will be tried again${more}.`;
    write(json ? JSON.stringify({ event: 'retried', queue: place.name, retried, promoted }) : text);
  } finally {
    await queue.close();
  }
}
