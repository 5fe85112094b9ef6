/**
 * How many archives are converted at a time when nobody says: one for each core that there is to run on, as long as there
 * is memory to hold them. Containers, and services of systemd, are given less of both than the machine has, by control
 * groups (cgroups(7)), of which Node tells the memory of one and the processors of none.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What the control groups of a process allow it. */
export interface Limits {
  /** Processors, also parts of one; `undefined`: no limit. */
  cpus?: number;
  /** The smallest limit of memory, and the file that says so. */
  memory?: MemoryLimit;
}

interface MemoryLimit {
  bytes: number;
  file: string;
}

/** How many workers there are to be, and what has made them fewer than there are processors to run on. */
export interface DefaultWorkers {
  workers: number;
  heldBack?: { by: MemoryLimit; from: number };
}

/**
 * Peak memory of a run that writes all formats and metrics, measured with 1 to 8 workers on archives that read like Bybit's:
 * 230, 260, 340, 520 MB. One that writes CSV needs half of it.
 */
const BASE_BYTES = 150e6;
export const WORKER_BYTES = 50e6;

/**
 * The number of workers for this process.
 *
 * @param limits for tests.
 * @param cores that the system would let the process use.
 */
export function defaultWorkers(limits = readLimits(), cores = os.availableParallelism()): DefaultWorkers {
  const { cpus = cores, memory } = limits;
  // A part of a core is of use as well: what it does not do is left to the others.
  const wanted = Math.max(1, Math.min(cores, Math.ceil(cpus)));
  if (!memory) return { workers: wanted };
  const held = Math.max(1, Math.floor((memory.bytes - BASE_BYTES) / WORKER_BYTES));
  return held < wanted ? { workers: held, heldBack: { by: memory, from: wanted } } : { workers: wanted };
}

/**
 * Reads what the control groups of this process allow it, from its own group up to the root: each group is within the
 * limits of all above it. Knows version 1, version 2, and both beside each other.
 *
 * @param root the folder that has `/proc` and what is mounted; for tests.
 * @returns no limits where there are no control groups, as on other systems than Linux.
 */
export function readLimits(root = '/'): Limits {
  const mounts = readMounts(root);
  const groups = readLines(path.join(root, 'proc/self/cgroup')).flatMap((line): Group[] => {
    const [, controllers, place] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return controllers === undefined || place === undefined ? [] : [{ controllers: controllers.split(','), place }];
  });
  const foldersOf = (controller: string) => groups.flatMap((group) => findFolders(group, controller, mounts));
  const quotas = foldersOf('cpu').flatMap((folder) => readQuota(path.join(root, folder)) ?? []);
  const memories = foldersOf('memory').flatMap((folder) => readMemory(root, folder) ?? []);
  const cpus = Math.min(...quotas);
  const [memory] = memories.sort((a, b) => a.bytes - b.bytes);
  return { ...(Number.isFinite(cpus) && { cpus }), ...(memory && { memory }) };
}

/** A line of /proc/self/cgroup: the group that the process is in, of these controllers. */
interface Group {
  /** Of version 2 a single empty name: one tree has all. */
  controllers: string[];
  place: string;
}

/** Where a tree of groups can be seen. */
interface Mount {
  /** The group that is seen at {@link folder}: in a container often its own. */
  group: string;
  folder: string;
  /** `undefined`: version 2. */
  controllers: string[] | undefined;
}

function readMounts(root: string): Mount[] {
  return readLines(path.join(root, 'proc/self/mountinfo')).flatMap((line): Mount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , group = '', folder = ''] = before.split(' ').map(unescapeSpaces);
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') return [{ group, folder, controllers: undefined }];
    return type === 'cgroup' ? [{ group, folder, controllers: options.split(',') }] : [];
  });
}

/** Spaces and the like are written as octal numbers there (proc(5)). */
function unescapeSpaces(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The folders of a group and of all above it that can be seen. */
function findFolders({ controllers, place }: Group, controller: string, mounts: Mount[]): string[] {
  const isVersion2 = controllers.join() === '';
  if (!isVersion2 && !controllers.includes(controller)) return [];
  const mount = mounts.find((candidate) =>
    isVersion2 ? !candidate.controllers : candidate.controllers?.includes(controller),
  );
  if (!mount) return [];
  const names = namesBelow(mount.group, place);
  return [...names.keys(), names.length].map((length) => path.join(mount.folder, ...names.slice(0, length)));
}

/** The groups on the way from one to another below it; none when that one is elsewhere, and cannot be seen from here. */
function namesBelow(group: string, place: string): string[] {
  const relative = path.posix.relative(group, place);
  return relative.startsWith('..') ? [] : relative.split('/').filter(Boolean);
}

function readQuota(folder: string): number | undefined {
  const [text = ''] = readLines(path.join(folder, 'cpu.max'));
  const [quota, period] = text
    ? text.split(' ')
    : ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => readLines(path.join(folder, name))[0]);
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : undefined; // `max`, and -1 of version 1, are no limit
}

function readMemory(root: string, folder: string): MemoryLimit | undefined {
  for (const name of ['memory.max', 'memory.limit_in_bytes']) {
    const file = path.join(folder, name);
    const bytes = Number(readLines(path.join(root, file))[0]);
    if (bytes > 0) return { bytes, file };
  }
  return undefined;
}

/** The lines of a file; none of one that is not there, or not for us. */
function readLines(file: string): string[] {
  try {
    return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
