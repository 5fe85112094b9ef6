import path from 'node:path';

/** `s3` of `s3://bucket/prefix`; `undefined` for a path of this machine. One letter is a drive of Windows. */
export function schemeOf(location: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase();
}

/** The path of something in a folder. Not always `path.join`: that would make `s3:/bucket` of `s3://bucket`. */
export function joinPath(folder: string, ...names: string[]): string {
  if (schemeOf(folder) === undefined) return path.join(folder, ...names);
  return [folder.replace(/\/+$/, ''), ...names].join('/');
}

/** The folder that a path lies in. */
export function folderOf(location: string): string {
  if (schemeOf(location) === undefined) return path.dirname(location);
  return location.slice(0, location.lastIndexOf('/'));
}

/** The path of something in a folder, from there on, with `/`. */
export function pathWithin(folder: string, location: string): string {
  if (schemeOf(folder) === undefined) return path.relative(folder, location).split(path.sep).join('/');
  return location.slice(folder.replace(/\/+$/, '').length + 1);
}

/** Whether something lies in a folder, at any depth, or is it. */
export function isAtOrBelow(location: string, folder: string): boolean {
  if (schemeOf(folder) === undefined) {
    const [first] = path.relative(folder, location).split(path.sep);
    return first !== '..' && !path.isAbsolute(path.relative(folder, location));
  }
  return `${location}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
}

/** The last name of a path. */
export function nameOf(location: string): string {
  return path.basename(location);
}

/**
 * Whether a path that was read as text is the path that it was: bytes that are not UTF-8 became U+FFFD, and what they are
 * the name of can no longer be reached.
 */
export function isUtf8Path(location: string): boolean {
  return !location.includes('\ufffd');
}

/** What is wrong with a path that is not, and what to do. */
export const NOT_UTF8 = 'its name is not UTF-8: give it another one';
