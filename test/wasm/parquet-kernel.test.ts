/** The kernel that encodes Parquet's columns: what it compresses is read by hyparquet, its dictionaries are those of a Map. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { encoder } from '../../src/output/parquet/encoder.js';
import { holds } from '../support/holds.js';

function uncompressed(compressed: Uint8Array, length: number): Buffer {
  const output = Buffer.alloc(length);
  snappyUncompress(compressed.slice(), output);
  return output;
}

/** Pieces that come again, at any distance, between others that do not. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
  .chain((pieces) =>
    fc.array(fc.nat(Math.max(0, pieces.length - 1)), { maxLength: 60 }).map((order) =>
      Buffer.concat(
        order.flatMap((index) => {
          const [bytes = new Uint8Array(0), times = 0] = pieces[index] ?? [];
          return Array.from({ length: times }, () => bytes);
        }),
      ),
    ),
  );

test('what Snappy compresses is read as it was, also as elements of two bytes behind a head of any length', () => {
  holds(
    fc.property(
      fc.oneof(repetitive, fc.uint8Array({ maxLength: 3000 })),
      fc.constantFrom(1, 2, 8),
      (bytes, elementBytes) => {
        const compressed = encoder().snappy(bytes, elementBytes);
        assert.deepEqual(uncompressed(compressed, bytes.length), Buffer.from(bytes));
      },
    ),
  );
});

test('literals and copies of every form of their length', () => {
  const noise = (length: number, seed: number) => {
    let state = seed;
    return Buffer.from(
      Array.from({ length }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 24;
      }),
    );
  };
  for (const literal of [1, 60, 61, 256, 257, 65_536, 65_537, 100_000]) {
    for (const copy of [4, 11, 12, 64, 65, 67, 68, 131, 5000]) {
      const repeated = noise(copy, 7);
      const bytes = Buffer.concat([repeated, noise(literal, literal), repeated, repeated, noise(3, 1)]);
      for (const elementBytes of [1, 2]) {
        const compressed = encoder().snappy(bytes, elementBytes);
        assert.ok(uncompressed(compressed, bytes.length).equals(bytes), `${literal} ${copy} ${elementBytes}`);
      }
    }
  }
  const zeros = Buffer.alloc(1_000_000);
  const compressed = encoder().snappy(zeros, 1);
  assert.ok(compressed.length < 50_000);
  assert.ok(uncompressed(compressed, zeros.length).equals(zeros));
});

const double = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1.5, 1e300, -1e-300, Number.POSITIVE_INFINITY, 5e-324),
);

/** Reads back what was encoded: by the dictionary, if there is one. */
function decoded(encoded: ReturnType<ReturnType<typeof encoder>['encode']>, count: number): Float64Array {
  const doubles = (bytes: Uint8Array) => new Float64Array(bytes.slice().buffer);
  if (!encoded.dictionary) return doubles(encoded.data);
  const entries = doubles(encoded.dictionary.entries);
  assert.equal(new Set(Array.from(entries, (entry) => (Object.is(entry, -0) ? '-0' : entry))).size, entries.length);
  // u8 bits an index, a varint, and the indexes to the end, in groups of eight.
  const { data, elementBytes } = encoded;
  assert.equal(data[0], elementBytes * 8);
  const padded = Math.ceil(count / 8) * 8;
  const bytes = data.slice(data.length - padded * elementBytes);
  const indexes = elementBytes === 1 ? bytes : new Uint16Array(bytes.buffer);
  return Float64Array.from({ length: count }, (_, i) => entries[indexes[i] as number] as number);
}

test('numbers are read back bit by bit, with a dictionary and without, and their range is right', () => {
  const values = fc.oneof(
    fc.array(double, { maxLength: 200 }),
    // Few values that come again.
    fc
      .array(double, { minLength: 1, maxLength: 30 })
      .chain((few) => fc.array(fc.constantFrom(...few), { minLength: 100, maxLength: 900 })),
  );
  holds(
    fc.property(values, (numbers) => {
      const encoded = encoder().encode(Float64Array.from(numbers), false);
      assert.deepEqual(Array.from(decoded(encoded, numbers.length)), numbers);
      const { range } = encoded;
      assert.equal(range === undefined, numbers.length === 0);
      if (!range) return;
      assert.ok(range.smallest === Math.min(...numbers));
      assert.ok(range.greatest === Math.max(...numbers));
    }),
  );
});

test('a dictionary is made where values come again, of as many entries as its indexes tell apart', () => {
  const cases: [distinct: number, count: number, hasDictionary: boolean][] = [
    [256, 20_000, true],
    [257, 20_000, true],
    [5_000, 20_000, true],
    [5_001, 20_000, false],
    [65_535, 300_000, true],
    [65_536, 300_000, false],
    [300_000, 300_000, false],
  ];
  for (const [distinct, count, hasDictionary] of cases) {
    const values = Float64Array.from({ length: count }, (_, i) => ((i * 7) % distinct) / 100);
    const encoded = encoder().encode(values, false);
    assert.equal(encoded.dictionary !== undefined, hasDictionary, String(distinct));
    assert.deepEqual(decoded(encoded, count), values);
  }
});

test('whole numbers become 64-bit integers', () => {
  for (const repeated of [1, 10]) {
    const values = Float64Array.from({ length: 200 }, (_, i) => 1_736_899_200_000 + Math.floor(i / repeated) * 2 ** 33);
    values[0] = -5;
    const { data, dictionary, range } = encoder().encode(values, true);
    assert.deepEqual([range?.smallest, range?.greatest], [-5, Math.max(...values)]);
    const bytes = (dictionary?.entries ?? data).slice();
    const expected = dictionary ? [...new Set(values)] : [...values];
    assert.deepEqual(Array.from(new BigInt64Array(bytes.buffer), Number), expected);
    assert.equal(dictionary !== undefined, repeated > 1);
  }
});

test('NaNs are left out, and the runs tell where they were', () => {
  const lengths = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 400 })), { maxLength: 20 });
  holds(
    fc.property(lengths, (stretches) => {
      const values = Float64Array.from(
        stretches.flatMap(([isThere, length]) => Array.from({ length }, (_, i) => (isThere ? i % 9 : Number.NaN))),
      );
      const { count, levels, ...encoded } = encoder().encodeNumbers(values);
      const numbers = values.filter((value) => !Number.isNaN(value));
      assert.equal(count, numbers.length);
      assert.deepEqual(decoded(encoded, count), numbers);
      const flags: boolean[] = [];
      for (let at = 0; at < levels.length; at++) {
        let length = (levels[at] as number) & 127;
        for (let shift = 7; (levels[at] as number) > 127; shift += 7)
          length |= ((levels[++at] as number) & 127) << shift;
        const level = levels[++at];
        for (let i = 0; i < length >> 1; i++) flags.push(level === 1);
      }
      assert.deepEqual(
        flags,
        Array.from(values, (value) => !Number.isNaN(value)),
      );
    }),
  );
});
