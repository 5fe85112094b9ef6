import fc from 'fast-check';
import type { TestMessage } from './oracle.js';

/** The same few numbers in many spellings, so that levels meet, and some that are far away. */
const price = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('1', '1.0', '01', '1.10', '1.1', '1.100', '1.09', '0.99', '0.990', '2', '2.00'),
  },
  { weight: 1, arbitrary: fc.constantFrom('0.000000000000000001', '123456789012345678', '10', '9.999999999') },
);
const quantity = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('1', '2.50', '0.001', '10', '12345678.12345678', '12345678901234567890.1234567890'),
  },
  { weight: 2, arbitrary: fc.constantFrom('0', '0.0', '0.000', '00') },
);
const updates = fc.array(fc.tuple(price, quantity), { maxLength: 6 });

const step = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant('delta' as const) },
    { weight: 1, arbitrary: fc.constant('snapshot' as const) },
  ),
  stepMs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 700 }) },
    { weight: 2, arbitrary: fc.constantFrom(-400, -1, 1, 1000, 60_000) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  ),
  bids: updates,
  asks: updates,
});

/** Messages about `startMs`: mostly onward in time, on boundaries and beside them, with long silences and steps back. */
export function messages(startMs: number): fc.Arbitrary<TestMessage[]> {
  const steps = fc.array(step, { maxLength: 30 });
  return fc
    .tuple(fc.integer({ min: -3000, max: 3000 }), fc.integer({ min: 0, max: 3 }), steps)
    .map(([offsetMs, snapshotAt, list]) => {
      let tsMs = startMs + offsetMs;
      return list.map(({ type, stepMs, bids, asks }, index) => {
        tsMs += stepMs;
        return { type: index === snapshotAt ? 'snapshot' : type, tsMs, bids, asks };
      });
    });
}

/** A message as one line in one of the ways in which JSON can be written. */
function lineOf({ type, tsMs, bids, asks }: TestMessage, style: number, u: number): string {
  const topic = 'orderbook.500.TESTUSDT';
  const data = { s: 'TESTUSDT', b: bids, a: asks, u, seq: 7 };
  switch (style) {
    case 0:
      return JSON.stringify({ topic, type, ts: tsMs, data, cts: tsMs - 3 });
    case 1:
      return JSON.stringify({ topic, ts: tsMs, type, data, cts: tsMs - 3 });
    case 2:
      return JSON.stringify({ data: { u, a: asks, b: bids }, note: { deep: ['\\"]}', null, 1.5] }, type, ts: tsMs });
    default:
      return JSON.stringify({ topic, type, ts: tsMs, data }, null, 1).replaceAll('\n', ' ');
  }
}

/** The text of an archive: messages in any style, either line end, empty lines, perhaps no end of the last line. */
export function textOf(list: TestMessage[]): fc.Arbitrary<Buffer> {
  const line = fc.record({ style: fc.nat(3), end: fc.constantFrom('\n', '\r\n', '\n\n', '\n \r\n') });
  return fc
    .tuple(fc.array(line, { minLength: list.length, maxLength: list.length }), fc.boolean())
    .map(([styles, isCut]) => {
      const text = list
        .map((message, index) => lineOf(message, styles[index]?.style ?? 0, index) + (styles[index]?.end ?? '\n'))
        .join('');
      return Buffer.from(isCut ? text.trimEnd() : text);
    });
}
