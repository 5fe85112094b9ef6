import type { MessageFacts } from '../book/book-auditor.js';
import { type Break, MAX_LISTED, type SnapshotFound, type UpdateIds } from './findings.js';

/** Follows `u` from message to message, and the snapshots after which a book is right again. */
export class UpdateIdTracker {
  readonly snapshotList: SnapshotFound[] = [];
  /** The last snapshot, and whether it repeats the `u` of the message before. */
  lastSnapshot: (SnapshotFound & { repeats: boolean }) | null = null;
  #breaks = 0;
  #backward = 0;
  #missingMessages = 0;
  #rebases = 0;
  readonly #breakList: Break[] = [];
  /** Breaks in the list that no snapshot has followed yet. */
  #openBreaks: Break[] = [];
  #suspectSince: number | undefined;
  #suspectMs = 0;
  #last = Number.NaN;
  #runStart = Number.NaN;
  #moment = 0;

  hear({ isSnapshot, tsMs, updateId }: Readonly<MessageFacts>, moment: number): void {
    const previous = this.#last;
    this.#last = updateId;
    this.#moment = moment;
    if (isSnapshot) this.#hearSnapshot(tsMs, updateId, previous);
    else if (updateId !== previous + 1) this.#hearOther(updateId, previous);
  }

  /** The book, if there is one, may be wrong from now on. */
  suspect(): void {
    if (this.lastSnapshot) this.#suspectSince ??= this.#moment;
  }

  get findings(): UpdateIds {
    const suspectNow = this.#suspectSince === undefined ? 0 : this.#moment - this.#suspectSince;
    return {
      breaks: this.#breaks,
      backward: this.#backward,
      missingMessages: this.#missingMessages,
      rebases: this.#rebases,
      breakList: this.#breakList,
      suspectMs: this.#suspectMs + suspectNow,
      last: orNull(this.#last),
      runStart: orNull(this.#runStart),
    };
  }

  #hearSnapshot(tsMs: number, updateId: number, previous: number): void {
    const snapshot = { tsMs, updateId: orNull(updateId) };
    const repeats = updateId === previous;
    const goesOn = repeats || updateId === previous + 1;
    const isFirst = this.lastSnapshot === null;
    if (this.snapshotList.length < MAX_LISTED) this.snapshotList.push(snapshot);
    this.lastSnapshot = { ...snapshot, repeats };
    if (!isFirst && !goesOn && !Number.isNaN(previous) && !Number.isNaN(updateId)) this.#rebases++;
    if (!goesOn) this.#runStart = updateId;
    if (this.#suspectSince !== undefined) this.#suspectMs += this.#moment - this.#suspectSince;
    this.#suspectSince = undefined;
    for (const open of this.#openBreaks) open.untilSnapshotMs = this.#moment - open.moment;
    this.#openBreaks = [];
  }

  /** A delta that does not follow on. */
  #hearOther(updateId: number, previous: number): void {
    this.#runStart = updateId;
    if (Number.isNaN(previous) || Number.isNaN(updateId)) return;
    const missing = updateId > previous ? updateId - previous - 1 : null;
    this.#breaks++;
    if (missing === null) this.#backward++;
    else this.#missingMessages += missing;
    this.suspect();
    if (this.#breakList.length === MAX_LISTED) return;
    const found = { moment: this.#moment, missing, untilSnapshotMs: null };
    this.#breakList.push(found);
    this.#openBreaks.push(found);
  }
}

function orNull(updateId: number): number | null {
  return Number.isNaN(updateId) ? null : updateId;
}
