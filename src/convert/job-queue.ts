/** Which job of a run is next: those in order, and then those that another run was making when they came up. */
import { setTimeout } from 'node:timers/promises';
import type { Writer } from '../storage/storage.js';
import { isSameVersion } from '../storage/version.js';
import type { PlanEntry } from './plan.js';

export type ConvertEntry = Extract<PlanEntry, { action: 'convert' }>;

/** In which order archives are converted: the largest files first, or by the day in their names. */
export type Order = (typeof ORDERS)[number];
export const ORDERS = ['largest', 'newest', 'oldest'] as const;

/** How long to wait before looking again whether another run has made an archive. */
const MS_BETWEEN_LOOKS = 250;

/** Another run that has written nothing for this long is taken to stand still: its archive is made here too. */
const STANDSTILL_MS = 60_000;

/** A job, and what to know when it is run. */
export interface QueuedJob {
  entry: ConvertEntry;
  /** Runs that stand still, to which it does not give way. */
  ignoredRuns: string[];
}

/** A job that waits for what another run makes of it. */
interface Deferred {
  entry: ConvertEntry;
  /** The other run, and what its output was like when it had last changed. */
  writer: Writer;
  changedMs: number;
  /** When to look again. */
  dueMs: number;
}

export class JobQueue {
  readonly #fresh: ConvertEntry[];
  /** The next due first. */
  readonly #deferred: Deferred[] = [];
  /** Of jobs put off that are being looked at again. */
  readonly #lookedAt = new Map<ConvertEntry, Deferred>();
  readonly #onWait: (archives: number) => void;
  #hasWaited = false;

  /** @param onWait hears once, before the first wait, how many archives other runs are making. */
  constructor(entries: ConvertEntry[], order: Order, onWait: (archives: number) => void) {
    this.#fresh = inOrder(entries, order);
    this.#onWait = onWait;
  }

  /** The next job, if need be after a wait; `undefined` when there is none, or when the signal is aborted. */
  async next(signal: AbortSignal): Promise<QueuedJob | undefined> {
    if (signal.aborted) return undefined;
    const fresh = this.#fresh.shift();
    if (fresh) return { entry: fresh, ignoredRuns: [] };
    const deferred = this.#deferred.shift();
    if (!deferred) return undefined;
    this.#lookedAt.set(deferred.entry, deferred);
    const waitMs = deferred.dueMs - performance.now();
    if (waitMs > 0) {
      if (!this.#hasWaited) this.#onWait(1 + this.#deferred.length);
      this.#hasWaited = true;
      await setTimeout(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
    const { entry, writer, changedMs } = deferred;
    const standsStill = performance.now() - changedMs > STANDSTILL_MS;
    return { entry, ignoredRuns: standsStill ? [writer.runId] : [] };
  }

  /** Puts a job off until all others are done, and then until the other run has made it, or makes it no longer. */
  defer(entry: ConvertEntry, writer: Writer): void {
    const before = this.#lookedAt.get(entry);
    this.#lookedAt.delete(entry);
    const nowMs = performance.now();
    const changedMs = before && isSame(before.writer, writer) ? before.changedMs : nowMs;
    this.#deferred.push({ entry, writer, changedMs, dueMs: nowMs + MS_BETWEEN_LOOKS });
  }
}

/** A file that nobody has written to since. */
function isSame(before: Writer, now: Writer): boolean {
  return before.runId === now.runId && isSameVersion(before, now);
}

/** Days of one date are in the order of size too, so that the end is not one long straggler. */
function inOrder(entries: ConvertEntry[], order: Order): ConvertEntry[] {
  const bySize = [...entries].sort((a, b) => b.job.archive.sizeBytes - a.job.archive.sizeBytes);
  if (order === 'largest') return bySize;
  const direction = order === 'oldest' ? 1 : -1;
  return bySize.sort((a, b) => direction * compare(a.job.archive.date, b.job.archive.date));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
