/** What an output was made of and how: enough to say whether making it again would give the same bytes. */

import { formatInterval } from '../base/time.js';
import type { PlannedOutput, SamplingOptions } from '../convert/plan.js';
import { formatVersionOf } from '../output/formats.js';
import type { ArchiveFile } from './find-archives.js';

/** The options that shape an output's bytes, as records have them. */
export type Shape = Readonly<Record<string, unknown>>;

/** Of all options, those that shape the bytes of one output. */
export function shapeOf({ kind, format }: Pick<PlannedOutput, 'kind' | 'format'>, options: SamplingOptions): Shape {
  const { intervalMs, onGap, onBadLine, compat, formattedTimestamp, quality, layout, decimals, impacts } = options;
  const rows = { interval: formatInterval(intervalMs), onGap, onBadLine, compat };
  if (kind === 'metrics') return { ...rows, impacts };
  return format === 'parquet' ? { ...rows, quality, layout, decimals } : { ...rows, quality, formattedTimestamp };
}

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

/** What an output would be made of and how now. */
export interface Intent {
  archive: ArchiveFile;
  output: PlannedOutput;
  options: SamplingOptions;
  /** Stand for options that the record does not know: there was no such option when it was written. */
  defaults: SamplingOptions;
}

/** Why an output that has a record is to be made again; `undefined` when it is up to date. */
export function whyStale(record: OutputRecord, { archive, output, options, defaults }: Intent): string | undefined {
  const reasons = [
    describeChange(record, archive, output),
    ...describeOptions(record, shapeOf(output, options), shapeOf(output, defaults)),
  ].filter((reason) => reason !== undefined);
  return reasons.length > 0 ? reasons.join(', ') : undefined;
}

/**
 * What is different from when an output was made, whatever the options are.
 *
 * The same archive is one of the same name, size and time of change, in whatever folder. The name counts because it is
 * what says the day that rows are clipped to.
 *
 * @param archive what the output would be made from now; `undefined` when that is not known.
 */
export function describeChange(
  record: OutputRecord,
  archive: ArchiveFile | undefined,
  output: Pick<PlannedOutput, 'kind' | 'format'>,
): string | undefined {
  const { fileName, sizeBytes, mtimeMs = archive?.mtimeMs } = record.archive;
  if (archive && archive.fileName !== fileName) return `it was made from ${fileName}`;
  if (archive && (archive.sizeBytes !== sizeBytes || archive.mtimeMs !== mtimeMs)) return 'the archive has changed';
  const version = formatVersionOf(output);
  return record.formatVersion === version ? undefined : `format version ${record.formatVersion} → ${version}`;
}

function describeOptions({ shape, hasBadLines }: OutputRecord, wanted: Shape, defaults: Shape): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const made = shape[name] ?? defaults[name];
    // An archive of which no line was passed over gives the same output either way, so that a run with
    // --on-bad-line skip for the few archives that failed does not make all the others again.
    const isWithoutEffect = name === 'onBadLine' && (made === 'fail' || !hasBadLines);
    return isWithoutEffect || JSON.stringify(made) === JSON.stringify(value) ? [] : [`${name} ${made} → ${value}`];
  });
}
