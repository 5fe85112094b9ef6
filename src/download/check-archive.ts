/** Whether an archive is whole, and what its name says. */
import { ArchiveError } from '../archive/archive-error.js';
import { readArchive } from '../archive/open-archive.js';
import { pauses } from '../base/pauses.js';
import { DAY_MS, midnightMs, toDate } from '../base/time.js';
import { isBlank, LineSplitter } from '../book/lines.js';
import { parseMessage } from '../book/message.js';
import { type ArchiveName, parseTopic } from '../catalog/archive-name.js';

const LINE_FEED = 0x0a;

/**
 * Reads an archive to its end: the structure of the zip, size and CRC-32 of the content. Of its messages the first, the
 * last, and one of every stretch are compared with the name: pair, depth, and that some are of its day. Whether every
 * line is a message, only a conversion tells.
 *
 * @throws {@link ArchiveError} that says what is wrong; a system error when it cannot be read; the signal's reason.
 */
export async function checkArchive(path: string, name: ArchiveName, signal?: AbortSignal): Promise<void> {
  const pause = pauses(signal);
  const messages = new Samples(name);
  let first: LineSplitter | undefined = new LineSplitter();
  let tail: Uint8Array[] = [];
  for await (const chunk of readArchive(path)) {
    if (first && takeFirst(first, chunk, messages)) first = undefined;
    else if (!first) messages.add(lineIn(chunk));
    tail = keepTail(tail, chunk);
    await pause();
  }
  if (first) {
    first.end();
    takeFirst(first, new Uint8Array(0), messages);
  }
  messages.add(lastLine(tail));
  messages.finish();
}

/**
 * Whether a zip file has its directory, and its content begins to unpack: a look that costs nothing, for files that were
 * whole once.
 *
 * @returns what is wrong; `undefined`: nothing that can be seen so.
 * @throws when it cannot be read now, which does not make it worth another download.
 */
export async function glanceAt(path: string): Promise<string | undefined> {
  try {
    for await (const _ of readArchive(path)) break;
    return undefined;
  } catch (error) {
    if (error instanceof ArchiveError) return error.message;
    throw error;
  }
}

/** Messages that have been looked at. */
class Samples {
  readonly #name: ArchiveName;
  readonly #dayMs: number;
  #hasMessage = false;
  #isOfDay = false;
  #lastMs = 0;

  constructor(name: ArchiveName) {
    this.#name = name;
    this.#dayMs = midnightMs(name.date);
  }

  /** @param line what may be a message; one that is none says nothing. */
  add(line: Uint8Array | undefined): void {
    const message = line && parseMessage(line);
    if (!message || 'reason' in message) return;
    const { topic = '', symbol, tsMs } = message;
    const { pair, sourceDepth } = this.#name;
    const told = { pair: symbol, ...parseTopic(topic) };
    const isOther = (told.pair ?? pair) !== pair || (told.sourceDepth ?? sourceDepth) !== sourceDepth;
    if (isOther) {
      const what = [told.pair, told.sourceDepth && `${told.sourceDepth} levels`].filter(Boolean).join(', ');
      throw new ArchiveError(`its messages are of ${what}, its name says ${pair}, ${sourceDepth} levels`);
    }
    this.#hasMessage = true;
    this.#isOfDay ||= tsMs >= this.#dayMs && tsMs < this.#dayMs + DAY_MS;
    this.#lastMs = tsMs;
  }

  finish(): void {
    if (!this.#hasMessage) throw new ArchiveError('no message in it');
    if (this.#isOfDay) return;
    throw new ArchiveError(
      `none of its messages is of ${this.#name.date}, the day in its name; the last is of ${toDate(this.#lastMs)}`,
    );
  }
}

/** Looks at the first line that says anything, wherever it ends. @returns whether that has been seen. */
function takeFirst(lines: LineSplitter, chunk: Uint8Array, messages: Samples): boolean {
  if (chunk.length > 0) lines.push(chunk);
  for (let line = lines.next(); line; line = lines.next()) {
    if (isBlank(line)) continue;
    if (!line.isTooLong) messages.add(line.bytes);
    return true;
  }
  return false;
}

/** A whole line of a chunk; `undefined`: it has none. */
function lineIn(chunk: Uint8Array): Uint8Array | undefined {
  const start = chunk.indexOf(LINE_FEED) + 1;
  const end = start > 0 ? chunk.indexOf(LINE_FEED, start) : -1;
  return end < 0 ? undefined : chunk.subarray(start, end);
}

/** A line has less than so much, unless it is far from any real one. */
const TAIL_BYTES = 256 * 1024;

/** The last bytes of all, in pieces: a chunk is only lent. */
function keepTail(tail: readonly Uint8Array[], chunk: Uint8Array): Uint8Array[] {
  if (chunk.length >= TAIL_BYTES) return [Buffer.from(chunk.subarray(-TAIL_BYTES))];
  const before = Buffer.concat(tail);
  return [before.subarray(Math.max(0, before.length + chunk.length - TAIL_BYTES)), Buffer.from(chunk)];
}

function lastLine(tail: readonly Uint8Array[]): Uint8Array | undefined {
  const bytes = Buffer.concat(tail);
  let end = bytes.length;
  while (end > 0 && [LINE_FEED, 0x0d, 0x20].includes(bytes[end - 1] ?? 0)) end--;
  return end === 0 ? undefined : bytes.subarray(bytes.lastIndexOf(LINE_FEED, end - 1) + 1, end);
}
