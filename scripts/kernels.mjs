// The WebAssembly modules, and how each is compiled.
import fs from 'node:fs';
import path from 'node:path';

const COMMON = '--runtime stub --importMemory --enable simd --enable bulk-memory --disableWarning 112'.split(' ');
const RELEASE = [...COMMON, '-O3', '--noAssert'];

/**
 * With assertions, for tests. Without a function `abort`, an assertion that fails is a trap, and no texts for it lie in
 * the memory.
 */
const DEBUG = [...COMMON, '--debug', '--use', 'abort='];

/**
 * A book's kernel and the inflater live in one memory (src/wasm/arena.ts), the inflater's tables below the book's kernel (kernel/layout.ts). A kernel
 * is compiled again when its options here, or a file that it imports, have changed.
 */
export const KERNELS = [
  { name: 'book', entry: 'kernel/index.ts', flags: [] },
  // For `bookgrid audit`: the same, and what kernel/observe.ts observes. Converting must not pay for that.
  { name: 'audit-book', entry: 'kernel/audit-index.ts', flags: ['--use', 'AUDIT=1'] },
  { name: 'inflate', entry: 'kernel/inflate.ts', flags: [] },
  { name: 'parquet', entry: 'kernel/parquet.ts', flags: [] },
].map(({ name, entry, flags }) => ({
  name,
  entry,
  outFile: `dist/src/wasm/${name}.wasm`,
  release: [...RELEASE, ...flags],
  debug: [...DEBUG, ...flags],
}));

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
