/**
 * Unpacks Snappy (https://github.com/google/snappy/blob/main/format_description.txt). Not by hyparquet's own function:
 * a literal of 2^31 bytes or more is a negative number to it, and it goes round for ever.
 *
 * @param packed begins with how many bytes they are, which is passed over: the page's header says it, too.
 * @returns exactly `sizeBytes` bytes.
 * @throws RangeError when they are more or fewer, or the bytes are no Snappy.
 */
export function unpackSnappy(packed: Uint8Array, sizeBytes: number): Uint8Array {
  const unpacked = new Uint8Array(sizeBytes);
  let from = 0;
  let to = 0;
  while (from < packed.length && (packed[from] as number) >= 0x80) from++;
  from++;
  while (from < packed.length) {
    const tag = packed[from++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      // A length of 60 or more is in the next one to four bytes.
      const lengthBytes = Math.max(short - 59, 0);
      const length = (lengthBytes === 0 ? short : littleEndian(packed, from, lengthBytes)) + 1;
      from += lengthBytes;
      if (!(length <= packed.length - from && length <= sizeBytes - to)) throw tooLong(length, 'literal');
      unpacked.set(packed.subarray(from, from + length), to);
      from += length;
      to += length;
    } else {
      const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      const offsetBytes = kind === 3 ? 4 : kind;
      const offset = littleEndian(packed, from, offsetBytes) + (kind === 1 ? (tag >>> 5) * 256 : 0);
      from += offsetBytes;
      if (!(length <= sizeBytes - to)) throw tooLong(length, 'copy');
      if (!(offset > 0 && offset <= to)) throw new RangeError(`Snappy copies from ${offset} bytes before byte ${to}`);
      // What is copied may reach into what is written here: it repeats then.
      for (const end = to + length; to < end; to++) unpacked[to] = unpacked[to - offset] as number;
    }
  }
  if (to !== sizeBytes) throw new RangeError(`${to} bytes in Snappy, where ${sizeBytes} should be`);
  return unpacked;
}

/** NaN when there are not so many bytes. */
function littleEndian(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + (bytes[start + index] ?? Number.NaN);
  return value;
}

function tooLong(length: number, what: string): RangeError {
  return new RangeError(`a ${what} of ${length} bytes in Snappy, for which there is no room`);
}
