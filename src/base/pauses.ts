import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from './clock.js';

/** Short enough that a signal or a line of progress is not seen to wait; an event loop's turn is not free. */
const MS_BETWEEN_PAUSES = 20;

/**
 * Makes a function that lets signals and messages of the thread be heard, when it has not for some time: archives are
 * read by synchronous calls, between which nothing else would get its turn.
 *
 * @throws the reason of the signal, from the function, when it is aborted.
 */
export function pauses(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let lastMs = monotonicMs();
  const pause = async () => {
    await setImmediate();
    lastMs = monotonicMs();
    signal?.throwIfAborted();
  };
  return () => (monotonicMs() - lastMs > MS_BETWEEN_PAUSES ? pause() : undefined);
}

/** Reads what is left of an archive, for its faults alone: damage is the better explanation of a line that cannot be read. */
export async function readToEnd(chunks: AsyncIterable<unknown>, pause: () => Promise<void> | undefined): Promise<void> {
  for await (const _ of chunks) await pause();
}
