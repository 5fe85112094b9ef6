import fs from 'node:fs';
import path from 'node:path';
import { writeAll } from '../output/write-all.js';
import { VERSION } from '../version.js';
import { formatInterval } from './interval.js';
import type { JobResult } from './job.js';
import type { Job } from './plan.js';

/** Every conversion leaves a line of JSON in this file of the output folder. */
export const RECORDS_FILE = 'conversions.jsonl';

/** One line of {@link RECORDS_FILE}. Counts are those of the engine; times of messages are ms since the epoch. */
export function toRecord({ archive, outputs, options }: Job, result: JobResult): Record<string, unknown> {
  const { intervalMs, ...others } = options;
  const counts = result.status === 'skipped' ? undefined : result.counts;
  return {
    archive: archive.path,
    archiveBytes: archive.sizeBytes,
    pair: archive.pair,
    date: archive.date,
    sourceDepth: archive.sourceDepth,
    status: result.status,
    ...(result.status === 'failed' ? { error: result.error } : {}),
    outputs: result.status === 'done' ? result.outputs : outputs,
    options: { interval: formatInterval(intervalMs), ...others },
    ...counts,
    ...(result.status !== 'skipped' && result.isReinflated ? { isReinflated: true } : {}),
    seconds: result.seconds,
    version: VERSION,
    finishedAt: new Date().toISOString(),
  };
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
    this.#fd ??= this.#open();
    // One write with O_APPEND for a whole line: lines of two runs do not mix.
    writeAll(this.#fd, Buffer.from(`${JSON.stringify(record)}\n`));
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** A run that was killed may have left half a line; the next record must not become part of it. */
  #open(): number {
    const fd = fs.openSync(this.#path, 'a+');
    const { size } = fs.fstatSync(fd);
    const last = Buffer.alloc(1);
    if (size > 0 && fs.readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n') fs.writeSync(fd, '\n');
    return fd;
  }
}
