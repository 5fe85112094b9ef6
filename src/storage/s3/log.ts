/**
 * A log where nothing can be appended to an object: each stretch of lines is an object of its own, below the log's path
 * as below a folder, and is never written again. Who reads the log reads them all, in the order of their names, which
 * begin with the time.
 */
import { threadId } from 'node:worker_threads';
import { pieces } from '../pieces.js';
import { newRunId } from '../staging.js';
import { type Listed, listPages, putObject } from './objects.js';
import { formatS3Path, prefixOf, type S3Place } from './path.js';
import { readRange } from './range.js';
import { S3Source } from './source.js';

/** Lines that wait for others to come, at most. */
const LINES_AN_OBJECT = 100;
const READ_AT_A_TIME = 16;
/** Parts up to this size are read in one request. */
const SMALL_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** No other process or thread has this. */
const writer = `${newRunId()}-${threadId}`;
let count = 0;

/** A log as this thread appends to it. */
class Log {
  readonly #place: S3Place;
  /** Those that are not durable yet. */
  #lines: string[] = [];
  #settled: Promise<void> = Promise.resolve();

  constructor(place: S3Place) {
    this.#place = place;
  }

  async append(line: string): Promise<void> {
    this.#lines.push(line);
    await this.settle();
  }

  async appendSoon(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#lines.length >= LINES_AN_OBJECT) await this.settle();
  }

  /** Writes what there is, after what is being written. What could not be written stays for the next time. */
  settle(): Promise<void> {
    this.#settled = this.#settled.catch(() => {}).then(() => this.#write());
    return this.#settled;
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const time = new Date().toISOString().replace(/[-:.]/g, '');
    const key = `${prefixOf(this.#place)}${time}-${writer}-${String(count++).padStart(6, '0')}.jsonl`;
    try {
      await putObject({ ...this.#place, key }, Buffer.from(lines.map((line) => `${line}\n`).join('')));
    } catch (error) {
      this.#lines = [...lines, ...this.#lines];
      throw error;
    }
  }
}

const logs = new Map<string, Log>();

/** The log at a place, one a thread. */
export function logAt(place: S3Place): Log {
  const path = formatS3Path(place);
  const known = logs.get(path) ?? new Log(place);
  logs.set(path, known);
  return known;
}

/** Makes all lines durable that this thread has appended to any log. */
export async function settleLogs(): Promise<void> {
  for (const log of logs.values()) await log.settle();
}

/** The bytes of a log: of an object of that very name, such as a copy of a file of records, and of those below it. */
export async function* readLog(place: S3Place): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { objects } of listPages(place.bucket, place.key, { isFolder: false })) {
    const parts = objects.filter(({ key }) => key === place.key || key.startsWith(prefixOf(place)));
    for (let start = 0; start < parts.length; start += READ_AT_A_TIME) {
      const some = parts.slice(start, start + READ_AT_A_TIME).map((part) => beginPart(place, part));
      for (const part of some) yield* part;
    }
  }
}

/** Asks for a part that is small at once, so that many are on their way. */
function beginPart({ bucket }: S3Place, part: Listed): AsyncGenerator<Uint8Array, void, undefined> {
  const place = { bucket, key: part.key };
  const whole = part.sizeBytes <= SMALL_BYTES ? readWhole(place, part) : undefined;
  whole?.catch(() => {}); // whoever reads the part hears of it
  return linesOf(place, part, whole);
}

async function* linesOf(
  place: S3Place,
  part: Listed,
  whole: Promise<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (whole) {
    const bytes = await whole;
    yield bytes;
    if (bytes.at(-1) !== LINE_FEED) yield Uint8Array.of(LINE_FEED);
    return;
  }
  const source = new S3Source(place, part, { isReadOn: true });
  try {
    for await (const piece of pieces(source, 0, part.sizeBytes, () => {})) yield Buffer.from(piece);
    yield Uint8Array.of(LINE_FEED); // an empty line says nothing
  } finally {
    await source.close();
  }
}

async function readWhole(place: S3Place, part: Listed): Promise<Uint8Array> {
  const bytes = new Uint8Array(part.sizeBytes);
  await readRange(place, part, 0, bytes, { signal: new AbortController().signal });
  return bytes;
}
