/** Which job of a run is next: those in order, and then those that another run was making when they came up. */
import { setTimeout } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.js';
import { midnightMs } from '../base/time.js';
import type { Writer } from '../storage/storage.js';
import { isSameVersion } from '../storage/version.js';
import type { PlanEntries, PlanEntry } from './plan.js';

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
  readonly #entries: PlanEntries;
  /** Of those to be converted: where they are in the plan, in the order in which they are. */
  readonly #places: Uint32Array;
  /** How many have been given out. */
  #given = 0;
  /** The next due first. */
  readonly #deferred: Deferred[] = [];
  /** Of jobs put off that are being looked at again. */
  readonly #lookedAt = new Map<ConvertEntry, Deferred>();
  readonly #onWait: (archives: number) => void;
  #hasWaited = false;

  /** @param onWait hears once, before the first wait, how many archives other runs are making. */
  constructor(entries: PlanEntries, order: Order, onWait: (archives: number) => void) {
    this.#entries = entries;
    this.#places = placesInOrder(entries, order);
    this.#onWait = onWait;
  }

  /** How many jobs there are in all. */
  get length(): number {
    return this.#places.length;
  }

  /** The next job, if need be after a wait; `undefined` when there is none, or when the signal is aborted. */
  async next(signal: AbortSignal): Promise<QueuedJob | undefined> {
    if (signal.aborted) return undefined;
    const place = this.#places[this.#given++];
    if (place !== undefined) return { entry: this.#entries.at(place) as ConvertEntry, ignoredRuns: [] };
    const deferred = this.#deferred.shift();
    if (!deferred) return undefined;
    this.#lookedAt.set(deferred.entry, deferred);
    const waitMs = deferred.dueMs - monotonicMs();
    if (waitMs > 0) {
      if (!this.#hasWaited) this.#onWait(1 + this.#deferred.length);
      this.#hasWaited = true;
      await setTimeout(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
    const { entry, writer, changedMs } = deferred;
    const standsStill = monotonicMs() - changedMs > STANDSTILL_MS;
    return { entry, ignoredRuns: standsStill ? [writer.runId] : [] };
  }

  /** Puts a job off until all others are done, and then until the other run has made it, or makes it no longer. */
  defer(entry: ConvertEntry, writer: Writer): void {
    const before = this.#lookedAt.get(entry);
    this.#lookedAt.delete(entry);
    const nowMs = monotonicMs();
    const changedMs = before && isSame(before.writer, writer) ? before.changedMs : nowMs;
    this.#deferred.push({ entry, writer, changedMs, dueMs: nowMs + MS_BETWEEN_LOOKS });
  }
}

/** A file that nobody has written to since. */
function isSame(before: Writer, now: Writer): boolean {
  return before.runId === now.runId && isSameVersion(before, now);
}

/** Days of one date are in the order of size too, so that the end is not one long straggler. */
function placesInOrder(entries: PlanEntries, order: Order): Uint32Array {
  const [places, sizes, days]: [number[], number[], number[]] = [[], [], []];
  let place = 0;
  for (const entry of entries) {
    if (entry.action === 'convert') {
      places.push(place);
      sizes[place] = entry.sizeBytes;
      days[place] = order === 'largest' ? 0 : midnightMs(entry.job.archive.date);
    }
    place++;
  }
  const direction = order === 'oldest' ? 1 : -1;
  const at = (numbers: number[], index: number) => numbers[index] ?? 0;
  return Uint32Array.from(places).sort(
    (a, b) => direction * (at(days, a) - at(days, b)) || at(sizes, b) - at(sizes, a) || a - b,
  );
}
