import fs from 'node:fs';
import path from 'node:path';
import { makeFolder, settleName } from './folders.js';
import { StorageError } from './storage.js';
import { writeAll } from './write-all.js';

const READ_BYTES = 2 ** 20;

/**
 * Appends a line to a file that several runs may append to at the same time. It is durable when the call returns.
 *
 * @throws {@link StorageError} when the file is there and is no regular one; a system error when it cannot be written.
 */
export function appendLine(file: string, line: string): void {
  if (!isRegular(file)) makeFolder(path.dirname(file));
  const fd = fs.openSync(file, 'a+');
  try {
    // A run that was killed, or whose disk was full, may have left half a line; this one must not become part of it. A line
    // that another run is writing at this moment looks the same: then an empty line comes between, which says nothing.
    const start = endsInLine(fd) ? '' : '\n';
    // One write with O_APPEND for a whole line: lines of two runs do not mix.
    writeAll(fd, Buffer.from(`${start}${line}\n`));
    fs.fsyncSync(fd);
    settleName(file, fs.fstatSync(fd));
  } finally {
    fs.closeSync(fd);
  }
}

/** The bytes of such a file; none when it is not there. */
export async function* readLines(file: string): AsyncGenerator<Buffer, void, undefined> {
  if (!isRegular(file)) return;
  const handle = await fs.promises.open(file);
  try {
    // A few records are the usual case, for which so much memory need not be had.
    const pieceBytes = Math.min((await handle.stat()).size + 1, READ_BYTES);
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Asked before it is opened: a pipe, or a device that never ends, would hold the program for ever. */
function isRegular(file: string): boolean {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  if (stat.isDirectory())
    throw new StorageError(`it is a folder, as in S3: put its files into one, ${joinParts(file)}`);
  if (!stat.isFile()) throw new StorageError('not a regular file');
  return true;
}

/** Names begin with the time, so their order is that of the lines. */
function joinParts(file: string): string {
  const name = path.basename(file);
  return `in its folder by: mv ${name} parts && cat parts/*.jsonl > ${name}`;
}

function endsInLine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || fs.readSync(fd, last, 0, 1, size - 1) === 0 || last.toString() === '\n';
}
