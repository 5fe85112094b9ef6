/**
 * bookgrid as a library: scan, plan, run.
 *
 * @packageDocumentation
 */
export { ArchiveError } from './archive/archive-error.js';
export { readArchive } from './archive/open-archive.js';
export type { Inflater, ReadOptions } from './archive/read-options.js';
export type { EngineCounts } from './book/engine.js';
export type { Executor } from './convert/executors/executor.js';
export { mainThreadExecutor } from './convert/executors/main-thread.js';
export { type WorkerThreadsOptions, workerThreadsExecutor } from './convert/executors/worker-threads.js';
export { formatInterval, parseInterval } from './convert/interval.js';
export { type JobHooks, type JobResult, runJob } from './convert/job.js';
export {
  type Job,
  type PlanEntry,
  type PlannedOutput,
  type PlanOptions,
  plan,
  type SamplingOptions,
  type SkipReason,
} from './convert/plan.js';
export { type MadeOutput, type Records, readRecords } from './convert/records.js';
export { type Outcome, type RunHooks, run } from './convert/run.js';
export { type ArchiveFile, identifyFiles, type ScanResult, scanFolder, type UnusableFile } from './convert/scan.js';
export type { OutputRecord, Shape } from './convert/shape.js';
export { UsageError } from './convert/usage-error.js';
export type { DayFile } from './join/day-files.js';
export type { Missing, MissingRange } from './join/grid-check.js';
export { type JoinOptions, type JoinResult, joinDays } from './join/join-days.js';
export { JoinError } from './join/join-error.js';
export { outputExists } from './output/atomic-file.js';
