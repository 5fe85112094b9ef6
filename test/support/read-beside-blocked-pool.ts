/**
 * Run as a process of its own, with UV_THREADPOOL_SIZE=1: blocks libuv's only pool thread, then reads archives.
 *
 *     node read-beside-blocked-pool.js FIFO ARCHIVE…
 *
 * Prints, as JSON, the bytes of each archive and whether the pool was still blocked after all of them.
 */
import fs from 'node:fs';
import { readArchive } from '../../src/archive/open-archive.js';

const [, , fifo = '', ...archives] = process.argv;

async function readAll(): Promise<number[]> {
  const sizes: number[] = [];
  for (const archive of archives) {
    let bytes = 0;
    for await (const chunk of readArchive(archive)) bytes += chunk.length;
    sizes.push(bytes);
  }
  return sizes;
}

// What reads a kind of archive is loaded with the first of its kind, and Node loads modules by the pool.
await readAll();

// To open a FIFO for reading waits, in a thread of the pool, until somebody opens it for writing: nobody does.
fs.open(fifo, 'r', () => {});
let isBlocked = true;
fs.stat(fifo, () => {
  isBlocked = false;
});

const sizes = await readAll();
// Time for the stat to come back, were the pool free.
await new Promise((resolve) => setTimeout(resolve, 100));
process.stdout.write(JSON.stringify({ sizes, isBlocked }));
// Lets the thread go: the process would wait for it.
fs.closeSync(fs.openSync(fifo, fs.constants.O_RDWR));
process.exit();
