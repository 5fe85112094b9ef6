/**
 * What a folder may look like after the machine has lost its power: of a log of steps each beginning, and of what was
 * not synced any part that a journaling file system may leave.
 *
 * Names: a change of a folder is durable when that folder, or the other one of a rename, was synced after it, and so are
 * those that came before it in the same folders. Of the others any may be lost, but none that later ones build on.
 * Bytes: those of a file are durable when it was synced after they were written. Of the others there may be all, none, a
 * part, or zeros in their place.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Step } from './crash-log.js';

/** What becomes of bytes that were written and not synced. */
export const BYTES_LEFT = ['all', 'none', 'half', 'zeros'] as const;
export type BytesLeft = (typeof BYTES_LEFT)[number];

/** A state of a folder: paths to files, or to nothing for a folder. */
export type State = Map<string, { bytes: Buffer; mtimeMs: number | undefined } | undefined>;

export interface CrashState {
  /** How many steps were made. */
  after: number;
  /** What was lost, in words. */
  lost: string;
  state: State;
}

type NameStep = Extract<Step, { kind: 'create' | 'mkdir' | 'rename' | 'unlink' | 'rmdir' }>;

function isNameStep(step: Step): step is NameStep {
  return ['create', 'mkdir', 'rename', 'unlink', 'rmdir'].includes(step.kind);
}

/** The folders whose names a step changes. */
export function foldersOf(step: NameStep): string[] {
  const folders = [path.dirname(step.path)];
  if (step.kind === 'rename') folders.push(path.dirname(step.to));
  return folders;
}

/** A file, whatever its name is. */
interface FileState {
  bytes: Buffer;
  synced: Buffer;
  mtimeMs: number | undefined;
}

/** Reads a folder as it is on the disk. */
export function readState(folder: string): State {
  const state: State = new Map();
  if (!fs.existsSync(folder)) return state;
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, name);
    const stat = fs.statSync(file);
    state.set(file, stat.isDirectory() ? undefined : { bytes: fs.readFileSync(file), mtimeMs: stat.mtimeMs });
  }
  return state.set(folder, undefined);
}

/** Makes a folder look so. */
export function writeState(folder: string, state: State): void {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const [file, content] of [...state].sort(byName)) {
    if (!content) fs.mkdirSync(file, { recursive: true });
    else {
      fs.writeFileSync(file, content.bytes);
      if (content.mtimeMs !== undefined) fs.utimesSync(file, content.mtimeMs / 1000, content.mtimeMs / 1000);
    }
  }
}

/**
 * The steps, of the first so many, whose change of names is durable.
 *
 * @param end how many steps were made.
 */
export function durableNames(steps: readonly Step[], end: number): Set<number> {
  const durable = new Set<number>();
  const syncs = steps.slice(0, end).flatMap((step) => (step.kind === 'fsync' ? step : []));
  const settle = (index: number): void => {
    if (durable.has(index)) return;
    durable.add(index);
    const folders = foldersOf(steps[index] as NameStep);
    for (let earlier = 0; earlier < index; earlier++) {
      const step = steps[earlier] as Step;
      if (isNameStep(step) && foldersOf(step).some((folder) => folders.includes(folder))) settle(earlier);
    }
  };
  for (const [index, step] of steps.slice(0, end).entries()) {
    if (!isNameStep(step)) continue;
    const folders = foldersOf(step);
    if (syncs.some(({ path, begunAt }) => begunAt > index && folders.includes(path))) settle(index);
  }
  return durable;
}

/** Each set of steps of names that may be lost, and what it is. */
function lostNames(steps: readonly Step[], end: number, isThorough: boolean): { lost: Set<number>; what: string }[] {
  const durable = durableNames(steps, end);
  const loose = [...steps.slice(0, end).keys()].filter(
    (index) => isNameStep(steps[index] as Step) && !durable.has(index),
  );
  const folders = new Set(loose.flatMap((index) => foldersOf(steps[index] as NameStep)));
  const sets = [
    { lost: [] as number[], what: 'no names' },
    { lost: loose, what: 'all names' },
    ...[...folders].map((folder) => ({
      lost: loose.filter((index) => foldersOf(steps[index] as NameStep).includes(folder)),
      what: `names in ${folder}`,
    })),
    ...(isThorough
      ? loose.map((from) => ({ lost: loose.filter((index) => index >= from), what: `names from ${from}` }))
      : []),
  ];
  return sets.map(({ lost, what }) => ({ lost: withDependents(new Set(lost), steps, loose), what }));
}

/** … and those that build on them: later ones in the same folders. */
function withDependents(lost: Set<number>, steps: readonly Step[], loose: readonly number[]): Set<number> {
  const closed = new Set(lost);
  for (const index of loose) {
    const folders = foldersOf(steps[index] as NameStep);
    const isBuilt = [...closed].some(
      (earlier) => earlier < index && foldersOf(steps[earlier] as NameStep).some((folder) => folders.includes(folder)),
    );
    if (isBuilt) closed.add(index);
  }
  return closed;
}

/** A folder of files that are known by number, as steps change it. */
class Model {
  readonly #names = new Map<string, FileState | undefined>();
  /** The same as the program saw it, without any loss: it writes to files whose names are lost. */
  readonly #all: Map<string, FileState | undefined>;

  constructor(start: State) {
    for (const [file, content] of start) {
      this.#names.set(file, content && { bytes: content.bytes, synced: content.bytes, mtimeMs: content.mtimeMs });
    }
    this.#all = new Map(this.#names);
  }

  /** @param isLost its change of names: files are changed all the same, by the names that the program knew them by. */
  apply(step: Step, isLost: boolean, all: readonly Step[], end: number): void {
    if (isNameStep(step)) {
      change(this.#all, step, undefined);
      if (!isLost) change(this.#names, step, this.#all);
      return;
    }
    const file = this.#all.get(step.path);
    if (!file) return;
    if (step.kind === 'write') {
      const start = step.startByte ?? file.bytes.length;
      const bytes = Buffer.alloc(Math.max(file.bytes.length, start + step.bytes.length));
      file.bytes.copy(bytes);
      step.bytes.copy(bytes, start);
      file.bytes = bytes;
    } else if (step.kind === 'truncate') file.bytes = file.bytes.subarray(0, step.sizeBytes);
    else if (step.kind === 'time') file.mtimeMs = step.mtimeMs;
    else if (step.kind === 'fsync' && isLastWriteBefore(all, step, end)) file.synced = file.bytes;
  }

  leave(left: BytesLeft): State {
    const state: State = new Map();
    // Folders come before what is in them. What lies in a folder that is lost is lost with it.
    for (const [name, file] of [...this.#names].sort(byName)) {
      if (state.size > 0 && !state.has(path.dirname(name))) continue;
      state.set(name, file && { bytes: remainder(file, left), mtimeMs: file.mtimeMs });
    }
    return state;
  }
}

/** Whether nothing was written to a file while it was being synced, as another thread may. */
function isLastWriteBefore(
  steps: readonly Step[],
  { path, begunAt }: { path: string; begunAt: number },
  end: number,
): boolean {
  return !steps.slice(begunAt, end).some((step) => step.kind === 'write' && step.path === path);
}

function change(
  names: Map<string, FileState | undefined>,
  step: NameStep,
  files: Map<string, FileState | undefined> | undefined,
): void {
  switch (step.kind) {
    case 'create': {
      if (names.has(step.path)) return;
      const file = files
        ? files.get(step.path)
        : { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), mtimeMs: undefined };
      names.set(step.path, file);
      return;
    }
    case 'mkdir':
      names.set(step.path, undefined);
      return;
    case 'unlink':
    case 'rmdir':
      names.delete(step.path);
      return;
    case 'rename':
      for (const [name, file] of [...names]) {
        if (name !== step.path && !name.startsWith(step.path + path.sep)) continue;
        names.delete(name);
        names.set(step.to + name.slice(step.path.length), file);
      }
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function remainder({ bytes, synced }: FileState, left: BytesLeft): Buffer {
  if (left === 'all') return bytes;
  if (left === 'none') return synced;
  if (left === 'half') return bytes.subarray(0, Math.max(synced.length, (synced.length + bytes.length) >> 1));
  const zeros = Buffer.alloc(Math.max(bytes.length, synced.length));
  synced.copy(zeros);
  return zeros;
}

/**
 * All states that a loss of power may leave, each once.
 *
 * @param start the folder before the first step, all of it durable.
 * @param isThorough adds more ways to lose names, and bytes that are there in part.
 */
export function* crashStates(start: State, steps: readonly Step[], isThorough: boolean): Generator<CrashState> {
  const seen = new Set<string>();
  for (let end = 0; end <= steps.length; end++) {
    for (const { lost, what } of lostNames(steps, end, isThorough)) {
      const model = new Model(start);
      for (const [index, step] of steps.slice(0, end).entries()) model.apply(step, lost.has(index), steps, index);
      for (const left of isThorough ? BYTES_LEFT : BYTES_LEFT.slice(0, 2)) {
        const state = model.leave(left);
        const id = fingerprint(state);
        if (seen.has(id)) continue;
        seen.add(id);
        yield { after: end, lost: `lost: ${what}; of the bytes that were not synced there are: ${left}`, state };
      }
    }
  }
}

function fingerprint(state: State): string {
  const hash = createHash('sha256');
  for (const [name, content] of [...state].sort(byName)) {
    hash.update(`${name}\0${content?.bytes.length ?? 'folder'}\0`);
    if (content) hash.update(content.bytes);
  }
  return hash.digest('hex');
}
