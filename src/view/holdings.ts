/** What there is to look at: the outputs of a folder, or files given one by one, on this machine or in S3. For Node. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { monotonicMs } from '../base/clock.js';
import { pauses } from '../base/pauses.js';
import { formatInterval, parseInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { type KnownOutput, lookUpCatalog } from '../catalog/inventory.js';
import { titleOfOutput } from '../catalog/output-title.js';
import { splitSuffix } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf, schemeOf } from '../storage/paths.js';
import { type ByteSource, type FileVersion, StorageError } from '../storage/storage.js';
import type { ListedDay, ListedSeries, Listing } from './listing.js';
import { FilesWatch, type Watch, watchFolder } from './watch.js';

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

/** One folder, or files. */
type Place = { outputDir: string } | { files: readonly string[] };

export class Holdings {
  readonly #place: Place;
  /** What paths may lead to, symbolic links resolved: this folder, or these files. */
  readonly #allowed: readonly string[];
  readonly #watch: Watch;
  #found: Promise<Found> | undefined;
  #stamp = '';
  #lookedMs = -Infinity;
  #looking: Promise<Found> | undefined;

  /** @throws {@link UsageError} when something is not there. */
  static async open(given: readonly string[]): Promise<Holdings> {
    const kinds = new Set<'folder' | 'file'>();
    for (const name of given) kinds.add(await kindOf(name));
    const [first] = given;
    const isFolder = first !== undefined && given.length === 1 && kinds.has('folder');
    if (!isFolder && kinds.has('folder')) {
      throw new UsageError('Give one folder, or files: not both, and not several folders');
    }
    if (isFolder) await requireReadable(first);
    const allowed = await Promise.all(given.map((name) => openStorage(name).realPath(name)));
    return new Holdings(isFolder ? { outputDir: first } : { files: given }, allowed);
  }

  private constructor(place: Place, allowed: readonly string[]) {
    this.#place = place;
    this.#allowed = allowed;
    this.#watch = 'files' in place ? new FilesWatch(place.files) : watchFolder(place.outputDir);
  }

  /** What there is now, or was a moment ago. */
  async look(): Promise<Found> {
    if (this.#looking) return this.#looking;
    if (this.#found && monotonicMs() - this.#lookedMs < this.#watch.pauseMs) return this.#found;
    this.#looking = this.#lookAgain().finally(() => {
      this.#looking = undefined;
      this.#lookedMs = monotonicMs();
    });
    return this.#looking;
  }

  async #lookAgain(): Promise<Found> {
    const stamp = await this.#watch.stamp();
    if (this.#found && stamp === this.#stamp) return this.#found;
    // Before the outputs: what changes meanwhile is seen the next time.
    await this.#watch.renew();
    const renewed = await this.#watch.stamp();
    const version = createHash('sha256').update(renewed).digest('hex').slice(0, 16);
    const place = this.#place;
    const found = 'files' in place ? await listFiles(place.files, version) : await listFolder(place.outputDir, version);
    this.#stamp = renewed;
    this.#found = Promise.resolve(found);
    return found;
  }

  /**
   * Opens a file that was found.
   *
   * @returns `undefined` when a symbolic link leads out of what was given.
   * @throws a system error or {@link StorageError} when it is not there any more, or cannot be read.
   */
  async openFile(file: string): Promise<ByteSource | undefined> {
    const storage = openStorage(file);
    const real = await storage.realPath(file);
    if (!this.#isAllowed(real)) return undefined;
    await this.#watch.add(file);
    return storage.openToServe(real);
  }

  #isAllowed(real: string): boolean {
    if ('files' in this.#place) return this.#allowed.includes(real);
    const separator = schemeOf(real) === undefined ? path.sep : '/';
    return this.#allowed.some((folder) => real.startsWith(folder.endsWith(separator) ? folder : folder + separator));
  }
}

async function kindOf(name: string): Promise<'folder' | 'file'> {
  const entry = await openStorage(name).look(name);
  if (!entry) throw new UsageError(`No such file or folder: ${name}`);
  if (entry.kind === 'folder') return 'folder';
  if (entry.kind === 'unusable') throw new UsageError(`${name} is not a regular file`);
  if (splitSuffix(nameOf(name)) === undefined) {
    throw new UsageError(`${name} is no output by its name, which must end in .csv, .csv.gz or .parquet`);
  }
  return 'file';
}

async function requireReadable(folder: string): Promise<void> {
  try {
    const listing = openStorage(folder).list(folder);
    await listing.next();
    await listing.return();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

async function listFolder(outputDir: string, version: string): Promise<Found> {
  const outputs = await lookUpCatalog(outputDir);
  const gathered = new Gathered();
  const pause = pauses(undefined);
  for (const output of outputs) {
    await pause(); // of a million outputs, others are answered meanwhile
    const { market = null, pair: symbol, kind, depth = null, interval, format, date, path: file } = output;
    const series = { market, symbol, kind, depth, interval, format };
    gathered.add(series, [date, versionText(output), ...countsOf(output)], file);
  }
  return gathered.finish({ version, place: outputDir, problems: outputs.unseen.map(({ problem }) => problem) });
}

function countsOf({ knowledge }: KnownOutput): [number | null, number | null, number | null] {
  if (knowledge.kind !== 'recorded') return [null, null, null];
  const { rows, filledRows, suspectRows } = knowledge.record.counts;
  const orNull = (count: number) => (Number.isNaN(count) ? null : count);
  return [orNull(rows), orNull(filledRows), orNull(suspectRows)];
}

export function versionText({ sizeBytes, mtimeMs, etag }: FileVersion): string {
  return `${sizeBytes.toString(36)}-${etag ?? mtimeMs?.toString(36)}`;
}

async function listFiles(files: readonly string[], listingVersion: string): Promise<Found> {
  const gathered = new Gathered();
  const problems: string[] = [];
  for (const file of files) {
    const fileName = nameOf(file);
    const { stem = fileName, format = 'csv' } = splitSuffix(fileName) ?? {};
    const entry = await openStorage(file).look(file);
    if (entry?.kind !== 'file') {
      problems.push(`${file} is not there any more`);
      continue;
    }
    const { market = null, symbol = stem, depth = null, intervalMs = null, from, to } = titleOfOutput(file);
    const version = versionText(entry);
    const day: ListedDay =
      from !== to && from !== undefined && to !== undefined
        ? [from, version, null, null, null, to]
        : [from ?? fileName, version, null, null, null];
    // Books have their depth in their name; a name that tells nothing is taken as that of a book.
    const kind = from !== undefined && depth === null ? 'metrics' : 'book';
    const interval = intervalMs === null ? '' : formatInterval(intervalMs);
    gathered.add({ market, symbol, kind, depth, interval, format }, day, file);
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
