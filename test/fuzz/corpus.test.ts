/** Every input that is kept in fuzz/ passes: also those that once found a mistake, each named after it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readInputs } from '../../fuzz/corpus.js';
import { runSession } from '../../fuzz/session.js';
import { TARGETS } from '../../fuzz/targets.js';

/** The folder with the inputs, from where the compiled tests lie. */
const FUZZ = fileURLToPath(new URL('../../../fuzz/', import.meta.url));
const hasDeflaters = ['libdeflate-gzip', 'zopfli'].every((program) => !spawnSync(program, ['-h']).error);

for (const targetName of Object.keys(TARGETS)) {
  const isMissing = targetName === 'deflaters' && !hasDeflaters;
  const skip = isMissing && 'libdeflate-gzip and zopfli are not there (Debian: libdeflate-tools, zopfli)';
  test(`what is kept for ${targetName}`, { skip }, async () => {
    const corpus = ['corpus', 'regressions'].flatMap((kind) => readInputs(path.join(FUZZ, kind, targetName)));
    assert.ok(corpus.length > 0, 'there are some');
    const { finding, inputs } = await runSession({
      targetName,
      corpus: corpus.map(({ input }) => input),
      seed: 1,
      durationMs: 0,
      isInstrumented: false,
    });
    assert.equal(finding?.what, undefined);
    assert.ok(inputs >= corpus.length, 'all were tried');
  });
}
