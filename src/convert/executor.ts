import type { Job } from './plan.js';
import type { JobResult } from './recorded-job.js';

/** How one job is run and watched. */
export interface JobRun {
  /** Hears of every stretch of the archive that has been read, in bytes. */
  onRead: (bytes: number) => void;
  /** Other runs to which the job does not give way: they stand still. Default: none. */
  ignoredRuns?: readonly string[];
  /**
   * Hears that the archive has been read and its outputs are being published, where that takes its time: while they are
   * uploaded, another job may be given to the executor.
   */
  onConverted?: () => void;
}

/**
 * Something that jobs can be given to.
 *
 * @typeParam Work what a job is: one of `plan`, unless told otherwise.
 * @typeParam Result what comes of one: what became of a conversion, unless told otherwise.
 */
export interface Executor<Work = Job, Result = JobResult> {
  /** How many archives it converts at a time; it is not given more. */
  readonly slots: number;
  /** Names what its jobs stage: when it is closed, what still has this name is a leftover. */
  readonly runId: string;
  /**
   * Runs a job, unless another run is making its outputs: then it is `taken`.
   *
   * @throws when whatever ran the job died of it, with the cause, or after {@link close}.
   */
  run(job: Work, how: JobRun): Promise<Result>;
  /**
   * Ends what runs: at once, but for a job that is recording and publishing its outputs, which gives its result first.
   * When this returns nothing runs any more, though unfinished outputs may be left.
   */
  close(): Promise<void>;
}
