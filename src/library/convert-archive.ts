import type { EngineCounts } from '../book/engine.js';
import { identifyArchives } from '../catalog/find-archives.js';
import { takeInventory } from '../catalog/inventory.js';
import { type PlanOptions, resolveOptions } from '../convert/options.js';
import { plan, type SkipReason } from '../convert/plan.js';
import { type FailureKind, type MadeOutput, runJob } from '../convert/recorded-job.js';
import { settleAllLogs } from '../storage/open-storage.js';
import { useS3 } from '../storage/s3/settings.js';

/** Options of {@link convertArchive}: what to make, and how to watch and stop it. */
export type ConvertArchiveOptions = PlanOptions & {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Stops the conversion: nothing is left of its outputs. */
  signal?: AbortSignal | undefined;
};

/** What {@link convertArchive} has done. */
export type Conversion =
  | {
      status: 'done';
      /** Those that were made; others were there already. */
      outputs: MadeOutput[];
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
  /** Who is at fault. */
  readonly kind: FailureKind;

  /** @internal */
  constructor(path: string, reason: string, kind: FailureKind) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
    this.kind = kind;
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
 * @throws {@link UsageError} when there is no such file, it has no archive's ending, or an option has no such value.
 * @throws the signal's reason when it is aborted.
 *
 * @example
 * ```ts
 * const result = await convertArchive('2025-01-15_BTCUSDT_ob500.data.zip', { outputDir: 'snapshots', depths: [200] });
 * if (result.status === 'done') console.log(result.counts.rows, result.outputs.map(({ path }) => path));
 * ```
 */
export async function convertArchive(path: string, options: ConvertArchiveOptions): Promise<Conversion> {
  const { signal, onRead, ...planOptions } = options;
  signal?.throwIfAborted();
  const resolved = resolveOptions(planOptions);
  if (resolved.s3) useS3(resolved.s3);
  const archives = await identifyArchives([path], resolved.markets);
  const [entry] = plan(await takeInventory(archives, resolved.outputDir), resolved);
  if (!entry) return { status: 'skipped', reason: 'not asked for' };
  if (entry.action === 'fail') throw new ConversionError(path, entry.problem, 'archive');
  if (entry.action === 'skip') return { status: 'skipped', reason: entry.reason };
  const result = await runJob(entry.job, { onRead, signal });
  await settleAllLogs();
  signal?.throwIfAborted();
  if (result.status === 'failed') throw new ConversionError(path, result.error, result.kind);
  if (result.status !== 'done') return { status: 'skipped', reason: 'exists' };
  const { outputs, counts, seconds } = result;
  return { status: 'done', outputs, counts, seconds };
}
