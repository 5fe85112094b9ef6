/**
 * Archives to files, as the command line makes them: one by {@link convertArchive}, thousands by {@link findArchives},
 * {@link takeInventory}, {@link plan} and {@link run}.
 *
 * @example All archives of a folder on four threads
 * ```ts
 * const inventory = await takeInventory(await findArchives('archives'), 'snapshots');
 * const ending = await run(plan(inventory, { outputDir: 'snapshots' }), workerThreadsExecutor({ slots: 4 }), {
 *   onOutcome: ({ entry, result }) => console.log(entry.fileName, result.status),
 *   signal: AbortSignal.timeout(3_600_000),
 * });
 * if (ending.kind === 'stopped') console.log(`${ending.left} archives are left`);
 * ```
 *
 * @module converting
 */
export {
  type ArchiveFile,
  type ArchiveName,
  type Conflict,
  ConflictError,
  type Contents,
  type Conversion,
  ConversionError,
  type ConversionHooks,
  type ConvertArchiveOptions,
  convertArchive,
  type EngineCounts,
  type Executor,
  type FailureKind,
  type FileVersion,
  type Format,
  type FoundArchives,
  findArchives,
  type Inventory,
  identifyArchives,
  type Job,
  type JobHooks,
  type JobResult,
  type JobRun,
  type KeptOutput,
  type KnownOutput,
  type Layout,
  type LookUpOptions,
  lookUpOutputs,
  type MadeOutput,
  type MainThreadOptions,
  mainThreadExecutor,
  OPTION_DEFAULTS,
  type Order,
  type Outcome,
  type Output,
  type Outputs,
  type PlanEntries,
  type PlanEntry,
  type PlannedOutput,
  type PlanOptions,
  plan,
  type Remarks,
  type ResolvedOptions,
  type RunEnding,
  type RunHooks,
  run,
  runJob,
  type S3Settings,
  type SamplingOptions,
  type SkipReason,
  type StoredIdentity,
  takeInventory,
  type UnusableFile,
  UsageError,
  useS3,
  type WorkerThreadsOptions,
  type Writer,
  workerThreadsExecutor,
} from '../../../src/index.js';
