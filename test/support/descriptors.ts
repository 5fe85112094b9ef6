import fs from 'node:fs';

/** How many of this process's file descriptors are open on a file; `undefined` where the system does not tell. */
export function openDescriptors(file: string): number | undefined {
  if (!fs.existsSync('/proc/self/fd')) return undefined;
  const real = fs.realpathSync(file);
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`) === real;
    } catch {
      return false; // the one by which the folder was read
    }
  }).length;
}
