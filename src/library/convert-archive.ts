import fs from 'node:fs';
import { checkInterval } from '../base/time.js';
import type { EngineCounts } from '../book/engine.js';
import { identifyFiles } from '../catalog/find-archives.js';
import { RecordFile, readRecords, toFileRecord } from '../catalog/records.js';
import { runJob } from '../convert/job.js';
import { type PlannedOutput, type PlanOptions, plan, type SkipReason } from '../convert/plan.js';
import { outputExists } from '../storage/atomic-file.js';

/** Options of {@link convertArchive}: what to make, and how to watch and stop it. */
export interface ConvertArchiveOptions extends PlanOptions {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: (bytes: number) => void;
  /** Stops the conversion: nothing is left of its outputs. */
  signal?: AbortSignal | undefined;
}

/** What {@link convertArchive} has done. */
export type Conversion =
  | {
      status: 'done';
      /** Those that were made; others were there already. */
      outputs: PlannedOutput[];
      /** What was seen in the archive. */
      counts: EngineCounts;
      seconds: number;
    }
  /** Nothing was to be made. */
  | { status: 'skipped'; reason: SkipReason | 'not asked for' };

/** An archive could not be converted. No output is there that was not there before. */
export class ConversionError extends Error {
  override name = 'ConversionError';
  /** The archive. */
  readonly path: string;
  /** The cause alone, as the command line prints it. */
  readonly reason: string;

  /** @internal */
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/**
 * Converts one archive into files, as the command line does: the same outputs, in the same folders, made only when they
 * are not there or stale, and a record of it in the output folder's `conversions.jsonl`. An output appears whole or not at all. It
 * works in the thread of the caller; for many archives use {@link plan}, {@link run} and {@link workerThreadsExecutor}.
 *
 * @param path of a `.zip`, `.gz` or `.data` file. What its name does not tell (pair, day, depth) its first message does.
 * @param options of which only `outputDir` has no default.
 * @throws {@link ConversionError} when the archive or the disk is at fault, with what the command line says of it.
 * @throws {@link UsageError} when there is no such file or it has no archive's ending; RangeError for a wrong interval.
 * @throws the signal's reason when it is aborted.
 *
 * @example
 * ```ts
 * const result = await convertArchive('2025-01-15_BTCUSDT_ob500.data.zip', { outputDir: 'snapshots', depths: [200] });
 * if (result.status === 'done') console.log(result.counts.rows, result.outputs.map(({ path }) => path));
 * ```
 */
export async function convertArchive(path: string, options: ConvertArchiveOptions): Promise<Conversion> {
  const { signal, onRead = () => {}, ...planOptions } = options;
  signal?.throwIfAborted();
  if (planOptions.intervalMs !== undefined) checkInterval(planOptions.intervalMs);
  const records = await readRecords(planOptions.outputDir);
  const [entry] = plan(await identifyFiles([path]), planOptions, outputExists, (output) => records.of(output));
  if (!entry) return { status: 'skipped', reason: 'not asked for' };
  if (entry.action === 'fail') throw new ConversionError(path, entry.problem);
  if (entry.action === 'skip') return { status: 'skipped', reason: entry.reason };
  const result = await runJob(entry.job, { onRead, ...(signal && { signal }) });
  if (result.status === 'skipped') return { status: 'skipped', reason: 'exists' };
  keepRecord(planOptions.outputDir, toFileRecord(entry.job, result));
  if (result.status === 'failed') throw new ConversionError(path, result.error);
  const { outputs, counts, seconds } = result;
  return { status: 'done', outputs, counts, seconds };
}

function keepRecord(outputDir: string, record: Record<string, unknown>): void {
  fs.mkdirSync(outputDir, { recursive: true });
  const records = new RecordFile(outputDir);
  try {
    records.append(record);
  } finally {
    records.close();
  }
}
