/** The one small interface of a place where archives and outputs lie. Everything above knows bytes by their paths only. */

/** What tells whether a file is still the same: an archive or an output that was changed differs in one of these. */
export interface FileVersion {
  sizeBytes: number;
  /** When it was last changed, whole ms since the epoch; of files of a machine. */
  mtimeMs?: number | undefined;
  /** What the server calls this version of an object, without quotes; of objects of S3. */
  etag?: string | undefined;
}

/** What a file that was written is known by, also where it was copied without its time. */
export interface StoredIdentity extends FileVersion {
  /** SHA-256 of what was written, 64 digits in lower-case hex. */
  sha256: string;
}

/** What is found below a folder. */
export type Entry = {
  /** Its own name, without the folder. */
  name: string;
  /** The folder's path as it was given, and the name. */
  path: string;
} /** `id` is the same for each path that leads to it, such as symbolic links. */ & (
  | ({ kind: 'file'; id: string } & FileVersion)
  | { kind: 'folder'; id: string }
  /** It is there, and is neither, or cannot be looked at: why. What cannot be looked at may be a folder. */
  | { kind: 'unusable'; problem: string; mayBeFolder: boolean }
);

/** Where a file's bytes come from: a size, and ranges on request. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Which version of the file is read. */
  readonly version: FileVersion;
  /** Fills `buffer` with the bytes from `position` on. @returns how many, fewer only at the end of the source. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** How a file is read. */
export interface OpenOptions {
  /** Whether the thread is to be free while bytes are read. Default: it waits, which is faster, where it can. */
  inBackground?: boolean | undefined;
}

/** Where and for whom a file is staged before it appears. */
export interface StagingOptions {
  /** The run that writes it: the name of the unfinished file tells, so that nobody else sweeps it. */
  runId: string;
  /** A folder for unfinished files; `stagingDir` when absent. */
  tempDir?: string | undefined;
  /**
   * A folder above the file's own, on the same disk. The file's own is then made only when the file has been flushed, so
   * that one that is given up leaves no empty folder. Default: the file's own.
   */
  stagingDir?: string | undefined;
}

/** A living run that has a file staged, and the staged file as it is now. */
export interface Writer extends FileVersion {
  runId: string;
  /** The machine and the process that it runs in. */
  host: string;
  pid: number;
}

/** A file on its way: nobody sees it before it is published, and then whole. */
export interface StagedFile {
  /** @param bytes used up when the call returns. */
  write(bytes: Uint8Array): void;
  /**
   * Makes sure that what was written outlives a power cut. Nothing is written afterwards.
   *
   * @returns what the file will be known by, as far as that is known before it appears: its size, its time if it keeps
   * the one that it has now, and the hash of the bytes that were given to {@link write}.
   */
  flush(): StoredIdentity;
  /** Forgets what was written, and begins anew. It stays staged meanwhile. Not after {@link flush}. */
  restart(): void;
  /**
   * Makes the flushed file appear at its path, in one step, in place of what was there.
   *
   * @param note appears with it, to be asked for by {@link Storage.readNote}: at most {@link Storage.maxNoteBytes}.
   * @returns what the file is known by from now on.
   */
  publish(note?: string): Promise<FileVersion>;
  /** Leaves nothing behind, whatever happened before. Does nothing after {@link publish}. */
  discard(): void;
}

/**
 * A file on its way that outlives the process that writes it: a later one goes on where it ended. Nobody else sees it
 * before it is published.
 */
export interface PartialFile {
  /** Where its bytes are now, as a path that can be opened; its name is that of the file that it becomes. */
  readonly path: string;
  /** How many bytes are there. */
  readonly sizeBytes: number;
  /** What {@link begin} noted, by whichever process; `undefined`: nothing has begun. */
  readonly note: string | undefined;
  /** Empties it. The note, which says what the bytes to come are of, is durable when the call returns. */
  begin(note: string): void;
  /** @param bytes used up when the call returns. */
  write(bytes: Uint8Array): void;
  /**
   * Makes it durable, then makes it appear at its path, in one step, in place of what was there.
   *
   * @returns what the file is known by.
   */
  publish(): Promise<FileVersion>;
  /** Leaves it for whoever asks next. Does nothing after {@link publish} and {@link discard}. */
  keep(): void;
  /** Removes it. Does nothing after {@link publish}. */
  discard(): void;
}

/** A kind of place. Paths are given as the user gave them. */
export interface Storage {
  /**
   * How long a note may be that a file carries, in bytes of ASCII; 0: files carry none. What such a note tells of a file
   * is durable as soon as the file appears.
   */
  readonly maxNoteBytes: number;
  /**
   * What is directly in a folder, in the order of the names' characters, page by page. Hidden names (`.…`) are left out.
   *
   * @throws {@link StorageError} when the folder is not there, is none, or cannot be read.
   */
  list(folder: string): AsyncGenerator<Entry, void, undefined>;
  /**
   * What is at a path; `undefined` when nothing is, or when a folder above may not be looked into.
   *
   * @throws a system error for anything else that keeps it from being looked at.
   */
  look(path: string): Promise<Entry | undefined>;
  /**
   * Opens a file for reading ranges of it.
   *
   * @throws {@link StorageError} when it is no regular file; a system error, with `code`, when it cannot be opened.
   */
  open(path: string, options?: OpenOptions): Promise<ByteSource>;
  /**
   * The path that a path leads to, symbolic links followed. Where there are none it is the path itself, whether anything
   * is there or not.
   *
   * @throws a system error when nothing is there.
   */
  realPath(path: string): Promise<string>;
  /**
   * Opens a file for a thread that answers others meanwhile: reading never holds it up. The path itself is no symbolic
   * link.
   *
   * @throws as {@link open} does.
   */
  openToServe(path: string): Promise<ByteSource>;
  /** The note that a file carries, and which version of the file it was read of; `undefined`: it carries none. */
  readNote(path: string): Promise<{ note: string; version: FileVersion } | undefined>;
  /** Begins a file that is to appear at a path. Folders are made as needed. */
  stage(path: string, options: StagingOptions): StagedFile;
  /**
   * Takes over what a dead run has left of a file, to go on with it, or begins with nothing. Folders are made as needed.
   *
   * @returns `undefined` when a live run is at it.
   */
  resume(path: string, runId: string): Promise<PartialFile | undefined>;
  /**
   * Removes a file, durably, and the folders that it leaves empty, up to but without `top`.
   *
   * @throws a system error when it cannot be removed, or is not there, where the system tells.
   */
  remove(path: string, top: string): Promise<void>;
  /**
   * The other runs that have the file staged and can go on with it: those that live, and do not stand still.
   *
   * @param options of the caller's own staging: of runs that stage elsewhere nothing is known.
   */
  writersOf(path: string, options: StagingOptions): Promise<Writer[]>;
  /**
   * Removes what runs have left behind in folders: that of dead runs, and that of one run that has ended, when its id
   * is given. What cannot be removed, or a folder that cannot be read, stops nobody. What {@link resume} may still go on
   * with stays, for as long as somebody may ask for it: until its file is there, or for 14 days.
   *
   * @returns how many unfinished files were removed.
   */
  sweep(folders: readonly string[], endedRunId?: string): Promise<number>;
  /**
   * Appends a line to a log that several runs may append to at the same time. It is durable when the call returns. Folders
   * are made as needed.
   *
   * @param line without its end.
   */
  appendLine(path: string, line: string): Promise<void>;
  /**
   * Appends a line that is known elsewhere, too, so that it need not be durable at once: it is after the next
   * {@link appendLine} to this log by the same thread, and after {@link settleLogs}.
   */
  appendSoon(path: string, line: string): Promise<void>;
  /** Makes all lines durable that this thread has appended. */
  settleLogs(): Promise<void>;
  /**
   * The bytes of a log, one stretch after the other; none when there is no log.
   *
   * @throws {@link StorageError} or a system error when it cannot be read.
   */
  readLog(path: string): AsyncGenerator<Uint8Array, void, undefined>;
  /**
   * Makes a folder when it is not there.
   *
   * @throws a system error when it cannot be made, or not be written to.
   */
  requireWritable(folder: string): Promise<void>;
  /**
   * How many bytes can still be written to a folder, which need not be there yet; `undefined` where nobody can tell.
   */
  freeBytes(folder: string): Promise<number | undefined>;
}

/** A place is not as it has to be. The message names it where the caller may not know it. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/** Whether there is no room, or the user may not use more of it. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');
}

/** Whether the storage is at fault, and not what was read there: its own errors, the system's, and S3's, which look alike. */
export function isOfStorage(error: unknown): error is Error {
  return error instanceof StorageError || (error instanceof Error && 'syscall' in error);
}
