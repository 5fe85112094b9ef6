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
};

const PAGE_BYTES = 65_536;

/** Modules compiled in this thread. */
const modules = new Map<string, object>();

/**
 * A new instance of one of our modules, with memory of its own.
 *
 * @typeParam Exports what the module exports; nothing checks that.
 */
export function instantiate<Exports extends { memory: Memory }>(url: URL): Exports {
  const module = modules.get(url.href) ?? new WebAssembly.Module(fs.readFileSync(url));
  modules.set(url.href, module);
  return new WebAssembly.Instance(module, {}).exports as Exports;
}

/** Makes a memory at least so large. Views of it must be made afterwards. */
export function growTo(memory: Memory, bytes: number): void {
  const missingBytes = bytes - memory.buffer.byteLength;
  if (missingBytes > 0) memory.grow(Math.ceil(missingBytes / PAGE_BYTES));
}
