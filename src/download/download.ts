/** From an address to archives, and to snapshots: list, plan, see that there is room, then fetch, check, convert. */
import { monotonicMs } from '../base/clock.js';
import { type ArchiveFile, type FoundArchives, findArchives, noArchives } from '../catalog/find-archives.js';
import type { MarketName } from '../catalog/market.js';
import { openStorage, sweepFolders } from '../storage/open-storage.js';
import { folderOf } from '../storage/paths.js';
import { newRunId } from '../storage/staging.js';
import { type FileVersion, isDiskFull } from '../storage/storage.js';
import { checkArchive, glanceAt } from './check-archive.js';
import {
  type ArrivalHooks,
  Arrivals,
  type Conversion,
  isConvertedBefore,
  requireNoConflict,
} from './convert-arrivals.js';
import { FetchError, type FetchOptions, fetchFile } from './fetch-file.js';
import { FetchQueue } from './fetch-queue.js';
import { openHttp } from './http.js';
import { type ListedFile, ListServiceError, listFiles, windowsOf } from './list-service.js';
import { Pace } from './pace.js';
import {
  availableDays,
  type Candidate,
  type Days,
  planDownloads,
  type Wanted,
  type WantedFile,
} from './plan-downloads.js';

/** What is fetched from where, and how. */
export interface DownloadOptions extends Wanted {
  market: MarketName;
  sourceDir: string;
  /** Where files lie, as `/orderbook/…` below it. */
  baseUrl: string;
  /** Whether that is the publisher's own address, so that its links are taken. */
  isPublisher: boolean;
  /** The list service; `undefined`: it is not asked. */
  listUrl: string | undefined;
  connections: number;
  tries: number;
  timeoutMs: number;
  /** How long to wait after a first failure. Default: half a second. */
  firstBackoffMs?: number;
}

/** Every file that is wanted, and what is known of it before anything is fetched. */
export interface DownloadPlan {
  days: Days;
  files: PlannedFile[];
  /** What the list service did instead of answering; `undefined`: it answered, or was not asked. */
  listProblem: string | undefined;
  /** Archives named like those wanted, in no folder of a market: of which they are, nobody knows. */
  homeless: ArchiveFile[];
}

export interface PlannedFile extends WantedFile {
  /**
   * `there`: whole, as far as a glance tells. `converted`: its outputs are there and up to date, though it is not there
   * itself. `fetch`: neither.
   */
  action: 'fetch' | 'there' | 'converted';
  /** What is wrong with the file that is there: it is fetched again. */
  problem?: string;
}

/** What became of a file. */
export type FileOutcome =
  | { status: 'fetched'; path: string; bytes: number; seconds: number }
  | { status: 'there'; path: string; bytes: number }
  | { status: 'converted' }
  | { status: 'absent' }
  /** `url`: the address at which it failed. */
  | { status: 'failed'; url: string; error: string };

/** How a run came to its end. */
export type DownloadEnding =
  | { kind: 'complete' }
  | { kind: 'interrupted'; reason: unknown }
  | { kind: 'disk-full' }
  /** Nobody answers, or nobody does any more: what was seen instead. */
  | { kind: 'unreachable'; problem: string };

export interface DownloadHooks {
  signal: AbortSignal;
  onFile: (file: PlannedFile, outcome: FileOutcome) => void;
  /** Hears of bytes that have come, and of those that were of no use, as less than none. */
  onBytes: (bytes: number) => void;
  /** Hears, once, when nothing is left but to wait for archives that other runs are fetching, and how many these are. */
  onWait?: (archives: number) => void;
  /** How the archives are converted as they come; absent: they are not. */
  conversion?: Conversion & Omit<ArrivalHooks, 'signal'>;
}

/**
 * Finds out what is to be fetched. Asks the list service, and fetches nothing.
 *
 * @throws {@link UsageError} when the source folder cannot be read; {@link ConflictError}, see {@link requireNoConflict}.
 */
export async function prepare(
  options: DownloadOptions,
  { signal, conversion }: { signal: AbortSignal; conversion?: Pick<Conversion, 'what' | 'outputs'> | undefined },
  nowMs = Date.now(),
): Promise<DownloadPlan> {
  const { sourceDir } = options;
  const days = availableDays(options, nowMs);
  const archives = await findThere(sourceDir);
  const planned = (listed: ListedFile[]) =>
    planDownloads({
      ...{ wanted: options, days: days.days, sourceDir, baseUrl: options.baseUrl, listed },
      usesLinks: options.isPublisher,
      archives: archives.archives,
    });
  const isOver = (file: WantedFile) =>
    file.there === undefined && conversion !== undefined && isConvertedBefore(file, conversion);
  const unknown = planned([]).filter((file) => file.there === undefined && !isOver(file));
  const { listed, problem: listProblem } = await list(unknown, options, signal);
  const files: PlannedFile[] = [];
  for (const file of planned(listed)) {
    signal.throwIfAborted();
    if (file.there) {
      const problem = await glanceAt(file.there.path);
      files.push({
        ...file,
        action: problem === undefined ? 'there' : 'fetch',
        ...(problem !== undefined && { problem }),
      });
    } else files.push({ ...file, action: isOver(file) ? 'converted' : 'fetch' });
  }
  if (conversion) requireNoConflict(files, conversion);
  const names = new Set(files.flatMap(({ candidates }) => candidates.map(({ fileName }) => fileName)));
  const homeless = archives.archives.filter((archive) => archive.market === undefined && names.has(archive.fileName));
  return { days, files, listProblem, homeless };
}

async function findThere(sourceDir: string): Promise<FoundArchives> {
  const isThere = (await openStorage(sourceDir).look(sourceDir)) !== undefined;
  return isThere ? findArchives(sourceDir) : noArchives();
}

/** Asks for the days of each symbol; the first question that is not answered is the last one. */
async function list(
  files: WantedFile[],
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<{ listed: ListedFile[]; problem?: string }> {
  const { listUrl, market, symbols, firstBackoffMs = FIRST_BACKOFF_MS } = options;
  if (listUrl === undefined) return { listed: [] };
  const windows = symbols.flatMap((pair) =>
    windowsOf(files.filter((file) => file.pair === pair).map(({ date }) => date)).map((days) => ({
      market,
      pair,
      ...days,
    })),
  );
  const http = openHttp(options);
  const listed: ListedFile[] = [];
  const pace = new Pace();
  let problem: string | undefined;
  const ask = async () => {
    for (let window = windows.shift(); window && problem === undefined; window = windows.shift()) {
      try {
        listed.push(...(await listFiles(window, { http, listUrl, pace, firstBackoffMs, signal })));
      } catch (error) {
        if (!(error instanceof ListServiceError)) throw error;
        problem ??= error.message;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.connections }, ask));
  } finally {
    await http.destroy();
  }
  return problem === undefined ? { listed } : { listed, problem };
}

const FIRST_BACKOFF_MS = 500;

/** What a plan needs on the disk, and what there is. */
export interface Room {
  /** Of the files to be fetched whose size is known: of all together, or of as many as are there at a time. */
  neededBytes: number;
  /** How many sizes are not known. */
  unknown: number;
  freeBytes: number | undefined;
}

/** @param atATime how many archives are there at a time, where they are removed when they have been converted. */
export async function measureRoom(files: readonly PlannedFile[], sourceDir: string, atATime?: number): Promise<Room> {
  const sizes = files.filter(({ action }) => action === 'fetch').map(sizeOf);
  const known = sizes.filter((size) => size !== undefined).sort((a, b) => b - a);
  const neededBytes = known.slice(0, atATime).reduce((sum, size) => sum + size, 0);
  const freeBytes = await openStorage(sourceDir).freeBytes(sourceDir);
  return { neededBytes, unknown: sizes.length - known.length, freeBytes };
}

/** As the list service tells it. */
export function sizeOf({ candidates }: WantedFile): number | undefined {
  return candidates[0].sizeBytes;
}

/**
 * Fetches, checks and converts what is planned.
 *
 * @returns how it ended. A file that fails is an outcome.
 * @throws what a hook throws, or a system error when the source folder cannot be written to.
 */
export async function download(
  { files }: Pick<DownloadPlan, 'files'>,
  options: DownloadOptions,
  { signal, onFile, onBytes, onWait = () => {}, conversion }: DownloadHooks,
): Promise<DownloadEnding> {
  const { connections, tries, timeoutMs, firstBackoffMs = FIRST_BACKOFF_MS } = options;
  /** Ends conversions too; the other ends what is fetched only. */
  const [all, fetching] = [new AbortController(), new AbortController()];
  const stop = () => {
    all.abort(signal.reason);
    fetching.abort(signal.reason);
  };
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const arrivals = conversion && new Arrivals(conversion, options.sourceDir, { ...conversion, signal: all.signal });
  const http = openHttp(options);
  const pace = new Pace();
  const how: FetchOptions = {
    ...{ http, pace, runId: newRunId(), tries, timeoutMs, firstBackoffMs, onBytes },
    signal: fetching.signal,
  };
  let ending: DownloadEnding = { kind: 'complete' };
  let hasAnswer = false;
  /** Files in a row for which nobody answered. */
  let silent = 0;
  const settle = (file: PlannedFile, outcome: FileOutcome, archive?: ArchiveFile) => {
    onFile(file, outcome);
    const isOwn = file.candidates.some(({ path }) => path === archive?.path);
    if (archive) arrivals?.add({ number: file.number, archive, isOwn });
  };
  const fail = (file: PlannedFile, error: unknown) => {
    if (isDiskFull(error)) {
      ending = { kind: 'disk-full' };
      stop();
      return;
    }
    if (!(error instanceof FetchError)) throw error;
    silent = error.isUnreachable ? silent + 1 : 0;
    if (silent > (hasAnswer ? connections : 0)) {
      ending = { kind: 'unreachable', problem: error.message };
      fetching.abort();
      return;
    }
    hasAnswer ||= !error.isUnreachable;
    settle(file, { status: 'failed', url: error.url, error: error.message });
  };
  await sweep(files);
  for (const file of files) {
    if (file.action === 'converted') settle(file, { status: 'converted' });
    else if (file.action === 'there' && file.there) {
      settle(file, { status: 'there', path: file.there.path, bytes: file.there.sizeBytes }, file.there);
    }
  }
  const queue = new FetchQueue(
    files.filter(({ action }) => action === 'fetch'),
    onWait,
  );
  const next = () => queue.next(fetching.signal).catch(() => undefined); // stopped
  const work = async () => {
    for (let file = await next(); file; file = await next()) {
      if (conversion?.deletesAfter) await arrivals?.room();
      if (arrivals?.isDiskFull) stop();
      try {
        const fetched = await fetchOne(file, how);
        if (fetched === 'busy') queue.defer(file);
        else settle(file, fetched.outcome, fetched.archive);
        hasAnswer = true;
        silent = 0;
      } catch (error) {
        if (fetching.signal.aborted) return;
        fail(file, error);
      }
    }
  };
  const slots = Array.from({ length: connections }, () =>
    work().catch((error: unknown) => {
      stop(); // the others must not go on behind the caller's back
      throw error;
    }),
  );
  try {
    await Promise.allSettled(slots);
    await Promise.all(slots);
    await arrivals?.finish();
  } finally {
    signal.removeEventListener('abort', stop);
    await http.destroy();
    await arrivals?.close();
  }
  if (signal.aborted) return { kind: 'interrupted', reason: signal.reason };
  return arrivals?.isDiskFull ? { kind: 'disk-full' } : ending;
}

/** Removes what dead runs have left, of files that are there or that nobody asks for any more. */
async function sweep(files: readonly PlannedFile[]): Promise<void> {
  const folders = new Set(files.flatMap(({ candidates }) => candidates.map(({ path }) => folderOf(path))));
  await sweepFolders(folders);
}

/** Tries one depth after the other. */
async function fetchOne(
  file: PlannedFile,
  how: FetchOptions,
): Promise<{ outcome: FileOutcome; archive?: ArchiveFile } | 'busy'> {
  const startMs = monotonicMs();
  const { market, pair, date } = file;
  const archiveOf = ({ sourceDepth, path, fileName }: Candidate, { sizeBytes, mtimeMs }: FileVersion): ArchiveFile => {
    return { market, pair, date, sourceDepth, path, fileName, sizeBytes, mtimeMs, isDayFile: true };
  };
  const made = file.there ? undefined : await findMade(file);
  if (made) {
    const { path, sizeBytes: bytes } = made.version;
    return { outcome: { status: 'there', path, bytes }, archive: archiveOf(made.candidate, made.version) };
  }
  for (const candidate of file.candidates) {
    const { sourceDepth, url, path } = candidate;
    const name = { pair, date, sourceDepth };
    const check = (partial: string) => checkArchive(partial, name, how.signal);
    const fetched = await fetchFile({ url, path, check }, how);
    if (fetched.status === 'busy') return 'busy';
    if (fetched.status === 'absent') continue;
    const seconds = Math.round(monotonicMs() - startMs) / 1000;
    const outcome: FileOutcome = { status: 'fetched', path, bytes: fetched.version.sizeBytes, seconds };
    return { outcome, archive: archiveOf(candidate, fetched.version) };
  }
  return { outcome: { status: 'absent' } };
}

/** What another run has fetched since the plan was made. */
async function findMade({ candidates }: PlannedFile) {
  for (const candidate of candidates) {
    const version = await openStorage(candidate.path).look(candidate.path);
    if (version?.kind === 'file') return { candidate, version };
  }
  return undefined;
}
