import { setTimeout } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.js';

const MAX_BACKOFF_MS = 30_000;

/** When the next request may be sent, by any of the connections: a host that is annoyed by one is annoyed by all. */
export class Pace {
  #openAtMs = 0;

  /** Nobody sends anything for so long from now on. */
  hold(ms: number): void {
    this.#openAtMs = Math.max(this.#openAtMs, monotonicMs() + ms);
  }

  /** Waits until requests may be sent. @throws the reason of the signal when it is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    for (let ms = this.#waitMs(); ms > 0; ms = this.#waitMs()) await sleep(ms, signal);
    signal.throwIfAborted();
  }

  #waitMs(): number {
    return Math.ceil(this.#openAtMs - monotonicMs());
  }
}

/**
 * How long to wait after so many failures in a row: twice as long each time, give or take a half, so that connections
 * that failed together do not come back together.
 */
export function backoffMs(failures: number, firstMs: number): number {
  return Math.min(MAX_BACKOFF_MS, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random());
}

/** @throws the reason of the signal when it is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** What a `Retry-After` header asks for, in ms; `undefined`: nothing that can be read. */
export function parseRetryAfter(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const ms = Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
