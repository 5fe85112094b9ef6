/** The fuzzer finds what is wrong: what is planted here is found, and told with a small input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSession } from '../../fuzz/session.js';

const targets = new URL('../support/faulty-targets.js', import.meta.url);

function fuzz(targetName: string) {
  const [seed, durationMs] = [1951, 60_000];
  return runSession({ targetName, targets, corpus: [], seed, durationMs, isInstrumented: false, hangMs: 15_000 });
}

test('a mistake that only one way leads to is found step by step, and shown by the bytes that it takes', async () => {
  const { finding } = await fuzz('maze');
  assert.equal(Buffer.from(finding?.input ?? []).toString(), 'FUZ!');
  assert.match(finding?.what ?? '', /found at 0/);
});

for (const [name, expected] of [
  ['hangs', /hangs: one input took more than 15000 ms/],
  ['waits', /hangs: one input took more than 15000 ms/],
  ['fills', /the thread ended: .*memory/],
  ['rejects', /nobody hears of this/],
  ['escapes', /files outside of the target's folder: outside/],
] as const) {
  test(`one that ${name} is found`, async () => {
    const { finding } = await fuzz(name);
    assert.match(finding?.what ?? '', expected);
    if (name !== 'escapes') assert.ok((finding?.input.length ?? 0) > 5, 'the input is that which did it');
  });
}
