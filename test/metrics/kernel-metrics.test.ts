/** The kernel's metrics against the slow definition, bit by bit, on many random rows. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { metricsColumns } from '../../src/metrics/columns.js';
import { Random } from '../../src/samples/random.js';
import { cut } from '../support/drive.js';
import { holds } from '../support/holds.js';
import { line } from '../support/messages.js';
import { ENGINES, valuesOf } from './support.js';

/** Some of the bands hold nothing, others all; some of the amounts are never reached. */
const CHOICE = {
  imbalanceLevels: [1, 2, 5, 10, 50, 400],
  bandsBps: [1, 5, 10, 25, 50, 100, 2000, 10_000],
  impacts: [1, 300, 10_000, 100_000, 1e7, 1e12],
};
const COLUMNS = metricsColumns(CHOICE);
const MESSAGES = 150;

/** What a random book is like. */
interface Habits {
  /** Ticks of 0.01 around 100 in which levels come and go; bids and asks meet when there are few. */
  spreadTicks: number;
  depth: number;
  /** One level in so many has a price or a quantity that the kernel does not keep; 0: none. */
  oddity: number;
  /** One message in so many empties a side; 0: none. */
  emptying: number;
  isWhole: boolean;
  intervalMs: number;
  longestStepMs: number;
}

const habits: fc.Arbitrary<Habits> = fc.record({
  spreadTicks: fc.constantFrom(0, 3, 40),
  depth: fc.constantFrom(3, 30, 120),
  oddity: fc.constantFrom(0, 0, 40, 400),
  emptying: fc.constantFrom(0, 0, 7, 40),
  isWhole: fc.boolean(),
  intervalMs: fc.constantFrom(100, 1000),
  longestStepMs: fc.constantFrom(60, 300, 2500),
});

type Level = [price: string, quantity: string];

/** The text of messages in the form that the kernel reads. */
function archiveOf(seed: number, like: Habits): Buffer {
  const random = new Random(seed);
  const draw = (choices: number) => random.below(choices);
  const isOnceIn = (count: number) => count > 0 && draw(count) === 0;
  const standing = { bids: new Set<string>(), asks: new Set<string>() };
  let middle = 10_000;

  const priceOf = (side: 'bids' | 'asks') => {
    if (isOnceIn(like.oddity)) return ['0.000001', '12345678.5', '99.9912345', '100.00000000001'][draw(4)] as string;
    const distance = Math.floor((like.spreadTicks + draw(2 * like.depth)) / 2) - 1;
    return ((middle + (side === 'bids' ? -distance : distance)) / 100).toFixed(2);
  };
  const quantityOf = () => {
    if (isOnceIn(like.oddity)) return `${'7'.repeat(1 + draw(20))}.${'0123456789'.slice(0, 1 + draw(10))}`;
    const whole = String(draw(10 ** (1 + draw(7))) + 1);
    return like.isWhole ? whole : `${whole}.${String(draw(1000)).padStart(3, '0')}`;
  };
  const changes = (side: 'bids' | 'asks', count: number) => {
    const levels = Array.from({ length: count }, (): Level => {
      const price = priceOf(side);
      if (draw(3) === 0) return [price, like.isWhole ? '0' : '0.000'];
      standing[side].add(price);
      return [price, quantityOf()];
    });
    if (!isOnceIn(like.emptying)) return levels;
    const gone = [...standing[side]].map((price): Level => [price, '0']);
    standing[side].clear();
    return gone;
  };

  const lines: string[] = [];
  let atMs = 0;
  for (let u = 1; u <= MESSAGES; u++) {
    const isSnapshot = u === 1 || draw(50) === 0;
    const count = isSnapshot ? draw(like.depth + 1) : draw(12);
    if (isSnapshot) for (const side of [standing.bids, standing.asks]) side.clear();
    const [bids, asks] = [changes('bids', count), changes('asks', isSnapshot ? draw(like.depth + 1) : draw(12))];
    lines.push(line({ type: isSnapshot ? 'snapshot' : 'delta', atMs, u, bids, asks }));
    atMs += draw(8) === 0 ? 0 : draw(like.longestStepMs);
    if (draw(30) === 0) atMs = Math.max(0, atMs - draw(200));
    middle += draw(5) - 2;
  }
  return Buffer.from(lines.join('\n'));
}

describe('the kernel’s metrics', () => {
  const [[, reference], [, kernel]] = ENGINES as [(typeof ENGINES)[number], (typeof ENGINES)[number]];

  test('are those of the slow definition, bit by bit', (t) => {
    let rows = 0;
    let cells = 0;
    holds(
      fc.property(fc.integer(), habits, fc.array(fc.nat(), { maxLength: 3 }), (seed, like, cuts) => {
        const text = archiveOf(seed, like);
        const grid = { intervalMs: like.intervalMs, dayMs: undefined, onGap: 'fill' as const, ...CHOICE };
        const chunks = cut(
          text,
          cuts.map((offset) => offset % (text.length + 1)),
        );
        const expected = valuesOf(reference, [text], grid);
        const actual = valuesOf(kernel, chunks, grid);
        assert.equal(actual.length, expected.length);
        for (const [index, { boundaryMs, values }] of actual.entries()) {
          assert.equal(boundaryMs, expected[index]?.boundaryMs);
          const wrong = values.findIndex((value, at) => !Object.is(value, expected[index]?.values[at]));
          const where = `${COLUMNS[wrong]} of the row ${boundaryMs}`;
          assert.ok(wrong < 0, `${where}: ${values[wrong]} is not ${expected[index]?.values[wrong]}`);
          cells += values.reduce((sum, value) => sum + Number(Number.isFinite(value)), 0);
        }
        rows += actual.length;
      }),
    );
    t.diagnostic(`${rows} rows compared, ${Math.round((100 * cells) / rows / COLUMNS.length)} % of cells filled`);
    assert.ok(cells > rows * 20, 'most cells have a value');
  });
});
