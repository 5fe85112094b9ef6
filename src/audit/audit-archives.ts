import type { ArchiveFile } from '../catalog/find-archives.js';
import type { Executor } from '../convert/executor.js';
import { threadsExecutor } from '../executors/worker-threads.js';
import { newRunId } from '../storage/staging.js';
import { auditArchive, identityOf } from './audit-archive.js';
import type { ArchiveFindings } from './findings.js';

type AuditExecutor = Executor<ArchiveFile, ArchiveFindings>;

/** How an audit of many archives runs. */
export interface AuditRunOptions {
  /** Archives that are read at a time. */
  workers: number;
  onRead: (bytes: number) => void;
  /** Ends it: nothing more is told. */
  signal: AbortSignal;
}

/**
 * Audits archives, several at a time, and tells of each in the order given. One that costs its worker the life costs no
 * other.
 */
export async function* auditArchives(
  archives: readonly ArchiveFile[],
  { workers, onRead, signal }: AuditRunOptions,
): AsyncGenerator<ArchiveFindings> {
  const slots = Math.max(1, Math.min(workers, archives.length));
  const executor: AuditExecutor =
    slots > 1
      ? threadsExecutor({
          slots,
          workerUrl: new URL('../program/audit-worker.cjs', import.meta.url),
          stallTimeoutMs: 0,
          modules: ['audit-book.wasm', 'inflate.wasm'],
        })
      : inThisThread(signal);
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const found = archives.map(() => new Deferred<ArchiveFindings>());
  let next = 0;
  const work = async () => {
    for (let index = next++; index < archives.length && !signal.aborted; index = next++) {
      const archive = archives[index] as ArchiveFile;
      const findings = await executor.run(archive, { onRead }).catch((error: Error) => givenUp(archive, error));
      found[index]?.resolve(findings);
    }
  };
  for (let slot = 0; slot < slots; slot++) void work();
  try {
    for (const { promise } of found) {
      const findings = await Promise.race([promise, stopped]);
      if (signal.aborted || findings === undefined) return;
      yield findings;
    }
  } finally {
    await executor.close();
  }
}

/** A single archive is read here: a thread for it would take 80 ms to start. */
function inThisThread(signal: AbortSignal): AuditExecutor {
  return {
    slots: 1,
    runId: newRunId(),
    run: (archive, { onRead }) => auditArchive(archive, { onRead, signal }),
    async close() {},
  };
}

/** Its worker has died of it. */
function givenUp(archive: ArchiveFile, { message }: Error): ArchiveFindings {
  return {
    ...identityOf(archive),
    source: 'archive',
    textBytes: null,
    integrity: null,
    problem: message,
    firstBadLine: null,
    messages: 0,
    snapshots: 0,
    updates: 0,
    earlyDeltas: 0,
    badLines: 0,
    outOfOrder: 0,
    breaks: 0,
    firstTsMs: null,
    lastTsMs: null,
    book: null,
  };
}

/** A promise that is kept from outside. */
class Deferred<T> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}
