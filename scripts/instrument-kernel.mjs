// Instruments a WebAssembly module for fuzzing, as text: each branch tells where it goes, each access to the memory
// which bytes it touches. Who is told is what is imported as `probe` (fuzz/kernel-probe.ts).
import binaryen from 'binaryen';

/** @param {Uint8Array} wasm a module with one memory @returns {Uint8Array} the same, instrumented */
export function instrument(wasm) {
  const original = binaryen.readBinary(wasm);
  const tree = parse(original.emitText());
  original.dispose();
  const sites = { count: 0 };
  const [head, ...items] = tree;
  const instrumented = [
    head,
    ...IMPORTS,
    ...items.map((item) => (item[0] === 'func' ? inFunction(item, sites) : item)),
    ...HELPERS,
  ];
  const module = binaryen.parseText(print(instrumented));
  module.setFeatures(binaryen.Features.All);
  if (!module.validate()) throw new Error('the instrumented kernel is no valid module');
  binaryen.setDebugInfo(true); // names of functions, for stack traces
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const IMPORTS = parse(`(
  (import "probe" "enter" (func $probe_enter (param i32)))
  (import "probe" "branch" (func $probe_branch (param i32 i32) (result i32)))
  (import "probe" "load" (func $probe_load (param i32 i32 i32) (result i32)))
  (import "probe" "store" (func $probe_store (param i32 i32 i32) (result i32)))
)`);

/** In place of the instructions that touch many bytes, of which none is touched when there are 0. */
const HELPERS = parse(`(
  (func $probe_copy (param $to i32) (param $from i32) (param $bytes i32)
    (drop (call $probe_load (local.get $from) (i32.const 0) (local.get $bytes)))
    (drop (call $probe_store (local.get $to) (i32.const 0) (local.get $bytes)))
    (memory.copy (local.get $to) (local.get $from) (local.get $bytes)))
  (func $probe_fill (param $to i32) (param $value i32) (param $bytes i32)
    (drop (call $probe_store (local.get $to) (i32.const 0) (local.get $bytes)))
    (memory.fill (local.get $to) (local.get $value) (local.get $bytes)))
)`);

/** What comes before the first instruction of a function. */
const DECLARATIONS = ['param', 'result', 'local', 'type', 'export'];

function inFunction(func, sites) {
  const start = func.findIndex((item, at) => at > 0 && Array.isArray(item) && !DECLARATIONS.includes(item[0]));
  if (start < 0) return func;
  const enter = ['call', '$probe_enter', constant(sites.count++)];
  return [...func.slice(0, start), enter, ...func.slice(start).map((item) => inInstruction(item, sites))];
}

function inInstruction(item, sites) {
  if (!Array.isArray(item)) return item;
  const list = item.map((part) => inInstruction(part, sites));
  const [name] = list;
  if (name === 'memory.copy') return ['call', '$probe_copy', ...list.slice(1)];
  if (name === 'memory.fill') return ['call', '$probe_fill', ...list.slice(1)];
  if (name === 'if') return withCondition(list, list.findIndex((part) => part[0] === 'then') - 1, sites);
  if (name === 'br_if' || name === 'select') return withCondition(list, list.length - 1, sites);
  const [, kind] = /\.(load|store)\w*$/.exec(name) ?? [];
  return kind ? withAddress(list, kind) : list;
}

/** A condition has two sites: what is behind it, and what is not. */
function withCondition(list, at, sites) {
  const site = sites.count;
  sites.count += 2;
  return list.with(at, ['call', '$probe_branch', constant(site), list[at]]);
}

function withAddress(list, kind) {
  const at = list.findIndex((part) => Array.isArray(part));
  const offset = list.find((part) => typeof part === 'string' && part.startsWith('offset='))?.slice(7) ?? '0';
  return list.with(at, ['call', `$probe_${kind}`, list[at], ['i32.const', offset], constant(accessBytes(list[0]))]);
}

/** How many bytes an instruction touches: `i64.load32_u` 4, `v128.load8x8_s` 8, `v128.store` 16. */
function accessBytes(name) {
  const [, type, bits, lanes = '1'] = /^(\w+)\.(?:load|store)(\d+)?(?:x(\d+))?/.exec(name);
  if (bits) return (Number(bits) * Number(lanes)) / 8;
  return Number(type.slice(1)) / 8;
}

function constant(value) {
  return ['i32.const', String(value)];
}

/** A text of brackets as nested lists; strings keep their quotes. */
function parse(text) {
  const stack = [[]];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|;;[^\n]*|[()]|[^\s()";]+/g)) {
    if (token === '(') stack.push([]);
    else if (token === ')') stack.at(-2).push(stack.pop());
    else if (!token.startsWith(';;')) stack.at(-1).push(token);
  }
  return stack[0][0];
}

function print(item) {
  return Array.isArray(item) ? `(${item.map(print).join(' ')})\n` : item;
}
