import path from 'node:path';
import { isDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { LineSplitter } from '../book/lines.js';
import { openStorage } from '../storage/open-storage.js';
import { joinPath } from '../storage/paths.js';
import type { FileVersion } from '../storage/storage.js';
import { isPair } from './archive-name.js';
import { type MarketName, parseMarket } from './market.js';
import { type Placed, placeOf, RECORDS_FILE } from './output-name.js';
import type { Shape } from './shaping-options.js';
import type { OutputRecord } from './staleness.js';

export { RECORDS_FILE };

/** What a record tells of the rows that a conversion wrote, into each of its outputs; NaN what it does not tell. */
export interface RowCounts {
  rows: number;
  filledRows: number;
  /** Not in records of version 0.1. */
  suspectRows: number;
}

/** What the records say of an output that was made. */
export interface RecordedOutput extends OutputRecord {
  /** Of the output when it was made; not in records of version 0.1. */
  sizeBytes: number | undefined;
  mtimeMs: number | undefined;
  counts: RowCounts;
}

/** A conversion that failed, and was the last of its archive. */
export interface Failure {
  /** Of the archive; `undefined`: not told. */
  market: MarketName | undefined;
  pair: string;
  date: string;
  /** The outputs that it did not make, as the output folder names them. */
  places: string[];
}

/** All records of an output folder: of each output those of success, of each archive the last one if a failure. */
export class Records {
  /** Of each output all records of success, the latest last: a run may have ended between a record and its output. */
  readonly #made = new Map<string, RecordedOutput[]>();
  readonly #failures = new Map<string, Failure>();
  /** Hundreds of thousands of outputs have a few shapes among them: each is kept once. */
  readonly #shapes = new Map<string, Shape>();

  /** Takes one line; what is not a record, whole and of a kind known here, says nothing. */
  add(line: string): void {
    const record = parseObject(line);
    if (!record) return;
    const { archive, archiveBytes, archiveMtimeMs, pair, date, status, outputs } = record;
    if (typeof archive !== 'string' || typeof archiveBytes !== 'number' || !Array.isArray(outputs)) return;
    const fileName = path.basename(archive);
    const named = outputs.flatMap((output) =>
      typeof output?.path === 'string' ? [{ ...output, market: parseMarket(output.market) }] : [],
    );
    // Archives of all markets are named alike.
    const market: MarketName | undefined = named[0]?.market;
    const source = [market ?? '', fileName].join('/');
    if (status === 'failed' && isPair(String(pair)) && isDate(String(date))) {
      const places = named.map((output) => placeOf(output));
      this.#failures.set(source, { market, pair: String(pair), date: String(date), places });
    }
    if (status !== 'done') return;
    this.#failures.delete(source);
    const madeOf = { fileName, sizeBytes: archiveBytes, mtimeMs: asNumber(archiveMtimeMs) };
    const counts = {
      rows: asNumber(record['rows']) ?? Number.NaN,
      filledRows: asNumber(record['filledRows']) ?? Number.NaN,
      suspectRows: asNumber(record['suspectRows']) ?? Number.NaN,
    };
    for (const output of named) {
      // Version 0.1 had the options of all outputs in one place.
      const shape = this.#share(asObject(output.shape) ?? asObject(record['options']) ?? {});
      this.#keep(placeOf(output), {
        archive: madeOf,
        shape,
        formatVersion: asNumber(output.formatVersion) ?? 1,
        hasBadLines: record['badLines'] !== 0,
        sizeBytes: asNumber(output.bytes),
        mtimeMs: asNumber(output.mtimeMs),
        counts,
      });
    }
  }

  /**
   * The record of the file that is at an output's path: the last one of a file of this size and time, or of this size
   * only, since a copy may have another time. None: something else made it.
   */
  of(
    outputPath: string,
    { sizeBytes, mtimeMs, market }: FileVersion & Pick<Placed, 'market'>,
  ): RecordedOutput | undefined {
    const made = this.#made.get(placeOf({ path: outputPath, market })) ?? [];
    const ofSize = made.filter((record) => record.sizeBytes === undefined || record.sizeBytes === sizeBytes);
    return ofSize.findLast((record) => record.mtimeMs === mtimeMs) ?? ofSize.at(-1);
  }

  /** Archives whose last conversion failed. */
  get failures(): Iterable<Failure> {
    return this.#failures.values();
  }

  #keep(place: string, made: RecordedOutput): void {
    const known = this.#made.get(place);
    if (known) known.push(made);
    else this.#made.set(place, [made]);
  }

  #share(shape: Shape): Shape {
    const text = JSON.stringify(shape);
    const known = this.#shapes.get(text);
    if (known) return known;
    this.#shapes.set(text, shape);
    return shape;
  }
}

/** The file of an output folder's records. */
export function recordsPath(outputDir: string): string {
  return joinPath(outputDir, RECORDS_FILE);
}

/**
 * Reads the records of an output folder, a line at a time.
 *
 * @throws {@link UsageError} when they are there and cannot be read: without them stale outputs would be taken as done.
 */
export async function readRecords(outputDir: string): Promise<Records> {
  const file = recordsPath(outputDir);
  const records = new Records();
  const lines = new LineSplitter();
  const addLines = () => {
    for (let line = lines.next(); line; line = lines.next()) {
      const { buffer, byteOffset, byteLength } = line.bytes;
      if (!line.isTooLong) records.add(Buffer.from(buffer, byteOffset, byteLength).toString());
    }
  };
  try {
    for await (const chunk of openStorage(file).readLog(file)) {
      lines.push(chunk);
      addLines();
    }
  } catch (error) {
    throw new UsageError(
      `Cannot read ${file}: ${(error as Error).message}\nIt says what each output was made of. Make it readable; ` +
        'or move it away, and every output that exists is taken as done.',
      { cause: error },
    );
  }
  lines.end();
  addLines();
  return records;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined; // cut off, or not ours
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
