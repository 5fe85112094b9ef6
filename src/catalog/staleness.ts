/** The one rule of what is made, kept and made again. */
import { formatVersionOf } from '../output/formats.js';
import type { ArchiveFile } from './find-archives.js';
import type { Output } from './output-name.js';
import { SAMPLING_DEFAULTS, type SamplingOptions, type Shape, shapeOf } from './shaping-options.js';

/** The last successful conversion of an output, as its record tells it. */
export interface OutputRecord {
  archive: {
    /** Without its folder: an archive that was moved is still the same. */
    fileName: string;
    sizeBytes: number;
    /** Not in records of version 0.1. */
    mtimeMs: number | undefined;
  };
  shape: Shape;
  formatVersion: number;
  /** The archive had lines that were passed over. */
  hasBadLines: boolean;
}

/** What becomes of an output. */
export type Verdict =
  /** `stale`: it is there, and why it is made again. */
  | { action: 'make'; stale?: string }
  /** `isUnrecorded`: nothing is known of it, so it is taken as done. */
  | { action: 'keep'; isUnrecorded: boolean };

/** What is there of an output, and what it would be made of and how now. */
export interface Case {
  output: Pick<Output, 'kind' | 'format'>;
  /** It is there. */
  isFound: boolean;
  /** How the file that is there was made, as far as that is known. */
  record: OutputRecord | undefined;
  /** What it would be made of; `undefined` where that is not known. */
  archive: ArchiveFile | undefined;
  /** How it would be made; `undefined`: whatever the options are. */
  options: SamplingOptions | undefined;
  /** Everything is made again, whatever is there. */
  overwrite?: boolean;
}

/** Whether an output is made, kept, or made again. */
export function judge({ output, isFound, record, archive, options, overwrite = false }: Case): Verdict {
  if (!isFound || overwrite) return { action: 'make' };
  if (!record) return { action: 'keep', isUnrecorded: true };
  const reasons = [
    describeSource(record, archive, output),
    ...(options ? describeOptions(record, output, options) : []),
  ];
  const stale = reasons.filter((reason) => reason !== undefined).join(', ');
  return stale === '' ? { action: 'keep', isUnrecorded: false } : { action: 'make', stale };
}

/**
 * What is different from when an output was made, whatever the options are.
 *
 * The same archive is one of the same name, size and time of change, in whatever folder. The name counts because it is
 * what says the day that rows are clipped to.
 */
function describeSource(
  record: OutputRecord,
  archive: ArchiveFile | undefined,
  output: Pick<Output, 'kind' | 'format'>,
): string | undefined {
  const { fileName, sizeBytes, mtimeMs = archive?.mtimeMs } = record.archive;
  if (archive && archive.fileName !== fileName) return `it was made from ${fileName}`;
  if (archive && (archive.sizeBytes !== sizeBytes || archive.mtimeMs !== mtimeMs)) return 'the archive has changed';
  // That of the options it was made with: whether others are wanted now is another question.
  const version = formatVersionOf(output, madeShape(record, output));
  return record.formatVersion === version ? undefined : `format version ${record.formatVersion} → ${version}`;
}

function describeOptions(
  record: OutputRecord,
  output: Pick<Output, 'kind' | 'format'>,
  options: SamplingOptions,
): string[] {
  const made = madeShape(record, output);
  return Object.entries(shapeOf(output, options)).flatMap(([name, value]) => {
    // An archive of which no line was passed over gives the same output either way, so that a run with
    // --on-bad-line skip for the few archives that failed does not make all the others again.
    const isWithoutEffect = name === 'onBadLine' && (made[name] === 'fail' || !record.hasBadLines);
    const isSame = JSON.stringify(made[name]) === JSON.stringify(value);
    return isWithoutEffect || isSame ? [] : [`${name} ${made[name]} → ${value}`];
  });
}

/** Defaults stand for options that the record does not know: there was no such option when it was written. */
function madeShape({ shape }: OutputRecord, output: Pick<Output, 'kind' | 'format'>): Shape {
  return { ...shapeOf(output, SAMPLING_DEFAULTS), ...definedIn(shape) };
}

function definedIn(shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined));
}
