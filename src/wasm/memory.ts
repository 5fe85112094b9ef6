import fs from 'node:fs';

/** Memory of a WebAssembly instance, as far as it is used here. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** An exported variable: `value` is the current one whenever it is read. */
export interface Variable {
  readonly value: number;
}

/** As much of the global as is needed; TypeScript declares it for browsers only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
  Memory: new (size: { initial: number }) => Memory;
};

const PAGE_BYTES = 65_536;

/** Modules compiled in this thread. */
const modules = new Map<string, object>();

/** Memory for any of our modules: a page for what they are loaded with (kernel/layout.ts). It grows as they need it. */
export function createMemory(): Memory {
  return new WebAssembly.Memory({ initial: 1 });
}

/**
 * A new instance of one of our modules. What is named in capitals is a constant there and a number here: to ask a
 * WebAssembly global for its value takes as long as a call.
 *
 * @typeParam Exports what the module exports; nothing checks that.
 */
export function instantiate<Exports>(url: URL, memory: Memory): Exports {
  const module = modules.get(url.href) ?? new WebAssembly.Module(fs.readFileSync(url));
  modules.set(url.href, module);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const named = Object.entries(exports as Record<string, Variable>).map(([name, value]) => [
    name,
    /^[A-Z_0-9]+$/.test(name) ? value.value : value,
  ]);
  return Object.fromEntries(named);
}

/** Makes a memory at least so large. Views of it must be made afterwards. */
export function growTo(memory: Memory, bytes: number): void {
  const missingBytes = bytes - memory.buffer.byteLength;
  if (missingBytes > 0) memory.grow(Math.ceil(missingBytes / PAGE_BYTES));
}
