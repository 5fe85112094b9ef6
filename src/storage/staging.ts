import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import zlib from 'node:zlib';
import type { StagingOptions, Writer } from './storage.js';
import { versionOf } from './version.js';

/**
 * The hidden names of unfinished files. A name tells whose it is, so that the next run can sweep what a dead run left
 * behind without touching what a live one is writing, and runs at the same time see each other's work:
 *
 *     .2025-01-15_BTCUSDT_ob500_1m.csv.HOST-PLACE-PID-START.RUN.THREAD.COUNT.part
 *
 * PLACE is where the number PID means a process: a boot of a machine, and within it a container. START is when the
 * process began, because the numbers of dead processes are given out again. In a `--temp-dir`, where files of several
 * folders lie, a hash of the file's own folder comes first.
 */
const STAGED = /^\.(.+)\.(\w+)-(\w+)-(\d+)-(\d+)\.(\w+)\.\d+\.\d+\.part$/;

/** The same for folders of files that a later run may go on with. */
const RESUMABLE = /^\.(.+)\.(\w+)-(\w+)-(\d+)-(\d+)\.\w+\.\d+\.\d+\.resume$/;

/** The same without PLACE and RUN, as version 0.1 wrote them. */
const STAGED_BEFORE = /^\..+\.\w+-\d+-\d+\.\d+\.\d+\.part$/;

/** A staged file of another place is taken for dead when nobody has written to it for this long. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;

/** The same of one that can be gone on with: who writes it pauses for minutes at most. */
const RESUMABLE_AGE_MS = 15 * 60 * 1000;

/** Where {@link statOf} has the state of a process, and when it began, in clock ticks since boot. */
const STATE = 0;
const START = 19;

/** States of a process that does nothing more, or nothing until it is told to: stopped, traced, dead. */
const STANDS_STILL = new Set(['T', 't', 'Z', 'X']);

/** File names may have 255 bytes on common file systems; a long host name must not use them up. */
const host = os.hostname().replace(/\W/g, '_').slice(0, 32);
const place = hash(`${readLine('/proc/sys/kernel/random/boot_id')} ${readLink('/proc/self/ns/pid')}`);
const owner = `${host}-${place}-${process.pid}-${startOf(process.pid) ?? 0}`;
let count = 0;

/** A name for a run that no other run has: its unfinished files bear it. */
export function newRunId(): string {
  return `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}

/** The folder that a file is staged in, and what it is called there. */
export function stagingPlace(
  file: string,
  { tempDir, stagingDir = path.dirname(file) }: Omit<StagingOptions, 'runId'>,
): { folder: string; name: string } {
  const fileName = path.basename(file);
  if (tempDir === undefined) return { folder: stagingDir, name: fileName };
  // A folder that is not there holds nothing that anybody could have staged.
  return { folder: tempDir, name: `${hash(orEmpty(() => fs.realpathSync(stagingDir)))}.${fileName}` };
}

/** A name for the unfinished `fileName` that no other process, thread or earlier call has given out. */
export function stagedName(fileName: string, runId: string): string {
  return `.${fileName}.${owner}.${runId}.${threadId}.${count++}.part`;
}

/** Likewise for the folder of one that a later run may go on with. */
export function resumableName(fileName: string, runId: string): string {
  return `.${fileName}.${owner}.${runId}.${threadId}.${count++}.resume`;
}

/** What the name of such a folder tells; `undefined`: it is none. */
export function parseResumable(name: string): { fileName: string; isOrphan: (file: string) => boolean } | undefined {
  const [, fileName, host = '', place = '', pid = '', start = ''] = RESUMABLE.exec(name) ?? [];
  return fileName === undefined
    ? undefined
    : { fileName, isOrphan: (file) => isDead({ host, place, pid, start }, file, RESUMABLE_AGE_MS) };
}

/**
 * Removes the unfinished files in `folder`, as far as it can, that belong to dead processes, or to the run
 * `endedRunId`, whose workers must have ended by then.
 *
 * @returns how many were removed.
 */
export function sweepStaged(folder: string, endedRunId?: string): number {
  let removed = 0;
  for (const name of listFolder(folder)) {
    const file = path.join(folder, name);
    if (isLeftover(name, file, endedRunId) && remove(file)) removed++;
  }
  return removed;
}

/** The other runs that have a file staged, live, and do not stand still. */
export function findWriters(file: string, { runId: ownRunId, ...options }: StagingOptions): Writer[] {
  const { folder, name } = stagingPlace(file, options);
  return listFolder(folder).flatMap((stagedAs) => {
    const [, fileName, host = '', filePlace, pid, , runId = ''] = STAGED.exec(stagedAs) ?? [];
    if (fileName !== name || runId === ownRunId) return [];
    const staged = path.join(folder, stagedAs);
    if (isLeftover(stagedAs, staged, undefined)) return [];
    if (filePlace === place && STANDS_STILL.has(statOf(Number(pid))[STATE] ?? '')) return [];
    const stat = fs.statSync(staged, { throwIfNoEntry: false });
    return stat ? [{ runId, host, pid: Number(pid), ...versionOf(stat) }] : []; // else it has just been published
  });
}

/** Whether an unfinished file is of nobody any more, by its name, and by its age where the name does not tell. */
export function isLeftover(name: string, file: string, endedRunId: string | undefined): boolean {
  const match = STAGED.exec(name);
  if (!match) return STAGED_BEFORE.test(name) && isOlderThan(file, Date.now() - FOREIGN_AGE_MS);
  const [, , fileHost = '', filePlace = '', pid = '', start = '', runId] = match;
  return runId === endedRunId || isDead({ host: fileHost, place: filePlace, pid, start }, file);
}

/** Whether the process that a name tells of has ended; of one elsewhere the time of the file has to tell. */
function isDead(
  of: { host: string; place: string; pid: string; start: string },
  file: string,
  foreignAgeMs = FOREIGN_AGE_MS,
): boolean {
  if (of.place === place) return !isRunning(Number(of.pid), Number(of.start));
  // Written before this machine was started, by a machine of this name: most likely by this one.
  const diedAtMs = of.host === host ? Date.now() - os.uptime() * 1000 : 0;
  return isOlderThan(file, Math.max(diedAtMs, Date.now() - foreignAgeMs));
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

/** When a process began; `undefined` where nothing tells: then the number alone has to do. */
function startOf(pid: number): number | undefined {
  const start = statOf(pid)[START];
  return start === undefined ? undefined : Number(start);
}

/** The fields of /proc/PID/stat, from the third on (proc(5)); none where there is no such file. */
function statOf(pid: number): string[] {
  const stat = readLine(`/proc/${pid}/stat`);
  // Field 2 is the program's name in parentheses and may hold anything; fields count from after its end.
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** What the kernel says in one of its files; empty where there is none, or it is not for us. */
function readLine(file: string): string {
  return orEmpty(() => fs.readFileSync(file, 'utf8').trim());
}

function readLink(file: string): string {
  return orEmpty(() => fs.readlinkSync(file));
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

function hash(text: string): string {
  return zlib.crc32(text).toString(16).padStart(8, '0');
}

export function isOlderThan(file: string, ms: number): boolean {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs < ms;
}
