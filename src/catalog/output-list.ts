import { groupIndices, NumberList } from '../base/number-list.js';
import { Numbered } from '../base/numbered.js';
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import { FORMATS } from '../output/formats.js';
import { folderOf, joinPath } from '../storage/paths.js';
import type { FileVersion } from '../storage/storage.js';
import type { FoundOutput } from './find-outputs.js';
import { middleOf, type OutputName } from './output-name.js';
import { dateFolder } from './partition.js';
import { VersionList } from './version-list.js';

/** What outputs have in common that differ in their days. */
type Series = Omit<OutputName, 'date'> & { /** That of the pair. */ folder: string };

/**
 * Millions of outputs in some 35 bytes each: what many have in common is kept once. They are put together again when they
 * are asked for.
 */
export class OutputList implements Iterable<FoundOutput> {
  readonly #series = new Numbered<Series>();
  readonly #seriesOf = new NumberList(Uint32Array, 0);
  readonly #days = new NumberList(Int32Array, 0);
  readonly #versions = new VersionList();

  get length(): number {
    return this.#days.length;
  }

  push({ path, date, kind, market, partition, depth, pair, interval, format, ...version }: FoundOutput): void {
    const own = folderOf(path);
    const folder = partition === 'hive' ? folderOf(own) : own;
    const series = { kind, market, partition, depth, pair, interval, format, folder };
    this.#seriesOf.push(this.#series.numberOf(`${interval} ${format} ${folder}`, series));
    this.#days.push(midnightMs(date) / DAY_MS);
    this.#versions.push(version);
  }

  at(index: number): FoundOutput {
    const { folder, ...name } = this.#series.at(this.#seriesOf.at(index));
    const date = toDate(this.#days.at(index) * DAY_MS);
    const { kind, depth = 0, pair, interval, format, partition } = name;
    const contents = kind === 'book' ? ({ kind, depth } as const) : { kind };
    const fileName = `${date}_${middleOf(pair, contents)}_${interval}${FORMATS[format].suffix}`;
    const path = joinPath(folder, ...(partition === 'hive' ? [dateFolder(date)] : []), fileName);
    return { ...name, date, path, ...(this.#versions.at(index) as FileVersion) };
  }

  *[Symbol.iterator](): Generator<FoundOutput, void, undefined> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  /** The indices of each pair's outputs. */
  byPair(): Map<string, Uint32Array> {
    return groupIndices(this.length, (index) => this.#series.at(this.#seriesOf.at(index)).pair);
  }
}
