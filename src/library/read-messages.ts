import { ArchiveError } from '../archive/archive-error.js';
import { readArchive } from '../archive/open-archive.js';
import type { Inflater } from '../archive/read-options.js';
import { pauses, readToEnd } from '../base/pauses.js';
import { isBlank, LineSplitter } from '../book/lines.js';
import { type Message, parseMessage, TOO_LONG } from '../book/message.js';
import { SAMPLING_DEFAULTS } from '../catalog/shaping-options.js';
import { type Check, checkOptions, oneOf } from '../convert/option-checks.js';
import { OPTION_DEFAULTS } from '../convert/options.js';
import { isPassedOver, namingFile, type OnBadLine } from './bad-lines.js';
import { aSignal, onBadLineMode } from './option-checks.js';

/** Options of {@link readMessages}. */
export interface ReadMessagesOptions {
  /** Default: `fail`. */
  onBadLine?: OnBadLine;
  /** What inflates zip members. Default: `kernel`, the faster; `node` is zlib, should the two ever disagree on a damage. */
  inflater?: Inflater;
  /** Ends the sequence with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The messages of an archive in file order, every one: also those before the first snapshot, after the day of the
 * file's name, and of another symbol or depth than the name says. What is there is given, unchecked. Nothing is read before the first is asked for, memory stays flat, and the file is closed when the sequence
 * ends or is left by `break`, `return` or an error.
 *
 * This is the flexible way, at some 10,000 messages a second; for rows on a grid {@link snapshots} is far faster.
 *
 * @param path of a `.zip`, `.gz` or plain `.data` file.
 * @param options all have defaults.
 * @returns messages that are the caller's to keep.
 * @throws {@link UsageError} at once, when an option has no such value.
 * @throws {@link ArchiveError} that names file and line, when a line cannot be read; or the file, when it is damaged. Of
 * damage the messages before it have been given by then: only a sequence that ends by itself is known to be right.
 * @throws a system error, with `code`, when the file cannot be read.
 * @throws the signal's reason when it is aborted.
 *
 * @example
 * ```ts
 * for await (const { type, tsMs, bids, asks } of readMessages('2025-01-15_BTCUSDT_ob500.data.zip')) {
 *   console.log(new Date(tsMs).toISOString(), type, bids.length + asks.length);
 * }
 * ```
 */
export function readMessages(
  path: string,
  options: ReadMessagesOptions = {},
): AsyncGenerator<Message, void, undefined> {
  checkOptions(options, CHECKS);
  return generate(path, options);
}

const CHECKS: Readonly<Record<keyof ReadMessagesOptions, Check>> = {
  onBadLine: onBadLineMode,
  inflater: oneOf('kernel', 'node'),
  signal: aSignal,
};

async function* generate(
  path: string,
  { onBadLine = SAMPLING_DEFAULTS.onBadLine, inflater = OPTION_DEFAULTS.inflater, signal }: ReadMessagesOptions,
): AsyncGenerator<Message, void, undefined> {
  signal?.throwIfAborted();
  const pause = pauses(signal);
  const chunks = readArchive(path, { inflater });
  const lines = new LineSplitter();
  try {
    for (;;) {
      const { value: chunk, done } = await chunks.next();
      if (done) lines.end();
      else lines.push(chunk);
      for (let line = lines.next(); line; line = lines.next()) {
        if (isBlank(line)) continue;
        const message = line.isTooLong ? TOO_LONG : parseMessage(line.bytes);
        if (!('reason' in message)) {
          yield message;
          signal?.throwIfAborted();
        } else {
          const { number: lineNumber } = line;
          const { reason } = message;
          if (!isPassedOver({ lineNumber, reason }, onBadLine)) {
            await readToEnd(chunks, pause);
            throw new ArchiveError(`line ${lineNumber}: ${reason}`, { lineNumber });
          }
        }
        await pause();
      }
      if (done) return;
    }
  } catch (error) {
    throw namingFile(error, path);
  } finally {
    await chunks.return(undefined);
  }
}
