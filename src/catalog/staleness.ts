/** The one rule of what is made, kept and made again. */
import { formatVersionOf } from '../output/formats.js';
import { differs } from '../storage/version.js';
import type { ArchiveFile } from './find-archives.js';
import type { KnownOutput } from './inventory.js';
import type { Output } from './output-name.js';
import type { OutputRecord } from './recorded-output.js';
import { type SamplingOptions, type Shape, shapeBefore, wantedShapeOf } from './shaping-options.js';

/** What becomes of an output. */
export type Verdict =
  /** `stale`: it is there, and why it is made again. */
  | { action: 'make'; stale?: string }
  /** `isUnrecorded`: nothing is known of it but that its rows bear the labels that are wanted, so it is taken as done. */
  | { action: 'keep'; isUnrecorded: boolean }
  /**
   * It is there, and its rows mean something else than is wanted: the user has to decide. `stale`: it cannot be left as it
   * is all the same, since its archive has changed, or it is not what was written.
   */
  | { action: 'ask'; differences: Difference[]; stale?: string };

/** In what an output differs from what is wanted. */
export interface Difference {
  /** As records have it: `onGap`; `labels` for one without a record, of whose labels only the first row tells. */
  option: string;
  made: unknown;
  wanted: unknown;
}

/** What is there of an output, and what it would be made of and how now. */
export interface Case {
  output: Pick<Output, 'kind' | 'format'>;
  /** The file that is there; `undefined`: none. */
  found: KnownOutput | undefined;
  /** What it would be made of; `undefined` where that is not known. */
  archive: ArchiveFile | undefined;
  /** How it would be made; `undefined`: whatever the options are. */
  options: SamplingOptions | undefined;
}

/** Whether an output is made, kept, or made again. */
export function judge({ output, found, archive, options }: Case): Verdict {
  if (!found) return { action: 'make' };
  const { knowledge } = found;
  if (knowledge.kind === 'unrecorded') return judgeUnrecorded(found, options);
  const { record } = knowledge;
  const spoiled =
    knowledge.kind === 'altered'
      ? (knowledge.problem ?? describeAltered(found, record.sizeBytes))
      : describeSource(record, archive);
  const differences = options ? findDifferences(record, output, options) : [];
  if (differences.length > 0) return { action: 'ask', differences, ...(spoiled !== undefined && { stale: spoiled }) };
  const stale = spoiled ?? describeVersion(record, output);
  return stale === undefined ? { action: 'keep', isUnrecorded: false } : { action: 'make', stale };
}

/** `onGap fill → skip`. */
export function describeDifference({ option, made, wanted }: Difference): string {
  return `${option} ${made} → ${wanted}`;
}

/** What its first label and its place tell of an output without a record. */
function judgeUnrecorded({ labels, partition }: KnownOutput, options: SamplingOptions | undefined): Verdict {
  const differences: Difference[] = [];
  if (options && partition !== options.partition) {
    differences.push({ option: 'partition', made: partition, wanted: options.partition });
  }
  const wanted = options?.compat === 'python' ? 'python' : 'as-of';
  if (options && labels !== undefined && labels !== 'unknown' && labels !== wanted) {
    differences.push({ option: 'labels', made: labels, wanted });
  }
  return differences.length > 0 ? { action: 'ask', differences } : { action: 'keep', isUnrecorded: true };
}

function describeAltered({ sizeBytes }: KnownOutput, recordedBytes: number | undefined): string {
  return recordedBytes !== undefined && recordedBytes !== sizeBytes
    ? `it has ${sizeBytes} bytes, and ${recordedBytes} were written`
    : 'its content is not what was written';
}

/**
 * What is different about the archive from when an output was made of it.
 *
 * The same archive is one of the same name, size and time of change or ETag, in whatever folder. The name counts because
 * it is what says the day that rows are clipped to.
 */
function describeSource(record: OutputRecord, archive: ArchiveFile | undefined): string | undefined {
  const { fileName } = record.archive;
  if (archive && archive.fileName !== fileName) return `it was made from ${fileName}`;
  if (archive && differs(archive, record.archive)) return 'the archive has changed';
  return undefined;
}

function describeVersion(record: OutputRecord, output: Pick<Output, 'kind' | 'format'>): string | undefined {
  // That of the options it was made with: whether others are wanted now is another question.
  const version = formatVersionOf(output, madeShape(record, output));
  return record.formatVersion === version ? undefined : `format version ${record.formatVersion} → ${version}`;
}

function findDifferences(
  record: OutputRecord,
  output: Pick<Output, 'kind' | 'format'>,
  options: SamplingOptions,
): Difference[] {
  const shape = madeShape(record, output);
  return Object.entries(wantedShapeOf(output, options)).flatMap(([option, wanted]) => {
    const made = shape[option];
    // An archive of which no line was passed over gives the same output either way, so that a run with
    // --on-bad-line skip for the few archives that failed does not make all the others again.
    const isWithoutEffect = option === 'onBadLine' && (made === 'fail' || !record.hasBadLines);
    const isSame = JSON.stringify(made) === JSON.stringify(wanted);
    return isWithoutEffect || isSame ? [] : [{ option, made, wanted }];
  });
}

/** What the record does not know is as it was before there was such an option. */
function madeShape({ shape }: OutputRecord, output: Pick<Output, 'kind' | 'format'>): Shape {
  return { ...shapeBefore(output), ...definedIn(shape) };
}

function definedIn(shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined));
}
