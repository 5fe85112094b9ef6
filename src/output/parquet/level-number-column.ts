import { Column, type EncodedColumn, INT32, oneEach } from './column.js';
import { indexHead } from './dictionary.js';

/** The numbers of levels, 1, 2, 3, … for a side each: indexes into a dictionary of all of them, copied a side at once. */
export class LevelNumberColumn extends Column {
  readonly #entries: Int32Array;
  /** Of the deepest side, and behind them those of the row group. */
  readonly #indexes: Uint8Array | Uint16Array;
  #count = 0;

  /**
   * @param depth levels of a side, at most.
   * @param capacity values in a row group, at most.
   */
  constructor(name: string, depth: number, capacity: number) {
    super(name, 'required', INT32);
    this.#entries = Int32Array.from({ length: depth }, (_, index) => index + 1);
    const room = depth + Math.ceil(capacity / 8) * 8;
    this.#indexes = depth <= 2 ** 8 ? new Uint8Array(room) : new Uint16Array(room);
    for (let index = 0; index < depth; index++) this.#indexes[index] = index;
  }

  /** Adds the numbers of a side's levels. */
  add(levels: number): void {
    this.#indexes.copyWithin(this.#entries.length + this.#count, 0, levels);
    this.#count += levels;
  }

  take(): EncodedColumn {
    const count = this.#count;
    this.#count = 0;
    const start = this.#entries.length;
    const padded = Math.ceil(count / 8) * 8;
    this.#indexes.fill(0, start + count, start + padded);
    const { buffer, BYTES_PER_ELEMENT: bytesOfIndex } = this.#indexes;
    const head = Uint8Array.from(indexHead(padded, bytesOfIndex));
    return {
      data: Buffer.concat([head, new Uint8Array(buffer, start * bytesOfIndex, padded * bytesOfIndex)]),
      elementBytes: bytesOfIndex,
      dictionary: { entries: new Uint8Array(this.#entries.buffer), count: start },
      ...oneEach(count),
    };
  }
}
