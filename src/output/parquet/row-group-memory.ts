/** As much as the row groups of any layout take, unless a single row has more. */
export const ROW_GROUP_NUMBERS = 2 ** 21;

/** Buffers that no file uses: memory that has been touched before costs nothing to get, and is not there twice. */
const idle: ArrayBuffer[] = [];
/** A conversion writes two depths and metrics at once, seldom more. */
const MAX_IDLE = 3;

/** Where the columns of one file gather the numbers of a row group. */
export class RowGroupMemory {
  readonly #buffer: ArrayBuffer;
  #used = 0;

  /** @param numbers in all columns together. */
  constructor(numbers: number) {
    const isOfUsualSize = numbers <= ROW_GROUP_NUMBERS;
    this.#buffer =
      (isOfUsualSize ? idle.pop() : undefined) ?? new ArrayBuffer(8 * Math.max(numbers, ROW_GROUP_NUMBERS));
  }

  /** Room for the numbers of one column. */
  numbers(count: number): Float64Array {
    const numbers = new Float64Array(this.#buffer, this.#used, count);
    this.#used += numbers.byteLength;
    return numbers;
  }

  /** Gives the memory back, when the file is written; that of one in which something failed is the collector's. */
  release(): void {
    if (idle.length < MAX_IDLE && this.#buffer.byteLength === 8 * ROW_GROUP_NUMBERS) idle.push(this.#buffer);
  }
}
