/** Where a job is, as far as it matters to whoever wants to end its thread. */
const OPEN = 0;
const COMMITTING = 1;
const SHUT = 2;

/**
 * Stands between the work of a job and its commit (record, then publish), so that a thread is never ended in the middle
 * of a commit: either the job has passed, and is waited for, or the gate is shut, and it never will. Both threads see the
 * same four bytes, so one of them is the first.
 */
export class CommitGate {
  readonly #state: Int32Array;

  /** @param shared memory of the gate, to be handed to the other thread; new, and open, when absent. */
  constructor(readonly shared = new SharedArrayBuffer(4)) {
    this.#state = new Int32Array(shared);
  }

  /** Asks, in the thread of the job, whether it may commit. */
  pass(): boolean {
    return Atomics.compareExchange(this.#state, 0, OPEN, COMMITTING) !== SHUT;
  }

  /** Keeps the job from committing. @returns false when it has begun to, or has ended. */
  shut(): boolean {
    return Atomics.compareExchange(this.#state, 0, OPEN, SHUT) !== COMMITTING;
  }
}
