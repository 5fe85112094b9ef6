/** What may become of each call to the file system, and a command run with one of its calls disturbed. */
import fs from 'node:fs';
import path from 'node:path';
import type { CliResult } from './cli.js';
import { type Asked, type Call, type Disturbance, disturbCalls } from './faults-calls.js';
import { runHere } from './faults-commands.js';

const fails = (...codes: string[]): Disturbance[] => codes.map((code) => ({ fails: code }));

/** The first is tried always, the others in the long form. */
export const DISTURBANCES: Record<Call, Disturbance[]> = {
  open: fails('EMFILE', 'EACCES', 'EIO'),
  // What may not be looked at for want of a permission counts as not there (Storage.look), and is told of as such.
  stat: [...fails('EIO'), { turnsLater: 3 }],
  readdir: [...fails('EIO', 'EACCES', 'EMFILE'), { turnsLater: 3 }],
  read: [...fails('EIO'), { atMostBytes: 1 }],
  write: [...fails('ENOSPC', 'EIO'), { atMostBytes: 1 }],
  truncate: fails('EIO'),
  fsync: fails('EIO', 'ENOSPC'),
  close: fails('EIO'),
  utimes: fails('EACCES'),
  mkdir: fails('ENOSPC', 'EACCES'),
  rename: fails('EIO', 'EACCES'),
  copy: fails('ENOSPC'),
  unlink: fails('EACCES', 'EIO'),
  rmdir: fails('EACCES'),
};

/** Which call is disturbed, and how. */
export interface Fault {
  call: Call;
  /** Counted from 1. */
  nth: number;
  /** All that follow as well. */
  andAfter: boolean;
  disturbance: Disturbance;
}

export interface Disturbed {
  result: CliResult;
  /** How many calls there were of the kind that was meant. */
  calls: number;
}

/** Runs a command with its n-th call of a kind disturbed, and, if told so, all that follow. */
export async function runDisturbed(
  argv: string[],
  folder: string,
  { call, nth, andAfter, disturbance }: Fault,
  others: (asked: Asked) => Disturbance | undefined = () => undefined,
): Promise<Disturbed> {
  let calls = 0;
  const restore = disturbCalls(folder, (asked) => {
    if (asked.call === call) {
      calls++;
      if (calls === nth || (andAfter && calls > nth)) return disturbance;
    }
    return others(asked);
  });
  try {
    return { result: await runHere(argv), calls };
  } finally {
    restore();
  }
}

/** What an error has to name; `undefined`: there is to be none. */
export function causeOf({ nth, disturbance }: Fault, calls: number): string | undefined {
  return calls >= nth && 'fails' in disturbance ? disturbance.fails : undefined;
}

/** What this process has open below a folder; nothing where there is no /proc to see it in. */
export function openBelow(folder: string): string[] {
  const descriptors = '/proc/self/fd';
  if (!fs.existsSync(descriptors)) return [];
  const files = fs.readdirSync(descriptors).flatMap((fd) => {
    try {
      return fs.readlinkSync(path.join(descriptors, fd));
    } catch {
      return []; // that of the listing itself
    }
  });
  return files.filter((file) => file.startsWith(folder));
}
