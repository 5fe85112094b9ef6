import { createHash } from 'node:crypto';
import { openStorage } from '../storage/open-storage.js';
import { pieces } from '../storage/pieces.js';

/**
 * The SHA-256 of a file's bytes, in hexadecimal.
 *
 * @throws {@link StorageError} or a system error when it cannot be read to its end.
 */
export async function hashFile(path: string, pause?: () => Promise<void> | undefined): Promise<string> {
  const hash = createHash('sha256');
  const source = await openStorage(path).open(path);
  try {
    for await (const piece of pieces(source, 0, source.sizeBytes, () => {})) {
      hash.update(piece);
      await pause?.();
    }
  } finally {
    await source.close();
  }
  return hash.digest('hex');
}
