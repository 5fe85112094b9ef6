import { ByteWriter, type SchemaElement } from 'hyparquet-writer';
import { DECIMAL_BYTES, decimalsOf, withoutNeedlessZeros } from './decimal.js';
import { DECIMAL_PRECISION, DECIMAL_SCALE } from './decimal-error.js';
import { numberDictionary, textDictionary } from './dictionary.js';

/**
 * Columns of a Parquet file, which gather the values of a row group and encode them. hyparquet-writer's own encoder
 * visits every value of a list in three nested calls, which took four to six times as long for a day of books. File
 * frame, page headers, compression and footer are the library's.
 *
 * Parquet tells nulls and lists apart from values by what it calls levels, which are not those of a book
 * (https://parquet.apache.org/docs/file-format/nestedencoding/). Here they have one bit. A value's *definition level*
 * is 0 when there is none (null, or an empty list), its *repetition level* is 0 when it is the first of its row.
 */

/** One value a row, a value or null a row, or a list of values a row. */
export type Shape = 'required' | 'optional' | 'list';

/** How values are stored and what they mean. */
export type ValueType = Pick<
  SchemaElement,
  'type' | 'type_length' | 'converted_type' | 'logical_type' | 'precision' | 'scale'
> & { type: NonNullable<SchemaElement['type']> };

export const BOOLEAN: ValueType = { type: 'BOOLEAN' };
export const INT32: ValueType = { type: 'INT32' };
export const INT64: ValueType = { type: 'INT64' };
export const DOUBLE: ValueType = { type: 'DOUBLE' };
/** Has the older name of the type beside the newer one, as all types below: old readers know no other. */
export const TIMESTAMP_MS: ValueType = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MILLIS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
};
export const STRING: ValueType = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
export const DECIMAL: ValueType = {
  type: 'FIXED_LEN_BYTE_ARRAY',
  type_length: DECIMAL_BYTES,
  converted_type: 'DECIMAL',
  logical_type: { type: 'DECIMAL', precision: DECIMAL_PRECISION, scale: DECIMAL_SCALE },
  precision: DECIMAL_PRECISION,
  scale: DECIMAL_SCALE,
};

/** Values as a page holds them. */
export interface EncodedValues {
  data: Uint8Array;
  /** Present when `data` are indexes into it. */
  dictionary?: { entries: Uint8Array; count: number };
  /** Smallest and greatest value, for readers that look for some of the rows. */
  range?: { min_value: number | bigint | string; max_value: number | bigint | string };
}

/** A column of one row group, ready to be written. */
export interface EncodedColumn extends EncodedValues {
  /** Nulls and empty lists count as one value each. */
  values: number;
  nulls: number;
  repetitionLevels: Uint8Array;
  definitionLevels: Uint8Array;
}

export abstract class Column<V> {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ValueType;
  readonly #repetition = new LevelRuns();
  readonly #definition = new LevelRuns();
  #values = 0;
  #nulls = 0;

  constructor(name: string, shape: Shape, type: ValueType) {
    this.name = name;
    this.shape = shape;
    this.type = type;
  }

  /** Memory that values of unbounded size take now. */
  get bytes(): number {
    return 0;
  }

  /** Adds the row's value; null in an optional column only. */
  append(value: V | null): void {
    this.#values++;
    if (this.shape === 'optional') this.#definition.add(value === null ? 0 : 1, 1);
    if (value === null) this.#nulls++;
    else this.store(value);
  }

  /** Adds the row's values, in a column of lists. */
  appendList(values: ArrayLike<V>): void {
    this.#repetition.add(0, 1);
    if (values.length === 0) {
      this.#values++;
      this.#nulls++;
      this.#definition.add(0, 1);
      return;
    }
    this.#values += values.length;
    this.#repetition.add(1, values.length - 1);
    this.#definition.add(1, values.length);
    this.storeAll(values);
  }

  /** Encodes what was appended, and begins anew. The bytes are valid until the next value is appended. */
  take(): EncodedColumn {
    const encoded = {
      ...this.encode(),
      values: this.#values,
      nulls: this.#nulls,
      repetitionLevels: this.#repetition.take(),
      definitionLevels: this.#definition.take(),
    };
    this.#values = 0;
    this.#nulls = 0;
    return encoded;
  }

  /** Names from the file's root to the values. */
  get path(): string[] {
    return this.shape === 'list' ? [this.name, 'list', 'element'] : [this.name];
  }

  /** The column's part of the schema, which lists a tree's nodes in depth-first order. */
  get schema(): SchemaElement[] {
    const { name, type, shape } = this;
    if (shape !== 'list') return [{ name, repetition_type: shape === 'required' ? 'REQUIRED' : 'OPTIONAL', ...type }];
    return [
      { name, repetition_type: 'REQUIRED', converted_type: 'LIST', logical_type: { type: 'LIST' }, num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', ...type },
    ];
  }

  protected abstract store(value: V): void;
  protected abstract storeAll(values: ArrayLike<V>): void;
  protected abstract encode(): EncodedValues;
}

export class NumberColumn extends Column<number> {
  readonly #stored: Float64Array;
  #count = 0;

  /** @param capacity values in a row group, at most. */
  constructor(name: string, shape: Shape, type: ValueType, capacity: number) {
    super(name, shape, type);
    this.#stored = new Float64Array(capacity);
  }

  protected store(value: number): void {
    this.#stored[this.#count++] = value;
  }

  protected storeAll(values: ArrayLike<number>): void {
    this.#stored.set(values, this.#count);
    this.#count += values.length;
  }

  protected encode(): EncodedValues {
    const stored = this.#stored.subarray(0, this.#count);
    this.#count = 0;
    const range = this.#range(stored);
    const dictionary = numberDictionary(stored);
    if (!dictionary) return { data: this.#bytes(stored), ...range };
    const { entries, count, indexes } = dictionary;
    return { data: indexPage(indexes, count), dictionary: { entries: this.#bytes(entries), count }, ...range };
  }

  #range(stored: Float64Array): Pick<EncodedValues, 'range'> {
    if (stored.length === 0) return {};
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const value of stored) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    if (this.type.type === 'INT64') return { range: { min_value: BigInt(min), max_value: BigInt(max) } };
    // A zero may stand for either zero (parquet.thrift, TypeDefinedOrder), and equal ones are not told apart above.
    return { range: { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max } };
  }

  #bytes(numbers: Float64Array): Uint8Array {
    switch (this.type.type) {
      case 'INT64':
        return bytesOf(toInt64(numbers));
      case 'INT32':
        return bytesOf(Int32Array.from(numbers));
      default:
        return bytesOf(numbers);
    }
  }
}

/** Holds ASCII texts, or decimals that come as texts. */
export class TextColumn extends Column<string> {
  /** Each text as its length, four bytes, and then its bytes, which is how Parquet has them too. */
  #texts = new Uint8Array(1024);
  #used = 0;
  #count = 0;

  /** @param type with DECIMAL, `append` and `take` throw {@link DoesNotFitDecimalError} when a text does not fit. */
  constructor(name: string, shape: Shape, type: typeof STRING | typeof DECIMAL) {
    super(name, shape, type);
  }

  override get bytes(): number {
    return this.#used;
  }

  protected store(given: string): void {
    const text = this.type === DECIMAL && given.length > DECIMAL_PRECISION ? withoutNeedlessZeros(given) : given;
    const { length } = text;
    const end = this.#used + 4 + length;
    if (end > this.#texts.length) this.#grow(end);
    const texts = this.#texts;
    let at = this.#used;
    for (let rest = length, i = 0; i < 4; i++, rest >>= 8) texts[at++] = rest;
    for (let i = 0; i < length; i++) texts[at++] = text.charCodeAt(i);
    this.#used = end;
    this.#count++;
  }

  protected storeAll(texts: ArrayLike<string>): void {
    for (let i = 0; i < texts.length; i++) this.store(texts[i] as string);
  }

  protected encode(): EncodedValues {
    const texts = this.#texts.subarray(0, this.#used);
    const dictionary = textDictionary(texts, this.#count);
    this.#used = 0;
    this.#count = 0;
    if (!dictionary) return { data: this.#bytes(texts) };
    const { entries, count, indexes } = dictionary;
    // Two spellings of a decimal are two entries of one value, which readers do not mind.
    return { data: indexPage(indexes, count), dictionary: { entries: this.#bytes(entries), count } };
  }

  #bytes(texts: Uint8Array): Uint8Array {
    return this.type === DECIMAL ? decimalsOf(texts) : texts;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#texts.length));
    larger.set(this.#texts);
    this.#texts = larger;
  }
}

/**
 * Holds the same text in every row: a dictionary of one entry and one run of indexes, however many rows there are. Its
 * range lets readers of many files pass over those of other texts.
 */
export class ConstantColumn extends Column<string> {
  readonly #text: string;
  #count = 0;

  /** @param text in ASCII. */
  constructor(name: string, text: string) {
    super(name, 'required', STRING);
    this.#text = text;
  }

  protected store(): void {
    this.#count++;
  }

  protected storeAll(values: ArrayLike<string>): void {
    this.#count += values.length;
  }

  protected encode(): EncodedValues {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(this.#text.length);
    const entries = Buffer.concat([length, Buffer.from(this.#text, 'latin1')]);
    const range = { min_value: this.#text, max_value: this.#text };
    const data = firstIndexPage(this.#count);
    this.#count = 0;
    return { data, dictionary: { entries, count: 1 }, range };
  }
}

/** Packs eight values into a byte, the first in its lowest bit. */
export class BooleanColumn extends Column<boolean> {
  readonly #bits: Uint8Array;
  #count = 0;

  /** @param capacity values in a row group, at most. */
  constructor(name: string, shape: Shape, capacity: number) {
    super(name, shape, BOOLEAN);
    this.#bits = new Uint8Array(Math.ceil(capacity / 8));
  }

  protected store(value: boolean): void {
    const at = this.#count >> 3;
    const mask = 1 << (this.#count & 7);
    const bits = this.#bits[at] as number;
    this.#bits[at] = value ? bits | mask : bits & ~mask;
    this.#count++;
  }

  protected storeAll(values: ArrayLike<boolean>): void {
    for (let i = 0; i < values.length; i++) this.store(values[i] as boolean);
  }

  protected encode(): EncodedValues {
    const data = this.#bits.subarray(0, Math.ceil(this.#count / 8));
    this.#count = 0;
    return { data };
  }
}

/** Encodes Parquet's levels as runs (RLE): the run's length times two as a varint, then the level in one byte. */
class LevelRuns {
  readonly #bytes = new ByteWriter(64);
  #level: 0 | 1 = 0;
  #length = 0;

  add(level: 0 | 1, count: number): void {
    if (level !== this.#level && count > 0) {
      this.#endRun();
      this.#level = level;
    }
    this.#length += count;
  }

  /** @returns what was added; valid until more is added. */
  take(): Uint8Array {
    this.#endRun();
    const bytes = this.#bytes.getBytes();
    this.#bytes.index = 0;
    return bytes;
  }

  #endRun(): void {
    if (this.#length === 0) return;
    this.#bytes.appendVarInt(this.#length * 2);
    this.#bytes.appendUint8(this.#level);
    this.#length = 0;
  }
}

/**
 * Encodes indexes as one bit-packed run. Each gets one or two whole bytes, which is more than needed. So they are
 * copied instead of packed, and the compressor, which sees bytes, finds the sequences that come again.
 *
 *     u8      bits an index
 *     varint  groups of eight indexes, times two, plus one
 *     …       the indexes, little-endian
 */
function indexPage(indexes: Uint16Array, entries: number): Uint8Array {
  const packed = entries <= 2 ** 8 ? new Uint8Array(indexes) : bytesOf(indexes);
  const page = new ByteWriter(packed.length + 8);
  page.appendUint8((packed.length / indexes.length) * 8);
  page.appendVarInt((indexes.length / 8) * 2 + 1);
  page.appendBytes(packed);
  return page.getBytes();
}

/** Encodes an index of 0 that is repeated: bits an index, the run's length times two as a varint, the index in a byte. */
function firstIndexPage(count: number): Uint8Array {
  const page = new ByteWriter(8);
  page.appendUint8(1);
  page.appendVarInt(count * 2);
  page.appendUint8(0);
  return page.getBytes();
}

/** Splits numbers into two words each, the lower first; exact for all whole numbers that doubles are exact for. */
function toInt64(numbers: Float64Array): Int32Array {
  const words = new Int32Array(numbers.length * 2);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    words[2 * i] = number; // a typed array keeps the lowest 32 bits
    words[2 * i + 1] = Math.floor(number / 2 ** 32);
  }
  return words;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
