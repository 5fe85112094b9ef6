import fs from 'node:fs';

/**
 * Writes all of the bytes: a single call may take only a part of them.
 *
 * @param startByte where in the file; where it stands, or at its end if it is open for appending, when absent.
 */
export function writeAll(fd: number, bytes: Uint8Array, startByte?: number): void {
  for (let written = 0; written < bytes.length; ) {
    const position = startByte === undefined ? null : startByte + written;
    written += fs.writeSync(fd, bytes, written, bytes.length - written, position);
  }
}
