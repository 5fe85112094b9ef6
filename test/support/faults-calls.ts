/**
 * The one seam at which tests see, and disturb, what this thread asks of the file system: the methods of `node:fs` that
 * the sources call, told as the system calls that they make.
 */
import fs from 'node:fs';
import path from 'node:path';

/** System calls, by the names that they are known by. `stat` stands for all that look and change nothing. */
export const CALLS = [
  'open',
  'stat',
  'readdir',
  'read',
  'write',
  'truncate',
  'fsync',
  'close',
  'utimes',
  'mkdir',
  'rename',
  'copy',
  'unlink',
  'rmdir',
] as const;
export type Call = (typeof CALLS)[number];

/** What becomes of a call; nothing: it is made. */
export type Disturbance =
  /** It fails with an error of the system. */
  | { fails: string }
  /** It reads or writes so many bytes at most. */
  | { atMostBytes: number }
  /** It is made some turns of the event loop later. Only of calls that are waited for. */
  | { turnsLater: number };

/** A call that is about to be made, to a file or folder by its whole path. */
export interface Asked {
  call: Call;
  path: string;
}

type Anything = (...args: unknown[]) => unknown;

/** Methods that make one call of a path. */
const OF_A_PATH = {
  openSync: 'open',
  statSync: 'stat',
  lstatSync: 'stat',
  accessSync: 'stat',
  realpathSync: 'stat',
  readdirSync: 'readdir',
  utimesSync: 'utimes',
  mkdirSync: 'mkdir',
  renameSync: 'rename',
  copyFileSync: 'copy',
  rmSync: 'unlink',
  rmdirSync: 'rmdir',
} as const satisfies Record<string, Call>;

/** Methods that make one call of an open file. */
const OF_A_DESCRIPTOR = {
  fstatSync: 'stat',
  readSync: 'read',
  writeSync: 'write',
  ftruncateSync: 'truncate',
  fsyncSync: 'fsync',
  closeSync: 'close',
} as const satisfies Record<string, Call>;

/** Methods that make several, in their order. */
const OF_SEVERAL = {
  readFileSync: ['open', 'read', 'close'],
  writeFileSync: ['open', 'write', 'close'],
} as const satisfies Record<string, readonly Call[]>;

/** Methods that answer later. */
const WAITED_FOR = {
  stat: 'stat',
  lstat: 'stat',
  statfs: 'stat',
  realpath: 'stat',
  readdir: 'readdir',
  open: 'open',
} as const satisfies Record<string, Call>;

/** Methods of what `fs.promises.open` answers. */
const OF_A_HANDLE = { stat: 'stat', read: 'read', close: 'close' } as const satisfies Record<string, Call>;

/** Methods that streams call, which answer by a callback. */
const CALLED_BACK = { open: 'open', read: 'read', close: 'close' } as const satisfies Record<string, Call>;

/** Where the length stands in read(fd, buffer, offset, length, position) and in write; of a handle, one place before. */
const LENGTH = 3;

/**
 * Asks, before each call to something below a folder, what is to become of it.
 *
 * Syncing is asked about, and not done: a running program sees no difference, and a disk takes its time for it.
 *
 * @returns what ends it.
 */
export function disturbCalls(folder: string, decide: (asked: Asked) => Disturbance | undefined): () => void {
  const opened = new Map<number, string>();
  /** A method that makes several calls has been asked about them: those that Node makes for it are the same. */
  let isWithin = false;

  const isBelow = (file: string) => file === folder || file.startsWith(folder + path.sep);
  const wholePath = (file: unknown) => path.resolve(String(file));

  /** @throws the error that a call is to fail with. */
  function ask(call: Call, file: string): Exclude<Disturbance, { fails: string }> | undefined {
    if (isWithin || !isBelow(file)) return undefined;
    const disturbance = decide({ call, path: file });
    if (!disturbance || !('fails' in disturbance)) return disturbance;
    throw systemError(disturbance.fails, call, file);
  }

  function within(act: () => unknown): unknown {
    if (isWithin) return act();
    isWithin = true;
    try {
      return act();
    } finally {
      isWithin = false;
    }
  }

  const replaced: (() => void)[] = [];
  function replace(owner: object, name: string, make: (original: Anything) => Anything): void {
    const methods = owner as Record<string, Anything>;
    const original = methods[name] as Anything;
    methods[name] = make(original.bind(owner));
    // Such as realpathSync.native.
    Object.assign(methods[name] as Anything, original);
    replaced.push(() => {
      methods[name] = original;
    });
  }

  for (const [name, call] of Object.entries(OF_A_PATH)) {
    replace(fs, name, (original) => (...args) => {
      // Of two paths, the one that something is done to: a rename's source, a copy's destination.
      const file = wholePath(args[call === 'copy' ? 1 : 0]);
      ask(call, file);
      const answer = within(() => original(...args));
      if (call === 'open' && isBelow(file)) opened.set(answer as number, file);
      return answer;
    });
  }
  replace(fs, 'existsSync', (original) => (file) => {
    try {
      ask('stat', wholePath(file));
    } catch {
      return false; // as it does of any error
    }
    return within(() => original(file));
  });
  for (const [name, call] of Object.entries(OF_A_DESCRIPTOR)) {
    replace(fs, name, (original) => (...args) => {
      const fd = args[0] as number;
      const file = opened.get(fd);
      if (file === undefined) return original(...args);
      if (call === 'close') {
        opened.delete(fd);
        original(fd); // when it fails, the descriptor is gone nevertheless (close(2))
        ask(call, file);
        return undefined;
      }
      const disturbance = ask(call, file);
      if (call === 'fsync') return undefined;
      return original(...shortened(args, disturbance));
    });
  }
  for (const [name, calls] of Object.entries(OF_SEVERAL)) {
    replace(fs, name, (original) => (...args) => {
      if (typeof args[0] === 'number') return original(...args);
      const file = wholePath(args[0]);
      for (const call of calls) {
        try {
          ask(call, file);
        } catch (error) {
          // It has been opened, and so emptied.
          if (call === 'write') within(() => original(file, ''));
          throw error;
        }
      }
      return within(() => original(...args));
    });
  }
  for (const [name, call] of Object.entries(WAITED_FOR)) {
    replace(fs.promises, name, (original) => async (...args) => {
      const disturbance = ask(call, wholePath(args[0]));
      for (let turn = 0; turn < turnsOf(disturbance); turn++) await new Promise(setImmediate);
      const answer = await original(...args);
      if (call === 'open') watchHandle(answer as fs.promises.FileHandle, wholePath(args[0]));
      return answer;
    });
  }

  /** Asks of what is done with an open file, too. It is not restored: a handle does not outlive its run. */
  function watchHandle(handle: fs.promises.FileHandle, file: string): void {
    const methods = handle as unknown as Record<string, Anything>;
    for (const [name, call] of Object.entries(OF_A_HANDLE)) {
      const original = (methods[name] as Anything).bind(handle);
      methods[name] = async (...args) => {
        if (call !== 'close') return original(...shortened(args, ask(call, file), LENGTH - 1));
        await original(); // when it fails, the descriptor is gone nevertheless (close(2))
        return ask(call, file);
      };
    }
  }

  for (const [name, call] of Object.entries(CALLED_BACK)) {
    replace(fs, name, (original) => (...args) => {
      const callback = args.at(-1) as (error: unknown, ...answer: unknown[]) => void;
      const file = call === 'open' ? wholePath(args[0]) : opened.get(args[0] as number);
      if (file === undefined || !isBelow(file)) return original(...args);
      if (call === 'close') opened.delete(args[0] as number);
      let disturbance: ReturnType<typeof ask>;
      try {
        disturbance = ask(call, file);
      } catch (error) {
        if (call === 'close') return original(args[0], () => callback(error));
        return setImmediate(callback, error);
      }
      const answered = (error: unknown, ...answer: unknown[]) => {
        if (call === 'open' && !error) opened.set(answer[0] as number, file);
        callback(error, ...answer);
      };
      return original(...shortened(args.slice(0, -1), disturbance), answered);
    });
  }
  return () => {
    for (const restore of replaced) restore();
  };
}

function shortened(args: unknown[], disturbance: Disturbance | undefined, lengthAt = LENGTH): unknown[] {
  if (!disturbance || !('atMostBytes' in disturbance)) return args;
  return args.with(lengthAt, Math.min(Number(args[lengthAt]), disturbance.atMostBytes));
}

function turnsOf(disturbance: Disturbance | undefined): number {
  return disturbance && 'turnsLater' in disturbance ? disturbance.turnsLater : 0;
}

/** As Node words it. */
export function systemError(code: string, call: Call, file: string): NodeJS.ErrnoException {
  const error = new Error(`${code}: injected, ${call} '${file}'`);
  return Object.assign(error, { code, syscall: call, path: file });
}
