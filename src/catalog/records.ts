import { pauses } from '../base/pauses.js';
import { isDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { LineSplitter } from '../book/lines.js';
import { openStorage } from '../storage/open-storage.js';
import { joinPath, nameOf } from '../storage/paths.js';
import { S3Error } from '../storage/s3/error.js';
import type { FileVersion } from '../storage/storage.js';
import { differs, versionIn } from '../storage/version.js';
import { isPair } from './archive-name.js';
import { type MarketName, parseMarket } from './market.js';
import { type Placed, placeOf, RECORDS_FILE, unpartitionedPlace } from './output-name.js';
import { RecordList } from './record-list.js';
import type { OutputRecord, RecordedOutput } from './recorded-output.js';
import type { Shape } from './shaping-options.js';

export { RECORDS_FILE };

const NEWLINE = 0x0a;

/** What the records know of a file that is an output by its place and name. */
export type Knowledge =
  | { kind: 'recorded'; record: RecordedOutput }
  /**
   * There are records of this output, of which none is that of this file: it has been changed, or something else made it.
   * `problem`: only its content could have told, and that cannot be read.
   */
  | { kind: 'altered'; record: RecordedOutput; problem?: string }
  /** There is no record of this output: something else made it. */
  | { kind: 'unrecorded' };

/** A conversion that failed, and was the last of its archive. */
export interface Failure {
  /** Of the archive; `undefined`: not told. */
  market: MarketName | undefined;
  pair: string;
  date: string;
  /** The outputs that it did not make, as the output folder names them. */
  places: string[];
  /** The archive's name, without its folder. */
  fileName: string;
  error: string;
  /** When it failed for the first time since it last succeeded, ISO 8601; `undefined` where that is not recorded. */
  since: string | undefined;
}

/** All records of an output folder: of each output those of success, of each archive the last one if a failure. */
export class Records {
  /** Of each output all records of success: a run may have ended between a record and its output. */
  readonly #made = new RecordList();
  readonly #failures = new Map<string, Failure>();
  /** Size of the file when it was read. */
  readBytes = 0;

  /** Takes one; what is not a record of a kind known here says nothing. */
  add(record: Record<string, unknown>): void {
    const parsed = parseRecord(record);
    if (!parsed) return;
    const { pair, date, status } = record;
    const { fileName } = parsed.archive;
    const named = parsed.outputs;
    // Archives of all markets are named alike.
    const market: MarketName | undefined = named[0]?.market;
    const source = [market ?? '', fileName].join('/');
    if (status === 'failed' && isPair(String(pair)) && isDate(String(date))) {
      const places = named.map((output) => placeOf(output));
      const since = this.#failures.get(source)?.since ?? asText(record['finishedAt']);
      const error = asText(record['error']) ?? '';
      this.#failures.set(source, { market, pair: String(pair), date: String(date), places, fileName, error, since });
    }
    if (status !== 'done') return;
    this.#failures.delete(source);
    this.#addOutputs(record, parsed);
  }

  /**
   * Takes the note that an output carries: its own record. Of an object that was copied to another place it says nothing,
   * as a record of the other place would not.
   *
   * @param version of the output that the note was read of.
   */
  addNote(note: string, version: FileVersion): void {
    const record = parseObject(note);
    const parsed = record && parseRecord(record);
    if (!parsed) return;
    const outputs = parsed.outputs.map((output) => ({ ...output, bytes: version.sizeBytes, etag: version.etag }));
    this.#addOutputs(record, { ...parsed, outputs });
  }

  #addOutputs(record: Record<string, unknown>, { archive, outputs }: ParsedRecord): void {
    const counts = {
      rows: asNumber(record['rows']) ?? Number.NaN,
      filledRows: asNumber(record['filledRows']) ?? Number.NaN,
      suspectRows: asNumber(record['suspectRows']) ?? Number.NaN,
    };
    const form = record['market'];
    const market = outputs[0]?.market;
    const messageForm = form === 'contract' || (form === 'spot' && market === undefined) ? form : undefined;
    for (const output of outputs) {
      // Version 0.1 had the options of all outputs in one place.
      const shape = asShape(output.shape) ?? asShape(record['options']) ?? {};
      this.#made.push(placeOf(output), {
        archive,
        shape,
        formatVersion: asNumber(output.formatVersion) ?? 1,
        hasBadLines: record['badLines'] !== 0,
        sizeBytes: asNumber(output.bytes),
        mtimeMs: asNumber(output.mtimeMs),
        ...(typeof output.etag === 'string' && { etag: output.etag }),
        sha256: asText(output.sha256),
        counts,
        messageForm,
      });
    }
  }

  /**
   * What is known of the file at an output's path: which record is its own. A file of the recorded version is the recorded
   * one. One of another time or ETag may be a copy: then its content decides, if it is told, and else its size.
   *
   * @param sha256 of its content, where that has been read.
   */
  of(file: Placed & FileVersion, sha256?: string): Knowledge {
    let last: RecordedOutput | undefined;
    let ofContent: RecordedOutput | undefined;
    for (const record of this.#made.of(placeOf(file))) {
      last ??= record;
      if (record.sizeBytes !== undefined && record.sizeBytes !== file.sizeBytes) continue;
      // A record of version 0.1, which does not tell the content, says nothing of a file that was made again since.
      const isOwn = sha256 === undefined || (record.sha256 === undefined ? record === last : record.sha256 === sha256);
      if (!isOwn) continue;
      if (isOfVersion(record, file)) return { kind: 'recorded', record };
      ofContent ??= record;
    }
    if (!last) return { kind: 'unrecorded' };
    return ofContent ? { kind: 'recorded', record: ofContent } : { kind: 'altered', record: last };
  }

  /** Whether there is a record of this very version of a file. */
  isCertain(file: Placed & FileVersion): boolean {
    return this.#isSome(file, (record) => record.sizeBytes === file.sizeBytes && isOfVersion(record, file));
  }

  /**
   * Whether the content of the file at an output's path is what was written; `undefined`: there is no record of it, or one
   * of version 0.1, which does not tell.
   */
  isAsWritten(file: Placed & FileVersion, sha256: string): boolean | undefined {
    const knowledge = this.of(file, sha256);
    if (knowledge.kind === 'altered') return false;
    return knowledge.kind === 'recorded' && knowledge.record.sha256 !== undefined ? true : undefined;
  }

  /** Whether only its content can tell which record is that of a file, if any. */
  isInDoubt(file: Placed & FileVersion): boolean {
    return (
      !this.isCertain(file) &&
      this.#isSome(file, ({ sizeBytes, sha256 }) => sizeBytes === file.sizeBytes && sha256 !== undefined)
    );
  }

  #isSome(file: Placed & FileVersion, isSought: (record: RecordedOutput) => boolean): boolean {
    for (const record of this.#made.of(placeOf(file))) if (isSought(record)) return true;
    return false;
  }

  /** The places of all outputs that were made; of one that was made with and without a partition, the last. */
  get places(): Iterable<string> {
    // One that leads out of the folder is none of ours, whoever wrote it down.
    const places = [...this.#made.places()].filter((place) => !place.split('/').includes('..'));
    return new Map(places.map((place) => [unpartitionedPlace(place), place])).values();
  }

  /** Archives whose last conversion failed. */
  get failures(): Iterable<Failure> {
    return this.#failures.values();
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
  const records = new Records();
  const onRead = (bytes: number) => {
    records.readBytes += bytes;
  };
  for await (const record of eachRecord(outputDir, onRead)) records.add(record);
  return records;
}

/**
 * The records of an output folder as they stand there. What is not an object, whole, is passed over.
 *
 * @param onRead hears of every stretch that was read, in bytes.
 * @throws {@link UsageError} when they are there and cannot be read.
 */
export async function* eachRecord(
  outputDir: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Record<string, unknown>> {
  const file = recordsPath(outputDir);
  const lines = new LineSplitter();
  function* objects() {
    for (let line = lines.next(); line; line = lines.next()) {
      const { buffer, byteOffset, byteLength } = line.bytes;
      const object = line.isTooLong ? undefined : parseObject(Buffer.from(buffer, byteOffset, byteLength).toString());
      if (object) yield object;
    }
  }
  try {
    const pause = pauses(undefined); // a million records are read by calls that wait for nothing
    for await (const chunk of openStorage(file).readLog(file)) {
      await pause();
      onRead(chunk.length);
      lines.push(chunk);
      yield* objects();
    }
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof S3Error) throw new UsageError(`Cannot read ${file}: ${message}`, { cause: error });
    throw new UsageError(
      `Cannot read ${file}: ${message}\nIt says what each output was made of. Make it readable; or move it away, and every ` +
        'output that exists is taken as done.',
      { cause: error },
    );
  }
  lines.end();
  yield* objects();
}

/** Of which archive a record is, and its outputs that have a place. */
interface ParsedRecord {
  archive: OutputRecord['archive'];
  outputs: RecordedFields[];
}

/** Whatever a line of JSON holds: each field is looked at before it is used. */
interface RecordedFields {
  path: string;
  market: MarketName | undefined;
  shape?: unknown;
  formatVersion?: unknown;
  bytes?: unknown;
  mtimeMs?: unknown;
  etag?: unknown;
  sha256?: unknown;
}

function parseRecord(record: Record<string, unknown>): ParsedRecord | undefined {
  const { archive, archiveBytes, archiveMtimeMs, archiveEtag, outputs } = record;
  if (typeof archive !== 'string' || typeof archiveBytes !== 'number' || !Array.isArray(outputs)) return undefined;
  return {
    archive: {
      fileName: nameOf(archive),
      sizeBytes: archiveBytes,
      mtimeMs: asNumber(archiveMtimeMs),
      ...(typeof archiveEtag === 'string' && { etag: archiveEtag }),
    },
    outputs: outputs.flatMap((output) =>
      typeof output?.path === 'string' ? [{ ...output, market: parseMarket(output.market) }] : [],
    ),
  };
}

/**
 * Whether a file of a record's size is the one that it tells of. Of one that went to S3 from a disk, or back, the size alone
 * tells: to read each such output for every plan would cost more than to make it again.
 */
function isOfVersion(record: RecordedOutput, file: FileVersion): boolean {
  const { mtimeMs, etag } = record;
  const isTold = mtimeMs !== undefined || etag !== undefined; // not by version 0.1
  return isTold && !differs({ ...versionIn(file), mtimeMs, etag }, file);
}

/**
 * How many records have been appended, by whichever run, since there were `readBytes` of them.
 *
 * @throws {@link StorageError} or a system error when they cannot be read.
 */
export async function countNewRecords(outputDir: string, readBytes: number): Promise<number> {
  const file = recordsPath(outputDir);
  let position = 0;
  let count = 0;
  for await (const chunk of openStorage(file).readLog(file)) {
    const start = Math.max(0, readBytes - position);
    for (let at = chunk.indexOf(NEWLINE, start); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) count++;
    position += chunk.length;
  }
  return count;
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

/**
 * Options as a record has them. Values of other kinds than options have are left out: they are not from here, and must not
 * be able to do anything when they are compared or shown.
 */
function asShape(value: unknown): Shape | undefined {
  const object = asObject(value);
  return object && Object.fromEntries(Object.entries(object).filter(([, item]) => isOptionValue(item)));
}

function isOptionValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number');
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
