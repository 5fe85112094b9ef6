import type { MessageFacts } from '../book/book-auditor.js';
import type { AbsentDeletes, LevelCounts } from './findings.js';

/** Compares how many levels a book has with the source depth, and counts deletes of levels that it does not have. */
export class LevelTracker {
  readonly absentDeletes: AbsentDeletes = { deletes: 0, messages: 0, firstMoment: null };
  readonly #depth: number;
  #isEmpty = true;
  #messagesOff = 0;
  #firstMoment: number | null = null;
  #minBids = Number.POSITIVE_INFINITY;
  #maxBids = 0;
  #minAsks = Number.POSITIVE_INFINITY;
  #maxAsks = 0;

  constructor(sourceDepth: number) {
    this.#depth = sourceDepth;
  }

  hear({ bidLevels, askLevels, absentDeletes }: Readonly<MessageFacts>, moment: number): void {
    this.#isEmpty = false;
    if (bidLevels < this.#minBids) this.#minBids = bidLevels;
    if (bidLevels > this.#maxBids) this.#maxBids = bidLevels;
    if (askLevels < this.#minAsks) this.#minAsks = askLevels;
    if (askLevels > this.#maxAsks) this.#maxAsks = askLevels;
    if (bidLevels !== this.#depth || askLevels !== this.#depth) {
      this.#messagesOff++;
      this.#firstMoment ??= moment;
    }
    if (absentDeletes === 0) return;
    this.absentDeletes.deletes += absentDeletes;
    this.absentDeletes.messages++;
    this.absentDeletes.firstMoment ??= moment;
  }

  /** null: no message came. */
  get findings(): LevelCounts | null {
    if (this.#isEmpty) return null;
    return {
      messagesOff: this.#messagesOff,
      firstMoment: this.#firstMoment,
      minBids: this.#minBids,
      maxBids: this.#maxBids,
      minAsks: this.#minAsks,
      maxAsks: this.#maxAsks,
    };
  }
}
