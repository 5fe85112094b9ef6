/**
 * Memory for the blocks of large objects, which this thread and the one that receives see. It is used again, also for the
 * next archive: left to the garbage collector, several times as much would be there at a time.
 */

/** What is asked for at a time: long enough that a request costs little beside the transfer. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/** What one reading needs. */
const MAX_FREE = 4;

const free: Uint8Array[] = [];

/** Memory of {@link BLOCK_BYTES}, with whatever is in it. */
export function takeBlock(): Uint8Array {
  return free.pop() ?? new Uint8Array(new SharedArrayBuffer(BLOCK_BYTES));
}

/** Gives memory back that nobody reads or writes any more. */
export function giveBlock({ buffer }: Uint8Array): void {
  if (free.length < MAX_FREE) free.push(new Uint8Array(buffer));
}

/** Leaves what is kept to the garbage collector. */
export function forgetBlocks(): void {
  free.length = 0;
}
