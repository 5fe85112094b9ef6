import { ArchiveError } from '../archive/archive-error.js';

/** A line of an archive that is no message. */
export interface UnreadableLine {
  /** Counted from 1. */
  lineNumber: number;
  /** What is wrong with it. */
  reason: string;
}

/**
 * What becomes of an archive with a line that cannot be read. A lost change makes every later row wrong, so the default
 * is to `fail`. `skip` passes over such lines without a word; a function hears of each that is passed over, and may throw.
 */
export type OnBadLine = 'fail' | 'skip' | ((line: UnreadableLine) => void);

/** Tells whoever wants to hear of it. @returns whether to go on after the line. */
export function isPassedOver({ lineNumber, reason }: UnreadableLine, onBadLine: OnBadLine): boolean {
  if (typeof onBadLine === 'function') onBadLine({ lineNumber, reason });
  return onBadLine !== 'fail';
}

/** Puts the file's name before an error of the archive, whose message stands alone. Others are handed back as they are. */
export function namingFile(error: unknown, path: string): unknown {
  if (!(error instanceof ArchiveError)) return error;
  return new ArchiveError(`${path}: ${error.message}`, { lineNumber: error.lineNumber, cause: error });
}
