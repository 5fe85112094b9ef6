import type fs from 'node:fs';
import type { FileVersion } from './storage.js';

/** What tells whether a file of this machine is still the same. */
export function versionOf({ size, mtimeMs }: fs.Stats): FileVersion {
  // Rounded, not cut: programs that give a copy its time by floating-point seconds may miss by part of a microsecond.
  return { sizeBytes: size, mtimeMs: Math.round(mtimeMs) };
}
