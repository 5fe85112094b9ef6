/** What is asked of Thrift's bytes before hyparquet reads them: all that a writer writes passes, what would cost too much does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from 'hyparquet-writer';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import { requireThrift } from '../../src/output/parquet/check-thrift.js';
import { holds } from '../support/holds.js';

const { value } = fc.letrec<{ value: unknown; struct: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.boolean(),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 200 }),
    fc.array(fc.integer(), { minLength: 1, maxLength: 30 }),
    fc.array(tie('struct'), { minLength: 1, maxLength: 20 }),
    tie('struct'),
  ),
  struct: fc
    .array(tie('value'), { maxLength: 6 })
    .map((values) => Object.fromEntries(values.map((field, index) => [`field_${index * 3 + 1}`, field]))),
}));

test('what hyparquet-writer writes of any struct passes, and a part of it does not', () => {
  holds(
    fc.property(value, (field) => {
      const writer = new ByteWriter();
      serializeTCompactProtocol(writer, { field_1: field as never });
      const bytes = writer.getBytes();
      requireThrift(bytes);
      requireThrift(Buffer.concat([bytes, Buffer.from('what follows')]));
      for (let end = 0; end < bytes.length; end++)
        assert.throws(() => requireThrift(bytes.subarray(0, end)), RangeError);
    }),
  );
});

test('lists, numbers, texts and depths that cost more than their bytes', () => {
  const ofLength = (length: number) => [
    (length & 127) | 128,
    ((length >> 7) & 127) | 128,
    ((length >> 14) & 127) | 128,
    length >> 21,
  ];
  const cases: [name: RegExp, bytes: number[]][] = [
    [/a list of 30000000/, [0x19, 0xf5, ...ofLength(30_000_000), 0, 0, 0]],
    [/a number of more than 10 bytes/, [0x16, ...Array<number>(20_000).fill(0x80), 0, 0]],
    [/a text of 5000 bytes/, [0x18, ...ofLength(5000), ...Array<number>(5000).fill(0x20), 0]],
    [/nests deeper/, Array<number>(1000).fill(0x1c)],
    [/nests deeper/, [0x19, ...Array<number>(1000).fill(0x19)]],
    [/a field of type 11/, [0x1b, 0]],
  ];
  for (const [name, bytes] of cases) assert.throws(() => requireThrift(Uint8Array.from(bytes)), name);
  const long = Uint8Array.from([0x58, ...ofLength(5000), ...Array<number>(5000).fill(0x20), 0]);
  requireThrift(long, { longTextField: 5 });
  assert.throws(() => requireThrift(long, { longTextField: 4 }), /a text of 5000 bytes/);
});
