import { type BookRow, bestLevels, type Levels, type RowState } from '../base/rows.js';
import type { Engine } from '../book/engine.js';

/**
 * The row that is due, at each of the depths: what several outputs ask for is made once, and what none asks for never.
 */
export class BookRows {
  readonly #engine: Engine;
  readonly #byDepth: Map<number, Row>;
  readonly #deepest: number;
  #levels: Levels | undefined;

  constructor(engine: Engine, depths: number[]) {
    this.#engine = engine;
    this.#deepest = Math.max(...depths);
    this.#byDepth = new Map(depths.map((depth) => [depth, new Row(depth, engine, this)]));
  }

  /** Goes on to the next row. */
  turn(state: RowState): void {
    this.#levels = undefined;
    for (const row of this.#byDepth.values()) row.turn(state);
  }

  /** The row at one of the depths. */
  at(depth: number): BookRow {
    const row = this.#byDepth.get(depth);
    if (!row) throw new RangeError(`no rows of depth ${depth} were asked for`);
    return row;
  }

  /** The levels down to the greatest depth. */
  get levels(): Levels {
    this.#levels ??= this.#engine.levels(this.#deepest);
    return this.#levels;
  }
}

class Row implements BookRow {
  boundaryMs = 0;
  bookTsMs = 0;
  isFilled = false;
  isSuspect = false;
  isCrossed = false;
  isPartial = false;
  readonly #depth: number;
  readonly #engine: Engine;
  readonly #rows: BookRows;
  #cells: Uint8Array | undefined;
  #isThin: boolean | undefined;

  constructor(depth: number, engine: Engine, rows: BookRows) {
    this.#depth = depth;
    this.#engine = engine;
    this.#rows = rows;
  }

  turn(state: RowState): void {
    this.boundaryMs = state.boundaryMs;
    this.bookTsMs = state.bookTsMs;
    this.isFilled = state.isFilled;
    this.isSuspect = state.isSuspect;
    this.isCrossed = state.isCrossed;
    this.isPartial = state.isPartial;
    this.#cells = undefined;
    this.#isThin = undefined;
  }

  get isThin(): boolean {
    this.#isThin ??= this.#engine.isThin(this.#depth);
    return this.#isThin;
  }

  get cells(): Uint8Array {
    // Copied: the engine writes the next depth's cells where these are.
    this.#cells ??= Buffer.from(this.#engine.row(this.#depth));
    return this.#cells;
  }

  get levels(): Levels {
    return bestLevels(this.#rows.levels, this.#depth);
  }
}
