/** An instrumented kernel that touches a byte outside of its areas is caught, whatever instruction does it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { AccessError, takeHits, watchKernels } from '../../fuzz/kernel-probe.js';

/** As much of the global as is needed. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
  Memory: new (size: { initial: number }) => object;
};

const instrumenter = new URL('../../../scripts/instrument-kernel.mjs', import.meta.url);
const { instrument } = (await import(instrumenter.href)) as { instrument: (wasm: Uint8Array) => Uint8Array };
watchKernels();

const TABLES_END = 100;
const INPUT = 200;
const OUTPUT = 2000;
const ROOM = 50;
const HISTORY = 300;
const SLACK = 64;

/** A kernel with the exports of the inflater; `touch` is what it does at the address in its local 0. */
function kernelThat(touch: string) {
  const globals = [`TABLES_END" ${TABLES_END}`, `HISTORY_BYTES" ${HISTORY}`, `OUTPUT_SLACK_BYTES" ${SLACK}`].map(
    (global, at) => {
      const [name, value] = global.split('" ');
      return `(global $g${at} i32 (i32.const ${value})) (export "${name}" (global $g${at}))`;
    },
  );
  const module = binaryen.parseText(`(module
    (import "env" "memory" (memory $0 1))
    ${globals.join('\n')}
    (global $at (mut i32) (i32.const 0))
    (func (export "inflateReset"))
    (func (export "inflateInput") (param i32 i32 i32) (global.set $at (local.get 0)))
    (func (export "inflateOutputPointer") (result i32) (i32.const ${OUTPUT + ROOM}))
    (func (export "inflate") (param i32 i32) (result i32)
      (call $touch (global.get $at))
      (i32.const 0))
    (func (export "aim") (param i32) (global.set $at (local.get 0)))
    (func $touch (param i32) ${touch}))`);
  module.setFeatures(binaryen.Features.All);
  const wasm = instrument(module.emitBinary());
  module.dispose();
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
  return exports as Record<'inflateReset' | 'inflateInput' | 'inflate' | 'aim', (...args: number[]) => number>;
}

/** Whether it is caught when it touches an address, after 400 bytes of output. */
function isCaught(touch: string, address: number): boolean {
  const kernel = kernelThat(touch);
  kernel.inflateReset();
  kernel.inflateInput(INPUT, ROOM, 0);
  kernel.aim(OUTPUT);
  for (let produced = 0; produced < 400; produced += ROOM) kernel.inflate(OUTPUT, OUTPUT + ROOM);
  kernel.aim(address);
  try {
    kernel.inflate(OUTPUT, OUTPUT + ROOM);
    return false;
  } catch (error) {
    if (error instanceof AccessError) return true;
    throw error;
  }
}

const LOADS: [instruction: string, bytes: number][] = [
  ['(drop (i32.load8_u (local.get 0)))', 1],
  ['(drop (i32.load16_s (local.get 0)))', 2],
  ['(drop (i64.load32_u (local.get 0)))', 4],
  ['(drop (i64.load (local.get 0)))', 8],
  ['(drop (v128.load (local.get 0)))', 16],
  ['(drop (v128.load8x8_u (local.get 0)))', 8],
  ['(drop (v128.load32_splat (local.get 0)))', 4],
  ['(memory.copy (i32.const 0) (local.get 0) (i32.const 7))', 7],
];
const STORES: [instruction: string, bytes: number][] = [
  ['(i32.store8 (local.get 0) (i32.const 1))', 1],
  ['(i64.store32 (local.get 0) (i64.const 1))', 4],
  ['(i64.store (local.get 0) (i64.const 1))', 8],
  ['(v128.store (local.get 0) (v128.const i64x2 0 0))', 16],
  ['(memory.fill (local.get 0) (i32.const 1) (i32.const 9))', 9],
  ['(memory.copy (local.get 0) (i32.const 0) (i32.const 7))', 7],
];

for (const [instruction, bytes] of LOADS) {
  test(`${instruction} reads tables, input, history and output, and not a byte more`, () => {
    const areas = [
      [0, TABLES_END],
      [INPUT, INPUT + ROOM],
      [OUTPUT - HISTORY, OUTPUT + ROOM + SLACK],
    ] as const;
    for (const [start, end] of areas) {
      assert.ok(!isCaught(instruction, start), `${start} is the first`);
      assert.ok(!isCaught(instruction, end - bytes), `${end} is behind the last`);
      assert.ok(isCaught(instruction, end - bytes + 1), `${end} is outside`);
      if (start > 0) assert.ok(isCaught(instruction, start - 1), `${start - 1} is outside`);
    }
  });
}

for (const [instruction, bytes] of STORES) {
  test(`${instruction} writes tables and output, and not a byte more`, () => {
    const end = OUTPUT + ROOM + SLACK;
    assert.ok(!isCaught(instruction, OUTPUT));
    assert.ok(!isCaught(instruction, end - bytes));
    for (const address of [OUTPUT - 1, end - bytes + 1, INPUT, TABLES_END - bytes + 1]) {
      assert.ok(isCaught(instruction, address), `${address} may not be written`);
    }
  });
}

test('an address with an offset of the instruction is the sum of both', () => {
  assert.ok(isCaught('(drop (i32.load8_u offset=50 (local.get 0)))', INPUT));
  assert.ok(!isCaught('(drop (i32.load8_u offset=49 (local.get 0)))', INPUT));
  assert.ok(isCaught('(i32.store8 offset=64 (local.get 0) (i32.const 1))', OUTPUT + ROOM));
  assert.ok(!isCaught('(i32.store8 offset=63 (local.get 0) (i32.const 1))', OUTPUT + ROOM));
});

test('both ways of a condition are different places, and once is another than often', () => {
  const branch = '(if (i32.lt_u (local.get 0) (i32.const 10)) (then (nop)) (else (nop)))';
  const loop = `(local i32) (loop $again
    (local.set 1 (i32.add (local.get 1) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get 1) (local.get 0))))`;
  for (const touch of [branch, loop]) {
    const kernel = kernelThat(touch);
    const placesAt = (address: number) => {
      kernel.aim(address);
      takeHits();
      kernel.inflate(OUTPUT, OUTPUT + ROOM);
      return takeHits().sort();
    };
    assert.deepEqual(placesAt(2), placesAt(2));
    assert.notDeepEqual(placesAt(2), placesAt(90));
  }
});
