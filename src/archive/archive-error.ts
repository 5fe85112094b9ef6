/** The archive, not the program, is at fault: damaged, cut short, or not what its name says. The message stands alone. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}

/** What a member inflates to is not what its archive says, or it does not inflate at all. */
export class DamagedDataError extends ArchiveError {
  override name = 'DamagedDataError';
}
