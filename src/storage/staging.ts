import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';

/**
 * The hidden names of unfinished outputs. A name tells whose it is, so that the next run can sweep what a dead run
 * left behind without touching what a live one is writing:
 *
 *     .2025-01-15_BTCUSDT_ob500_1m.csv.HOST-PID-START.THREAD.COUNT.part
 *
 * START is when process PID began, because the numbers of dead processes are given out again.
 */
const STAGED = /^\..+\.([^.]*)-(\d+)-(\d+)\.\d+\.\d+\.part$/;

/** A staged file of another host is taken for dead when nobody has written to it for this long. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;

/** File names may have 255 bytes on common file systems; a long host name must not use them up. */
const host = os
  .hostname()
  .replace(/[^A-Za-z0-9]/g, '_')
  .slice(0, 32);
const owner = `${host}-${process.pid}-${startOf(process.pid) ?? 0}`;
let count = 0;

/** A name for the unfinished `fileName` that no other process, thread or earlier call has given out. */
export function stagedName(fileName: string): string {
  return `.${fileName}.${owner}.${threadId}.${count++}.part`;
}

/**
 * Removes the unfinished outputs in `folder`, as far as it can, that belong to dead runs, or, with
 * `ownToo`, to this one, whose workers must have ended by then.
 *
 * @returns how many were removed.
 */
export function sweepStaged(folder: string, { ownToo = false } = {}): number {
  let removed = 0;
  for (const name of listFolder(folder)) {
    const match = STAGED.exec(name);
    if (!match) continue;
    const [, fileHost = '', pid = '', start = ''] = match;
    const file = path.join(folder, name);
    const isOwn = `${fileHost}-${pid}-${start}` === owner;
    const isDead = fileHost === host ? !isRunning(Number(pid), Number(start)) : isOld(file);
    if (isOwn ? !ownToo : !isDead) continue;
    if (remove(file)) removed++;
  }
  return removed;
}

/** A leftover does no harm. One that cannot be removed, or a folder that cannot be looked into, must not stop a run. */
function remove(file: string): boolean {
  try {
    fs.rmSync(file, { force: true });
    return true;
  } catch {
    return false;
  }
}

function listFolder(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // whoever writes there is told what is wrong with it
  }
}

function isRunning(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && isSameStart(pid, start);
  }
  return isSameStart(pid, start);
}

/** In doubt the process is taken for the one that wrote the name: a leftover is harmless, a live file is not. */
function isSameStart(pid: number, start: number): boolean {
  const startNow = startOf(pid);
  return startNow === undefined || start === 0 || startNow === start;
}

/**
 * When a process began, in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); `undefined` where there is
 * no such file: then the number alone has to do.
 */
function startOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  // Field 2 is the program's name in parentheses and may hold anything; fields count from after its end.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

function isOld(file: string): boolean {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > FOREIGN_AGE_MS;
}
