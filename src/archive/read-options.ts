/** Which program inflates the members of zip files: our kernel, or zlib as it comes with Node. */
import type { FileVersion } from '../storage/storage.js';
import type { InflateKernel } from '../wasm/inflate-kernel.js';

export type Inflater = 'kernel' | 'node';

/** Options of {@link readArchive}. */
export interface ReadOptions {
  /** Hears of every stretch of the archive file that has been read, in bytes, for progress. */
  onRead?: (bytes: number) => void;
  /** Default: kernel. gzip files are always left to Node. */
  inflater?: Inflater;
  /**
   * Our kernel, in whose memory the chunks then are. Default: a new one.
   *
   * @internal
   */
  inflateKernel?: InflateKernel | undefined;
  /**
   * Hears which version of the file is read.
   *
   * @internal
   */
  onOpen?: ((version: FileVersion) => void) | undefined;
  /**
   * Hears that a read of the file begins, and that it has come back, in turns. Opening it counts as a read.
   *
   * @internal
   */
  onReadTurn?: (() => void) | undefined;
  /**
   * Whether the thread is to be free while the file is read. Default: it waits, which is faster.
   *
   * @internal
   */
  inBackground?: boolean | undefined;
}

/** With defaults filled in. */
export type ResolvedReadOptions = ReadOptions & Required<Pick<ReadOptions, 'onRead' | 'inflater'>>;
