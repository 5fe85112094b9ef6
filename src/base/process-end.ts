import process from 'node:process';

/** What was given up, and has not come back. */
let heldUp = 0;

/** For what was only just given up to come back: most of it does at once. */
const LAST_CHANCE_MS = 200;

/**
 * Notes something that Node waits for before it exits, and that may never end: a thread, or a read in libuv's pool, that
 * waits for a disk that does not answer.
 *
 * @param ended settles when it has come back after all.
 */
export function mayHoldUpExit(ended: Promise<unknown>): void {
  heldUp++;
  const comeBack = () => {
    heldUp--;
  };
  ended.then(comeBack, comeBack);
}

/**
 * Ends the process. While something is held up, Node would wait for it for ever; a signal that cannot be caught does not.
 * Then the exit status is 137, whatever `status` says.
 */
export function endProcess(status: number): void {
  const end = () => {
    if (heldUp > 0) process.kill(process.pid, 'SIGKILL');
    process.exit(status);
  };
  if (heldUp === 0) end();
  setTimeout(end, LAST_CHANCE_MS);
}
