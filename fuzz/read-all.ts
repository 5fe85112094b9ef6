import { ArchiveError } from '../src/archive/archive-error.js';
import { StorageError } from '../src/storage/storage.js';

/** What a small file can inflate to at most, with much to spare: deflate expands 1,032 times. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;

/** The text of an archive, or what is said to be wrong with it. @throws whatever no damaged archive may cause. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<{ text: Buffer } | { problem: string }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      // A chunk holds only until the next is asked for.
      parts.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes > MAX_TEXT_BYTES) throw new Error(`more than ${MAX_TEXT_BYTES} bytes came out of a small file`);
    }
  } catch (error) {
    if (error instanceof ArchiveError || error instanceof StorageError) return { problem: error.message };
    throw error;
  }
  return { text: Buffer.concat(parts) };
}
