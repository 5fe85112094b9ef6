/** Files on a disk that stops answering: a FUSE file system of one file, which `stalling-file.py` serves. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../../../test/support/stalling-file.py', import.meta.url));

/** Why there can be no such disk here; `false`: there can. */
export const NO_FUSE =
  (process.getuid?.() !== 0 || !fs.existsSync('/dev/fuse') || spawnSync('python3', ['-c', '']).status !== 0) &&
  'NOT CHECKED: a disk that stops answering, which needs root, /dev/fuse and python3';

export interface StallingFile {
  /** Resolves when somebody waits for bytes that do not come. */
  waitedFor: Promise<unknown>;
  /** Answers all reads from now on, also those that wait. */
  goOn: () => void;
}

/** What ends each disk that there is. */
const disks: (() => void)[] = [];

/** Ends all disks: their files are as they were. To be done before their folder is removed. */
export function endStalls(): void {
  for (const end of disks.splice(0)) end();
}

/** Puts a file on a disk that answers reads up to a byte, and then none, until {@link endStalls}. */
export async function stall(file: string, answeredBytes: number): Promise<StallingFile> {
  const server: ChildProcess = spawn('python3', [SERVER, file, `${answeredBytes}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
  const said = (word: string) =>
    new Promise((resolve) => lines.on('line', (line: string) => line === word && resolve(line)));
  const waitedFor = said('waiting');
  const ended = once(server, 'close').then(([status]) => {
    throw new Error(`stalling-file.py ended with ${status}`);
  });
  await Promise.race([said('mounted'), ended]);
  ended.catch(() => {}); // at the end of the test
  const goOn = () => void server.stdin?.write('\n');
  disks.push(() => {
    goOn();
    spawnSync('umount', ['-l', file]);
    server.kill('SIGKILL');
  });
  return { waitedFor, goOn };
}
