import type { SchemaElement } from 'hyparquet-writer';
import { DECIMAL_BYTES } from './decimal.js';
import { DECIMAL_PRECISION, DECIMAL_SCALE } from './decimal-error.js';
import { Runs } from './runs.js';

/**
 * Columns of a Parquet file, which gather the values of a row group and encode them. hyparquet-writer's own encoder
 * visits every value of a list in three nested calls, and its Snappy compresses byte by byte, which took ten times as long
 * for a day of books. Page headers and the form of the footer are the library's.
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
  /** Bytes of an element of `data`, for the compressor; 1 where they have no one size. */
  elementBytes: number;
  /** Present when `data` are indexes into it. */
  dictionary?: { entries: Uint8Array; count: number };
  /** Smallest and greatest value as bytes, for readers that look for some of the rows. */
  range?: { smallest: Uint8Array; greatest: Uint8Array };
}

/** Which values are there, and which begin a row. */
export interface EncodedLevels {
  /** Nulls and empty lists count as one value each. */
  values: number;
  nulls: number;
  repetitionLevels: Uint8Array;
  definitionLevels: Uint8Array;
}

/** A column of one row group, ready to be written. */
export type EncodedColumn = EncodedValues & EncodedLevels;

export abstract class Column {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ValueType;

  constructor(name: string, shape: Shape, type: ValueType) {
    this.name = name;
    this.shape = shape;
    this.type = type;
  }

  /** Encodes what was added, and begins anew. The bytes are valid until another column is encoded. */
  abstract take(): EncodedColumn;

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
}

const NO_LEVELS = new Uint8Array(0);

/** The levels of a column of which every row has one value. */
export function oneEach(values: number): EncodedLevels {
  return { values, nulls: 0, repetitionLevels: NO_LEVELS, definitionLevels: NO_LEVELS };
}

/** The levels of columns whose lists are equally long in every row. */
export class ListLevels {
  readonly #repetition = new Runs(1);
  readonly #definition = new Runs(1);
  #values = 0;
  #nulls = 0;
  #encoded: EncodedLevels | undefined;

  /** Adds a row's list. */
  add(length: number): void {
    this.#encoded = undefined;
    this.#repetition.add(0, 1);
    if (length === 0) {
      this.#values++;
      this.#nulls++;
      this.#definition.add(0, 1);
      return;
    }
    this.#values += length;
    this.#repetition.add(1, length - 1);
    this.#definition.add(1, length);
  }

  /** Encodes what was added, and begins anew with the next row. Each of the columns gets the same. */
  take(): EncodedLevels {
    if (this.#encoded) return this.#encoded;
    this.#encoded = {
      values: this.#values,
      nulls: this.#nulls,
      repetitionLevels: this.#repetition.take(),
      definitionLevels: this.#definition.take(),
    };
    this.#values = 0;
    this.#nulls = 0;
    return this.#encoded;
  }
}
