import { sleep } from './pace.js';

/** How often to look whether another run has done with a file. */
const LOOK_AGAIN_MS = 1000;

/** Files to be fetched, in their order; those that another run is at come once more, in the end. */
export class FetchQueue<T> {
  readonly #files: T[];
  readonly #deferred: T[] = [];
  readonly #onWait: (files: number) => void;
  #hasWaited = false;

  /** @param onWait hears, once, when nothing is left but what other runs are at, and how many files these are. */
  constructor(files: readonly T[], onWait: (files: number) => void) {
    this.#files = [...files];
    this.#onWait = onWait;
  }

  /** The next file; `undefined`: there is none. @throws the reason of the signal when it is aborted. */
  async next(signal: AbortSignal): Promise<T | undefined> {
    signal.throwIfAborted();
    const file = this.#files.shift();
    if (file !== undefined || this.#deferred.length === 0) return file;
    if (!this.#hasWaited) this.#onWait(this.#deferred.length);
    this.#hasWaited = true;
    const deferred = this.#deferred.shift();
    await sleep(LOOK_AGAIN_MS, signal);
    return deferred;
  }

  /** Puts a file off that another run is at. */
  defer(file: T): void {
    this.#deferred.push(file);
  }
}
