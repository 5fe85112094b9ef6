/**
 * Archives to files, as the command line makes them: one by {@link convertArchive}, thousands by {@link scanFolder},
 * {@link plan} and {@link run}.
 *
 * @example All archives of a folder on four threads
 * ```ts
 * const executor = workerThreadsExecutor({ slots: 4 });
 * const entries = plan(scanFolder('archives'), { outputDir: 'snapshots' }, outputExists);
 * await run(entries, executor, {
 *   onOutcome: ({ entry, result }) => console.log(entry.fileName, result.status),
 *   onRead: () => {},
 *   signal: AbortSignal.timeout(3_600_000),
 * });
 * ```
 *
 * @module converting
 */
export {
  type ArchiveFile,
  type ArchiveName,
  type Conversion,
  ConversionError,
  type ConvertArchiveOptions,
  convertArchive,
  type EngineCounts,
  type Executor,
  type Format,
  identifyFiles,
  type Job,
  type JobHooks,
  type JobResult,
  type Layout,
  mainThreadExecutor,
  type Outcome,
  outputExists,
  PLAN_DEFAULTS,
  type PlanEntry,
  type PlannedOutput,
  type PlanOptions,
  plan,
  type Remarks,
  type ResolvedOptions,
  type RunHooks,
  run,
  runJob,
  type SamplingOptions,
  type ScanResult,
  type SkipReason,
  scanFolder,
  type UnusableFile,
  UsageError,
  type WorkerThreadsOptions,
  workerThreadsExecutor,
} from '../../../src/index.js';
