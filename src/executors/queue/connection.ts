import { setTimeout } from 'node:timers/promises';
import type { RedisOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { unlessAborted } from '../../base/aborted.js';
import { StorageError } from '../../storage/storage.js';
import { describeAddress, type RedisAddress } from './address.js';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_WAIT_MS = 5000;
/** How often to look whether the server still answers, and how long it may take. */
const LOOK_MS = 10_000;
const SILENCE_MS = 10_000;

/** What Node calls a certificate of an authority that it does not know. */
const NOT_TRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/;

/** How a connection is watched, and given up. */
export interface ConnectHooks {
  /** Hears that the server is lost, or silent, and that it is back, once each time. */
  onChange?: ((message: string) => void) | undefined;
  /** Gives up, whatever is waited for. */
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a server, which must be there now. A connection that is lost later is made again, for as long as it takes: a
 * server may be restarted while thousands of jobs wait in it.
 *
 * @throws {@link StorageError} when it cannot be reached, does not answer, has no such database, or refuses; the signal's
 * reason.
 */
export async function connect(
  address: RedisAddress,
  { onChange = () => {}, signal }: ConnectHooks = {},
): Promise<Redis> {
  let isUp = false;
  let hasConnected = false;
  const tell = (what: string) => onChange(`the queue at ${describeAddress(address)} ${what}`);
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
    if (isUp) tell('cannot be reached; trying again');
    isUp = false;
  });
  client.on('ready', () => {
    if (hasConnected && !isUp) tell('is back');
    isUp = true;
  });
  const giveUp = AbortSignal.any([AbortSignal.timeout(CONNECT_TIMEOUT_MS), ...(signal ? [signal] : [])]);
  try {
    await unlessAborted(begin(client, address), giveUp);
    if (giveUp.aborted) throw new Error(`it has not answered for ${CONNECT_TIMEOUT_MS / 1000} s`);
  } catch (error) {
    client.disconnect();
    signal?.throwIfAborted();
    const { message, code = '' }: NodeJS.ErrnoException = lastError ?? (error as Error);
    const advice = NOT_TRUSTED.test(code)
      ? ': set NODE_EXTRA_CA_CERTS to the file of the authority that signed it'
      : '';
    throw new StorageError(`Cannot use the queue at ${describeAddress(address)}: ${message}${advice}`, {
      cause: error,
    });
  }
  hasConnected = true;
  void tellSilence(client, () => isUp, tell);
  return client;
}

/** The client itself takes no notice when the server has no such database, and goes on with the first one. */
async function begin(client: Redis, { db }: RedisAddress): Promise<void> {
  await client.connect();
  await client.select(db);
}

/** A server may keep its connections, and answer nothing: it hangs, or its machine does. */
async function tellSilence(client: Redis, isUp: () => boolean, tell: (what: string) => void): Promise<void> {
  const rest = { ref: false };
  for (;;) {
    await setTimeout(LOOK_MS, undefined, rest);
    if (client.status === 'end') return;
    if (!isUp()) continue;
    const answer = client.ping().catch(() => {});
    const isSilent = await Promise.race([answer.then(() => false), setTimeout(SILENCE_MS, true, rest)]);
    if (!isSilent || !isUp()) continue;
    tell('does not answer; waiting for it');
    await answer;
    if (isUp()) tell('answers again');
  }
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
