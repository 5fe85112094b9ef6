/**
 * Notices a read that never comes back, as of an archive on a network disk whose server has gone. A thread that waits for
 * such a read does not hear anything, so another one has to notice: both see the same counter.
 */
import { formatInterval } from '../base/time.js';
import { StorageError } from '../storage/storage.js';

/** How often a watch looks, until it gives a read up. */
const LOOKS = 20;

/** How long to wait, at the end of a run, for a read that is under way. */
export const LAST_READ_MS = 2000;

/** Counts the beginnings and the ends of reads, one at a time: while one is under way the count is odd. */
export class ReadCounter {
  readonly #count: Int32Array;

  /** @param shared memory of the counter, to be handed to the other thread; new when absent. */
  constructor(readonly shared = new SharedArrayBuffer(4)) {
    this.#count = new Int32Array(shared);
  }

  /** Notes that a read begins, or that it has come back. */
  turn(): void {
    Atomics.add(this.#count, 0, 1);
  }

  get count(): number {
    return Atomics.load(this.#count, 0);
  }

  get isReading(): boolean {
    return (this.count & 1) === 1;
  }
}

/** The reading of an archive was given up. */
export class StalledError extends StorageError {
  override name = 'StalledError';

  constructor(stallTimeoutMs: number) {
    super(
      `no byte of it could be read for ${formatInterval(stallTimeoutMs)} (the stall timeout): the disk or server that it ` +
        'lies on does not answer. Run the same command again when it does',
    );
  }
}

/**
 * Watches the reads of a job. What counts is how often it has looked, not what the clock says: a process that stood still
 * (SIGSTOP, a sleeping machine) has not waited for anybody.
 *
 * @param stallTimeoutMs how long a read may take; 0: as long as it takes.
 * @param onStall hears of it, once.
 * @returns what ends the watch.
 */
export function watchReads(reads: ReadCounter, stallTimeoutMs: number, onStall: () => void): () => void {
  if (stallTimeoutMs === 0) return () => {};
  let seen = reads.count;
  let looks = 0;
  const timer = setInterval(() => {
    const { count, isReading } = reads;
    looks = isReading && count === seen ? looks + 1 : 0;
    seen = count;
    if (looks < LOOKS) return;
    clearInterval(timer);
    onStall();
  }, stallTimeoutMs / LOOKS);
  return () => clearInterval(timer);
}
