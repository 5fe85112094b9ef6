import fs from 'node:fs';

/** Writes all of the bytes: a single call may take only a part of them. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += fs.writeSync(fd, bytes, written, bytes.length - written);
  }
}
