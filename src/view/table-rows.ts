import { NumberList } from '../base/number-list.js';
import { OutputError, type TableColumns } from './book-columns.js';

/** Numbers that are answered at once: a day of eight columns at 100 ms is a quarter of them. */
const MAX_NUMBERS = 2 ** 25;

/** Gathers rows of named numbers. */
export class TableRows {
  readonly names: readonly string[];
  readonly #times = new NumberList(Float64Array, Number.NaN);
  readonly #values: NumberList[];
  #lastMs = -Infinity;

  constructor(names: readonly string[]) {
    this.names = names;
    this.#values = names.map(() => new NumberList(Float64Array, Number.NaN));
  }

  /**
   * @param valueAt of the column with a number.
   * @throws {@link OutputError} when there are too many, or a row is not later than the one before.
   */
  push(timeMs: number, valueAt: (column: number) => number): void {
    if (!(timeMs > this.#lastMs)) throw new OutputError('expected timestamps in ms, each later than the one before');
    this.#lastMs = timeMs;
    if ((this.#times.length + 1) * (this.names.length + 1) > MAX_NUMBERS) {
      throw new OutputError(`more than ${MAX_NUMBERS} numbers: ask for fewer columns, or a shorter time`);
    }
    this.#times.push(timeMs);
    this.#values.forEach((values, column) => {
      values.push(valueAt(column));
    });
  }

  take(): TableColumns {
    return {
      timesMs: this.#times.toDoubles(),
      names: [...this.names],
      values: this.#values.map((values) => values.toDoubles()),
    };
  }
}
