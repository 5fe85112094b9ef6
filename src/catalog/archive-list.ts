import { groupIndices, NumberList } from '../base/number-list.js';
import { Numbered } from '../base/numbered.js';
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import type { FileVersion } from '../storage/storage.js';
import type { ArchiveFile } from './find-archives.js';
import type { MarketName } from './market.js';
import { VersionList } from './version-list.js';

/** What archives have in common that differ in their days, but for their folder. */
interface Series {
  market: MarketName | undefined;
  pair: string;
  sourceDepth: number;
  /** What follows the depth in their names. */
  ending: string;
}

/**
 * Millions of archives in some 40 bytes each: what many have in common is kept once. They are put together again when they
 * are asked for.
 */
export class ArchiveList implements Iterable<ArchiveFile> {
  readonly #folders = new Numbered<string>();
  readonly #series = new Numbered<Series>();
  readonly #folderOf = new NumberList(Uint32Array, 0);
  readonly #seriesOf = new NumberList(Uint32Array, 0);
  readonly #days = new NumberList(Int32Array, 0);
  readonly #versions = new VersionList();
  /** Those whose names are not the usual ones. */
  readonly #unusual = new Map<number, ArchiveFile>();

  get length(): number {
    return this.#days.length;
  }

  push(archive: ArchiveFile): void {
    const { path, fileName, date, pair, sourceDepth, market, isDayFile } = archive;
    const index = this.length;
    const start = `${date}_${pair}_ob${sourceDepth}`;
    const isUsual = isDayFile && fileName.startsWith(start) && path.endsWith(fileName);
    const ending = isUsual ? fileName.slice(start.length) : '';
    const folder = isUsual ? path.slice(0, -fileName.length) : '';
    this.#folderOf.push(this.#folders.numberOf(folder, folder));
    const series = { market, pair, sourceDepth, ending };
    this.#seriesOf.push(this.#series.numberOf(`${market} ${pair} ${sourceDepth} ${ending}`, series));
    this.#days.push(midnightMs(date) / DAY_MS);
    this.#versions.push(archive);
    if (!isUsual) this.#unusual.set(index, archive);
  }

  at(index: number): ArchiveFile {
    const unusual = this.#unusual.get(index);
    if (unusual) return unusual;
    const { market, pair, sourceDepth, ending } = this.#series.at(this.#seriesOf.at(index));
    const date = toDate(this.#days.at(index) * DAY_MS);
    const fileName = `${date}_${pair}_ob${sourceDepth}${ending}`;
    const path = this.#folders.at(this.#folderOf.at(index)) + fileName;
    const version = this.#versions.at(index) as FileVersion;
    return { date, pair, sourceDepth, ...(market && { market }), path, fileName, ...version, isDayFile: true };
  }

  *[Symbol.iterator](): Generator<ArchiveFile, void, undefined> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  /** The indices of each pair's archives. */
  byPair(): Map<string, Uint32Array> {
    return groupIndices(this.length, (index) => this.#series.at(this.#seriesOf.at(index)).pair);
  }

  /** Of all archives, once each. */
  get pairs(): Set<string> {
    return new Set([...this.#series].map(({ pair }) => pair));
  }
}
