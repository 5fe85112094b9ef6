import type { ByteSource, FileVersion } from '../storage.js';
import { readRange } from './objects.js';
import type { S3Place } from './path.js';

/** What is asked for at a time: long enough that the wait for an answer is short beside the transfer. */
const BLOCK_BYTES = 2 * 1024 * 1024;

/** Blocks that are on their way while one is read: one connection is often slower than a worker. */
const BLOCKS_AHEAD = 4;

/**
 * Reads one version of an object, block by block, without a copy on a disk. When blocks are read one after the other, the
 * next ones are asked for before they are needed. Memory is that of {@link BLOCKS_AHEAD} and two more blocks, whatever
 * the size of the object.
 */
export class S3Source implements ByteSource {
  readonly sizeBytes: number;
  readonly #place: S3Place;
  readonly #version: FileVersion;
  readonly #blocks = new Map<number, Promise<Uint8Array>>();
  /** Memory of blocks that are done with. */
  readonly #free: Uint8Array[] = [];
  readonly #closing = new AbortController();
  #last = -2; // so that the first block is next to none

  constructor(place: S3Place, version: FileVersion) {
    this.#place = place;
    this.#version = version;
    this.sizeBytes = version.sizeBytes;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length && position + filled < this.sizeBytes) {
      const at = position + filled;
      const index = Math.floor(at / BLOCK_BYTES);
      const block = await this.#take(index);
      const part = block.subarray(at - index * BLOCK_BYTES).subarray(0, buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
    }
    return filled;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the reading has ended'));
    this.#blocks.clear();
  }

  #take(index: number): Promise<Uint8Array> {
    const isNext = index === this.#last || index === this.#last + 1;
    this.#last = index;
    const endIndex = isNext ? index + BLOCKS_AHEAD : index; // inclusive
    for (const known of this.#blocks.keys()) if (known < index || known > endIndex) this.#release(known);
    for (let wanted = index; wanted <= endIndex && wanted * BLOCK_BYTES < this.sizeBytes; wanted++) {
      if (!this.#blocks.has(wanted)) this.#blocks.set(wanted, this.#fetch(wanted));
    }
    return this.#blocks.get(index) as Promise<Uint8Array>;
  }

  #fetch(index: number): Promise<Uint8Array> {
    const startByte = index * BLOCK_BYTES;
    const length = Math.min(BLOCK_BYTES, this.sizeBytes - startByte);
    const memory = this.#free.pop() ?? new Uint8Array(Math.min(BLOCK_BYTES, this.sizeBytes));
    const block = memory.subarray(0, length);
    const { signal } = this.#closing;
    const fetched = readRange(this.#place, this.#version, startByte, block, { signal }).then(() => block);
    fetched.catch(() => {}); // whoever takes the block hears of it; perhaps nobody does
    return fetched;
  }

  #release(index: number): void {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    void block?.then(
      ({ buffer }) => this.#free.push(new Uint8Array(buffer)),
      () => {},
    );
  }
}
