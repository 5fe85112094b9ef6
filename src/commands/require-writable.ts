import { UsageError } from '../base/usage-error.js';
import { openStorage } from '../storage/open-storage.js';

/**
 * Sees that files can be made in a folder before hours of work.
 *
 * @param kind what the folder is for.
 * @throws {@link UsageError} when they cannot.
 */
export async function requireWritable(kind: string, folder: string): Promise<void> {
  try {
    await openStorage(folder).requireWritable(folder);
  } catch (error) {
    throw new UsageError(`Cannot write to the ${kind} folder ${folder}: ${(error as Error).message}`);
  }
}
