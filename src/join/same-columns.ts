import { JoinError } from './join-error.js';

/** A day's file and what its columns are. */
export interface ColumnsOfFile {
  path: string;
  columns: string[];
}

/**
 * Files are joined when their columns are the same.
 *
 * @throws {@link JoinError} that says how they differ.
 */
export function requireSameColumns(file: ColumnsOfFile, first: ColumnsOfFile): void {
  const length = Math.max(file.columns.length, first.columns.length);
  const at = Array.from({ length }).findIndex((_, index) => file.columns[index] !== first.columns[index]);
  if (at < 0) return;
  const [column = 'not there', firstColumn = 'not there'] = [file.columns[at], first.columns[at]];
  throw new JoinError(
    `${file.path} has other columns than ${first.path}: column ${at + 1} is ${column}, there it is ${firstColumn}. ` +
      'Make both with the same options of bookgrid convert',
  );
}
