import type { LadderRow, RowSource } from './ladder-row.js';

/** Rows that are kept: some MB of deep ones. Before and after these, the file is read again. */
const KEPT_ROWS = 4000;

/**
 * A place in a file that goes from row to row. Onward it reads on. Back it has kept some rows, and before these it reads the
 * file once more, since neither an archive nor gzipped text can be read backwards.
 */
export class RowWalk {
  readonly #source: RowSource;
  #rows: LadderRow[] = [];
  #at = -1;
  /** Goes on after the last of the rows; `undefined` when it is to be read again from there. */
  #rest: AsyncGenerator<LadderRow, void, undefined> | undefined;

  constructor(source: RowSource) {
    this.#source = source;
  }

  /** Where it is; `undefined` before the first `go`, and when there is no row. */
  get row(): LadderRow | undefined {
    return this.#rows[this.#at];
  }

  /** Goes to the latest row at or before a time, or to the first when none is. */
  async goTo(ms: number): Promise<void> {
    await this.close();
    const rest = this.#source.readFrom(ms);
    const { value: row } = await rest.next();
    this.#rows = row ? [row] : [];
    this.#at = 0;
    this.#rest = rest;
  }

  /** Goes so many rows on, or to the last when there are not as many. */
  async forward(count: number): Promise<void> {
    for (let step = 0; step < count; step++) {
      if (this.#at + 1 === this.#rows.length && !(await this.#readOn())) return;
      this.#at++;
    }
  }

  /** Goes so many rows back, or to the first when there are not as many. */
  async back(count: number): Promise<void> {
    for (let step = 0; step < count; step++) {
      if (this.#at === 0 && !(await this.#readBefore())) return;
      this.#at--;
    }
  }

  /** Lets go of the file. */
  async close(): Promise<void> {
    const rest = this.#rest;
    this.#rest = undefined;
    await rest?.return();
  }

  async #readOn(): Promise<boolean> {
    this.#rest ??= await this.#readAfter(this.#rows.at(-1));
    const { value: row } = await this.#rest.next();
    if (!row) return false;
    this.#rows.push(row);
    if (this.#rows.length > KEPT_ROWS) {
      this.#rows.shift();
      this.#at--;
    }
    return true;
  }

  /** Reads the rows before the first. @returns whether there are any. */
  async #readBefore(): Promise<boolean> {
    const first = this.#rows[0];
    if (!first) return false;
    const before: LadderRow[] = [];
    for await (const row of this.#source.readFrom(first.timeMs - this.#source.lookBackMs)) {
      if (isSame(row, first)) break;
      before.push(row);
      if (before.length > KEPT_ROWS) before.shift();
    }
    this.#rows.unshift(...before);
    this.#at += before.length;
    if (this.#rows.length > 2 * KEPT_ROWS) {
      await this.close();
      this.#rows.length = KEPT_ROWS;
    }
    return before.length > 0;
  }

  /** Reads on after a row that was read before. */
  async #readAfter(last: LadderRow | undefined): Promise<AsyncGenerator<LadderRow, void, undefined>> {
    // From just before it, since other messages may have the same time.
    const rows = this.#source.readFrom((last?.timeMs ?? Number.NEGATIVE_INFINITY) - 1);
    for (let next = await rows.next(); last && next.value && !isSame(next.value, last); ) next = await rows.next();
    return rows;
  }
}

/** Whether two readings of a file gave the same row. */
function isSame(a: LadderRow, b: LadderRow): boolean {
  return a.timeMs === b.timeMs && a.message?.number === b.message?.number;
}
