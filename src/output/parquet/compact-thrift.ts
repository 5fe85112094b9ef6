import { BINARY, FALSE, I32, I64, LIST, STRUCT, TRUE } from './thrift-types.js';

/**
 * Writes a struct in Thrift's compact protocol (thrift-types.ts), without an object a field: a file of
 * a thousand columns has a thousand page headers and column chunks in each row group. What has no such number of parts is
 * written by hyparquet-writer's functions (footer.ts).
 *
 * Fields come in the order of their numbers. A struct that is begun is ended by {@link end}, also the first.
 */
export class CompactThrift {
  #bytes = new Uint8Array(1024);
  #used = 0;
  /** Number of the last field in each struct that is open. */
  readonly #fields = [0];

  int32(field: number, value: number): void {
    this.#begin(field, I32);
    this.#zigzag(value);
  }

  int64(field: number, value: number): void {
    this.#begin(field, I64);
    this.#zigzag(value);
  }

  boolean(field: number, value: boolean): void {
    this.#begin(field, value ? TRUE : FALSE);
  }

  binary(field: number, value: Uint8Array): void {
    this.#begin(field, BINARY);
    this.#binary(value);
  }

  int32s(field: number, values: readonly number[]): void {
    this.#beginList(field, values.length, I32);
    for (const value of values) this.#zigzag(value);
  }

  binaries(field: number, values: readonly Uint8Array[]): void {
    this.#beginList(field, values.length, BINARY);
    for (const value of values) this.#binary(value);
  }

  struct(field: number): void {
    this.#begin(field, STRUCT);
    this.#fields.push(0);
  }

  /** Begins a list of so many structs, each of which begins with `element`. */
  structs(field: number, count: number): void {
    this.#beginList(field, count, STRUCT);
  }

  element(): void {
    this.#fields.push(0);
  }

  end(): void {
    this.#byte(0);
    this.#fields.pop();
  }

  /** @returns what was written, valid until more is written; and begins anew. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    this.#fields.push(0);
    return bytes;
  }

  #begin(field: number, type: number): void {
    const depth = this.#fields.length - 1;
    this.#byte(((field - (this.#fields[depth] as number)) << 4) | type);
    this.#fields[depth] = field;
  }

  #beginList(field: number, count: number, type: number): void {
    this.#begin(field, LIST);
    this.#byte((Math.min(count, 15) << 4) | type);
    if (count >= 15) this.#varint(count);
  }

  #binary(value: Uint8Array): void {
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#used);
    this.#used += value.length;
  }

  /** @param value not below zero. */
  #zigzag(value: number): void {
    this.#varint(value * 2);
  }

  #varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#used++] = (rest % 128) | 128;
    this.#bytes[this.#used++] = rest;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#used++] = value;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * Math.max(this.#bytes.length, bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
