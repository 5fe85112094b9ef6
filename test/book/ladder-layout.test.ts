import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonical, compareDecimals } from '../../src/book/decimal.js';
import { chooseLayout, decimalsOf, LadderLayout } from '../../src/book/ladder-layout.js';

const SIZE = { LADDER_TICKS: 1 << 10, MAX_EXACT_DIGITS: 15 };

const decimal = fc
  .tuple(fc.stringMatching(/^(0|[1-9][0-9]{0,15})$/), fc.option(fc.stringMatching(/^[0-9]{1,16}$/)))
  .map(([whole, fraction]) => (fraction === null ? whole : `${whole}.${fraction}`));

/** A tick by whole numbers of any length. */
function exactTick(price: string, { decimals, baseTick }: LadderLayout): number | undefined {
  const [whole = '', fraction = ''] = price.split('.');
  const digits = whole + fraction.padEnd(decimals, '0');
  if (fraction.length > decimals || digits.length > SIZE.MAX_EXACT_DIGITS) return undefined;
  const tick = BigInt(digits) - BigInt(baseTick);
  return tick >= 0n && tick < BigInt(SIZE.LADDER_TICKS) ? Number(tick) : undefined;
}

test('a tick is exact, whatever the price', () => {
  fc.assert(
    fc.property(
      decimal.map(canonical),
      fc.nat(15),
      fc.integer({ min: -5, max: SIZE.LADDER_TICKS }),
      (price, decimals, back) => {
        const [whole = '', fraction = ''] = price.split('.');
        const digits = Number(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
        fc.pre(digits <= 1e15);
        const layout = new LadderLayout(decimals, digits - back, SIZE);
        assert.equal(layout.tickOf(price), exactTick(price, layout));
      },
    ),
  );
});

test('a layout holds as many prices as one of any other number of decimals about the same middle', () => {
  // Near each other, but for a few; written with a number of decimals that differs.
  const near = fc.tuple(fc.integer({ min: 100_000, max: 101_500 }), fc.nat(3)).map(([units, cut]) => {
    const text = (units / 1000).toFixed(3);
    return cut === 0 ? text : text.slice(0, -cut).replace(/\.$/, '');
  });
  const anywhere = decimal.filter((price) => price.length <= SIZE.MAX_EXACT_DIGITS);
  const price = fc.oneof({ weight: 9, arbitrary: near }, anywhere);
  fc.assert(
    fc.property(fc.array(price, { minLength: 1, maxLength: 60 }), (texts) => {
      const prices = texts.map(canonical);
      const middle = [...prices].sort(compareDecimals)[prices.length >> 1] ?? '';
      const [whole = '', fraction = ''] = middle.split('.');
      const heldBy = (layout: LadderLayout) =>
        prices.filter((price) => decimalsOf(price) <= layout.decimals && exactTick(price, layout) !== undefined).length;
      const held: number[] = [];
      for (let decimals = 0; whole.length + decimals <= SIZE.MAX_EXACT_DIGITS; decimals++) {
        const center = Number(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
        held.push(heldBy(new LadderLayout(decimals, center - SIZE.LADDER_TICKS / 2, SIZE)));
      }
      assert.equal(heldBy(chooseLayout(texts, SIZE)), Math.max(...held));
    }),
  );
});

test('zeros at the end of all prices are no decimals', () => {
  const { decimals } = chooseLayout(['96543.10', '96543.20', '96544.00'], SIZE);
  assert.equal(decimals, 1);
  assert.equal(chooseLayout(['96543.00', '96544.00'], SIZE).decimals, 0);
  assert.equal(chooseLayout(['96543.00', '96543.01'], SIZE).decimals, 2);
});
