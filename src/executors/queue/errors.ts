/** What the queue's server and BullMQ say when something is wrong, in words that tell what to do. */
import { StorageError } from '../../storage/storage.js';

/** @throws {@link StorageError} when the server answers by an error of its own: that is no bug of this program. */
export async function told<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'AbortError' || /^Connection is closed/.test(message)) {
      throw new StorageError(`The connection to the queue was lost (${message}). Run the same command again`, {
        cause: error,
      });
    }
    if (name !== 'ReplyError') throw error;
    throw new StorageError(`The server of the queue refuses: ${describeRefusal(message)}`, { cause: error });
  }
}

/** What to do about what a server says when it does not do what it is asked. */
export function describeRefusal(answer: string): string {
  const message = answer.replace(/ script: .*$/s, ''); // which of BullMQ's helps nobody
  const advice = REFUSALS.find(([code]) => message.includes(code))?.[1];
  return advice === undefined ? message : `${message} (${advice})`;
}

const REFUSALS: readonly (readonly [code: string, advice: string])[] = [
  ['OOM ', 'its memory is full: raise its maxmemory, or let jobs be done first'],
  ['READONLY ', 'it is a copy of another server: name that one'],
  ['MISCONF ', 'it cannot write to its own disk'],
  ['NOPERM ', 'this user may not: docs/scale.md says what is needed'],
];

/** BullMQ's words for a job whose worker was not heard of any more, again and again. */
const STALLED = /stalled more than allowable limit/;

/** Why a job failed for good. */
export function describeFailedReason(reason: string): string {
  if (!STALLED.test(reason)) return reason;
  return 'its workers died, or lost their machines, again and again: try it by itself with bookgrid convert';
}

/** What BullMQ's worker tells of itself. */
export function describeWorkerError({ message }: Error): string {
  if (!/^Missing lock for job/.test(message)) return describeRefusal(message);
  return 'a job was given to another worker, since nothing was heard of this one for too long';
}

/** Of which the connection tells by itself. */
export function isOfConnection(error: Error): boolean {
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].includes(
      (error as NodeJS.ErrnoException).code ?? '',
    ) || /Connection is closed/.test(error.message)
  );
}
