/** The archive, not the program, is at fault: damaged, cut short, or not what its name says. The message stands alone. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
  /** Where a line of the text is at fault: which, counted from 1. */
  readonly lineNumber: number | undefined;

  /** @internal */
  constructor(message: string, { lineNumber, ...options }: ErrorOptions & { lineNumber?: number | undefined } = {}) {
    super(message, options);
    this.lineNumber = lineNumber;
  }
}

/** What a member inflates to is not what its archive says, or it does not inflate at all. */
export class DamagedDataError extends ArchiveError {
  override name = 'DamagedDataError';
}

/** A zip file ends before its directory. */
export class MissingDirectoryError extends ArchiveError {
  override name = 'MissingDirectoryError';
}
