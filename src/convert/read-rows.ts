import { ArchiveError } from '../archive/archive-error.js';
import { readArchive } from '../archive/open-archive.js';
import type { ReadOptions } from '../archive/read-options.js';
import { pauses, readToEnd } from '../base/pauses.js';
import { ROW_FLAG, type RowBatch } from '../base/rows.js';
import { midnightMs, toDate } from '../base/time.js';
import type { Engine, EngineCounts, EngineEvent } from '../book/engine.js';

export interface ReadRowsOptions extends ReadOptions {
  engine: Engine;
  /** Whether to go on after a line that cannot be read. */
  isPassedOver: (line: Extract<EngineEvent, { kind: 'bad-line' }>) => boolean;
  /**
   * The day, `YYYY-MM-DD`, without a message of which the archive is not what its name says; `undefined`: any rows are
   * right.
   */
  day: string | undefined;
  signal: AbortSignal | undefined;
}

/**
 * Drives an engine over an archive. Each answer is a batch of rows, in the engine's memory: take what is needed of it
 * before going on.
 *
 * @throws {@link ArchiveError} when the archive is at fault; a system error when it cannot be read; the signal's reason.
 */
export async function* readRows(
  path: string,
  { engine, isPassedOver, day, signal, ...readOptions }: ReadRowsOptions,
): AsyncGenerator<RowBatch> {
  const pause = pauses(signal);
  const chunks = readArchive(path, readOptions);
  const dayMs = day === undefined ? Number.NEGATIVE_INFINITY : midnightMs(day);
  let hasMessageOfDay = day === undefined;
  try {
    for (;;) {
      const event = engine.next();
      switch (event.kind) {
        case 'needs-bytes': {
          await pause();
          const chunk = await chunks.next();
          if (chunk.done) engine.end();
          else engine.push(chunk.value);
          break;
        }
        case 'rows':
          hasMessageOfDay ||= hasMessageFrom(event.rows, dayMs);
          yield event.rows;
          await pause();
          break;
        case 'bad-line': {
          if (isPassedOver(event)) {
            await pause();
            break;
          }
          await readToEnd(chunks, pause);
          const { lineNumber, reason } = event;
          throw new ArchiveError(`line ${lineNumber}: ${reason}`, { lineNumber });
        }
        case 'end':
          checkOutcome(engine.counts, hasMessageOfDay ? undefined : day);
          return;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    await readToEnd(chunks, pause); // the engine gives up
    throw new ArchiveError(error.message, { cause: error });
  } finally {
    await chunks.return(undefined);
  }
}

/** Whether a row was given by a message, or holds one, of the day that begins at `dayMs`. */
function hasMessageFrom({ flags, bookTsMs }: RowBatch, dayMs: number): boolean {
  return flags.some((bits, row) => (bits & ROW_FLAG.isFilled) === 0 || (bookTsMs[row] ?? 0) >= dayMs);
}

/**
 * What has no message would look like a day that was read.
 *
 * @param missedDay the day in the archive's name, when no message of it has come.
 */
function checkOutcome(counts: EngineCounts, missedDay: string | undefined): void {
  const { messages, snapshots, earlyDeltas, lastTsMs = 0 } = counts;
  if (messages === 0) throw new ArchiveError('no message in it');
  if (snapshots === 0) {
    throw new ArchiveError(`no snapshot among its ${messages} messages, so there is no book to start from`);
  }
  if (missedDay === undefined) return;
  if (lastTsMs === midnightMs(missedDay)) {
    throw new ArchiveError(
      `its last message is of the very midnight that ${missedDay}, the day in its name, begins with: that is a row of the day before`,
    );
  }
  const which = earlyDeltas === 0 ? '' : ' from the first snapshot on';
  throw new ArchiveError(
    `none of its ${messages - earlyDeltas} messages${which} is of ${missedDay}, the day in its name; the last is of ${toDate(lastTsMs)}`,
  );
}
