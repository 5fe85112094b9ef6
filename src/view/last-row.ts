/** Finds where outputs end, for Node. */
import { readMetadata } from '../output/parquet/read-metadata.js';
import { openStorage } from '../storage/open-storage.js';
import type { ByteSource } from '../storage/storage.js';
import { asBuffer, formatOf, readBookOf, textFrom } from './open-output.js';
import { readBookCsv } from './read-csv.js';
import { seekRow } from './seek-row.js';

/**
 * The time of the last row of a book output, ms since the epoch; `undefined` when it has no row. Only a gzipped file is
 * read whole for it.
 *
 * @throws `OutputError` when the file is not what an output is; a system error when it cannot be read.
 */
export async function readLastTimeMs(path: string): Promise<number | undefined> {
  const source = await openStorage(path).open(path);
  try {
    const format = formatOf(path);
    const told = format === 'parquet' ? await askStatistics(source) : undefined;
    if (told !== undefined) return told;
    const parts = format === 'csv' ? readEnd(source) : readBookOf(path, source, { depth: 1 });
    let lastMs: number | undefined;
    for await (const { timesMs } of parts) lastMs = timesMs.at(-1);
    return lastMs;
  } finally {
    await source.close();
  }
}

async function* readEnd(source: ByteSource) {
  const begun = await seekRow(source, Infinity);
  yield* readBookCsv(textFrom(source, begun), { depth: 1 }, begun);
}

/** What the footer of a Parquet file tells; `undefined` when it does not, or cannot be read, of which reading it tells more. */
async function askStatistics(source: ByteSource): Promise<number | undefined> {
  const metadata = await readMetadata(asBuffer(source)).catch(() => undefined);
  const columns = metadata?.row_groups.at(-1)?.columns ?? [];
  const time = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === 'timestamp');
  const lastMs = time?.meta_data?.statistics?.max_value;
  return lastMs instanceof Date ? lastMs.getTime() : undefined;
}
