/** Which rule made the labels of an output that no record tells of: ours, or that of the Python scripts. */
import { midnightMs } from '../base/time.js';
import { openStorage } from '../storage/open-storage.js';
import type { FoundOutput } from './find-outputs.js';

/**
 * `as-of`: a row holds everything up to its label. `python`: a row holds the book of a minute later than its label.
 * `unknown`: the first row does not tell.
 */
export type Labels = 'as-of' | 'python' | 'unknown';

/** A header of 500 levels has 27 KB, the longest there is half a megabyte. */
const HEAD_BYTES = 1 << 20;

/**
 * Reads the first row of an output. The scripts label the first minute of a day with its midnight, which our files leave
 * to the day before: a day's file has the boundaries in (D 00:00, D + 1 day 00:00].
 *
 * The scripts wrote CSV a minute and nothing else, so any other output is ours.
 */
export async function readLabels({ path, kind, format, interval, date }: FoundOutput): Promise<Labels> {
  if (kind !== 'book' || format !== 'csv' || interval !== '1m') return 'as-of';
  const source = await openStorage(path).open(path);
  try {
    const head = Buffer.allocUnsafe(Math.min(HEAD_BYTES, source.sizeBytes));
    const text = head.toString('latin1', 0, await source.read(head, 0));
    const [header = '', row = ''] = text.split('\n', 2);
    const column = header.replaceAll('"', '').trimEnd().split(',', 2).indexOf('timestamp');
    const labelMs = Number(row.split(',', 2)[column] || Number.NaN);
    if (Number.isNaN(labelMs)) return 'unknown';
    return labelMs === midnightMs(date) ? 'python' : 'as-of';
  } finally {
    await source.close();
  }
}
