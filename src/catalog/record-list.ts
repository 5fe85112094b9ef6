import { HexList, NumberList } from '../base/number-list.js';
import { Numbered } from '../base/numbered.js';
import { DAY_MS, isDate, midnightMs, toDate } from '../base/time.js';
import type { RecordedOutput } from './recorded-output.js';
import { VersionList } from './version-list.js';

const DAY = /\d{4}-\d{2}-\d{2}/;
/** Stands for the day in what names have in common; no name has it. */
const ANY_DAY = '\0';
const NONE = 0;

/** What records have in common that were made alike. */
type Manner = Pick<RecordedOutput, 'shape' | 'formatVersion' | 'hasBadLines' | 'messageForm'>;

/** Records of one place and other places that differ in their days only. */
interface Series {
  /** The place, without its day. */
  pattern: string;
  /** The latest record of each day, by its number from 1. */
  latest: Map<number, number>;
}

/**
 * Records of millions of outputs in some 170 bytes each: what many have in common is kept once. They are put together again
 * when they are asked for.
 */
export class RecordList {
  readonly #series = new Numbered<Series>();
  readonly #seriesOf = new NumberList(Uint32Array, 0);
  readonly #days = new NumberList(Int32Array, 0);
  /** The record of the same place before, by its number. */
  readonly #before = new NumberList(Uint32Array, NONE);
  readonly #archives = new Numbered<string>();
  readonly #archiveOf = new NumberList(Uint32Array, 0);
  readonly #archiveVersions = new VersionList();
  readonly #versions = new VersionList();
  readonly #hashes = new HexList(64);
  /** Of records without a hash, or with what is none. */
  readonly #otherHashes = new Map<number, string | undefined>();
  readonly #rows = new NumberList(Float64Array, Number.NaN);
  readonly #filledRows = new NumberList(Float64Array, 0);
  readonly #suspectRows = new NumberList(Float64Array, 0);
  readonly #manners = new Numbered<Manner>();
  readonly #mannerOf = new NumberList(Uint32Array, 0);

  get length(): number {
    return this.#days.length;
  }

  push(place: string, record: RecordedOutput): void {
    const { archive, shape, formatVersion, hasBadLines, messageForm, counts, sha256 } = record;
    const index = this.length;
    const { pattern, day } = split(place);
    const seriesNumber = this.#series.numberOf(pattern, { pattern, latest: new Map() });
    const { latest } = this.#series.at(seriesNumber);
    this.#seriesOf.push(seriesNumber);
    this.#days.push(day);
    this.#before.push(latest.get(day) ?? NONE);
    latest.set(day, index + 1);
    const fileName = day === 0 ? archive.fileName : archive.fileName.replaceAll(dateOf(day), ANY_DAY);
    this.#archiveOf.push(this.#archives.numberOf(fileName, fileName));
    this.#archiveVersions.push(archive);
    this.#versions.push(record);
    if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) this.#hashes.set(index, sha256);
    else this.#otherHashes.set(index, sha256);
    this.#rows.push(counts.rows);
    this.#filledRows.push(counts.filledRows);
    this.#suspectRows.push(counts.suspectRows);
    const manner = { shape, formatVersion, hasBadLines, messageForm };
    this.#mannerOf.push(this.#manners.numberOf(JSON.stringify(manner), manner));
  }

  /** The records of a place, the latest first: one after the other, since there may be any number of them. */
  *of(place: string): Generator<RecordedOutput, void, undefined> {
    const { pattern, day } = split(place);
    let number = this.#series.find(pattern)?.latest.get(day) ?? NONE;
    for (; number !== NONE; number = this.#before.at(number - 1)) yield this.#at(number - 1);
  }

  /** All places, in the order of their latest records. */
  *places(): Generator<string, void, undefined> {
    for (let index = 0; index < this.length; index++) {
      const { pattern, latest } = this.#series.at(this.#seriesOf.at(index));
      const day = this.#days.at(index);
      if (latest.get(day) === index + 1) yield withDay(pattern, day);
    }
  }

  #at(index: number): RecordedOutput {
    const fileName = withDay(this.#archives.at(this.#archiveOf.at(index)), this.#days.at(index));
    const { sizeBytes = Number.NaN, mtimeMs, etag } = this.#archiveVersions.at(index);
    const version = this.#versions.at(index);
    return {
      ...this.#manners.at(this.#mannerOf.at(index)),
      archive: { fileName, sizeBytes, mtimeMs, ...(etag !== undefined && { etag }) },
      sizeBytes: version.sizeBytes,
      mtimeMs: version.mtimeMs,
      ...(version.etag !== undefined && { etag: version.etag }),
      sha256: this.#otherHashes.has(index) ? this.#otherHashes.get(index) : this.#hashes.at(index),
      counts: {
        rows: this.#rows.at(index),
        filledRows: this.#filledRows.at(index),
        suspectRows: this.#suspectRows.at(index),
      },
    };
  }
}

/** A place's day, and the place without it. Day 0, of which nothing is published, stands for a place without a day. */
function split(place: string): { pattern: string; day: number } {
  const date = DAY.exec(place)?.[0];
  if (date === undefined || !isDate(date)) return { pattern: place, day: 0 };
  const day = midnightMs(date) / DAY_MS;
  return day === 0 ? { pattern: place, day } : { pattern: place.replaceAll(date, ANY_DAY), day };
}

function withDay(pattern: string, day: number): string {
  return day === 0 ? pattern : pattern.replaceAll(ANY_DAY, dateOf(day));
}

function dateOf(day: number): string {
  return toDate(day * DAY_MS);
}
