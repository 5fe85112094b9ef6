/** What there is to look at: the outputs of a folder, or files given one by one. For Node. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isDate, parseInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { type KnownOutput, lookUpOutputs } from '../catalog/inventory.js';
import { parseMarket } from '../catalog/market.js';
import { recordsPath } from '../catalog/records.js';
import { splitSuffix } from '../output/formats.js';
import type { FileVersion } from '../storage/storage.js';
import type { ListedDay, ListedSeries, Listing } from './listing.js';

/** What was found at some time. */
export interface Found {
  listing: Listing;
  /** The path of a file, by {@link fileKey}. */
  paths: ReadonlyMap<string, string>;
}

/** How a file is named in requests: never by a path. */
export function fileKey(series: string, day: string): string {
  return `${series}|${day}`;
}

/** A folder that changes is looked at no more often than this. */
const LOOK_AGAIN_MS = 1500;
/** Folders in folders that are watched; outputs lie five deep at most. */
const MAX_NESTING = 8;
/** Files that were opened last, of which a change shows although no name in their folder has changed. */
const WATCHED_FILES = 64;

export class Holdings {
  readonly #outputDir: string | undefined;
  readonly #files: readonly string[];
  /** What paths may lead to, symbolic links resolved: this folder, or these files. */
  readonly #allowed: readonly string[];
  #found: Promise<Found> | undefined;
  #stamp = '';
  #folders: string[] = [];
  #lookedMs = -Infinity;
  #looking: Promise<Found> | undefined;
  readonly #opened: string[] = [];

  /** @throws {@link UsageError} when something is not there. */
  static open(given: readonly string[]): Holdings {
    const [first] = given;
    const kinds = given.map((name) => {
      const stat = fs.statSync(name, { throwIfNoEntry: false });
      if (!stat) throw new UsageError(`No such file or folder: ${name}`);
      if (stat.isFile() && splitSuffix(path.basename(name)) === undefined) {
        throw new UsageError(`${name} is no output by its name, which must end in .csv, .csv.gz or .parquet`);
      }
      return stat.isDirectory() ? 'folder' : 'file';
    });
    if (first !== undefined && given.length === 1 && kinds[0] === 'folder') {
      try {
        fs.opendirSync(first).closeSync();
      } catch (error) {
        throw new UsageError(`Cannot read the folder ${first}: ${(error as Error).message}`, { cause: error });
      }
      return new Holdings(first, []);
    }
    if (kinds.includes('folder')) throw new UsageError('Give one folder, or files: not both, and not several folders');
    return new Holdings(undefined, given);
  }

  private constructor(outputDir: string | undefined, files: readonly string[]) {
    this.#outputDir = outputDir;
    this.#files = files;
    this.#allowed = (outputDir === undefined ? files : [outputDir]).map((name) => fs.realpathSync(name));
  }

  /** What there is now, or was some second ago. */
  async look(): Promise<Found> {
    if (this.#looking) return this.#looking;
    if (this.#found && performance.now() - this.#lookedMs < LOOK_AGAIN_MS) return this.#found;
    this.#looking = this.#lookAgain().finally(() => {
      this.#looking = undefined;
      this.#lookedMs = performance.now();
    });
    return this.#looking;
  }

  async #lookAgain(): Promise<Found> {
    const stamp = await this.#stampNow();
    if (this.#found && stamp === this.#stamp) return this.#found;
    // Before the outputs: what changes meanwhile is seen the next time.
    this.#folders = this.#outputDir === undefined ? [] : await foldersBelow(this.#outputDir);
    this.#stamp = await this.#stampNow();
    const version = createHash('sha256').update(this.#stamp).digest('hex').slice(0, 16);
    const found =
      this.#outputDir === undefined ? listFiles(this.#files, version) : await listFolder(this.#outputDir, version);
    this.#found = Promise.resolve(found);
    return found;
  }

  /** Something that differs when a name in a folder, the records or an opened file has. */
  async #stampNow(): Promise<string> {
    const watched = this.#outputDir === undefined ? this.#files : [...this.#folders, recordsPath(this.#outputDir)];
    const stamps: string[] = [];
    for (const name of [...watched, ...this.#opened]) {
      const stat = await fs.promises.stat(name).catch(() => undefined);
      stamps.push(`${name}\0${stat?.ino}\0${stat?.mtimeMs}\0${stat?.isFile() ? stat.size : ''}`);
    }
    return stamps.join('\n');
  }

  /**
   * Where a file really is that may be read.
   *
   * @returns `undefined` when a symbolic link leads out of what was given.
   * @throws a system error when it is not there any more.
   */
  async resolve(file: string): Promise<string | undefined> {
    const real = await fs.promises.realpath(file);
    const isInside =
      this.#outputDir === undefined
        ? this.#allowed.includes(real)
        : this.#allowed.some((folder) => real.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep));
    if (!isInside) return undefined;
    if (this.#outputDir !== undefined && !this.#opened.includes(file)) {
      this.#opened.unshift(file);
      this.#opened.length = Math.min(this.#opened.length, WATCHED_FILES);
      this.#stamp = await this.#stampNow();
    }
    return real;
  }
}

/** A folder and all below it, each once, in which names may appear. */
async function foldersBelow(root: string): Promise<string[]> {
  const found = [root];
  const seen = new Set<string>();
  const search = async (folder: string, nesting: number): Promise<void> => {
    const entries = await fs.promises.readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.name.startsWith('.') || entry.isFile()) continue;
      const below = path.join(folder, entry.name);
      const stat = await fs.promises.stat(below).catch(() => undefined);
      const id = `${stat?.dev}:${stat?.ino}`;
      if (!stat?.isDirectory() || seen.has(id)) continue;
      seen.add(id);
      found.push(below);
      if (nesting < MAX_NESTING) await search(below, nesting + 1);
    }
  };
  await search(root, 1);
  return found;
}

async function listFolder(outputDir: string, version: string): Promise<Found> {
  const outputs = await lookUpOutputs(outputDir);
  const gathered = new Gathered();
  for (const output of outputs.all) {
    const { market = null, pair: symbol, kind, depth = null, interval, format, date, path: file } = output;
    const series = { market, symbol, kind, depth, interval, format };
    gathered.add(series, [date, versionText(output), ...countsOf(output)], file);
  }
  return gathered.finish({ version, place: outputDir, problems: [...outputs.unreadable] });
}

function countsOf({ knowledge }: KnownOutput): [number | null, number | null, number | null] {
  if (knowledge.kind !== 'recorded') return [null, null, null];
  const { rows, filledRows, suspectRows } = knowledge.record.counts;
  const orNull = (count: number) => (Number.isNaN(count) ? null : count);
  return [orNull(rows), orNull(filledRows), orNull(suspectRows)];
}

function versionText({ sizeBytes, mtimeMs, etag }: FileVersion): string {
  return `${sizeBytes.toString(36)}-${etag ?? mtimeMs?.toString(36)}`;
}

const DAY_NAME = /^(?<from>\d{4}-\d{2}-\d{2})_(?<symbol>.+?)(?:_ob(?<depth>\d{1,4}))?_(?<interval>\d+(?:ms|s|m|h))$/;
const JOINED_NAME =
  /^(?:(?<market>linear|inverse|spot)_)?(?<symbol>.+?)_(?<from>\d{4}-\d{2}-\d{2})_(?<to>\d{4}-\d{2}-\d{2})(?:_ob(?<depth>\d{1,4}))?_(?<interval>\d+(?:ms|s|m|h))$/;

function listFiles(files: readonly string[], listingVersion: string): Found {
  const gathered = new Gathered();
  const problems: string[] = [];
  for (const file of files) {
    const fileName = path.basename(file);
    const { stem = fileName, format = 'csv' } = splitSuffix(fileName) ?? {};
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (!stat) {
      problems.push(`${file} is not there any more`);
      continue;
    }
    const { market, symbol, from, to, depth, interval } =
      DAY_NAME.exec(stem)?.groups ?? JOINED_NAME.exec(stem)?.groups ?? {};
    const isNamed = from !== undefined && isDate(from) && (to === undefined || isDate(to));
    const version = versionText({ sizeBytes: stat.size, mtimeMs: stat.mtimeMs });
    const day: ListedDay =
      isNamed && to !== undefined
        ? [from, version, null, null, null, to]
        : [isNamed ? from : fileName, version, null, null, null];
    const series = {
      market: parseMarket(market) ?? null,
      symbol: isNamed && symbol !== undefined ? symbol : stem,
      // Books have their depth in their name; a name that tells nothing is taken as that of a book.
      kind: isNamed && depth === undefined ? 'metrics' : 'book',
      depth: isNamed && depth !== undefined ? Number(depth) : null,
      interval: isNamed && interval !== undefined ? interval : '',
      format,
    } as const;
    gathered.add(series, day, file);
  }
  const place = files.length === 1 ? (files[0] as string) : `${files.length} files`;
  return gathered.finish({ version: listingVersion, place, problems });
}

/** Puts files together that can be seen on one axis. */
class Gathered {
  readonly #series = new Map<string, ListedSeries>();
  readonly #paths = new Map<string, string>();

  add(series: Omit<ListedSeries, 'id' | 'days' | 'intervalMs'>, day: ListedDay, file: string): void {
    const { market, symbol, kind, depth, interval, format } = series;
    const id = [market ?? '', symbol, kind === 'book' ? `ob${depth ?? ''}` : kind, interval, format].join('/');
    const known = this.#series.get(id) ?? { ...series, id, intervalMs: intervalMsOf(interval), days: [] };
    this.#series.set(id, known);
    const key = fileKey(id, day[0]);
    // The same day in two folders given as files: the first one is shown.
    if (this.#paths.has(key)) return;
    this.#paths.set(key, file);
    known.days.push(day);
  }

  finish(rest: Omit<Listing, 'series'>): Found {
    const series = [...this.#series.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const { days } of series) days.sort(([a], [b]) => (a < b ? -1 : 1));
    return { listing: { ...rest, series }, paths: this.#paths };
  }
}

function intervalMsOf(interval: string): number | null {
  try {
    return parseInterval(interval);
  } catch {
    return null;
  }
}

/** Opens a file that was resolved, asynchronously: a slow disk must not keep others waiting. */
export async function openResolved(real: string) {
  const handle = await fs.promises.open(
    real,
    fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
  );
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new UsageError('not a regular file');
  }
  return {
    sizeBytes: stat.size,
    version: versionText({ sizeBytes: stat.size, mtimeMs: stat.mtimeMs }),
    async read(buffer: Uint8Array, position: number): Promise<number> {
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    close: () => handle.close(),
  };
}
