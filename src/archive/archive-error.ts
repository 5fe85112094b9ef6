/** The archive, not the program, is at fault: damaged, cut short, or not what its name says. The message stands alone. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}
