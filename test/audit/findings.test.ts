/** What the audit's kernel and trackers find, against the definitions: on messages of any kind, however they are cut. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveAuditor } from '../../src/audit/archive-auditor.js';
import type { BookFindings } from '../../src/audit/findings.js';
import { HourGrid } from '../../src/audit/hour-grid.js';
import { KernelEngine } from '../../src/book/kernel-engine.js';
import { marketText } from '../../src/samples/market.js';
import { acquireAuditArena, releaseAuditArena } from '../../src/wasm/arena.js';
import { cut } from '../support/drive.js';
import { holds } from '../support/holds.js';
import { DAY, DAY_MS } from '../support/messages.js';
import { findByDefinition } from './by-definition.js';

const DEPTH = 5;

/** What the program finds in a text that comes in these chunks. */
function find(chunks: Uint8Array[], sourceDepth: number): { book: BookFindings; hostLines: number } {
  // The next one gets what this one has worked in, as it is.
  const arena = acquireAuditArena();
  const auditor = new ArchiveAuditor({ sourceDepth, dayMs: DAY_MS });
  const engine = new KernelEngine({
    grid: new HourGrid(),
    books: [],
    maxRows: 1,
    keepZeros: false,
    audit: { auditor, kernel: arena.kernel },
  });
  const rest = [...chunks];
  for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
    if (event.kind === 'rows') engine.tellSteps();
    else if (event.kind === 'bad-line') auditor.hearBadLine();
    else {
      const chunk = rest.shift();
      if (chunk) engine.push(chunk);
      else engine.end();
    }
  }
  engine.tellSteps();
  releaseAuditArena(arena);
  return { book: auditor.finish(), hostLines: engine.hostLines };
}

function assertFound(text: Buffer, cuts: number[], sourceDepth = DEPTH): { hostLines: number } {
  const chunks = cut(
    text,
    cuts.map((offset) => offset % (text.length + 1)),
  );
  const { book, hostLines } = find(chunks, sourceDepth);
  assert.deepEqual(book, findByDefinition(text.toString('latin1'), sourceDepth, DAY_MS));
  return { hostLines };
}

/** Few prices, so that levels meet, and in some texts those that the ladder or the kernel cannot hold. */
const plainPrice = fc.integer({ min: 95, max: 105 }).map((cents) => `1.${cents}`);
const price = fc.oneof(
  { weight: 12, arbitrary: plainPrice },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1', '1.0', '1.10000', '0.000000000000000001', '123456789012345678', '9000', '1.95001'),
  },
);
const quantity = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('0', '0', '0.000') },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }).map((count) => `${count * 50}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '2.50',
      '0.001',
      '1000000',
      '12345678.1234567',
      '123456789012.12',
      '1234567890123456',
      '12345678901234567890.1',
      '0.00000000000010',
    ),
  },
);
const updatesOf = (prices: fc.Arbitrary<string>, most: number) =>
  fc.array(fc.tuple(prices, quantity), { maxLength: most });

const step = (prices: fc.Arbitrary<string>) =>
  fc.record({
    isSnapshot: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    stepMs: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, -1, -500, 60_000, 3_600_000, 7_200_001, 86_400_000) },
    ),
    uStep: fc.oneof(
      { weight: 9, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.constantFrom(0, 2, 5, -3, -1000, undefined) },
    ),
    latencyMs: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: -2, max: 20 }) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, -20_000, 70_000, 61_000) },
    ),
    bids: updatesOf(prices, 9),
    asks: updatesOf(prices, 9),
    /** How the line is written: as Bybit writes it, or so that only the host can read it, or not at all. */
    style: fc.oneof(
      { weight: 20, arbitrary: fc.constant('plain') },
      { weight: 2, arbitrary: fc.constant('odd') },
      {
        weight: 1,
        arbitrary: fc.constant('bad'),
      },
    ),
    end: fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n'),
  });

const text = fc
  .record({
    isSpot: fc.boolean(),
    startMs: fc.integer({ min: -5000, max: 5000 }),
    snapshotAt: fc.integer({ min: 0, max: 2 }),
    steps: fc.oneof(
      fc.array(step(plainPrice), { minLength: 1, maxLength: 60 }),
      fc.array(step(price), { minLength: 1, maxLength: 60 }),
    ),
  })
  .map(({ isSpot, startMs, snapshotAt, steps }) => {
    let ts = DAY_MS + startMs;
    let u = 10_000;
    const lines = steps.map(({ isSnapshot, stepMs, uStep, latencyMs, bids, asks, style, end }, index) => {
      if (style === 'bad') return `{"topic":"orderbook.5.TESTUSDT","type":"delta"}${end}`;
      ts = Math.max(1_000_000_000_000, ts + stepMs);
      u = Math.max(1, u + (uStep ?? 1));
      const type = isSnapshot || index === snapshotAt ? 'snapshot' : 'delta';
      const data = { s: 'TESTUSDT', b: bids, a: asks, ...(uStep !== undefined && { u }), seq: 7 };
      const head = isSpot ? { ts, type } : { type, ts };
      const message = {
        topic: 'orderbook.5.TESTUSDT',
        ...head,
        data,
        ...(latencyMs !== undefined && { cts: ts - latencyMs }),
      };
      return style === 'odd'
        ? `${JSON.stringify({ note: [1], ...message })}${end}`
        : `${JSON.stringify(message)}${end}`;
    });
    return Buffer.from(lines.join(''));
  });

describe('findings', () => {
  test('are those of the definitions, on messages of any kind', () => {
    holds(fc.property(text, fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => void assertFound(bytes, cuts)));
  });

  const market = fc.record({
    seed: fc.nat(1000),
    style: fc.constantFrom('contract' as const, 'spot' as const),
    spacing: fc.constantFrom('dense' as const, 'sparse' as const),
    scale: fc.constantFrom(
      { startPrice: '1.9531', tickSize: '0.0001', quantityStep: '1' },
      { startPrice: '96543.10', tickSize: '0.10', quantityStep: '0.001' },
      { startPrice: '54321', tickSize: '0.5', quantityStep: '100' },
      { startPrice: '0.02000', tickSize: '0.00001', quantityStep: '2.5' },
    ),
    breaksAtMs: fc.array(fc.integer({ min: 1000, max: 20_000 }), { maxLength: 3 }),
    restartsAtMs: fc.array(fc.integer({ min: 1000, max: 20_000 }), { maxLength: 2 }),
    gaps: fc.array(
      fc.integer({ min: 1000, max: 20_000 }).map((fromMs) => ({ fromMs, toMs: fromMs + 3000 })),
      { maxLength: 2 },
    ),
  });

  test('are those of the definitions, on messages as Bybit writes them, which the kernel reads by itself', () => {
    const property = fc.property(market, fc.array(fc.nat(), { maxLength: 4 }), ({ scale, ...options }, cuts) => {
      const made = { symbol: 'TESTUSDT', date: DAY, depth: 30, durationMs: 20_000, ...scale, ...options };
      const bytes = Buffer.concat([...marketText(made)]);
      const { hostLines } = assertFound(bytes, cuts, 30);
      // Snapshots, and the first delta.
      assert.ok(hostLines <= 2 + options.restartsAtMs.length, `the host has read ${hostLines} lines`);
    });
    holds(property);
  });
});
