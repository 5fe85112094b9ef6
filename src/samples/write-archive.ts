import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ZipFile } from 'yazl';

export interface WriteArchiveOptions {
  /** false stores the text as it is. Default true. */
  compress?: boolean;
  /** 1 (fastest) to 9 (smallest). Default 6. */
  level?: number;
}

/** DOS times are local and zip times often are: made from local parts, this one is the same bytes in every time zone. */
const MEMBER_TIME = new Date(2025, 0, 1);

/**
 * Writes one text as an archive, with its folder, in flat memory: `.zip` with one member, `.gz`, or the plain text, by the
 * path's ending. A failure leaves no file. The same text gives the same bytes on one Node version (zlib's own output may change with Node's).
 */
export async function writeArchive(
  path: string,
  memberName: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteArchiveOptions = {},
): Promise<void> {
  const { compress = true, level = 6 } = options;
  await mkdir(dirname(path), { recursive: true });
  // Readable.from counts chunks, not bytes: its default of 16 would keep megabytes ahead of the disk.
  const text = Readable.from(chunks, { highWaterMark: 1 });
  const file = createWriteStream(path);
  try {
    if (path.endsWith('.zip')) await pipeline(zipped(text, memberName, compress ? level : 0), file);
    else if (path.endsWith('.gz')) await pipeline(text, createGzip({ level: compress ? level : 0 }), file);
    else await pipeline(text, file);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function zipped(text: Readable, memberName: string, compressionLevel: number): PassThrough {
  const zip = new ZipFile();
  // yazl's types promise less than the PassThrough that it makes; destroy is needed below.
  const output = zip.outputStream as PassThrough;
  // yazl joins its streams with pipe, which hands on neither an error of the text nor the end of a failed output.
  text.once('error', (error) => output.destroy(error));
  output.once('close', () => text.destroy());
  zip.addReadStream(text, memberName, {
    mtime: MEMBER_TIME,
    forceDosTimestamp: true,
    mode: 0o100644,
    compressionLevel,
  });
  zip.end();
  return output;
}
