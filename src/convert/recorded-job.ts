/**
 * The one way to run a job: convert, record, publish. The record is durable before an output is visible, so an output
 * without a record can only be somebody else's.
 */
import { ArchiveError } from '../archive/archive-error.js';
import { monotonicMs } from '../base/clock.js';
import { VERSION } from '../base/version.js';
import type { EngineCounts } from '../book/engine.js';
import { type Output, placeOf } from '../catalog/output-name.js';
import { recordsPath } from '../catalog/records.js';
import { shapeOf } from '../catalog/shaping-options.js';
import { formatVersionOf } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf, schemeOf } from '../storage/paths.js';
import { S3Error } from '../storage/s3/error.js';
import { useS3 } from '../storage/s3/settings.js';
import { newRunId } from '../storage/staging.js';
import { isDiskFull, isOfStorage, StorageError, type StoredIdentity, type Writer } from '../storage/storage.js';
import { isSameVersion } from '../storage/version.js';
import { type ClaimedOutput, claimOutputs, discardAll } from './claim.js';
import { type ConversionHooks, convertJob, type StagedOutput } from './job.js';
import type { Job, PlannedOutput } from './plan.js';

/**
 * Who is at fault, for whoever decides whether to try again: the `archive` will fail again, the `storage` may not, one that
 * is `throttled` should be asked later, what it has `refused` (no such bucket, no permission, another region) it will refuse
 * again, with a `disk-full` nothing else can be written either, one that was `stopped` was never finished, and a `bug` is
 * ours.
 */
export type FailureKind = 'archive' | 'storage' | 'throttled' | 'refused' | 'disk-full' | 'stopped' | 'bug';

/** How a job is watched, stopped, and kept from doing what others do. */
export interface JobHooks extends ConversionHooks {
  /** The run that the job belongs to, whose name unfinished files bear. Default: a run of its own. */
  runId?: string;
  /**
   * Whether to leave the archive to another run that is making one of its outputs: then it is `taken`. Default: to
   * nobody. Both make it then, and it is whole whoever is the last.
   */
  givesWay?: (writer: Writer) => boolean;
  /**
   * Asked when there is something to record and to publish. With `false` the job was stopped before; with `true` nobody
   * is to end its thread until it answers.
   */
  mayCommit?: () => boolean;
  /** Hears that the outputs are going to be published, where that takes its time: the thread is free for another job. */
  onConverted?: (() => void) | undefined;
}

/** An output that was made, and what the file is known by. */
export type MadeOutput = Output & Pick<PlannedOutput, 'stale'> & StoredIdentity;

/** What became of a job: plain JSON, whichever thread or machine it ran on. */
export type JobResult = { seconds: number } & (
  | {
      status: 'done';
      outputs: MadeOutput[];
      counts: EngineCounts;
      /** The kernel's inflater found the data damaged, and Node's zlib was asked. */
      isReinflated: boolean;
    }
  /** Another run has made the outputs since the plan was made. */
  | { status: 'skipped' }
  /** Another run is making one of the outputs: nothing was done. Only with {@link JobHooks.givesWay}. */
  | { status: 'taken'; by: Writer }
  | { status: 'failed'; kind: FailureKind; error: string; counts?: EngineCounts; isReinflated?: boolean }
);

/**
 * Runs a job, publishes its outputs and leaves its record.
 *
 * @returns the result, also when the archive or the disk is at fault, or the job was stopped.
 */
export async function runJob(job: Job, hooks: JobHooks = {}): Promise<JobResult> {
  const { runId = newRunId(), givesWay = () => false, mayCommit = () => true } = hooks;
  const startMs = monotonicMs();
  const seconds = () => Math.round(monotonicMs() - startMs) / 1000;
  const fail = (error: unknown, more: { counts?: EngineCounts; isReinflated?: boolean } = {}): JobResult => {
    const kind = hooks.signal?.aborted || !mayCommit() ? 'stopped' : kindOf(error);
    return { status: 'failed', kind, error: describe(error, job), ...more, seconds: seconds() };
  };
  let claimed: ClaimedOutput[] = [];
  try {
    hooks.signal?.throwIfAborted();
    if (job.s3) useS3(job.s3);
    const claim = await claimOutputs(job.outputs, { runId, tempDir: job.tempDir, givesWay });
    if ('takenBy' in claim) return { status: 'taken', by: claim.takenBy, seconds: seconds() };
    claimed = claim.claimed;
    // Looked at after the claim: what another run had staged until then is there by now.
    const wanted = await stillWanted(claimed, job);
    discardAll(claimed.filter((output) => !wanted.includes(output)));
    claimed = wanted;
    if (wanted.length === 0) return { status: 'skipped', seconds: 0 };
    const { counts, isReinflated, source, ...outcome } = await convertJob(job, wanted, hooks);
    // A job may be older than its archive: its record tells of what was read.
    const archive = { ...job.archive, ...source };
    const ofSource = { ...job, archive };
    if ('error' in outcome) {
      discardAll(claimed, outcome.error);
      return await recordFailure(ofSource, fail(outcome.error, { counts, isReinflated }));
    }
    const { staged } = outcome;
    await requireCurrent(archive);
    if (!mayCommit()) throw new Error('stopped');
    if (schemeOf(job.outputDir) !== undefined) hooks.onConverted?.();
    const made = staged.map(({ output, version }) => ({ ...withoutOld(output), ...version }));
    const result = await commit(ofSource, staged, {
      status: 'done',
      outputs: made,
      counts,
      isReinflated,
      seconds: seconds(),
    });
    for (const { output } of staged) await removeElsewhere(output, job);
    return result;
  } catch (error) {
    discardAll(claimed, error);
    return error instanceof RecordError ? fail(error) : await recordFailure(job, fail(error));
  }
}

/**
 * Sees that an archive is the one that was read: what was made of another must not replace what was made of this one. Of one in
 * S3 each range was asked for under its ETag.
 *
 * @throws {@link StorageError} when it has been replaced, or is being written.
 */
async function requireCurrent({ path, ...version }: Job['archive']): Promise<void> {
  if (schemeOf(path) !== undefined) return;
  const now = await openStorage(path).look(path);
  if (now?.kind !== 'file' || isSameVersion(now, version)) return; // one that was removed since is whole
  throw new StorageError(`${path} was replaced while it was being read: run again`);
}

type Done = Extract<JobResult, { status: 'done' }>;

/**
 * Lets outputs appear, and records them: nothing is there at any instant that nothing is known of. Where files can carry
 * what has to be known of them, they do, and the record, which then also says what the server calls them, follows.
 *
 * @returns the result, with what the outputs are known by from now on.
 */
async function commit(job: Job, staged: StagedOutput[], result: Done): Promise<Done> {
  const { maxNoteBytes } = openStorage(job.outputDir);
  const notes = maxNoteBytes > 0 ? result.outputs.map((output) => toNote(job, { ...result, outputs: [output] })) : [];
  const areCarried = notes.length > 0 && notes.every((note) => note.length <= maxNoteBytes);
  if (!areCarried) await append(job, toRecord(job, result));
  // All at a time: each may be an upload. When one fails, the others come to their end first.
  const published = await Promise.allSettled(
    staged.map(({ file }, index) => file.publish(areCarried ? notes[index] : undefined)),
  );
  const outputs = published.map((outcome, index): MadeOutput => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return { ...(result.outputs[index] as MadeOutput), ...outcome.value };
  });
  // On a disk all was known before.
  if (maxNoteBytes > 0) await append(job, toRecord(job, { ...result, outputs }), 'soon');
  return { ...result, outputs };
}

/** What has to be known of one output, as a record that can stand in a header of HTTP. */
function toNote(job: Job, result: Done): string {
  const {
    archive,
    archiveBytes,
    archiveMtimeMs,
    archiveEtag,
    status,
    outputs,
    rows,
    filledRows,
    suspectRows,
    badLines,
    version,
  } = toRecord(job, result);
  const essentials = { archive: nameOf(String(archive)), archiveBytes, archiveMtimeMs, archiveEtag, status, outputs };
  return toAscii(JSON.stringify({ ...essentials, rows, filledRows, suspectRows, badLines, version }));
}

function toAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Removes what another partition has of an output that is there now, unless it has been changed since the plan was made. */
async function removeElsewhere({ path, removes }: PlannedOutput, { outputDir }: Job): Promise<void> {
  if (!removes) return;
  const storage = openStorage(removes.path);
  try {
    const now = await storage.look(removes.path);
    if (now?.kind === 'file' && isSameVersion(now, removes)) await storage.remove(removes.path, outputDir);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return; // another run has just removed it
    throw new StorageError(`${path} is made, and ${removes.path} could not be removed: remove it (${message})`, {
      cause: error,
    });
  }
}

/** The record of a job cannot be written. Its outputs do not appear: nothing would be known of them. */
class RecordError extends StorageError {
  readonly code: string | undefined;

  constructor(file: string, cause: Error) {
    super(`${file} could not be written: ${cause.message}`, { cause });
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

/** The outputs that nobody has made since the plan was made. */
async function stillWanted(outputs: ClaimedOutput[], { overwrite }: Job): Promise<ClaimedOutput[]> {
  if (overwrite) return outputs;
  // All at a time: each may be a request.
  const isMade = await Promise.all(
    outputs.map(async ({ output: { path, replaces } }) => {
      const now = await openStorage(path).look(path);
      return now?.kind === 'file' && !(replaces && isSameVersion(now, replaces));
    }),
  );
  return outputs.filter((_, index) => !isMade[index]);
}

/**
 * Leaves the record of a job that failed: also of one whose thread died, which cannot do so itself.
 *
 * @returns the result. That it could not be recorded must not hide it.
 */
export async function recordFailure<Result extends JobResult>(job: Job, result: Result): Promise<Result> {
  if (result.status !== 'failed' || result.kind === 'stopped') return result;
  try {
    await append(job, toRecord(job, result));
    return result;
  } catch (error) {
    return { ...result, error: `${result.error}; nor could this be recorded (${(error as Error).message})` };
  }
}

/** @param when it has to be durable: when this returns, or some time before the run ends. */
async function append(
  { outputDir }: Job,
  record: Record<string, unknown>,
  when = 'now' as 'now' | 'soon',
): Promise<void> {
  const file = recordsPath(outputDir);
  const line = JSON.stringify(record);
  try {
    if (when === 'now') await openStorage(file).appendLine(file, line);
    else await openStorage(file).appendSoon(file, line);
  } catch (error) {
    throw new RecordError(file, error as Error);
  }
}

/**
 * The record of a job. Counts are those of the engine; times of messages are ms since the epoch.
 *
 * @param nameOf how outputs are named: by their place in the output folder, so that it can be moved, unless told otherwise.
 */
export function toRecord(
  job: Job,
  result: JobResult,
  nameOf: (output: Output) => string = placeOf,
): Record<string, unknown> {
  const { archive, options } = job;
  const counts = 'counts' in result ? result.counts : undefined;
  const named = (output: Output) => ({
    ...output,
    path: nameOf(output),
    shape: shapeOf(output, options),
    formatVersion: formatVersionOf(output, options),
  });
  return {
    archive: archive.path,
    archiveBytes: archive.sizeBytes,
    archiveMtimeMs: archive.mtimeMs,
    archiveEtag: archive.etag,
    pair: archive.pair,
    date: archive.date,
    sourceDepth: archive.sourceDepth,
    status: result.status,
    ...(result.status === 'failed' ? { failureKind: result.kind, error: result.error } : {}),
    outputs:
      result.status === 'done'
        ? result.outputs.map(({ sizeBytes, ...output }) => ({ ...named(output), bytes: sizeBytes }))
        : job.outputs.map((output) => named(withoutOld(output))),
    ...counts,
    // What a folder tells is more than what the messages' form does.
    ...(archive.market && { market: archive.market, messageForm: counts?.market }),
    ...('isReinflated' in result && result.isReinflated ? { isReinflated: true } : {}),
    seconds: result.seconds,
    version: VERSION,
    finishedAt: new Date().toISOString(),
  };
}

/** An output, without what was there before. */
function withoutOld({ replaces: _, removes: __, ...output }: PlannedOutput): Output & Pick<PlannedOutput, 'stale'> {
  return output;
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof ArchiveError) return 'archive';
  if (isDiskFull(error)) return 'disk-full';
  const s3Error = error instanceof RecordError ? error.cause : error;
  if (s3Error instanceof S3Error && s3Error.fault !== 'failed') return s3Error.fault;
  return isOfStorage(error) ? 'storage' : 'bug';
}

function describe(error: unknown, { archive }: Job): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) return `disk full: free some space and run the same command again (${message})`;
  if (code === 'EACCES' || code === 'EPERM') return `no permission (${message})`;
  if (code === 'ENOENT' && path === archive.path) return `the file is not there any more (${message})`;
  return message;
}
