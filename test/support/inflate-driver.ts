import assert from 'node:assert/strict';
import { inflateRawSync } from 'node:zlib';
import { inflateMessage } from '../../src/archive/kernel-inflate.js';
import { loadInflateKernel } from '../../src/wasm/inflate-kernel.js';
import { createMemory, growTo } from '../../src/wasm/memory.js';

/** What an inflater made of a stream: its output and the bytes it used, or its error's message. */
export type Outcome = { output: Buffer; bytesUsed: number } | { error: string };

export function byZlib(stream: Buffer): Outcome {
  try {
    const { buffer, engine } = inflateRawSync(stream, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { output: buffer, bytesUsed: engine.bytesWritten };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

const MAX_PIECE_BYTES = 1 << 20;
const INPUT_SLACK_BYTES = 16;
const MAX_ROOM_BYTES = 1 << 20;
const CANARY_BYTES = 64;
const CANARY = Buffer.alloc(CANARY_BYTES, 0xa5);

const kernel = loadInflateKernel(createMemory());
const { HISTORY_BYTES, OUTPUT_SLACK_BYTES } = kernel;
const inputStart = kernel.areasStart + CANARY_BYTES;
const areaStart = inputStart + MAX_PIECE_BYTES + INPUT_SLACK_BYTES + CANARY_BYTES;
const areaEnd = areaStart + HISTORY_BYTES + 2 * MAX_ROOM_BYTES;
growTo(kernel.memory, areaEnd + OUTPUT_SLACK_BYTES + CANARY_BYTES);
const memory = Buffer.from(kernel.memory.buffer);

function isCanary(start: number): boolean {
  return CANARY.equals(memory.subarray(start, start + CANARY_BYTES));
}

/**
 * Drives the kernel's exports with input pieces and output rooms of any sizes, on memory full of canaries: right
 * before the input and the window, and right after the slack of each call.
 *
 * @param pieceBytes at least 1, asked before each piece
 * @param roomBytes 0 or more, asked before each call
 */
export function byKernel(stream: Buffer, pieceBytes: () => number, roomBytes: () => number): Outcome {
  const parts: Buffer[] = [];
  let bytesFed = 0;
  let piece: Buffer = Buffer.alloc(0);
  let out = areaStart + HISTORY_BYTES;
  let produced = 0;

  const feed = (): void => {
    const isLast = bytesFed === stream.length;
    piece = stream.subarray(bytesFed, bytesFed + Math.min(pieceBytes(), MAX_PIECE_BYTES));
    bytesFed += piece.length;
    CANARY.copy(memory, inputStart - CANARY_BYTES);
    piece.copy(memory, inputStart);
    // Not the stream: a decoder that used it would go wrong.
    memory.fill(0xff, inputStart + piece.length, inputStart + piece.length + INPUT_SLACK_BYTES);
    kernel.inflateInput(inputStart, piece.length, isLast);
  };

  kernel.inflateReset();
  feed();
  for (;;) {
    const room = Math.min(roomBytes(), MAX_ROOM_BYTES);
    if (out + room > areaEnd) {
      memory.copyWithin(areaStart, out - HISTORY_BYTES, out);
      out = areaStart + HISTORY_BYTES;
    }
    const end = out + room;
    const windowStart = out - Math.min(produced, HISTORY_BYTES);
    CANARY.copy(memory, windowStart - CANARY_BYTES);
    CANARY.copy(memory, end + OUTPUT_SLACK_BYTES);
    const windowBefore = Buffer.from(memory.subarray(Math.max(windowStart, out - 300), out));

    const status = kernel.inflate(out, end);
    const newOut = kernel.inflateOutputPointer();

    assert.ok(newOut >= out && newOut <= end, 'output stays in its room');
    assert.ok(isCanary(end + OUTPUT_SLACK_BYTES), 'nothing is written after the slack');
    assert.ok(isCanary(windowStart - CANARY_BYTES), 'nothing is written before the window');
    assert.ok(isCanary(inputStart - CANARY_BYTES), 'nothing is written before the input');
    assert.ok(windowBefore.equals(memory.subarray(out - windowBefore.length, out)), 'history is not written');
    assert.ok(piece.equals(memory.subarray(inputStart, inputStart + piece.length)), 'input is not written');

    parts.push(Buffer.from(memory.subarray(out, newOut)));
    produced += newOut - out;
    out = newOut;
    const used = kernel.inflateInputUsed();
    assert.ok(used <= piece.length, 'no more input is used than there is');
    if (status === kernel.OUTPUT_FULL) {
      assert.equal(newOut, end, 'output is full');
    } else if (status === kernel.NEEDS_INPUT) {
      assert.equal(used, piece.length, 'all input is used');
      feed();
    } else {
      const after = kernel.inflate(out, out + 100);
      assert.deepEqual([after, kernel.inflateOutputPointer()], [status, out], 'the end stays');
      if (status === kernel.DONE) return { output: Buffer.concat(parts), bytesUsed: bytesFed - piece.length + used };
      return { error: inflateMessage(kernel, status) };
    }
  }
}
