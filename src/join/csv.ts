import { inflateGzip } from '../archive/inflate.js';
import type { ByteSink } from '../output/book-writer.js';
import { MAX_LINE_BYTES } from '../output/csv.js';
import type { ContentCheck } from './content-check.js';
import { type DayFile, REMAKE } from './day-file.js';
import { openDayFile, readBytes } from './day-files.js';
import type { JoinChecks } from './join-checks.js';
import { JoinError } from './join-error.js';
import { type ColumnsOfFile, requireSameColumns } from './same-columns.js';

const LINE_FEED = 0x0a;
const COMMA = 0x2c;

/**
 * Joins CSV files: the header once, then the rows of all files, byte for byte.
 *
 * @returns how many rows.
 * @throws {@link JoinError} when headers differ or a row cannot be read, or is not where it should be.
 */
export async function joinCsv(files: DayFile[], sink: ByteSink, { grid, content, pause }: JoinChecks): Promise<number> {
  let first: ColumnsOfFile | undefined;
  let rows = 0;
  for (const file of files) {
    grid.beginFile(file);
    let labels: LabelReader | undefined;
    for await (const lines of wholeLines(file, content)) {
      let rowsStart = 0; // of the lines
      if (!labels) {
        rowsStart = lines.indexOf(LINE_FEED) + 1;
        const header = lines.toString('utf8', 0, rowsStart).trimEnd();
        labels = new LabelReader(file.path, header);
        const named = { path: file.path, columns: header.split(',') };
        if (first) requireSameColumns(named, first);
        else sink.write(lines.subarray(0, rowsStart));
        first ??= named;
      }
      for (let start = rowsStart; start < lines.length; start = lines.indexOf(LINE_FEED, start) + 1) {
        grid.take(labels.read(lines, start), labels.rows);
      }
      sink.write(lines.subarray(rowsStart));
      await pause();
    }
    if (!labels) throw new JoinError(`${file.path}: the file is empty. ${REMAKE}`);
    rows += labels.rows;
  }
  return rows;
}

/** Reads the `timestamp` cell of rows. */
class LabelReader {
  /** Rows read so far. */
  rows = 0;
  readonly #path: string;
  readonly #isSecond: boolean;

  constructor(path: string, header: string) {
    if (!/^(timestamp_formatted,)?timestamp(,|$)/.test(header)) {
      const start = JSON.stringify(header.slice(0, 40));
      throw new JoinError(`${path}: its first line begins with ${start}, not with timestamp. ${REMAKE}`);
    }
    this.#path = path;
    this.#isSecond = header.startsWith('timestamp_formatted');
  }

  /** @param rowStart where the row begins in the lines. @returns ms since the epoch. */
  read(lines: Buffer, rowStart: number): number {
    this.rows++;
    const start = this.#isSecond ? lines.indexOf(COMMA, rowStart) + 1 : rowStart;
    // 16 digits are more than any time has; a cell that is longer is none.
    const [cell = ''] = lines.toString('latin1', start, start + 17).split(/[,\r\n]/, 1);
    if (/^\d{1,16}$/.test(cell)) return Number(cell);
    const where = `row ${this.rows} (line ${this.rows + 1})`;
    throw new JoinError(`${this.#path}: ${where} has ${JSON.stringify(cell)} for a timestamp in ms. ${REMAKE}`);
  }
}

/** A file's text in blocks that end where a line does, each valid until the next is asked for. */
async function* wholeLines({ path }: DayFile, content: ContentCheck): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of readText(path, content)) {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end === 0 && rest.length + chunk.length > MAX_LINE_BYTES) {
      throw new JoinError(`${path}: no line end within ${MAX_LINE_BYTES} bytes. ${REMAKE}`);
    }
    if (end > 0) yield Buffer.concat([rest, chunk.subarray(0, end)]);
    rest = end > 0 ? Buffer.from(chunk.subarray(end)) : Buffer.concat([rest, chunk]);
  }
  if (rest.length > 0) throw new JoinError(`${path}: its last line has no end, so it may be cut short. ${REMAKE}`);
}

/** The bytes of a file, inflated where its name says that they are deflated. */
async function* readText(path: string, content: ContentCheck): AsyncGenerator<Buffer> {
  const source = await openDayFile(path);
  try {
    const bytes = content.pass(path, readBytes(path, source, 0, source.sizeBytes));
    yield* path.endsWith('.gz') ? inflateGzip(bytes) : bytes;
  } catch (error) {
    const { name, message } = error as Error;
    throw name === 'ZlibError' ? new JoinError(`${path}: the gzip data is damaged (${message}). ${REMAKE}`) : error;
  } finally {
    await source.close();
  }
}
