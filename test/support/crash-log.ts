/** What the real program asks of the kernel, in its order: strace's log (strace(1)) of all that changes a folder. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { CLI, type CliResult, finished } from './cli.js';

/** Why no program can be traced here; `false`: it can. */
export const NO_STRACE =
  spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0 &&
  'NOT TRIED: strace is not here, or may not trace (apt-get install strace)';

/** A change, or a wait for changes to be on the disk. */
export type Step =
  /** A name for a new file. */
  | { kind: 'create'; path: string }
  | { kind: 'mkdir'; path: string }
  | { kind: 'rename'; path: string; to: string }
  | { kind: 'unlink'; path: string }
  | { kind: 'rmdir'; path: string }
  /** `startByte` is absent where it is the file's end. */
  | { kind: 'write'; path: string; bytes: Buffer; startByte?: number }
  | { kind: 'truncate'; path: string; sizeBytes: number }
  /** Of a file or of a folder's names. It holds of what was done before `begunAt`, the number of a step. */
  | { kind: 'fsync'; path: string; begunAt: number }
  /** A call that nobody here understands. */
  | { kind: 'unknown'; path: string; name: string }
  /** When a file was last changed, as the program has seen it. */
  | { kind: 'time'; path: string; mtimeMs: number };

const TRACED =
  'open,openat,creat,write,pwrite64,writev,pwritev,ftruncate,truncate,fsync,fdatasync,sync_file_range,rename,renameat,' +
  'renameat2,link,linkat,symlink,unlink,unlinkat,mkdir,mkdirat,rmdir,fallocate,copy_file_range,sendfile,statx';

/** Runs the program to its end, and tells what it did below a folder that is there. */
export async function trace(
  argv: string[],
  folder: string,
  log: string,
): Promise<{ result: CliResult; steps: Step[] }> {
  const options = ['-f', '-y', '-v', '-xx', '-s', '100000000', '-e', `trace=${TRACED}`, '-o', log];
  const child = spawn('strace', [...options, process.execPath, CLI, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: 'true' },
  });
  const names = new Set(listNames(folder));
  const result = await finished(child);
  const steps = readLog(fs.readFileSync(log, 'latin1'), folder, names);
  fs.rmSync(log);
  return { result, steps };
}

/** A call that has returned. `begunAt`: how many steps there were when it began. */
interface Returned {
  name: string;
  args: string[];
  value: number;
  begunAt: number;
}

function listNames(folder: string): string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
}

/** @param names of what is there before; kept up to date, to tell whether a file is created when it is opened. */
function readLog(text: string, folder: string, names: Set<string>): Step[] {
  const steps: Step[] = [];
  /** Of each thread the call that it waits for. */
  const waiting = new Map<string, { start: string; begunAt: number }>();
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished) {
      waiting.set(thread, { start: unfinished[1] ?? '', begunAt: steps.length });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const before = resumed ? waiting.get(thread) : undefined;
    const whole = resumed ? `${before?.start ?? ''}${resumed[1]}` : rest;
    const [, name, args = '', value] = /^(\w+)\((.*)\) += (-?\d+)/.exec(whole) ?? [];
    if (name === undefined || Number(value) < 0) continue;
    const call = { name, args: splitArgs(args), value: Number(value), begunAt: before?.begunAt ?? steps.length };
    for (const step of toSteps(call)) {
      if (!isBelow(step.path, folder) || (step.kind === 'create' && names.has(step.path))) continue;
      if (step.kind === 'create') names.add(step.path);
      if (step.kind === 'rename') names.add(step.to);
      if (step.kind === 'rename' || step.kind === 'unlink') names.delete(step.path);
      steps.push(step);
    }
  }
  return steps;
}

/** At commas that are in no braces; texts are written in hexadecimal, and hold none. */
function splitArgs(text: string): string[] {
  const args: string[] = [];
  let depth = 0;
  let arg = '';
  for (const part of text.split(/(, |[{}[\]])/)) {
    if (/^[{[]$/.test(part)) depth++;
    if (/^[}\]]$/.test(part)) depth--;
    if (part === ', ' && depth === 0) {
      args.push(arg);
      arg = '';
    } else arg += part;
  }
  return [...args, arg];
}

function isBelow(file: string, folder: string): boolean {
  return file.startsWith(folder + path.sep) || file === folder;
}

function toSteps({ name, args, value, begunAt }: Returned): Step[] {
  const [first = '', second = '', third = ''] = args;
  switch (name) {
    case 'open':
    case 'openat': {
      const [file, flags] = name === 'open' ? [bytesOf(first).toString(), second] : [atPath(first, second), third];
      if (!/O_CREAT|O_TRUNC/.test(flags)) return [];
      const made: Step[] = flags.includes('O_CREAT') ? [{ kind: 'create', path: file }] : [];
      return flags.includes('O_TRUNC') ? [...made, { kind: 'truncate', path: file, sizeBytes: 0 }] : made;
    }
    case 'write':
      return [{ kind: 'write', path: pathOf(first), bytes: bytesOf(second).subarray(0, value) }];
    case 'pwrite64':
      return [
        { kind: 'write', path: pathOf(first), bytes: bytesOf(second).subarray(0, value), startByte: Number(args[3]) },
      ];
    case 'ftruncate':
      return [{ kind: 'truncate', path: pathOf(first), sizeBytes: Number(second) }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'fsync', path: pathOf(first), begunAt }];
    case 'rename':
      return [{ kind: 'rename', path: bytesOf(first).toString(), to: bytesOf(second).toString() }];
    case 'unlink':
    case 'rmdir':
      return [{ kind: name, path: bytesOf(first).toString() }];
    case 'unlinkat':
      return [{ kind: third.includes('AT_REMOVEDIR') ? 'rmdir' : 'unlink', path: atPath(first, second) }];
    case 'mkdir':
      return [{ kind: 'mkdir', path: bytesOf(first).toString() }];
    case 'statx': {
      const [, seconds, nanoseconds] = /stx_mtime=\{tv_sec=(\d+), tv_nsec=(\d+)/.exec(args.join(', ')) ?? [];
      const isOfDescriptor = second === '""' && seconds !== undefined;
      const mtimeMs = Number(seconds) * 1000 + Number(nanoseconds) / 1e6;
      return isOfDescriptor ? [{ kind: 'time', path: pathOf(first), mtimeMs }] : [];
    }
    default:
      // Whatever else it does to the folder would not be in the states that are rebuilt.
      return [{ kind: 'unknown', path: args.map((arg) => pathOf(arg)).find((file) => file !== '') ?? '', name }];
  }
}

/** `"\x41…"`: the bytes of a text. */
function bytesOf(text: string): Buffer {
  const [, hex = ''] = /^"((?:\\x[0-9a-f]{2})*)"$/.exec(text) ?? [];
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

/** `3<\x2f…>`: the path that an open file has now. */
function pathOf(descriptor: string): string {
  const [, shown = ''] = /^(?:\d+|AT_FDCWD)<(.*)>$/.exec(descriptor) ?? [];
  return shown.replace(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function atPath(folder: string, file: string): string {
  return path.resolve(pathOf(folder), bytesOf(file).toString());
}
