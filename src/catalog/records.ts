import fs from 'node:fs';
import path from 'node:path';
import { isDate } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import { VERSION } from '../base/version.js';
import { LineSplitter } from '../book/lines.js';
import type { JobResult } from '../convert/job.js';
import type { Job, PlannedOutput } from '../convert/plan.js';
import { formatVersionOf } from '../output/formats.js';
import { writeAll } from '../storage/write-all.js';
import { isPair } from './archive-name.js';
import { type OutputRecord, type Shape, shapeOf } from './staleness.js';

/** Every conversion leaves a line of JSON in this file of the output folder. */
export const RECORDS_FILE = 'conversions.jsonl';

/** What became of an archive. Counts are those of the engine; times of messages are ms since the epoch. */
export function toRecord({ archive, outputs, options }: Job, result: JobResult): Record<string, unknown> {
  const counts = result.status === 'skipped' ? undefined : result.counts;
  const isDone = result.status === 'done';
  return {
    archive: archive.path,
    archiveBytes: archive.sizeBytes,
    archiveMtimeMs: archive.mtimeMs,
    pair: archive.pair,
    date: archive.date,
    sourceDepth: archive.sourceDepth,
    status: result.status,
    ...(result.status === 'failed' ? { error: result.error } : {}),
    outputs: (isDone ? result.outputs : outputs).map((output) => ({
      ...output,
      shape: shapeOf(output, options),
      formatVersion: formatVersionOf(output),
    })),
    ...counts,
    ...(result.status !== 'skipped' && result.isReinflated ? { isReinflated: true } : {}),
    seconds: result.seconds,
    version: VERSION,
    finishedAt: new Date().toISOString(),
  };
}

/**
 * One line of {@link RECORDS_FILE}: as {@link toRecord}, but outputs are named by their place in the output folder, so
 * that it can be moved, and those that were made have their size.
 */
export function toFileRecord(job: Job, result: JobResult): Record<string, unknown> {
  const record = toRecord(job, result);
  const outputs = (record['outputs'] as PlannedOutput[]).map((output) => {
    const bytes = result.status === 'done' ? sizeOf(output.path) : undefined;
    return { ...output, path: placeOf(output.path), ...(bytes === undefined ? {} : { bytes }) };
  });
  return { ...record, outputs };
}

/** Where an output lies in the output folder, wherever that is: `DEPTH/PAIR/FILE` or `metrics/PAIR/FILE`. */
export function placeOf(outputPath: string): string {
  return outputPath.split(/[/\\]/).slice(-3).join('/');
}

function sizeOf(file: string): number | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })?.size;
}

/** Appends records to the output folder's file. One process opens it; several runs may append at the same time. */
export class RecordFile {
  readonly #path: string;
  #fd: number | undefined;

  constructor(outputDir: string) {
    this.#path = path.join(outputDir, RECORDS_FILE);
  }

  /** @throws a system error when the file cannot be written. */
  append(record: Record<string, unknown>): void {
    this.#fd ??= fs.openSync(this.#path, 'a+');
    // A run that was killed, or whose disk was full, may have left half a line; this record must not become part of it.
    const start = endsInLine(this.#fd) ? '' : '\n';
    // One write with O_APPEND for a whole line: lines of two runs do not mix.
    writeAll(this.#fd, Buffer.from(`${start}${JSON.stringify(record)}\n`));
    // Outputs survive a power cut. Were the record lost, the one before would be taken for theirs.
    fs.fsyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function endsInLine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || fs.readSync(fd, last, 0, 1, size - 1) === 0 || last.toString() === '\n';
}

/** What a record tells of the rows that a conversion wrote, into each of its outputs; NaN what it does not tell. */
export interface RowCounts {
  rows: number;
  filledRows: number;
  /** Not in records of version 0.1. */
  suspectRows: number;
}

/** What the records say of an output that was made. */
export interface MadeOutput extends OutputRecord {
  /** Of the output; not in records of version 0.1. */
  sizeBytes: number | undefined;
  counts: RowCounts;
}

/** A conversion that failed, and was the last of its archive. */
export interface Failure {
  pair: string;
  date: string;
  /** The outputs that it did not make, as the output folder names them. */
  places: string[];
}

/** All records of an output folder: of each output the last one of success, of each archive the last one if a failure. */
export class Records {
  readonly #made = new Map<string, MadeOutput>();
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
    const named = outputs.filter((output) => typeof output?.path === 'string');
    if (status === 'failed' && isPair(String(pair)) && isDate(String(date))) {
      const places = named.map((output) => placeOf(output.path));
      this.#failures.set(fileName, { pair: String(pair), date: String(date), places });
    }
    if (status !== 'done') return;
    this.#failures.delete(fileName);
    const source = { fileName, sizeBytes: archiveBytes, mtimeMs: asNumber(archiveMtimeMs) };
    const counts = {
      rows: asNumber(record['rows']) ?? Number.NaN,
      filledRows: asNumber(record['filledRows']) ?? Number.NaN,
      suspectRows: asNumber(record['suspectRows']) ?? Number.NaN,
    };
    for (const output of named) {
      // Version 0.1 had the options of all outputs in one place.
      const shape = this.#share(asObject(output.shape) ?? asObject(record['options']) ?? {});
      this.#made.set(placeOf(output.path), {
        archive: source,
        shape,
        formatVersion: asNumber(output.formatVersion) ?? 1,
        hasBadLines: record['badLines'] !== 0,
        sizeBytes: asNumber(output.bytes),
        counts,
      });
    }
  }

  /** The record of the output at a path; none when the file's size is another, since then something else made it. */
  of(outputPath: string): MadeOutput | undefined {
    const made = this.#made.get(placeOf(outputPath));
    return made?.sizeBytes === undefined || made.sizeBytes === sizeOf(outputPath) ? made : undefined;
  }

  /** Archives whose last conversion failed. */
  get failures(): Iterable<Failure> {
    return this.#failures.values();
  }

  #share(shape: Shape): Shape {
    const text = JSON.stringify(shape);
    const known = this.#shapes.get(text);
    if (known) return known;
    this.#shapes.set(text, shape);
    return shape;
  }
}

/**
 * Reads the records of an output folder, a line at a time.
 *
 * @throws {@link UsageError} when they are there and cannot be read: without them stale outputs would be taken as done.
 */
export async function readRecords(outputDir: string): Promise<Records> {
  const file = path.join(outputDir, RECORDS_FILE);
  const records = new Records();
  const lines = new LineSplitter();
  const addLines = () => {
    for (let line = lines.next(); line; line = lines.next()) {
      const { buffer, byteOffset, byteLength } = line.bytes;
      if (!line.isTooLong) records.add(Buffer.from(buffer, byteOffset, byteLength).toString());
    }
  };
  try {
    for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 })) {
      lines.push(chunk as Buffer);
      addLines();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return records;
    throw new UsageError(
      `Cannot read ${file}: ${message}\nIt says what each output was made of. Make it readable; ` +
        'or move it away, and every output that exists is taken as done.',
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
