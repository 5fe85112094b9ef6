import {
  Column,
  DECIMAL,
  type EncodedColumn,
  type EncodedLevels,
  type EncodedValues,
  type ListLevels,
  oneEach,
  type Shape,
  STRING,
} from './column.js';
import { decimalsOf, withoutNeedlessZeros } from './decimal.js';
import { DECIMAL_PRECISION } from './decimal-error.js';
import { indexHead, textDictionary } from './dictionary.js';
import { Runs } from './runs.js';

/** Holds ASCII texts, or decimals that come as texts. */
export class TextColumn extends Column {
  readonly #list: ListLevels | undefined;
  readonly #definition = new Runs(1);
  #nulls = 0;
  /** Each text as its length, four bytes, and then its bytes, which is how Parquet has them too. */
  #texts = new Uint8Array(1024);
  #used = 0;
  #count = 0;

  /**
   * @param type with DECIMAL, `add` and `take` throw {@link DoesNotFitDecimalError} when a text does not fit.
   * @param list of lists, to which whoever adds texts here says how long they are.
   */
  constructor(name: string, shape: Shape, type: typeof STRING | typeof DECIMAL, list?: ListLevels) {
    super(name, shape, type);
    this.#list = list;
  }

  /** Memory that the texts take now. */
  get bytes(): number {
    return this.#used;
  }

  /** Adds a text; null in an optional column only. */
  add(given: string | null): void {
    if (this.shape === 'optional') this.#definition.add(given === null ? 0 : 1, 1);
    if (given === null) {
      this.#nulls++;
      return;
    }
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

  take(): EncodedColumn {
    const texts = this.#texts.subarray(0, this.#used);
    const encoded = { ...this.#encode(texts, this.#count), ...this.#levels() };
    this.#used = 0;
    this.#count = 0;
    this.#nulls = 0;
    return encoded;
  }

  #levels(): EncodedLevels {
    if (this.#list) return this.#list.take();
    const values = this.#count + this.#nulls;
    return { ...oneEach(values), nulls: this.#nulls, definitionLevels: this.#definition.take() };
  }

  #encode(texts: Uint8Array, textCount: number): EncodedValues {
    const dictionary = textDictionary(texts, textCount);
    if (!dictionary) return { data: this.#bytes(texts, textCount), elementBytes: 1 };
    const { entries, count, indexes } = dictionary;
    // Two spellings of a decimal are two entries of one value, which readers do not mind.
    return { ...indexPage(indexes, count), dictionary: { entries: this.#bytes(entries, count), count } };
  }

  #bytes(texts: Uint8Array, count: number): Uint8Array {
    return this.type === DECIMAL ? decimalsOf(texts, count) : texts;
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(length, 2 * this.#texts.length));
    larger.set(this.#texts);
    this.#texts = larger;
  }
}

/**
 * Holds a few texts that stay the same for many rows: a run of indexes each time. Where there is but one, its range lets
 * readers of many files pass over those of other texts.
 */
export class TextRunColumn extends Column {
  readonly #texts: readonly string[];
  readonly #indexes = new Runs(1);
  #count = 0;

  /** @param texts in ASCII; 256 at most. */
  constructor(name: string, ...texts: string[]) {
    super(name, 'required', STRING);
    this.#texts = texts;
  }

  /** Adds the text at `index` so many times. */
  add(index: number, times: number): void {
    this.#indexes.add(index, times);
    this.#count += times;
  }

  take(): EncodedColumn {
    const texts = this.#texts.map((text) => Buffer.from(text, 'latin1'));
    const entries = Buffer.concat(texts.flatMap((text) => [Buffer.from(Int32Array.of(text.length).buffer), text]));
    const [only] = texts;
    const count = this.#count;
    this.#count = 0;
    return {
      // A bit tells two apart; an index of up to eight takes a byte in a run.
      data: Buffer.concat([Uint8Array.of(Math.max(1, 32 - Math.clz32(texts.length - 1))), this.#indexes.take()]),
      elementBytes: 1,
      dictionary: { entries, count: texts.length },
      ...(only && texts.length === 1 && { range: { smallest: only, greatest: only } }),
      ...oneEach(count),
    };
  }
}

/** See {@link indexHead}. */
function indexPage(indexes: Uint16Array, entries: number): { data: Uint8Array; elementBytes: number } {
  const packed = entries <= 2 ** 8 ? new Uint8Array(indexes) : new Uint8Array(indexes.buffer);
  const elementBytes = packed.length / indexes.length;
  return { data: Buffer.concat([Uint8Array.from(indexHead(indexes.length, elementBytes)), packed]), elementBytes };
}
