import fs from 'node:fs';
import path from 'node:path';

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

/** Modules by the names of their files. A thread may hand them to others, which then need not compile them. */
export type Modules = ReadonlyMap<string, object>;

/** Those compiled in this thread, or handed to it. */
const modules = new Map<string, object>();

/**
 * Memory for any of our modules: a page for what they are loaded with (kernel/layout.ts). It grows as they need it.
 *
 * @param expectedBytes how large it will soon be. When it grows by much, V8 looks for garbage first, which takes longer
 * than to read a small archive.
 */
export function createMemory(expectedBytes = 0): Memory {
  return new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(expectedBytes / PAGE_BYTES)) });
}

/** Compiles modules, which lie beside this one, for threads that are about to start. */
export function compileModules(fileNames: readonly string[]): Modules {
  return new Map(fileNames.map((fileName) => [fileName, compile(new URL(fileName, import.meta.url))]));
}

/** Takes what another thread has compiled. */
export function useModules(compiled: Modules): void {
  for (const [fileName, module] of compiled) modules.set(fileName, module);
}

function compile(url: URL): object {
  const fileName = path.posix.basename(url.pathname);
  const module = modules.get(fileName) ?? new WebAssembly.Module(fs.readFileSync(url));
  modules.set(fileName, module);
  return module;
}

/**
 * A new instance of one of our modules. What is named in capitals is a constant there and a number here: to ask a
 * WebAssembly global for its value takes as long as a call.
 *
 * @typeParam Exports what the module exports; nothing checks that.
 */
export function instantiate<Exports>(url: URL, memory: Memory): Exports {
  const { exports } = new WebAssembly.Instance(compile(url), { env: { memory } });
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
