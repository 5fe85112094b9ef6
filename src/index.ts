/**
 * bookgrid as a library: Bybit's order book archives as messages, as books, as snapshots on a time grid, as files.
 *
 * | to | use |
 * |---|---|
 * | go through the book at every minute, second, 100 ms | {@link snapshots} |
 * | go through every message | {@link readMessages}, and an {@link OrderBook} to apply them to |
 * | convert one archive to files | {@link convertArchive} |
 * | convert thousands on all cores | {@link findArchives}, {@link takeInventory}, {@link plan}, {@link run} |
 *
 * Times are ms since the epoch, UTC. Prices are in the quote currency, quantities in the base currency or in contracts.
 * What the fields of a message mean is from Bybit's documentation:
 * https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
 *
 * Nothing is shared between calls, so any number of them may go on at a time. The package is ES modules for Node.js 20
 * (from 20.15 on) and 22.2 and later. The simplest in a bundled program is to leave the package out of the bundle. What bundles it must put
 * `book.wasm`, `inflate.wasm` and `parquet.wasm`, for worker threads `convert-worker.cjs`, and for `s3://` paths `receiver-thread.js`
 * where `new URL('…', import.meta.url)` in its modules finds them, and leave `yauzl` out.
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
 * @packageDocumentation
 */
export { ArchiveError } from './archive/archive-error.js';
export { readArchive } from './archive/open-archive.js';
export type { Inflater, ReadOptions } from './archive/read-options.js';
export type { Levels, RowState, TextLevels } from './base/rows.js';
export { formatInterval, parseInterval } from './base/time.js';
export { UsageError } from './base/usage-error.js';
export type { EngineCounts } from './book/engine.js';
export type { BookChange, Market, Message, Update } from './book/message.js';
export type { ArchiveName } from './catalog/archive-name.js';
export {
  type ArchiveFile,
  type FoundArchives,
  findArchives,
  identifyArchives,
  type UnusableFile,
} from './catalog/find-archives.js';
export type { FoundOutput, Unseen } from './catalog/find-outputs.js';
export {
  type Inventory,
  type KnownOutput,
  type LookUpOptions,
  lookUpOutputs,
  type Outputs,
  takeInventory,
} from './catalog/inventory.js';
export type { Contents, Output, OutputName } from './catalog/output-name.js';
export type { OutputRecord, RecordedOutput, RowCounts } from './catalog/recorded-output.js';
export {
  type Failure,
  type Knowledge,
  type Records,
  readRecords,
} from './catalog/records.js';
export type { SamplingOptions, Shape } from './catalog/shaping-options.js';
export { type Conflict, ConflictError } from './convert/conflicts.js';
export type { Executor, JobRun } from './convert/executor.js';
export type { ConversionHooks } from './convert/job.js';
export type { Order } from './convert/job-queue.js';
export { OPTION_DEFAULTS, type PlanOptions, type ResolvedOptions } from './convert/options.js';
export {
  type Job,
  type KeptOutput,
  type PlanEntries,
  type PlanEntry,
  type PlannedOutput,
  plan,
  type Remarks,
  type SkipReason,
} from './convert/plan.js';
export { type FailureKind, type JobHooks, type JobResult, type MadeOutput, runJob } from './convert/recorded-job.js';
export { type Outcome, type RunEnding, type RunHooks, run } from './convert/run.js';
export { type MainThreadOptions, mainThreadExecutor } from './executors/main-thread.js';
export { type WorkerThreadsOptions, workerThreadsExecutor } from './executors/worker-threads.js';
export type { DayFile } from './join/day-file.js';
export type { Missing, MissingRange } from './join/grid-check.js';
export { type JoinOptions, type JoinResult, joinDays } from './join/join-days.js';
export { JoinError } from './join/join-error.js';
export type { OnBadLine, UnreadableLine } from './library/bad-lines.js';
export {
  type Conversion,
  ConversionError,
  type ConvertArchiveOptions,
  convertArchive,
} from './library/convert-archive.js';
export { type BestLevel, OrderBook } from './library/order-book.js';
export { type ReadMessagesOptions, readMessages } from './library/read-messages.js';
export type { SnapshotRow } from './library/snapshot-row.js';
export { type SnapshotsOptions, snapshots } from './library/snapshots.js';
export type { Layout } from './output/book-writer.js';
export type { Format } from './output/formats.js';
export { type S3Settings, useS3 } from './storage/s3/settings.js';
export type { FileVersion, StoredIdentity, Writer } from './storage/storage.js';
