/** What Parquet, quality columns and metrics cost beside CSV alone, on a whole day. */
import fs from 'node:fs';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { DECOMPRESSORS } from '../src/output/compression.js';
import { type Archive, DENSE, makeArchive, outputPath } from './archives.js';
import { bookgrid, measure, median, race } from './measure.js';
import { checkOutputs } from './reference.js';
import { significant, USAGE_HEAD, usageCells } from './report.js';
import type { Subject } from './subject.js';

const DEPTHS = [200, 500];

const KINDS: [name: string, args: string[], limit?: number][] = [
  ['CSV', []],
  ['Parquet, lists', ['--format', 'parquet'], 1.4],
  ['CSV and Parquet', ['--format', 'csv,parquet']],
  ['CSV, gzipped', ['--format', 'csv.gz']],
  ['CSV with quality, and metrics', ['--quality', '--metrics'], 1.25],
];

export const formats: Subject = async ({ folder, runs, minutes, log }) => {
  log('making an archive');
  const archive = await makeArchive(path.join(folder, 'archive'), DENSE, minutes);
  const work = { textBytes: archive.textBytes, updates: archive.updates };
  const contestants = KINDS.map(([name, args, limit], index) => {
    const output = path.join(folder, String(index));
    const command = bookgrid(archive.path, '--output-dir', output, '--overwrite', '--workers', '1', ...args);
    return { name, command, limit, work };
  });
  log('checking');
  for (const { command } of contestants) await measure(command);
  await checkOutputs(path.join(folder, '0'), archive, { depths: DEPTHS });
  await checkParquet(path.join(folder, '0'), path.join(folder, '1'), archive);

  log('measuring');
  const results = await race(contestants, runs);
  const factors = results.map((result) => median(result, 'cpuSeconds') / median(results[0] ?? result, 'cpuSeconds'));
  return {
    sections: [
      {
        title: 'What is written',
        text: 'One archive, contract dense 500, depths 200 and 500, one worker. CSV and Parquet are checked first, value by value.',
        table: {
          head: ['output', ...USAGE_HEAD, 'CPU, CSV = 1'],
          rows: results.map((result, index) => [
            result.name,
            ...usageCells(result),
            significant(factors[index] ?? Number.NaN),
          ]),
        },
        targets: results.flatMap(({ name, limit }, index) =>
          limit === undefined
            ? []
            : [{ what: `CPU of ${name}, CSV = 1`, measured: factors[index] ?? Number.NaN, limit }],
        ),
      },
    ],
  };
};

/** Throws unless every number in the Parquet files is what the CSV's text says. */
async function checkParquet(csvFolder: string, parquetFolder: string, archive: Archive): Promise<void> {
  for (const depth of DEPTHS) {
    const csv = fs.readFileSync(outputPath(csvFolder, archive, depth), 'latin1');
    const file = outputPath(parquetFolder, archive, depth).replace(/csv$/, 'parquet');
    const rows = await parquetReadObjects({
      file: new Uint8Array(fs.readFileSync(file)).buffer,
      compressors: DECOMPRESSORS,
    });
    const lines = csv.trimEnd().split('\r\n').slice(1);
    if (rows.length !== lines.length) throw new Error(`${file} has ${rows.length} rows, not ${lines.length}`);
    for (const [index, line] of lines.entries()) {
      const cells = line.split(',').map((cell) => (cell === '' ? undefined : Number(cell)));
      const row = rows[index] as Record<string, number[]> & { timestamp: Date };
      const side = (price: number[] = [], qty: number[] = []) =>
        Array.from({ length: depth }, (_, level) => [price[level], qty[level]]).flat();
      const { bid_price, bid_qty, ask_price, ask_qty } = row;
      const found = [row.timestamp.getTime(), ...side(bid_price, bid_qty), ...side(ask_price, ask_qty)];
      if (found.some((value, at) => value !== cells[at]))
        throw new Error(`${file}: row ${index + 1} differs from the CSV`);
    }
  }
}
