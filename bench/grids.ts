/** What rows every second and every 100 ms cost, as books and as metrics, beside the minute run: whole days. One worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { midnightMs, parseInterval } from '../src/base/time.js';
import { type Archive, DENSE, makeArchive, outputFolder, SPARSE, SPOT } from './archives.js';
import { bookgrid, type Contestant, measure, median, PYTHON, type Result, race, spread } from './measure.js';
import { script } from './peer-programs.js';
import { checkOutputs, METRICS_PROGRAM, referenceRows } from './reference.js';
import { type Bar, mb, type Section, spreadCell, type Target } from './report.js';
import type { Settings, Subject } from './subject.js';

/** Every row of outputs from an archive so short is compared with the slow programs: of a whole day they need hours. */
const CHECKED_MINUTES = 5;
const DEPTH_OF_REFERENCE = 500;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** What metrics are of, unless told otherwise: levels, bps, amounts. */
const METRICS = ['1,5,10,50', '5,10,25,50,100', '10000,100000'];

/** One row of the table. */
interface Grid {
  name: string;
  interval: string;
  /** Of the book; `undefined`: metrics only. */
  depths?: number[];
  layout?: 'lists' | 'long';
  /** The grid that its CPU seconds are divided by, and what the quotient is to be at most. */
  against?: { name: string; limit: number };
  limitSeconds?: number;
}

const MINUTE = 'CSV 200 and 500 every minute';
const SHALLOW = 'CSV 10 every minute';

const GRIDS: Grid[] = [
  { name: MINUTE, interval: '1m', depths: [200, 500], limitSeconds: 0.9 },
  { name: SHALLOW, interval: '1m', depths: [10] },
  { name: 'CSV 10 every 100 ms', interval: '100ms', depths: [10], against: { name: SHALLOW, limit: 1.3 } },
  {
    name: 'Parquet lists 50 every second',
    interval: '1s',
    depths: [50],
    layout: 'lists',
    against: { name: MINUTE, limit: 1.3 },
  },
  {
    name: 'Parquet lists 20 every 100 ms',
    interval: '100ms',
    depths: [20],
    layout: 'lists',
    against: { name: MINUTE, limit: 2 },
  },
  { name: 'Parquet lists 500 every second', interval: '1s', depths: [500], layout: 'lists', limitSeconds: 3.5 },
  { name: 'Parquet long 500 every second', interval: '1s', depths: [500], layout: 'long', limitSeconds: 5 },
  { name: 'Metrics every second', interval: '1s', against: { name: MINUTE, limit: 1.5 } },
  { name: 'Metrics every 100 ms', interval: '100ms', against: { name: MINUTE, limit: 3.5 } },
];

/** Peak memory of any Parquet run with one worker, and what a second may add, in MB. */
const PEAK_LIMIT_MB = 120;
const FURTHER_LIMIT_MB = 50;

type GridContestant = Contestant & { grid: Grid; output: string };

export const grids: Subject = async (settings) => {
  const { folder, minutes, runs, log } = settings;
  log(`checking every row, on ${CHECKED_MINUTES} minutes`);
  const short = await makeArchive(path.join(folder, 'short'), DENSE, CHECKED_MINUTES);
  for (const contestant of contestantsOn(short, path.join(folder, 'short-output'))) {
    await measure(contestant.command);
    await checkGrid(contestant, short, settings);
  }
  log('making archives of whole days');
  const day = await makeArchive(path.join(folder, 'day'), DENSE, minutes);
  const contestants = contestantsOn(day, path.join(folder, 'output'));
  for (const contestant of contestants) {
    log(`checking ${contestant.name}`);
    await measure(contestant.command);
    await checkMinutes(contestant, day, settings);
  }
  log('measuring');
  const results = await race(contestants, runs);
  const other = await makeArchive(path.join(folder, 'day'), SPARSE, minutes);
  const peaks = await peaksOfTwo(results, [day, other], folder, settings);
  return {
    sections: [
      gridSection(results, peaks, day),
      await againstZlib([day, other, await makeArchive(path.join(folder, 'day'), SPOT, minutes)], settings),
    ],
    pictures: [
      {
        name: 'grids',
        title: 'CPU seconds for a whole day, by what is written',
        bars: results.map((result): Bar => {
          return { group: 'contract dense 500', name: result.name, value: median(result, 'cpuSeconds') };
        }),
      },
    ],
  };
};

function contestantsOn(archive: Archive, folder: string): GridContestant[] {
  return GRIDS.map((grid, index) => {
    const output = path.join(folder, String(index));
    return { name: grid.name, grid, output, command: commandFor(grid, [archive], output, 1) };
  });
}

function commandFor(
  { interval, depths, layout }: Grid,
  archives: Archive[],
  output: string,
  workers: number,
): string[] {
  const what = depths ? ['--depths', depths.join()] : ['--metrics-only'];
  const format = layout || !depths ? ['--format', 'parquet', ...(layout ? ['--layout', layout] : [])] : [];
  const paths = archives.map((archive) => archive.path);
  const how = ['--interval', interval, '--output-dir', output, '--overwrite', '--workers', String(workers)];
  return bookgrid(...paths, ...how, ...what, ...format);
}

/** Compares every row with what the slow programs say. */
async function checkGrid({ grid, output }: GridContestant, archive: Archive, settings: Settings): Promise<void> {
  const { depths, interval, layout } = grid;
  if (!depths) return checkMetrics(output, archive, interval, settings);
  if (!layout) return checkOutputs(output, archive, { depths, interval });
  await checkBooks(grid, output, archive, parseInterval(interval));
}

/**
 * Of a whole day: the number of rows, and each row at a whole minute, which lies in every part of every file. Metrics of an
 * interval have no such rows.
 */
async function checkMinutes({ grid, output }: GridContestant, archive: Archive, settings: Settings): Promise<void> {
  const { depths, interval, layout } = grid;
  const intervalMs = parseInterval(interval);
  const lengthMs = settings.minutes === undefined ? DAY_MS : settings.minutes * MINUTE_MS;
  if (depths && intervalMs === MINUTE_MS) return checkOutputs(output, archive, { depths, interval });
  if (depths && !layout) return checkCsvMinutes(grid, output, archive, lengthMs);
  if (depths) await checkBooks(grid, output, archive, MINUTE_MS, lengthMs);
  const rows = await query(
    `SELECT count(DISTINCT timestamp)::DOUBLE FROM read_parquet('${fileOf(output, grid, archive)}')`,
  );
  const wanted = Math.floor(lengthMs / intervalMs);
  const found = Number(rows[0]?.[0]);
  // The first rows of a day are before its first message; after the last there is one more.
  if (!(Math.abs(found - wanted) <= 2_000 / intervalMs + 1))
    throw new Error(`${grid.name}: ${found} rows, not ${wanted}`);
}

async function checkCsvMinutes(
  { depths: [depth = 0] = [], name }: Grid,
  output: string,
  archive: Archive,
  lengthMs: number,
): Promise<void> {
  const expected = await rowsOfReference(archive, depth, MINUTE_MS, lengthMs);
  const text = fs.readFileSync(onlyFile(output, '.csv'), 'latin1');
  const found = text.split('\r\n').filter((line) => Number(line.slice(0, line.indexOf(','))) % MINUTE_MS === 0 && line);
  const wanted = expected.map((cells) => cells.join());
  if (found.join('\n') !== wanted.join('\n')) throw new Error(`${name}: rows at whole minutes differ`);
}

/** Compares books in Parquet, as DuckDB reads them, with the slow program's rows. */
async function checkBooks(
  grid: Grid,
  output: string,
  archive: Archive,
  stepMs: number,
  lengthMs?: number,
): Promise<void> {
  const depth = grid.depths?.[0] ?? 0;
  const expected = await rowsOfReference(archive, depth, stepMs, lengthMs);
  const file = fileOf(output, grid, archive);
  const where = `WHERE epoch_ms(timestamp) % ${stepMs} = 0`;
  const listed = (side: string, value: string) => `list(${value} ORDER BY level) FILTER (side = '${side}')`;
  const lists =
    grid.layout === 'long'
      ? `${listed('bid', 'price')}, ${listed('bid', 'qty')}, ${listed('ask', 'price')}, ${listed('ask', 'qty')}
         FROM read_parquet('${file}') ${where} GROUP BY timestamp`
      : `bid_price, bid_qty, ask_price, ask_qty FROM read_parquet('${file}') ${where}`;
  const found = await query(`SELECT epoch_ms(timestamp)::DOUBLE AS ms, ${lists} ORDER BY ms`);
  if (found.length !== expected.length) throw new Error(`${grid.name}: ${found.length} rows, not ${expected.length}`);
  for (const [index, cells] of expected.entries()) {
    const [ms, ...columns] = found[index] ?? [];
    const [bidPrice = [], bidQty = [], askPrice = [], askQty = []] = columns.map(numbersOf);
    const side = (price: number[], qty: number[]) =>
      Array.from({ length: depth }, (_, level) => [price[level], qty[level]]).flat();
    const values = [Number(ms), ...side(bidPrice, bidQty), ...side(askPrice, askQty)];
    const isEqual = cells.every((cell, at) => (cell === '' ? undefined : Number(cell)) === values[at]);
    if (!isEqual) throw new Error(`${grid.name}: row ${index + 1} differs from what the slow program says`);
  }
}

/** Compares metrics with the slow program's, to the last few bits: it adds in another order. */
async function checkMetrics(output: string, archive: Archive, interval: string, { folder }: Settings): Promise<void> {
  const csv = path.join(folder, `metrics-${interval}.csv`);
  await pipeUnzipped(archive, [METRICS_PROGRAM, String(parseInterval(interval)), ...METRICS, archive.date], csv);
  const [head = '', ...lines] = fs.readFileSync(csv, 'utf8').trimEnd().split(/\r?\n/);
  const [, ...names] = head.split(',');
  const columns = names.map((name) => `"${name}"::DOUBLE`).join();
  const file = onlyFile(output, '.parquet');
  const found = await query(
    `SELECT epoch_ms(timestamp)::DOUBLE AS ms, ${columns} FROM read_parquet('${file}') ORDER BY ms`,
  );
  if (found.length !== lines.length) throw new Error(`metrics, ${interval}: ${found.length} rows, not ${lines.length}`);
  for (const [row, line] of lines.entries()) {
    for (const [column, cell] of line.split(',').entries()) {
      const value = found[row]?.[column];
      const number = value === null || value === undefined ? Number.NaN : Number(value);
      const wanted = cell === '' ? Number.NaN : Number(cell);
      const isClose = Math.abs(number - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));
      if (!isClose && !(Number.isNaN(number) && Number.isNaN(wanted)))
        throw new Error(`metrics, ${interval}: row ${row + 1}, ${names[column - 1]}: ${number}, not ${wanted}`);
    }
  }
}

/**
 * Cells of rows by the slow program, in the order of the wide columns.
 *
 * @param lengthMs leaves out the row after the last message, which a coarser grid has later than a finer one.
 */
async function rowsOfReference(
  archive: Archive,
  depth: number,
  stepMs: number,
  lengthMs = Number.POSITIVE_INFINITY,
): Promise<string[][]> {
  const lastMs = midnightMs(archive.date) + lengthMs;
  const text = (await referenceRows(archive, DEPTH_OF_REFERENCE, stepMs)).toString('latin1');
  return text
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((line) => {
      const cells = line.split(',');
      const side = (start: number) => cells.slice(start, start + 2 * depth);
      return [...cells.slice(0, 1), ...side(1), ...side(1 + 2 * DEPTH_OF_REFERENCE)];
    })
    .filter(([boundaryMs]) => Number(boundaryMs) <= lastMs);
}

async function pipeUnzipped(archive: Archive, args: string[], to: string): Promise<void> {
  const out = fs.openSync(to, 'w');
  const unzip = spawn('unzip', ['-p', archive.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const python = spawn(PYTHON, args, { stdio: [unzip.stdout, out, 'inherit'] });
  const [[unzipped], [status]] = await Promise.all([once(unzip, 'exit'), once(python, 'exit')]);
  fs.closeSync(out);
  if (unzipped !== 0 || status !== 0) throw new Error(`unzip -p ${archive.path} | ${args.join(' ')} failed`);
}

async function query(sql: string): Promise<DuckDBValue[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function numbersOf(value: DuckDBValue): number[] {
  const { items } = value as { items: DuckDBValue[] };
  return items.map(Number);
}

function fileOf(output: string, { depths }: Grid, { pair }: Archive): string {
  return onlyFile(depths ? path.join(outputFolder(output, depths[0] ?? 0), pair) : output, '.parquet');
}

/** The one file below a folder that ends so. */
function onlyFile(folder: string, ending: string): string {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
  const [name, more] = names;
  if (name === undefined || more !== undefined) throw new Error(`${folder} has ${names.length} files of ${ending}`);
  return path.join(folder, name);
}

/** Peak bytes of each Parquet grid when two workers make two days of it. */
async function peaksOfTwo(
  results: Result<GridContestant>[],
  archives: Archive[],
  folder: string,
  { log }: Settings,
): Promise<Map<string, number>> {
  const peaks = new Map<string, number>();
  for (const { grid, name } of results) {
    if (grid.depths && !grid.layout) continue;
    log(`two workers: ${name}`);
    const output = path.join(folder, 'two');
    peaks.set(name, (await measure(commandFor(grid, archives, output, 2))).peakBytes);
    fs.rmSync(output, { recursive: true });
  }
  return peaks;
}

/** A contestant's CPU seconds divided by another's of the same round. */
function quotients(result: Result, by: Result): number[] {
  return result.runs.map((run, round) => run.cpuSeconds / (by.runs[round]?.cpuSeconds ?? Number.NaN));
}

function gridSection(results: Result<GridContestant>[], peaks: Map<string, number>, day: Archive): Section {
  const byName = (name: string) => results.find((result) => result.name === name) ?? results[0];
  const targets: Target[] = [];
  const rows = results.map((result) => {
    const { grid, name, output } = result;
    const base = byName(grid.against?.name ?? MINUTE);
    const ratios = base ? quotients(result, base) : [];
    const seconds = median(result, 'cpuSeconds');
    const twoPeak = peaks.get(name);
    const peakMb = median(result, 'peakBytes') / 1e6;
    if (grid.against) {
      const what = `${name}: CPU seconds, as a multiple of ${grid.against.name}`;
      targets.push({ what, measured: spread(ratios).median, limit: grid.against.limit });
    }
    if (grid.limitSeconds) targets.push({ what: `${name}: CPU seconds`, measured: seconds, limit: grid.limitSeconds });
    if (twoPeak !== undefined) {
      const furtherMb = twoPeak / 1e6 - peakMb;
      targets.push(
        { what: `${name}: peak memory, one worker`, measured: peakMb, limit: PEAK_LIMIT_MB, unit: ' MB' },
        { what: `${name}: memory for a second worker`, measured: furtherMb, limit: FURTHER_LIMIT_MB, unit: ' MB' },
      );
    }
    return [
      name,
      spreadCell(
        result.runs.map((run) => run.cpuSeconds),
        2,
      ),
      spreadCell(
        result.runs.map((run) => run.wallSeconds),
        2,
      ),
      `${spreadCell(ratios, 2)} of ${base?.name ?? ''}`,
      mb(outputBytes(output)),
      peakMb.toFixed(0),
      twoPeak === undefined ? '' : mb(twoPeak),
    ];
  });
  return {
    title: 'Grids: a whole day, by what is written',
    text:
      `${mb(day.textBytes)} MB of text, ${day.messages} messages, contract dense 500, one worker. ` +
      'Multiples are of CPU seconds, each of runs in the same turn. ' +
      `Every row of every kind is first compared with what a slow program in Python says, for ${CHECKED_MINUTES} minutes of ` +
      'the same market: of a whole day that program would need hours. Of the whole day the minute runs are compared whole; ' +
      'of the other books all rows at whole minutes, and of all the number of rows. Parquet is read by DuckDB. ' +
      'The last column is from one run with two workers on two days.',
    table: {
      head: ['written', 'CPU s', 'wall s', 'multiple', 'MB written', 'peak MB', 'peak MB, two workers'],
      rows,
    },
    targets,
  };
}

function outputBytes(folder: string): number {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
  const outputs = files.filter((file) => /\.(csv|parquet)$/.test(file));
  return outputs.reduce((sum, file) => sum + fs.statSync(file).size, 0);
}

/** The minute run beside Node's zlib, which only inflates, on a day of each kind. */
async function againstZlib(days: Archive[], { folder, runs, log }: Settings): Promise<Section> {
  const rows: string[][] = [];
  const targets: Target[] = [];
  for (const [index, day] of days.entries()) {
    const kind = ['contract dense 500', 'contract sparse 500', 'spot 200'][index] ?? '';
    const depths = day.depth === 200 ? [200] : [200, 500];
    const output = path.join(folder, `minute-${index}`);
    const command = bookgrid(day.path, '--output-dir', output, '--overwrite', '--workers', '1');
    log(`${kind}: checking`);
    await measure(command);
    await checkOutputs(output, day, { depths });
    log(`${kind}: measuring`);
    const [ours, zlib] = await race(
      [
        { name: 'bookgrid', command },
        { name: 'zlib', command: [process.execPath, script('inflate.mjs'), day.path] },
      ],
      runs,
    );
    if (!ours || !zlib) throw new Error('nothing was measured');
    const ratios = quotients(ours, zlib);
    const cpu = (result: Result) =>
      spreadCell(
        result.runs.map((run) => run.cpuSeconds),
        2,
      );
    rows.push([kind, mb(day.textBytes), cpu(ours), cpu(zlib), spreadCell(ratios, 2)]);
    targets.push({ what: `${kind}: CPU seconds, as a share of zlib's`, measured: spread(ratios).median, limit: 0.65 });
  }
  return {
    title: 'One row a minute, beside merely inflating',
    text: 'Whole days, depths 200 and 500 (spot: 200), one worker. Outputs are compared whole with those of the slow program first.',
    table: { head: ['archive', 'MB of text', 'bookgrid, CPU s', 'Node’s zlib alone, CPU s', 'share'], rows },
    targets,
  };
}
