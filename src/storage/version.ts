import type fs from 'node:fs';
import type { FileVersion } from './storage.js';

/** What tells whether a file of this machine is still the same. */
export function versionOf({ size, mtimeMs }: Pick<fs.Stats, 'size' | 'mtimeMs'>): FileVersion {
  // Rounded, not cut: programs that give a copy its time by floating-point seconds may miss by part of a microsecond.
  return { sizeBytes: size, mtimeMs: Math.round(mtimeMs) };
}

/** Of something that holds more, the version alone. */
export function versionIn({ sizeBytes, mtimeMs, etag }: FileVersion): FileVersion {
  return { sizeBytes, ...(mtimeMs !== undefined && { mtimeMs }), ...(etag !== undefined && { etag }) };
}

/** Whether two are one version of a file: of one size, and of the same time of change or the same ETag. */
export function isSameVersion(a: FileVersion, b: FileVersion): boolean {
  return isComparable(a, b) && !differs(a, b);
}

/**
 * Whether two are known to be two versions of a file. Of a time of change and an ETag only the sizes can be compared: a
 * file that lies on a disk here and in a bucket there may be the same.
 */
export function differs(a: FileVersion, b: FileVersion): boolean {
  if (a.sizeBytes !== b.sizeBytes) return true;
  return isComparable(a, b) && (a.etag !== b.etag || a.mtimeMs !== b.mtimeMs);
}

function isComparable(a: FileVersion, b: FileVersion): boolean {
  const both = (name: 'etag' | 'mtimeMs') => a[name] !== undefined && b[name] !== undefined;
  return both('etag') || both('mtimeMs');
}
