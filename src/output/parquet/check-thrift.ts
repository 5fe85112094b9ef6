/**
 * Walks what Thrift's compact protocol has written (thrift-types.ts), before hyparquet makes objects of it: that makes lists
 * as long as they say they are, and numbers and decimals of any length, in time that grows with its square.
 */
import { BINARY, BYTE, DOUBLE, FALSE, I16, I64, LIST, MAX_VARINT_BYTES, STRUCT, TRUE } from './thrift-types.js';

/** Parquet nests ten deep at most. */
const MAX_DEPTH = 24;
/** Of names and of the smallest and largest values. Texts of the file as a whole may be longer. */
const MAX_BINARY_BYTES = 4096;

export interface ThriftOptions {
  /** The field of the outermost struct in which texts may be of any length. */
  longTextField?: number;
}

/**
 * Sees that a struct can be read.
 *
 * @param bytes begins with it.
 * @throws RangeError when it cannot.
 */
export function requireThrift(bytes: Uint8Array, { longTextField }: ThriftOptions = {}): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let mayBeLong = false;

  function varint(): number {
    let value = 0;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = view.getUint8(at++);
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return value;
    }
    throw new RangeError(`a number of more than ${MAX_VARINT_BYTES} bytes`);
  }

  function pass(type: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError(`it nests deeper than ${MAX_DEPTH}`);
    if (type === TRUE || type === FALSE) return;
    if (type === BYTE) at++;
    else if (type >= I16 && type <= I64) varint();
    else if (type === DOUBLE) at += 8;
    else if (type === BINARY) passBinary();
    else if (type === LIST) passList(depth);
    else if (type === STRUCT) passStruct(depth);
    else throw new RangeError(`a field of type ${type}`);
    if (at > view.byteLength) throw new RangeError('it ends in the middle of a field');
  }

  function passBinary(): void {
    const length = varint();
    const most = mayBeLong ? view.byteLength - at : MAX_BINARY_BYTES;
    if (length > most) throw new RangeError(`a text of ${length} bytes, where at most ${most} are expected`);
    at += length;
  }

  function passList(depth: number): void {
    const head = view.getUint8(at++);
    const length = head >> 4 === 15 ? varint() : head >> 4;
    // Each element takes a byte or more.
    if (length > view.byteLength - at)
      throw new RangeError(`a list of ${length}, for which there are not enough bytes`);
    const type = head & 15;
    for (let element = 0; element < length; element++) pass(type === TRUE || type === FALSE ? BYTE : type, depth + 1);
  }

  function passStruct(depth: number): void {
    let field = 0;
    for (;;) {
      const head = view.getUint8(at++);
      const type = head & 15;
      if (type === 0) return;
      const step = head >> 4;
      if (step > 0) field += step;
      else {
        const zigzag = varint();
        field = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      if (depth === 0) mayBeLong = field === longTextField;
      pass(type, depth + 1);
    }
  }

  passStruct(0);
}
