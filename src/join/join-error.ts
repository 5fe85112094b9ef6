/** Day files cannot be joined. The message says which file, what is wrong with it, and what to do. */
export class JoinError extends Error {
  override name = 'JoinError';
}
