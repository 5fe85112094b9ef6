/**
 * The one way to run a job: convert, record, publish. The record is durable before an output is visible, so an output
 * without a record can only be somebody else's.
 */
import { ArchiveError } from '../archive/archive-error.js';
import { VERSION } from '../base/version.js';
import type { EngineCounts } from '../book/engine.js';
import { type Output, placeOf } from '../catalog/output-name.js';
import { recordsPath } from '../catalog/records.js';
import { shapeOf } from '../catalog/shaping-options.js';
import { formatVersionOf } from '../output/formats.js';
import { openStorage } from '../storage/open-storage.js';
import { nameOf } from '../storage/paths.js';
import { S3Error } from '../storage/s3/error.js';
import { useS3 } from '../storage/s3/settings.js';
import { StorageError, type StoredIdentity } from '../storage/storage.js';
import { isSameVersion } from '../storage/version.js';
import { convertJob, discardAll, type JobHooks, type StagedOutput } from './job.js';
import type { Job, PlannedOutput } from './plan.js';

/**
 * Who is at fault, for whoever decides whether to try again: the `archive` will fail again, the `storage` may not, one that
 * is `throttled` should be asked later, what it has `refused` (no such bucket, no permission, another region) it will refuse
 * again, with a `disk-full` nothing else can be written either, one that was `stopped` was never finished, and a `bug` is
 * ours.
 */
export type FailureKind = 'archive' | 'storage' | 'throttled' | 'refused' | 'disk-full' | 'stopped' | 'bug';

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
  | { status: 'failed'; kind: FailureKind; error: string; counts?: EngineCounts; isReinflated?: boolean }
);

/**
 * Runs a job, publishes its outputs and leaves its record.
 *
 * @returns the result, also when the archive or the disk is at fault, or the job was stopped.
 */
export async function runJob(job: Job, hooks: JobHooks = {}): Promise<JobResult> {
  const startMs = performance.now();
  const seconds = () => Math.round(performance.now() - startMs) / 1000;
  const fail = (error: unknown, more: { counts?: EngineCounts; isReinflated?: boolean } = {}): JobResult => {
    const kind = hooks.signal?.aborted ? 'stopped' : kindOf(error);
    return { status: 'failed', kind, error: describe(error, job), ...more, seconds: seconds() };
  };
  let staged: StagedOutput[] = [];
  try {
    hooks.signal?.throwIfAborted();
    if (job.s3) useS3(job.s3);
    const outputs = await stillWanted(job);
    if (outputs.length === 0) return { status: 'skipped', seconds: 0 };
    const { counts, isReinflated, ...outcome } = await convertJob({ ...job, outputs }, hooks);
    if ('error' in outcome) return await recordFailure(job, fail(outcome.error, { counts, isReinflated }));
    staged = outcome.staged;
    const made = staged.map(({ output: { replaces: _, ...output }, version }) => ({ ...output, ...version }));
    return await commit(job, staged, { status: 'done', outputs: made, counts, isReinflated, seconds: seconds() });
  } catch (error) {
    discardAll(
      staged.map(({ file }) => file),
      error,
    );
    return error instanceof RecordError ? fail(error) : await recordFailure(job, fail(error));
  }
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
  const notes = result.outputs.map((output) => toNote(job, { ...result, outputs: [output] }));
  if (notes.some((note) => note.length > maxNoteBytes)) {
    await append(job, toRecord(job, result));
    for (const { file } of staged) await file.publish();
    return result;
  }
  const outputs: MadeOutput[] = [];
  for (const [index, { file }] of staged.entries()) {
    const version = await file.publish(notes[index]);
    outputs.push({ ...(result.outputs[index] as MadeOutput), ...version });
  }
  const file = recordsPath(job.outputDir);
  await openStorage(file).appendSoon(file, JSON.stringify(toRecord(job, { ...result, outputs })));
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

/** The record of a job cannot be written. Its outputs do not appear: nothing would be known of them. */
class RecordError extends StorageError {
  readonly code: string | undefined;

  constructor(file: string, cause: Error) {
    super(`${file} could not be written: ${cause.message}`, { cause });
    this.code = (cause as NodeJS.ErrnoException).code;
  }
}

/** The outputs that nobody has made since the plan was made. */
async function stillWanted({ outputs, overwrite }: Job): Promise<PlannedOutput[]> {
  if (overwrite) return outputs;
  const wanted: PlannedOutput[] = [];
  for (const output of outputs) {
    const now = await openStorage(output.path).look(output.path);
    const { replaces } = output;
    const isMade = now?.kind === 'file' && !(replaces && isSameVersion(now, replaces));
    if (!isMade) wanted.push(output);
  }
  return wanted;
}

/**
 * Leaves the record of a job that failed: also of one whose thread died, which cannot do so itself.
 *
 * @returns the result. That it could not be recorded must not hide it.
 */
export async function recordFailure(job: Job, result: JobResult): Promise<JobResult> {
  if (result.status !== 'failed' || result.kind === 'stopped') return result;
  try {
    await append(job, toRecord(job, result));
    return result;
  } catch (error) {
    return { ...result, error: `${result.error}; nor could this be recorded (${(error as Error).message})` };
  }
}

async function append({ outputDir }: Job, record: Record<string, unknown>): Promise<void> {
  const file = recordsPath(outputDir);
  try {
    await openStorage(file).appendLine(file, JSON.stringify(record));
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
  const counts = result.status === 'skipped' ? undefined : result.counts;
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
        : job.outputs.map(({ replaces: _, ...output }) => named(output)),
    ...counts,
    // What a folder tells is more than what the messages' form does.
    ...(archive.market && { market: archive.market, messageForm: counts?.market }),
    ...(result.status !== 'skipped' && result.isReinflated ? { isReinflated: true } : {}),
    seconds: result.seconds,
    version: VERSION,
    finishedAt: new Date().toISOString(),
  };
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof ArchiveError) return 'archive';
  if (isDiskFull(error)) return 'disk-full';
  const s3Error = error instanceof RecordError ? error.cause : error;
  if (s3Error instanceof S3Error && s3Error.fault !== 'failed') return s3Error.fault;
  const isOfSystem = error instanceof StorageError || (error as NodeJS.ErrnoException)?.syscall !== undefined;
  return isOfSystem ? 'storage' : 'bug';
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');
}

function describe(error: unknown, { archive }: Job): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) return `disk full: free some space and run the same command again (${message})`;
  if (code === 'EACCES' || code === 'EPERM') return `no permission (${message})`;
  if (code === 'ENOENT' && path === archive.path) return `the file is not there any more (${message})`;
  return message;
}
