import type { Job } from './plan.js';
import type { JobResult } from './recorded-job.js';

/**
 * Something that jobs can be given to.
 *
 * @typeParam Work a job, and
 * @typeParam Result what comes of it: of a conversion, unless told otherwise.
 */
export interface Executor<Work = Job, Result = JobResult> {
  /** How many jobs it runs at a time; it is not given more. */
  readonly slots: number;
  /** Names what its jobs stage: when it is closed, what still has this name is a leftover. */
  readonly runId: string;
  /**
   * Runs a job.
   *
   * @param onRead hears of every stretch of the archive that has been read, in bytes.
   * @throws when whatever ran the job died of it, with the cause, or after {@link close}.
   */
  run(job: Work, onRead: (bytes: number) => void): Promise<Result>;
  /** Ends at once: when it returns nothing runs any more, though unfinished outputs may be left. */
  close(): Promise<void>;
}
