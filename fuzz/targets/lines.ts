/**
 * Bytes as they come out of an archive, cut anywhere: the kernel's engine and the slow one, which takes every line by
 * `JSON.parse`, say the same of them. The first bytes of an input are how it is read, the rest is the text.
 */
import assert from 'node:assert/strict';
import type { Engine } from '../../src/book/engine.js';
import { AsOfGrid, PythonGrid } from '../../src/book/grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { ReferenceEngine } from '../../src/book/reference-engine.js';
import { Random } from '../../src/samples/random.js';
import { acquireArena, releaseArena } from '../../src/wasm/arena.js';
import { booksOf, cut, drive } from '../../test/support/drive.js';
import { hashOf } from '../hash.js';
import { bookText } from '../samples.js';
import type { Target } from '../target.js';

const HEADER_BYTES = 4;
const INTERVALS_MS = [1, 100, 1000, 60_000];

export function createTarget(): Target {
  return {
    unit: 'executions',
    coverage: 'kernels',
    maxBytes: 3000,
    dictionary: [
      ...['{"topic":"orderbook.5.FUZZUSDT","type":"delta","ts":', '"type":"snapshot"', '"ts":', '"cts":', '"seq":'],
      ...['"data":{"s":"FUZZUSDT","b":[', '],"a":[', ']],"u":', '["1.5","0"],', '["1.50","2"]', '["', '","', '"],["'],
      ...['0.', '.0', '00', 'e3', '-', '\\u0031', '\r\n', '\n', ' ', '\t', '[]', '{}', 'null', '123456789012345678'],
    ],
    seeds,
    run: compare,
  };
}

function seeds(): Buffer[] {
  const texts = [
    bookText(1, 2000),
    bookText(2, 2000, { style: 'spot' }),
    bookText(3, 1500, { tickSize: '0.10', startPrice: '95000.10', quantityStep: '0.001' }),
    bookText(4, 1500, { tickSize: '1', startPrice: '95000' }),
    bookText(5, 1500, { tickSize: '0.00000001', startPrice: '0.00012345' }),
    bookText(6, 2900, { depth: 3, restartsAtMs: [900], breaksAtMs: [1500] }),
  ];
  return texts.flatMap((text, index) =>
    [0, 0x0f].map((flags) => Buffer.concat([Buffer.of(flags, index, index, 4), text])),
  );
}

function compare(input: Buffer): void {
  const [flags = 0, interval = 0, depth = 0, cuts = 0] = input;
  const text = input.subarray(HEADER_BYTES);
  const random = new Random(hashOf(input));
  const offsets = Array.from({ length: cuts % 6 }, () => random.below(text.length + 1));
  const reading: Reading = {
    isPython: (flags & 1) !== 0,
    hasMetrics: (flags & 2) !== 0,
    expected: (flags & 4) !== 0 ? { symbol: 'FUZZUSDT', depth: 5 } : undefined,
    intervalMs: INTERVALS_MS[interval % INTERVALS_MS.length] as number,
    depth: 1 + (depth % 8),
  };
  const answers = [KernelEngine, ReferenceEngine].map((Engine) => read(Engine, cut(text, offsets), reading));
  assert.deepEqual(answers[0], answers[1]);
}

/** Metrics that some texts have, and others do not. */
const CHOICE = { imbalanceLevels: [1, 5, 300], bandsBps: [1, 20, 10_000], impacts: [1, 2000, 1e20] };

interface Reading {
  isPython: boolean;
  hasMetrics: boolean;
  expected: { symbol: string; depth: number } | undefined;
  intervalMs: number;
  depth: number;
}

/** All that an engine says of a text, or why it gave up. */
function read(
  Engine: new (options: ConstructorParameters<typeof KernelEngine>[0]) => Engine,
  chunks: Uint8Array[],
  { isPython, hasMetrics, expected, intervalMs, depth }: Reading,
) {
  const grid = isPython ? new PythonGrid() : new AsOfGrid({ intervalMs, dayMs: undefined, onGap: 'skip' });
  // Not by the Python rule, whose boundaries are no as-of ones.
  const metrics = hasMetrics && !isPython ? { intervalMs, ...CHOICE } : undefined;
  const arena = acquireArena();
  const engine = new Engine({
    grid,
    books: booksOf(depth),
    keepZeros: isPython,
    expected,
    metrics,
    kernel: arena.kernel,
  });
  try {
    const driven = drive(engine, chunks);
    const { counts } = engine;
    return { ...driven, counts };
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  } finally {
    releaseArena(arena);
  }
}
