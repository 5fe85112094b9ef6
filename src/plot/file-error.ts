/** A file cannot be drawn, because it is damaged or cannot be read. The message names it. */
export class FileError extends Error {
  override name = 'FileError';

  /** What to throw for an error that came of reading a file: others than the file's own are handed back as they are. */
  static of(path: string, error: unknown): unknown {
    const { name, code, message } = error as NodeJS.ErrnoException;
    const isOfFile = name === 'OutputError' || name === 'StorageError' || code !== undefined;
    return isOfFile ? new FileError(`${path}: ${message}`, { cause: error }) : error;
  }
}
