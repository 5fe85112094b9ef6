/** What unpacks Snappy, against a plain model of the format and hyparquet-writer's packer, and on what is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { unpackSnappy } from '../../src/output/parquet/snappy.js';
import { holds } from '../support/holds.js';

interface Literal {
  bytes: Uint8Array;
  /** In how many bytes its length stands behind the tag; more than needed are allowed. */
  lengthBytes: number;
}

interface Copy {
  kind: 1 | 2 | 3;
  length: number;
  /** As a part of what there is by then. */
  back: number;
}

const literal: fc.Arbitrary<Literal> = fc.record({
  bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  lengthBytes: fc.integer({ min: 2, max: 4 }),
});
const copy: fc.Arbitrary<Copy> = fc.record({
  kind: fc.constantFrom(1, 2, 3),
  length: fc.integer({ min: 1, max: 64 }),
  back: fc.double({ min: 0, max: 1, noNaN: true }),
});

test('every kind of element, with lengths and offsets in any form', () => {
  holds(
    fc.property(literal, fc.array(fc.oneof(literal, copy), { maxLength: 40 }), (first, others) => {
      const packed: number[] = [0]; // How many bytes there are: the page's header is believed instead.
      const plain: number[] = [];
      for (const element of [first, ...others]) {
        if ('bytes' in element) packLiteral(element, packed, plain);
        else packCopy(element, packed, plain);
      }
      assert.deepEqual(unpackSnappy(Uint8Array.from(packed), plain.length), Uint8Array.from(plain));
      assert.throws(() => unpackSnappy(Uint8Array.from(packed), plain.length + 1), RangeError);
      assert.throws(() => unpackSnappy(Uint8Array.from(packed), plain.length - 1), RangeError);
    }),
  );
});

test('what hyparquet-writer packs is unpacked', () => {
  const texts = fc.array(fc.constantFrom('0.1', '0.25', '12345', '\n', 'äöü'), { maxLength: 3000 });
  holds(
    fc.property(texts, (parts) => {
      const bytes = Buffer.from(parts.join(''));
      assert.deepEqual(Buffer.from(unpackSnappy(snappyCompress(bytes), bytes.length)), bytes);
    }),
  );
});

test('what is no Snappy is refused, and soon', () => {
  holds(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (packed, sizeBytes) => {
      try {
        assert.equal(unpackSnappy(packed, sizeBytes).length, sizeBytes);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
  // As a number of 32 bits with a sign, the length is -4: a reader that adds it goes back to where it was.
  assert.throws(
    () => unpackSnappy(Uint8Array.of(5, 63 << 2, 0xfb, 0xff, 0xff, 0xff, 1), 5),
    /literal of 4294967292 bytes/,
  );
});

function packLiteral({ bytes, lengthBytes }: Literal, packed: number[], plain: number[]): void {
  const length = bytes.length - 1;
  if (length < 60 && lengthBytes === 2) packed.push(length << 2);
  else {
    packed.push((59 + lengthBytes) << 2);
    for (let index = 0; index < lengthBytes; index++) packed.push((length >>> (8 * index)) & 255);
  }
  packed.push(...bytes);
  plain.push(...bytes);
}

function packCopy({ kind, length, back }: Copy, packed: number[], plain: number[]): void {
  const most = Math.min(plain.length, kind === 1 ? 2047 : kind === 2 ? 65_535 : Infinity);
  const offset = Math.max(1, Math.round(back * most));
  const copied = kind === 1 ? 4 + (length % 8) : length;
  if (kind === 1) packed.push(((offset >>> 8) << 5) | ((copied - 4) << 2) | 1, offset & 255);
  else {
    packed.push(((copied - 1) << 2) | kind);
    for (let index = 0; index < (kind === 2 ? 2 : 4); index++) packed.push((offset >>> (8 * index)) & 255);
  }
  for (let index = 0; index < copied; index++) plain.push(plain[plain.length - offset] as number);
}
