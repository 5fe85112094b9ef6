import type { Crossed } from './findings.js';

/** Measures stretches in which the best bid is at or above the best ask. */
export class CrossedTracker {
  #messages = 0;
  #times = 0;
  #ms = 0;
  #longestMs = 0;
  #firstMoment: number | null = null;
  #since: number | undefined;
  #moment = 0;

  hear(isCrossed: boolean, moment: number): void {
    this.#moment = moment;
    if (!isCrossed) {
      if (this.#since !== undefined) this.#end(this.#since);
      return;
    }
    this.#messages++;
    if (this.#since !== undefined) return;
    this.#times++;
    this.#since = moment;
    this.#firstMoment ??= moment;
  }

  /** A stretch that lasts to the end lasts to the last message. */
  finish(): Crossed {
    if (this.#since !== undefined) this.#end(this.#since);
    return {
      messages: this.#messages,
      times: this.#times,
      ms: this.#ms,
      longestMs: this.#longestMs,
      firstMoment: this.#firstMoment,
    };
  }

  #end(since: number): void {
    const ms = this.#moment - since;
    this.#ms += ms;
    this.#longestMs = Math.max(this.#longestMs, ms);
    this.#since = undefined;
  }
}
