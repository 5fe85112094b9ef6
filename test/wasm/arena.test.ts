/** The inflater's output, read where it stands: whatever the sizes of chunks and lines, nothing gets lost or mixed up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { kernelInflate } from '../../src/archive/kernel-inflate.js';
import { AsOfGrid } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { marketText } from '../../src/samples/market.js';
import { ARENA_BYTES, acquireArena, releaseArena } from '../../src/wasm/arena.js';
import { booksOf, type Driven, drive, takeRows } from '../support/drive.js';
import { holdsInTime } from '../support/holds.js';
import { DAY } from '../support/messages.js';

const market = fc.integer().map((seed) => {
  const chunks = marketText({
    symbol: 'SEEDUSDT',
    date: DAY,
    depth: 50,
    style: seed % 2 === 0 ? 'contract' : 'spot',
    seed,
    durationMs: 20_000,
    startPrice: '0.2000',
    updatesPerBurst: 60,
  });
  return Buffer.concat([...chunks])
    .toString('latin1')
    .trimEnd()
    .split('\n');
});
/** Lines as long as the history that the inflater keeps, and longer. */
const longLines = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 20_000, max: 80_000 })), { maxLength: 4 });
const sizes = fc.record({
  inputBytes: fc.integer({ min: 100, max: 70_000 }),
  outputBytes: fc.integer({ min: 300, max: 70_000 }),
});

test('an arena is from the beginning as large as its kernels want it, and no larger', () => {
  assert.equal(acquireArena().inflater.memory.buffer.byteLength, ARENA_BYTES);
});

test('chunks in the arena give what the text gives', async () => {
  const property = fc.asyncProperty(market, longLines, sizes, async (lines, long, areas) => {
    const all = [...lines];
    for (const [at, bytes] of long) all.splice(at % all.length, 0, `${' '.repeat(bytes)}${all.at(-1)}`);
    const text = Buffer.from(`${all.join('\n')}\n`);
    const grid = () => new AsOfGrid({ intervalMs: 1000, dayMs: undefined, onGap: 'skip' });
    const reference = new ReferenceEngine({ grid: grid(), books: booksOf(20), keepZeros: false });
    const expected = { ...drive(reference, [text]), counts: reference.counts };

    const arena = acquireArena();
    const engine = new KernelEngine({ grid: grid(), books: booksOf(20), keepZeros: false, kernel: arena.kernel });
    const packed = deflateRawSync(text);
    const chunks = kernelInflate(once(packed), { inflater: arena.inflater, ...areas });
    const driven: Driven = { rows: [], states: [], badLines: [] };
    let adopted = 0;
    for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
      if (event.kind === 'rows') takeRows(event.rows, driven);
      if (event.kind !== 'needs-bytes') continue;
      const { value, done } = await chunks.next();
      if (done) engine.end();
      else engine.push(value);
      if (!done && value.buffer === arena.kernel.memory.buffer) adopted++;
    }
    assert.ok(adopted > 0);
    assert.deepEqual(driven.rows, expected.rows);
    assert.deepEqual(driven.states, expected.states);
    assert.deepEqual(engine.counts, expected.counts);
    releaseArena(arena);
  });
  await holdsInTime(property);
});

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
