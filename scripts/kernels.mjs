// The WebAssembly modules, and how each is compiled.
import fs from 'node:fs';
import path from 'node:path';

const COMMON = '--runtime stub --importMemory --enable simd --enable bulk-memory --disableWarning 112'.split(' ');
const RELEASE = [...COMMON, '-O3', '--noAssert'];

/**
 * With assertions, for tests. Without a function `abort`, an assertion that fails is a trap, and no texts for it lie in
 * the memory.
 */
export const DEBUG = [...COMMON, '--debug', '--use', 'abort='];

/**
 * Both live in one memory (src/wasm/arena.ts), the inflater's tables below the book's kernel (kernel/layout.ts). A kernel
 * is compiled again when its options here, or a file that it imports, have changed.
 */
export const KERNELS = [
  { entry: 'kernel/index.ts', outFile: 'dist/src/wasm/book.wasm', options: RELEASE },
  { entry: 'kernel/inflate.ts', outFile: 'dist/src/wasm/inflate.wasm', options: RELEASE },
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
