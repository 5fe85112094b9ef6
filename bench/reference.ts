/** What outputs must be, from an independent program: unzip and test/independent/snapshots.py. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseInterval } from '../src/base/time.js';
import { type Archive, outputPath } from './archives.js';
import { PYTHON } from './measure.js';

const PROGRAM = fileURLToPath(new URL('../../test/independent/snapshots.py', import.meta.url));
/** The same for metrics: `metrics.py INTERVAL_MS LEVELS,… BPS,… IMPACT,… DATE`. */
export const METRICS_PROGRAM = fileURLToPath(new URL('../../test/independent/metrics.py', import.meta.url));

export interface Wanted {
  depths: number[];
  interval?: string;
}

/** Checks whole outputs of an archive, byte for byte. Throws at the first difference. */
export async function checkOutputs(folder: string, archive: Archive, wanted: Wanted): Promise<void> {
  await checkCopies(folder, archive, [archive], wanted);
}

/** The same for archives of equal text. */
export async function checkCopies(
  folder: string,
  original: Archive,
  archives: Archive[],
  { depths, interval = '1m' }: Wanted,
): Promise<void> {
  const deepest = Math.max(...depths);
  const reference = await referenceRows(original, deepest, parseInterval(interval));
  for (const depth of depths) {
    const expected = depth === deepest ? reference : Buffer.from(shallower(reference.toString(), deepest, depth));
    for (const archive of archives) {
      const file = outputPath(folder, archive, depth, interval);
      if (!fs.readFileSync(file).equals(expected)) throw new Error(`${file} differs from what ${PROGRAM} gives`);
    }
  }
}

/** Rows by the independent program, kept beside the archive for the next who asks. */
export async function referenceRows(archive: Archive, depth: number, intervalMs: number): Promise<Buffer> {
  const file = path.join(path.dirname(archive.path), `.${path.basename(archive.path)}.${depth}.${intervalMs}.csv`);
  if (!fs.existsSync(file)) {
    const out = fs.openSync(file, 'w');
    const unzip = spawn('unzip', ['-p', archive.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const args = [PROGRAM, String(depth), String(intervalMs), archive.date];
    const python = spawn(PYTHON, args, { stdio: [unzip.stdout, out, 'inherit'] });
    const [[unzipped], [status]] = await Promise.all([once(unzip, 'exit'), once(python, 'exit')]);
    fs.closeSync(out);
    if (unzipped !== 0 || status !== 0) throw new Error(`unzip -p ${archive.path} | ${args.join(' ')} failed`);
  }
  return fs.readFileSync(file);
}

/** Leaves only the best levels of each row. */
function shallower(csv: string, depth: number, wanted: number): string {
  const rows = csv.split('\r\n').map((row) => {
    const cells = row.split(',');
    const side = (start: number) => cells.slice(start, start + 2 * wanted);
    return [...cells.slice(0, 1), ...side(1), ...side(1 + 2 * depth)].join(',');
  });
  return rows.join('\r\n');
}
