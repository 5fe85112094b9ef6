import type { ByteSource, FileVersion } from '../storage.js';
import { BLOCK_BYTES, giveBlock, takeBlock } from './blocks.js';
import type { S3Place } from './path.js';
import { readRange } from './range.js';
import { useReceiver } from './receiver.js';

/** The first blocks are shorter, each twice as long as the one before: then nobody waits long for the first byte. */
const FIRST_BLOCK_BYTES = 1024 * 1024;

/** Blocks that are on their way while one is read: one connection is often slower than a worker. */
const BLOCKS_AHEAD = 3;

/** What is asked for elsewhere, as for the directory of a zip file: what is read next lies near. */
const LOOK_BYTES = 128 * 1024;

/** Objects up to this size are received in the thread that reads them: another one would hardly have started. */
const SMALL_BYTES = 16 * 1024 * 1024;

/** A stretch of the object that is here, or on its way. */
interface Block {
  startByte: number;
  endByte: number; // exclusive
  bytes: Promise<Uint8Array>;
  giveUp: AbortController;
}

/**
 * Reads one version of an object by ranges, without a copy on a disk. Where it is read on and on, blocks are asked for
 * before they are needed, and received in another thread. Memory is that of {@link BLOCKS_AHEAD} and one more block,
 * whatever the size of the object.
 */
export class S3Source implements ByteSource {
  readonly sizeBytes: number;
  readonly version: FileVersion;
  readonly #place: S3Place;
  readonly #isLarge: boolean;
  readonly #letGo: (() => void) | undefined;
  /** Where the last reading ended. */
  #position = 0;
  /** What is read on and on: each block begins where the one before ends. */
  readonly #blocks: Block[] = [];
  /** What was last asked for elsewhere. */
  #look: Block | undefined;

  /** @param isReadOn it will most likely be read from its beginning on, which is asked for at once if it is large. */
  constructor(place: S3Place, version: FileVersion, { isReadOn }: { isReadOn: boolean }) {
    this.#place = place;
    this.version = version;
    this.sizeBytes = version.sizeBytes;
    this.#isLarge = this.sizeBytes > SMALL_BYTES;
    if (this.#isLarge) this.#letGo = useReceiver();
    if (this.#isLarge && isReadOn) this.#askNext(0, FIRST_BLOCK_BYTES);
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length && position + filled < this.sizeBytes) {
      const at = position + filled;
      const { startByte, bytes } = this.#find(at, buffer.length - filled);
      const part = (await bytes).subarray(at - startByte).subarray(0, buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      this.#position = at + part.length;
    }
    return filled;
  }

  async close(): Promise<void> {
    this.#look?.giveUp.abort(ended());
    this.#dropBlocks(this.#blocks.length);
    this.#letGo?.();
  }

  /** The block that has the byte at a position, from which on so many are wanted. */
  #find(position: number, wantedBytes: number): Block {
    if (this.#look && has(this.#look, position)) return this.#look;
    const index = this.#blocks.findIndex((block) => has(block, position));
    if (index < 0 && position !== this.#position) return this.#lookAt(position, wantedBytes);
    this.#dropBlocks(index < 0 ? this.#blocks.length : index);
    this.#askAhead(position);
    return this.#blocks[0] as Block;
  }

  #lookAt(position: number, wantedBytes: number): Block {
    this.#look?.giveUp.abort(ended());
    const endByte = Math.min(position + Math.max(wantedBytes, LOOK_BYTES), this.sizeBytes);
    this.#look = this.#ask(position, new Uint8Array(endByte - position));
    return this.#look;
  }

  /** Asks for what comes next, as far as it is not on its way. */
  #askAhead(position: number): void {
    while (this.#blocks.length <= BLOCKS_AHEAD) {
      const last = this.#blocks.at(-1);
      const startByte = last?.endByte ?? position;
      if (startByte >= this.sizeBytes) return;
      const wanted = last ? Math.min(BLOCK_BYTES, 2 * (last.endByte - last.startByte)) : FIRST_BLOCK_BYTES;
      this.#askNext(startByte, Math.min(wanted, this.sizeBytes - startByte));
    }
  }

  #askNext(startByte: number, length: number): void {
    const memory = this.#isLarge ? takeBlock().subarray(0, length) : new Uint8Array(length);
    this.#blocks.push(this.#ask(startByte, memory));
  }

  #ask(startByte: number, memory: Uint8Array): Block {
    const giveUp = new AbortController();
    const options = { signal: giveUp.signal, isBeside: memory.buffer instanceof SharedArrayBuffer };
    const bytes = readRange(this.#place, this.version, startByte, memory, options).then(() => memory);
    bytes.catch(() => {}); // whoever reads the block hears of it; perhaps nobody does
    return { startByte, endByte: startByte + memory.length, bytes, giveUp };
  }

  /** Lets go of the first blocks. What is still on its way is given up, and its memory is not used again. */
  #dropBlocks(count: number): void {
    for (const { bytes, giveUp } of this.#blocks.splice(0, count)) {
      giveUp.abort(ended());
      if (this.#isLarge) bytes.then(giveBlock, () => {});
    }
  }
}

function ended(): Error {
  return new Error('the reading has ended');
}

function has({ startByte, endByte }: Block, position: number): boolean {
  return startByte <= position && position < endByte;
}
