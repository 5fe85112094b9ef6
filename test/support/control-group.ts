import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** A limit, as each version of control groups writes it: file and text. */
interface Limit {
  controller: 'cpu' | 'memory';
  version1: [file: string, text: string];
  version2: [file: string, text: string];
}

/** One processor's time. */
export const ONE_CPU: Limit = {
  controller: 'cpu',
  version1: ['cpu.cfs_quota_us', '100000'],
  version2: ['cpu.max', '100000 100000'],
};

export function memoryLimit(bytes: number): Limit {
  const text = String(bytes);
  return { controller: 'memory', version1: ['memory.limit_in_bytes', text], version2: ['memory.max', text] };
}

/** A control group of this machine, with a limit, in which processes can be started. */
export interface ControlGroup {
  /** Begins a command line that runs in the group. */
  prefix: string[];
  remove(): void;
}

let count = 0;

/** Makes a control group; `undefined` where that is not allowed, or there are none. */
export function makeControlGroup({ controller, version1, version2 }: Limit): ControlGroup | undefined {
  for (const { folder, isVersion2 } of findTrees(controller)) {
    const group = path.join(folder, `bookgrid-test-${process.pid}-${count++}`);
    try {
      fs.mkdirSync(group);
    } catch {
      continue;
    }
    const remove = () => fs.rmdirSync(group);
    try {
      const [file, text] = isVersion2 ? version2 : version1;
      fs.writeFileSync(path.join(group, file), text);
      const prefix = ['sh', '-c', `echo $$ >'${group}/cgroup.procs' && exec "$@"`, 'sh'];
      if (spawnSync(prefix[0] ?? '', [...prefix.slice(1), 'true']).status === 0) return { prefix, remove };
    } catch {
      // The next tree may do.
    }
    remove();
  }
  return undefined;
}

function findTrees(controller: string): { folder: string; isVersion2: boolean }[] {
  let mounts = '';
  try {
    mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return []; // not Linux
  }
  return mounts.split('\n').flatMap((line) => {
    const folder = line.split(' ')[4] ?? '';
    const [type, , options = ''] = line.split(' - ')[1]?.split(' ') ?? [];
    const isVersion2 = type === 'cgroup2';
    return isVersion2 || (type === 'cgroup' && options.split(',').includes(controller)) ? [{ folder, isVersion2 }] : [];
  });
}
