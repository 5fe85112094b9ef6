// The WebAssembly modules, and how each is compiled.
import fs from 'node:fs';
import path from 'node:path';

const COMMON = '--runtime stub -O3 --importMemory --enable simd --enable bulk-memory --disableWarning 112'.split(' ');

/**
 * Both live in one memory (src/wasm/arena.ts): the inflater begins where the book's kernel has surely ended.
 * A kernel is compiled again when its options here, or a file that it imports, have changed.
 */
export const KERNELS = [
  {
    entry: 'kernel/index.ts',
    outFile: 'dist/src/wasm/book.wasm',
    options: [...COMMON, '--noAssert'],
  },
  {
    entry: 'kernel/inflate.ts',
    outFile: 'dist/src/wasm/inflate.wasm',
    options: [...COMMON, '--noAssert', '--memoryBase', String(32 << 20)],
  },
];

/** A kernel's entry and every file that it imports, directly or not, from the checkout's root. */
export function kernelSources(root, entry) {
  const found = new Set([entry]);
  for (const file of found) {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    for (const [, imported] of text.matchAll(/from '(\.[^']+)'/g)) {
      found.add(`${path.join(path.dirname(file), imported)}.ts`);
    }
  }
  return [...found].sort();
}
