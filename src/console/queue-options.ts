/** The options of the commands that work with a queue. */

// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { UsageError } from '../base/usage-error.js';
import { PASSWORD_VARIABLE, parseRedisAddress, type RedisAddress } from '../executors/queue/address.js';

/** What these options say, as commander has it. */
export interface GivenQueue {
  queue?: string;
  queueName: string;
}

/** Which queue is meant. */
export interface QueuePlace {
  address: RedisAddress;
  name: string;
}

export const queueOptions = {
  queue: () =>
    new commander.Option(
      '--queue <url>',
      `Redis or Valkey server with the queue: redis://HOST:PORT/DATABASE, rediss:// for an encrypted connection. Its password ` +
        `is taken from ${PASSWORD_VARIABLE}.`,
    ).env('BOOKGRID_QUEUE'),
  queueName: () =>
    new commander.Option('--queue-name <name>', 'Which queue of that server. Use it for jobs with other options.')
      .argParser((text) => {
        if (!/^[\w.-]{1,64}$/.test(text)) {
          throw new commander.InvalidArgumentError('Expected up to 64 letters, digits, -, _ and dots.');
        }
        return text;
      })
      .default('jobs'),
};

/** @throws {@link UsageError} when no server is said, or not as an address. */
export function readQueuePlace({ queue, queueName }: GivenQueue): QueuePlace {
  if (queue === undefined) {
    throw new UsageError('Say where the queue is: --queue redis://HOST:PORT/DATABASE, or BOOKGRID_QUEUE.');
  }
  return { address: parseRedisAddress(queue, process.env[PASSWORD_VARIABLE]), name: queueName };
}
