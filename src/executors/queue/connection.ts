import type { RedisOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { StorageError } from '../../storage/storage.js';
import { describeAddress, type RedisAddress } from './address.js';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_WAIT_MS = 5000;

/** What Node calls a certificate of an authority that it does not know. */
const NOT_TRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/;

/**
 * Connects to a server, which must be there now. A connection that is lost later is made again, for as long as it takes: a
 * server may be restarted while thousands of jobs wait in it.
 *
 * @param onChange hears that the server cannot be reached any more, once each time, and that it is back.
 * @throws {@link StorageError} when it cannot be reached, or refuses.
 */
export async function connect(address: RedisAddress, onChange: (message: string) => void = () => {}): Promise<Redis> {
  let isUp = false;
  let hasConnected = false;
  const client = new Redis({
    ...redisOptions(address),
    lazyConnect: true,
    retryStrategy: (times: number) => (hasConnected ? retryAfterMs(times) : null),
  });
  let lastError: Error | undefined;
  client.on('error', (error: Error) => {
    lastError = error;
  });
  client.on('close', () => {
    if (isUp) onChange(`the queue at ${describeAddress(address)} cannot be reached; trying again`);
    isUp = false;
  });
  client.on('ready', () => {
    if (hasConnected && !isUp) onChange(`the queue at ${describeAddress(address)} is back`);
    isUp = true;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    const { message, code = '' }: NodeJS.ErrnoException = lastError ?? (error as Error);
    const advice = NOT_TRUSTED.test(code)
      ? ': set NODE_EXTRA_CA_CERTS to the file of the authority that signed it'
      : '';
    throw new StorageError(`Cannot use the queue at ${describeAddress(address)}: ${message}${advice}`, {
      cause: error,
    });
  }
  hasConnected = true;
  return client;
}

/**
 * What BullMQ connects by.
 *
 * @param isOver whether nothing is wanted of the server any more. A connection that is lost while BullMQ closes it would be made
 * again for ever (seen with version 5), and keep its process from ending.
 */
export function bullConnection(address: RedisAddress, isOver: () => boolean): RedisOptions {
  return { ...redisOptions(address), retryStrategy: (times: number) => (isOver() ? null : retryAfterMs(times)) };
}

function redisOptions({ host, port, db, username, password, isEncrypted }: RedisAddress): RedisOptions {
  return {
    ...{ host, port, db, connectTimeout: CONNECT_TIMEOUT_MS },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isEncrypted && { tls: {} }),
    maxRetriesPerRequest: null, // a command waits until the server is back
  };
}

function retryAfterMs(times: number): number {
  return Math.min(100 * 2 ** Math.min(times, 10), MAX_WAIT_MS);
}
