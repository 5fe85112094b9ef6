/** The command cannot be carried out as it was given. The message says what was wrong and what would be right. */
export class UsageError extends Error {
  override name = 'UsageError';
}
