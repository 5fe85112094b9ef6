import { MAX_LINE_BYTES } from '../output/csv.js';
import { OutputError } from './book-columns.js';

/** Ranges of a file's bytes. */
export interface Bytes {
  readonly sizeBytes: number;
  /** Fills `buffer` with the bytes from `position` on. @returns how many, fewer only at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
}

const LINE_FEED = 0x0a;
/** A stretch that is looked at for the end of a line. */
const LOOK_BYTES = 64 * 1024;

/**
 * Finds where to begin to read a CSV file for its rows from a time on. Rows are in order of time, so that a search by halves
 * (binary search) needs some ten looks, however large the file is. It ends at or before the row.
 *
 * @param fromMs absent: from the first row on.
 * @returns the first line, and the byte at which a later line begins; without the first line, all of the file is to be read.
 */
export async function seekRow(
  source: Bytes,
  fromMs: number | undefined,
): Promise<{ header: string | undefined; startByte: number }> {
  const whole = { header: undefined, startByte: 0 };
  if (fromMs === undefined || source.sizeBytes <= LOOK_BYTES) return whole;
  const firstRow = await nextLine(source, 0);
  if (firstRow === undefined) return whole;
  const header = await readLine(source, 0, firstRow);
  const timeColumn = header.split(',').indexOf('timestamp');
  if (timeColumn < 0) return whole;
  // Invariant: the line at `low` is a row before the time, or the first; those from `high` on need not be looked at.
  let low = firstRow;
  let high = source.sizeBytes;
  while (high - low > LOOK_BYTES) {
    const middle = low + Math.floor((high - low) / 2);
    const line = await nextLine(source, middle);
    if (line === undefined || line >= high) {
      high = middle;
      continue;
    }
    const timeMs = Number((await readStart(source, line)).split(',')[timeColumn]);
    if (!Number.isFinite(timeMs)) return whole; // reading it from the start says what is wrong
    if (timeMs < fromMs) low = line;
    else high = middle;
  }
  return { header, startByte: low };
}

/** Where the first line after a byte begins; `undefined`: none does. */
async function nextLine(source: Bytes, fromByte: number): Promise<number | undefined> {
  const bytes = new Uint8Array(LOOK_BYTES);
  for (let at = fromByte; at < source.sizeBytes; at += bytes.length) {
    const found = bytes.subarray(0, await source.read(bytes, at)).indexOf(LINE_FEED);
    if (found >= 0) return at + found + 1 < source.sizeBytes ? at + found + 1 : undefined;
    if (at - fromByte > MAX_LINE_BYTES)
      throw new OutputError(`no line end within ${MAX_LINE_BYTES} bytes: this is no output`);
  }
  return undefined;
}

async function readLine(source: Bytes, startByte: number, endByte: number): Promise<string> {
  const bytes = new Uint8Array(endByte - startByte);
  await source.read(bytes, startByte);
  return new TextDecoder('latin1').decode(bytes).trimEnd();
}

/** As much of a line as holds its time. */
async function readStart(source: Bytes, startByte: number): Promise<string> {
  const bytes = new Uint8Array(128);
  return new TextDecoder('latin1').decode(bytes.subarray(0, await source.read(bytes, startByte)));
}
