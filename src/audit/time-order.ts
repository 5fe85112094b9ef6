import { MAX_SILENCES, type Silence } from './findings.js';

/** Follows `ts` from message to message. */
export class TimeOrderTracker {
  /** The latest `ts` so far. */
  moment = Number.NEGATIVE_INFINITY;
  repeatedTs = 0;
  greatestStepBackMs = 0;
  /** The longest so far, the longest first, of equal ones the first. */
  readonly silences: Silence[] = [];
  #previousTsMs = Number.NaN;

  hear(tsMs: number): void {
    if (tsMs === this.#previousTsMs) this.repeatedTs++;
    this.#previousTsMs = tsMs;
    if (tsMs < this.moment) {
      this.greatestStepBackMs = Math.max(this.greatestStepBackMs, this.moment - tsMs);
      return;
    }
    const ms = tsMs - this.moment;
    if (ms > 0 && ms < Number.POSITIVE_INFINITY) this.#hearSilence({ fromMs: this.moment, ms });
    this.moment = tsMs;
  }

  #hearSilence(silence: Silence): void {
    const { silences } = this;
    const shortest = silences[MAX_SILENCES - 1];
    if (shortest && shortest.ms >= silence.ms) return;
    const place = silences.findIndex(({ ms }) => ms < silence.ms);
    silences.splice(place < 0 ? silences.length : place, 0, silence);
    silences.length = Math.min(silences.length, MAX_SILENCES);
  }
}
