import { localStorage } from './local.js';
import { schemeOf } from './paths.js';
import { type Storage, StorageError } from './storage.js';

/**
 * The storage that a path belongs to.
 *
 * @throws {@link StorageError} for `scheme://…` of an unknown scheme.
 */
export function openStorage(path: string): Storage {
  const scheme = schemeOf(path);
  if (scheme === undefined) return localStorage;
  throw new StorageError(
    `${path}: nothing is known of ${scheme}:// here; a folder or a file of this machine was expected`,
  );
}
