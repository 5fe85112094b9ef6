/** What a fuzzer must find, each in its own way. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Target, TargetContext } from '../../fuzz/target.js';

const PLAIN = { unit: 'executions', coverage: ['faulty-targets'], maxBytes: 16, seeds: () => [] } as const;

export const TARGETS: Record<string, (context: TargetContext) => Promise<Target>> = {
  /** Four bytes in a row: one input in four thousand million, unless each that is right is noticed. */
  maze: async () => ({
    ...PLAIN,
    seeds: () => [Buffer.alloc(12)],
    run(input) {
      const at = input.indexOf(0x46);
      if (at < 0) return;
      if (input[at + 1] === 0x55) {
        if (input[at + 2] === 0x5a) {
          if (input[at + 3] === 0x21) throw new Error(`found at ${at}`);
        }
      }
    },
  }),
  hangs: async () => ({
    ...PLAIN,
    run(input) {
      while (input.length > 5);
    },
  }),
  waits: async () => ({
    ...PLAIN,
    async run(input) {
      if (input.length > 5) await setTimeout(600_000);
    },
  }),
  fills: async () => ({
    ...PLAIN,
    run(input) {
      const kept: number[][] = [];
      while (input.length > 5) kept.push(new Array<number>(100_000).fill(kept.length + 0.5));
    },
  }),
  rejects: async () => ({
    ...PLAIN,
    run(input) {
      // Nobody awaits it: the error belongs to no input, and must not be lost.
      if (input.length > 5) void Promise.reject(new Error('nobody hears of this'));
    },
  }),
  escapes: async ({ folder }) => ({
    ...PLAIN,
    run(input) {
      if (input.length > 5) fs.writeFileSync(path.join(folder, '..', 'outside'), input);
    },
  }),
};
