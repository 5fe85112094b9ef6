import { ArchiveError, DamagedDataError } from '../archive/archive-error.js';
import type { Inflater } from '../archive/read-options.js';
import { readWhatIsThere } from '../archive/read-what-is-there.js';
import { pauses, readToEnd } from '../base/pauses.js';
import { midnightMs } from '../base/time.js';
import type { EngineCounts } from '../book/engine.js';
import { KernelEngine } from '../book/kernel-engine.js';
import type { ArchiveFile } from '../catalog/find-archives.js';
import { StorageError } from '../storage/storage.js';
import { acquireAuditArena, releaseAuditArena } from '../wasm/arena.js';
import { ArchiveAuditor } from './archive-auditor.js';
import type { ArchiveFindings, AuditedArchive, Integrity } from './findings.js';
import { HourGrid } from './hour-grid.js';

/** How an audit tells how far it is, and is told to stop. */
export interface AuditHooks {
  /** Hears of every stretch of the archive file that has been read, in bytes. */
  onRead?: (bytes: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Reads an archive whole, also past lines that cannot be read, and says what is in it. Of one that is damaged it says what
 * could be read, after zlib too has found it damaged.
 *
 * @throws the signal's reason.
 */
export async function auditArchive(archive: ArchiveFile, hooks: AuditHooks = {}): Promise<ArchiveFindings> {
  const first = await attempt(archive, 'kernel', hooks);
  // What is read once more is no progress.
  const { findings } = first.isInDoubt ? await attempt(archive, 'node', { signal: hooks.signal }) : first;
  return findings;
}

interface Attempt {
  findings: ArchiveFindings;
  /** Our inflater has found it damaged; zlib has the last word. */
  isInDoubt: boolean;
}

async function attempt(archive: ArchiveFile, inflater: Inflater, { onRead, signal }: AuditHooks): Promise<Attempt> {
  const arena = acquireAuditArena();
  const auditor = new ArchiveAuditor({ sourceDepth: archive.sourceDepth, dayMs: dayMsOf(archive) });
  const engine = new KernelEngine({
    grid: new HourGrid(),
    books: [],
    maxRows: 1,
    keepZeros: false,
    expected: { symbol: archive.pair, depth: archive.sourceDepth },
    audit: { auditor, kernel: arena.kernel },
  });
  const pause = pauses(signal);
  const chunks = readWhatIsThere(archive.path, { ...(onRead && { onRead }), inflater, inflateKernel: arena.inflater });
  let textBytes = 0;
  let firstBadLine: ArchiveFindings['firstBadLine'] = null;
  let failure: Failure | undefined;
  try {
    for (let event = engine.next(); event.kind !== 'end'; event = engine.next()) {
      if (event.kind === 'needs-bytes') {
        await pause();
        const chunk = await chunks.next();
        if (chunk.done) engine.end();
        else engine.push(chunk.value);
        textBytes += chunk.done ? 0 : chunk.value.length;
      } else if (event.kind === 'rows') {
        engine.tellSteps();
      } else {
        auditor.hearBadLine();
        firstBadLine ??= { lineNumber: event.lineNumber, reason: event.reason };
        await pause();
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    failure = error instanceof RangeError ? await readRest(error, chunks, pause) : explain(error);
  } finally {
    await chunks.return(undefined);
  }
  engine.tellSteps();
  const { counts } = engine;
  const findings: ArchiveFindings = {
    ...identityOf(archive),
    source: 'archive',
    textBytes,
    integrity: failure ? failure.integrity : integrityOf(archive),
    problem: failure?.problem ?? describeContents(counts, auditor.isOfDay, archive),
    firstBadLine,
    messages: counts.messages,
    snapshots: counts.snapshots,
    updates: counts.updates,
    earlyDeltas: counts.earlyDeltas,
    badLines: counts.badLines,
    outOfOrder: counts.outOfOrderMessages,
    breaks: counts.updateIdBreaks,
    firstTsMs: counts.firstTsMs ?? null,
    lastTsMs: counts.lastTsMs ?? null,
    book: auditor.finish(),
  };
  // One in which something failed is better thrown away.
  if (!failure) releaseAuditArena(arena);
  return { findings, isInDoubt: failure?.isInDoubt === true && inflater === 'kernel' };
}

function dayMsOf({ isDayFile, date }: ArchiveFile): number | undefined {
  return isDayFile ? midnightMs(date) : undefined;
}

/** Why an archive was not read to its end. */
interface Failure {
  problem: string;
  integrity: Integrity | null;
  isInDoubt?: boolean;
}

/** @throws what is no fault of the archive's. */
function explain(error: unknown): Failure {
  const isDamaged = error instanceof ArchiveError && !(error.cause instanceof StorageError);
  const isUnreadable = error instanceof ArchiveError || (error as NodeJS.ErrnoException).syscall !== undefined;
  if (!isUnreadable) throw error;
  return {
    problem: (error as Error).message,
    integrity: isDamaged ? 'damaged' : null,
    isInDoubt: error instanceof DamagedDataError,
  };
}

/** The engine has given up: what is left of the text is read for the archive's own checks alone. */
async function readRest(
  error: RangeError,
  chunks: AsyncIterable<unknown>,
  pause: () => Promise<void> | undefined,
): Promise<Failure> {
  try {
    await readToEnd(chunks, pause);
    return { problem: error.message, integrity: null };
  } catch (damage) {
    return explain(damage);
  }
}

/** Of one that was read to its end: plain text says nothing that could be compared. */
function integrityOf({ path }: ArchiveFile): Integrity {
  return path.endsWith('.data') ? 'unchecked' : 'right';
}

/** Why there is no book in it, or none of its day; null: there is. */
function describeContents(
  { messages, snapshots }: EngineCounts,
  isOfDay: boolean,
  { date }: ArchiveFile,
): string | null {
  if (messages === 0) return 'no message in it';
  if (snapshots === 0) return `no snapshot among its ${messages} messages, so there is no book to start from`;
  return isOfDay ? null : `none of its messages from the first snapshot on is of ${date}, the day in its name`;
}

/** Which archive, as its findings have it. */
export function identityOf({ path, market, pair, date, sourceDepth, sizeBytes }: ArchiveFile): AuditedArchive {
  return { archive: path, ...(market && { market }), pair, date, sourceDepth, archiveBytes: sizeBytes };
}
