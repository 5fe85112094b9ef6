import { growTo } from '../../wasm/memory.js';
import { loadParquetKernel, type ParquetKernel } from '../../wasm/parquet-kernel.js';
import { indexHead, worthwhileEntries } from './dictionary.js';

/** Numbers as a page holds them. What is in it is valid until the encoder is used for other numbers. */
export interface EncodedNumbers {
  data: Uint8Array;
  /** Bytes of an element of `data`. */
  elementBytes: number;
  /** Present when `data` are indexes into it. */
  dictionary?: { entries: Uint8Array; count: number };
  /** Smallest and greatest; absent when there is no number. */
  range?: { smallest: number; greatest: number };
}

/** Room for what a page of indexes has before them. */
const HEAD_BYTES = 16;

/**
 * Values that are looked at first, from anywhere, to see whether a dictionary can be worthwhile. When it is, a fourth of
 * all are distinct at most, and 65,536: then of these, a hundred are expected to come again.
 */
const SAMPLE_VALUES = 4096;
const MIN_REPEATED = 40;

/**
 * The kernel that encodes columns, and its memory, into which a column is copied for that: columns are encoded one after
 * the other.
 *
 *     the kernel's tables │ values │ head, indexes │ output
 */
class Encoder {
  readonly #kernel: ParquetKernel = loadParquetKernel();
  /** Bytes of the area of values, from which the sizes of the others follow. */
  #valueBytes = 0;
  #indexes = 0;
  #output = 0;

  /** @param isInteger encodes whole numbers, as 64-bit integers. */
  encode(values: Float64Array, isInteger: boolean): EncodedNumbers {
    this.#load(values);
    return this.#encode(values.length, isInteger);
  }

  /**
   * Encodes those that are not NaN.
   *
   * @returns also a run of levels, as Parquet has them, for each stretch with or without.
   */
  encodeNumbers(values: Float64Array): EncodedNumbers & { count: number; levels: Uint8Array } {
    this.#load(values);
    const kernel = this.#kernel;
    const runs = this.#indexes;
    const count = kernel.leaveOutNaN(kernel.AREAS, values.length, runs);
    const levels = this.#view(runs, kernel.runsEnd.value - runs).slice();
    return { ...this.#encode(count, false), count, levels };
  }

  /** @returns what is valid until the encoder is used again. */
  snappy(bytes: Uint8Array, elementBytes: number): Uint8Array {
    const { memory, AREAS } = this.#kernel;
    let { byteOffset } = bytes;
    if (bytes.buffer !== memory.buffer) {
      this.#reserve(bytes.length);
      this.#view(AREAS, bytes.length).set(bytes);
      byteOffset = AREAS;
    }
    const step = elementBytes === 2 ? 2 : 1;
    return this.#view(this.#output, this.#kernel.snappy(byteOffset, bytes.length, this.#output, step));
  }

  #load(values: Float64Array): void {
    this.#reserve(values.byteLength);
    new Float64Array(this.#kernel.memory.buffer, this.#kernel.AREAS, values.length).set(values);
  }

  /** Makes areas for so many bytes of values. What is in them is lost. */
  #reserve(valueBytes: number): void {
    if (valueBytes <= this.#valueBytes) return;
    const { memory, AREAS, SLACK_BYTES, MAX_ENTRIES, snappyBound } = this.#kernel;
    const room = (bytes: number) => Math.ceil((bytes + SLACK_BYTES) / 16) * 16;
    const indexes = AREAS + room(valueBytes) + HEAD_BYTES;
    const output = indexes + room(2 * 8 * Math.ceil(valueBytes / 64));
    // At once: views of a memory do not outlive its growth. Before anything is said of it: it may not be had.
    growTo(memory, output + snappyBound(Math.max(valueBytes, MAX_ENTRIES * 8)) + SLACK_BYTES);
    this.#valueBytes = valueBytes;
    this.#indexes = indexes;
    this.#output = output;
  }

  #view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#kernel.memory.buffer, at, length);
  }

  /** Encodes what is in the area of values. */
  #encode(count: number, isInteger: boolean): EncodedNumbers {
    const kernel = this.#kernel;
    const { AREAS: values, ENTRIES } = kernel;
    if (count === 0) return { data: new Uint8Array(0), elementBytes: 1 };
    kernel.measureRange(values, count);
    const range = { smallest: kernel.smallest.value, greatest: kernel.greatest.value };
    const entries = this.#findEntries(count);
    if (entries === kernel.TOO_MANY) {
      if (isInteger) kernel.toInt64(values, count);
      return { data: this.#view(values, count * 8), elementBytes: 8, range };
    }
    if (isInteger) kernel.toInt64(ENTRIES, entries);
    const dictionary = { entries: this.#view(ENTRIES, entries * 8), count: entries };
    return { ...this.#indexPage(count, entries), dictionary, range };
  }

  /** @returns how many there are, their indexes at `#indexes`; or `TOO_MANY`. */
  #findEntries(count: number): number {
    const { AREAS: values, MAX_ENTRIES, TOO_MANY, countRepeated, dictionary } = this.#kernel;
    const isLarge = count > 4 * SAMPLE_VALUES;
    if (isLarge && countRepeated(values, count, SAMPLE_VALUES) < MIN_REPEATED) return TOO_MANY;
    return dictionary(values, count, Math.min(MAX_ENTRIES, worthwhileEntries(count, 8)), this.#indexes);
  }

  #indexPage(count: number, entries: number): { data: Uint8Array; elementBytes: number } {
    const padded = Math.ceil(count / 8) * 8;
    const elementBytes = entries <= 2 ** 8 ? 1 : 2;
    if (elementBytes === 1) this.#kernel.narrow(this.#indexes, padded);
    const head = indexHead(padded, elementBytes);
    const start = this.#indexes - head.length;
    this.#view(start, head.length).set(head);
    return { data: this.#view(start, head.length + padded * elementBytes), elementBytes };
  }
}

let shared: Encoder | undefined;

/** The encoder of this thread. Its answers are valid until it is used again, so whoever asks must not wait in between. */
export function encoder(): Encoder {
  shared ??= new Encoder();
  return shared;
}
