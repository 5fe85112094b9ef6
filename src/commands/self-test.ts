import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { type ExpectedOutput, SAMPLES, writeSample } from '../samples/samples.js';
import { convert } from './convert.js';
import type { ConvertOptions } from './convert-options.js';

const OUTPUT_DIR = 'test_output';
const ROWS_SHOWN = 3;

/**
 * Makes two sample archives, converts them into `test_output/` under the current folder, and compares what came out
 * with what is known to be right.
 *
 * @returns whether all is well.
 */
export async function selfTest(options: ConvertOptions, surroundings: Surroundings): Promise<boolean> {
  const write = lineWriter(surroundings.stdout);
  const sourceDir = path.join(OUTPUT_DIR, 'source');
  for (const { market } of SAMPLES) await writeSample(sourceDir, market);

  const what = { ...options.what, outputDir: OUTPUT_DIR, overwrite: true };
  const summary = await convert({ ...options, sourceDir, what }, surroundings);
  if (summary?.done !== SAMPLES.length) {
    write('FAIL: not every sample was converted');
    return false;
  }
  const faults = SAMPLES.flatMap(({ expected }) => expected).flatMap((output) => {
    const table = readTable(output);
    write('');
    for (const line of describe(output, table)) write(line);
    return findFaults(output, table);
  });
  write('');
  for (const fault of faults) write(`FAIL: ${fault}`);
  if (faults.length === 0) write(`PASS: every row is as it should be; the files are in ${OUTPUT_DIR}/`);
  return faults.length === 0;
}

interface Table {
  columns: string[];
  rows: string[][];
  sha256: string;
}

function readTable(output: ExpectedOutput): Table {
  const bytes = fs.readFileSync(path.join(OUTPUT_DIR, output.path));
  const [header = '', ...rows] = bytes.toString('latin1').trimEnd().split('\r\n');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { columns: header.split(','), rows: rows.map((row) => row.split(',')), sha256 };
}

function findFaults({ path: file, rows, sha256 }: ExpectedOutput, table: Table): string[] {
  const faults: string[] = [];
  if (table.rows.length !== rows) faults.push(`${file} has ${table.rows.length} rows instead of ${rows}`);
  if (table.sha256 !== sha256) faults.push(`${file} has SHA-256 ${table.sha256} instead of ${sha256}`);
  return faults;
}

/** The first rows' best two levels a side. */
function describe(output: ExpectedOutput, { columns, rows }: Table): string[] {
  const shown = [
    'bid_price_2',
    'bid_qty_2',
    'bid_price_1',
    'bid_qty_1',
    'ask_price_1',
    'ask_qty_1',
    'ask_price_2',
    'ask_qty_2',
  ];
  const cells = rows
    .slice(0, ROWS_SHOWN)
    .map((row) => [
      new Date(Number(row[columns.indexOf('timestamp')])).toISOString().slice(0, 19),
      ...shown.map((name) => row[columns.indexOf(name)] ?? ''),
    ]);
  const lines = [['timestamp (UTC)', ...shown], ...cells].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(19) : cell.padStart(11))).join(' '),
  );
  const more = rows.length > ROWS_SHOWN ? [`… ${rows.length - ROWS_SHOWN} more rows, ${columns.length} columns`] : [];
  return [output.path, ...lines, ...more];
}
