import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonical, compareDecimals, isDecimal, isSupportedPrice, isZero } from '../../src/book/decimal.js';

const decimal = fc
  .tuple(fc.stringMatching(/^[0-9]{1,20}$/), fc.option(fc.stringMatching(/^[0-9]{1,20}$/)))
  .map(([whole, fraction]) => (fraction === null ? whole : `${whole}.${fraction}`));

/** The value as a whole number of 10⁻²⁰. */
function value(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(20, '0'));
}

test('two decimals have one canonical text exactly when they are the same number', () => {
  const sameNumber = decimal.chain((text) =>
    fc.tuple(
      fc.constant(text),
      fc.tuple(fc.nat(3), fc.nat(3)).map(([left, right]) => {
        const zeros = text.includes('.') ? '0'.repeat(right) : '';
        return '0'.repeat(left) + text + zeros;
      }),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(sameNumber, fc.tuple(decimal, decimal)), ([a, b]) => {
      assert.equal(canonical(a) === canonical(b), value(a) === value(b));
      assert.equal(value(canonical(a)), value(a));
    }),
  );
});

test('canonical decimals are ordered by value', () => {
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      const expected = value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0;
      assert.equal(Math.sign(compareDecimals(canonical(a), canonical(b))), expected);
    }),
  );
});

test('zero is zero in every spelling, and nothing else is', () => {
  fc.assert(fc.property(decimal, (text) => assert.equal(isZero(text), value(text) === 0n)));
});

test('only plain digits with perhaps a point between them are decimals', () => {
  for (const text of ['0', '00.10', '7', '123.456']) assert.ok(isDecimal(text), text);
  const others = [
    '',
    '.',
    '.5',
    '5.',
    '-1',
    '+1',
    '1e5',
    '1_000',
    '1,5',
    ' 1',
    '1 ',
    '1\n',
    '١',
    'NaN',
    'Infinity',
    '0x10',
  ];
  for (const text of others) assert.ok(!isDecimal(text), text);
});

test('prices have at most 18 digits that count, 18 before the point and 18 after it', () => {
  const supported = ['123456789012345678', '0.000000000000000001', '1234567890.12345678', '1', '100000000000000000'];
  const unsupported = [
    '1234567890123456789',
    '0.0000000000000000001',
    '1.123456789012345678',
    '9'.repeat(400),
    `1${'0'.repeat(18)}`,
  ];
  for (const text of supported) assert.ok(isSupportedPrice(canonical(text)), text);
  for (const text of unsupported) assert.ok(!isSupportedPrice(canonical(text)), text);
});
