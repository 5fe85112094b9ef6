/** Raw deflate data, in pieces and rooms of many sizes: the kernel makes of it what zlib does, or has the same error. */
import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { Random } from '../../src/samples/random.js';
import { byKernel, byZlib } from '../../test/support/inflate-driver.js';
import { hashOf } from '../hash.js';
import { bookText } from '../samples.js';
import type { Target } from '../target.js';

export function createTarget(): Target {
  return {
    unit: 'executions',
    coverage: 'kernels',
    maxBytes: 6000,
    seeds,
    run(input) {
      const expected = byZlib(input);
      const random = new Random(hashOf(input));
      const whole = () => 1 << 20;
      assert.deepEqual(byKernel(input, whole, whole), expected);
      const [pieceBytes, roomBytes] = [1 + random.below(64), random.below(600)];
      const sizes = (mean: number) => () => 1 + random.below(2 * mean + 1);
      assert.deepEqual(byKernel(input, sizes(pieceBytes), sizes(roomBytes)), expected);
    },
  };
}

function seeds(): Buffer[] {
  const text = bookText(1, 3000);
  const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY, Z_SYNC_FLUSH } = constants;
  const strategies = [Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY];
  // As far apart as deflate can say.
  const far = Buffer.concat([text.subarray(0, 200), Buffer.alloc(32_768 - 200), text.subarray(0, 200)]);
  return [
    deflateRawSync(text.subarray(0, 300), { level: 0 }),
    ...strategies.map((strategy) => deflateRawSync(text, { strategy })),
    deflateRawSync(far),
    deflateRawSync(Buffer.concat([far, far]), { level: 9 }),
    Buffer.concat([
      deflateRawSync(text, { level: 1, finishFlush: Z_SYNC_FLUSH }),
      deflateRawSync(text.subarray(100, 200), { level: 0, finishFlush: Z_SYNC_FLUSH }),
      deflateRawSync(text.subarray(0, 900), { strategy: Z_FIXED }),
    ]),
  ];
}
