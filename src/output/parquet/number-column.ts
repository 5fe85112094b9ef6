import {
  Column,
  DOUBLE,
  type EncodedColumn,
  type EncodedValues,
  type INT64,
  type ListLevels,
  oneEach,
  type Shape,
  type TIMESTAMP_MS,
  type ValueType,
} from './column.js';
import { type EncodedNumbers, encoder } from './encoder.js';
import { Runs } from './runs.js';

/** Numbers that are gathered for a row group, each in memory as a double, however the file has it. */
abstract class GatheredColumn extends Column {
  readonly #values: Float64Array;
  #count = 0;

  /** @param values room for those of a row group. */
  constructor(name: string, shape: Shape, type: ValueType, values: Float64Array) {
    super(name, shape, type);
    this.#values = values;
  }

  add(value: number): void {
    this.#values[this.#count++] = value;
  }

  addAll(values: Float64Array): void {
    this.#values.set(values, this.#count);
    this.#count += values.length;
  }

  /** Those that were added, in memory that the next ones will be written to. */
  protected takeValues(): Float64Array {
    const values = this.#values.subarray(0, this.#count);
    this.#count = 0;
    return values;
  }
}

/** A number a row. */
export class NumberColumn extends GatheredColumn {
  /** @param values room for those of a row group. */
  constructor(name: string, type: typeof INT64 | typeof TIMESTAMP_MS | typeof DOUBLE, values: Float64Array) {
    super(name, 'required', type, values);
  }

  take(): EncodedColumn {
    const values = this.takeValues();
    const isInteger = this.type !== DOUBLE;
    return { ...withRange(encoder().encode(values, isInteger), isInteger), ...oneEach(values.length) };
  }
}

/** Lists of doubles, added one list after the other. */
export class ListColumn extends GatheredColumn {
  readonly #levels: ListLevels;

  /**
   * @param values room for those of a row group.
   * @param levels to which whoever adds lists here says how long they are.
   */
  constructor(name: string, values: Float64Array, levels: ListLevels) {
    super(name, 'list', DOUBLE, values);
    this.#levels = levels;
  }

  take(): EncodedColumn {
    return { ...withRange(encoder().encode(this.takeValues(), false), false), ...this.#levels.take() };
  }
}

/** Doubles, null for NaN. Whoever adds values writes them to `values`, and to `length` how many there are. */
export class OptionalColumn extends Column {
  readonly values: Float64Array;
  length = 0;

  /** @param values room for those of a row group. */
  constructor(name: string, values: Float64Array) {
    super(name, 'optional', DOUBLE);
    this.values = values;
  }

  take(): EncodedColumn {
    const values = this.length;
    this.length = 0;
    const { count, levels, ...numbers } = encoder().encodeNumbers(this.values.subarray(0, values));
    return {
      ...withRange(numbers, false),
      ...oneEach(values),
      nulls: values - count,
      definitionLevels: levels,
    };
  }
}

/** Whole numbers that stay the same for many rows: an entry and a run of indexes each. */
export class NumberRunColumn extends Column {
  readonly #entries: BigInt64Array;
  readonly #bytesOfIndex: number;
  readonly #indexes: Runs;
  #count = 0;
  #rows = 0;

  /** @param capacity runs in a row group, at most. */
  constructor(name: string, type: typeof INT64 | typeof TIMESTAMP_MS, capacity: number) {
    super(name, 'required', type);
    this.#entries = new BigInt64Array(capacity);
    this.#bytesOfIndex = Math.ceil((32 - Math.clz32(capacity)) / 8);
    this.#indexes = new Runs(this.#bytesOfIndex);
  }

  add(value: number, rows: number): void {
    if (rows === 0) return;
    this.#entries[this.#count] = BigInt(value);
    this.#indexes.add(this.#count++, rows);
    this.#rows += rows;
  }

  take(): EncodedColumn {
    const entries = this.#entries.subarray(0, this.#count);
    const rows = this.#rows;
    this.#count = 0;
    this.#rows = 0;
    let [smallest = 0n, greatest = 0n] = [entries[0], entries[0]];
    for (const entry of entries) {
      if (entry < smallest) smallest = entry;
      if (entry > greatest) greatest = entry;
    }
    return {
      data: Buffer.concat([Uint8Array.of(8 * this.#bytesOfIndex), this.#indexes.take()]),
      elementBytes: 1,
      dictionary: { entries: bytesOf(entries), count: entries.length },
      range: { smallest: bytesOf(BigInt64Array.of(smallest)), greatest: bytesOf(BigInt64Array.of(greatest)) },
      ...oneEach(rows),
    };
  }
}

function withRange({ range, ...encoded }: EncodedNumbers, isInteger: boolean): EncodedValues {
  if (!range) return encoded;
  const { smallest, greatest } = range;
  const bytes = (value: number) => bytesOf(isInteger ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value));
  // A zero may stand for either zero (parquet.thrift, TypeDefinedOrder), and equal ones are not told apart.
  const [low, high] = [smallest === 0 ? -0 : smallest, greatest === 0 ? 0 : greatest];
  return { ...encoded, range: { smallest: bytes(low), greatest: bytes(high) } };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
