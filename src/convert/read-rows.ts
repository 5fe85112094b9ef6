import { ArchiveError } from '../archive/archive-error.js';
import { readArchive } from '../archive/open-archive.js';
import type { ReadOptions } from '../archive/read-options.js';
import { pauses, readToEnd } from '../base/pauses.js';
import type { RowState } from '../base/rows.js';
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
 * Drives an engine over an archive. Each answer is the state of a row that is due: ask the engine for its levels before
 * going on.
 *
 * @throws {@link ArchiveError} when the archive is at fault; a system error when it cannot be read; the signal's reason.
 */
export async function* readRows(
  path: string,
  { engine, isPassedOver, day, signal, ...readOptions }: ReadRowsOptions,
): AsyncGenerator<RowState> {
  const pause = pauses(signal);
  let waiting: Promise<void> | undefined;
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
        case 'boundary':
          hasMessageOfDay ||= !event.isFilled || event.bookTsMs >= dayMs;
          yield event;
          waiting = pause();
          if (waiting) await waiting; // to await nothing costs as much as a row
          break;
        case 'bad-line': {
          if (isPassedOver(event)) {
            waiting = pause();
            if (waiting) await waiting;
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
  const which = earlyDeltas === 0 ? '' : ' from the first snapshot on';
  throw new ArchiveError(
    `none of its ${messages - earlyDeltas} messages${which} is of ${missedDay}, the day in its name; the last is of ${toDate(lastTsMs)}`,
  );
}
