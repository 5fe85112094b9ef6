import assert from 'node:assert/strict';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type MarketOptions, marketText } from '../../src/samples/market.js';
import { writeArchive } from '../../src/samples/write-archive.js';
import { type CliResult, finished, startCli } from './cli.js';
import { DAY, line, writeLines } from './messages.js';

/** A run that hangs fails its test, instead of holding up everything. */
const RUN_LIMIT_MS = 60_000;

export interface Started {
  child: ChildProcess;
  ended: Promise<CliResult>;
  /** What has been printed on standard output so far, as soon as it matches; fails when the run ends before. */
  printed: (pattern: RegExp) => Promise<string>;
}

/** Starts the program, to be watched and disturbed while it runs. */
export function start(args: string[], options: SpawnOptions = {}): Started {
  const child = startCli(args, { timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL', ...options });
  const ended = finished(child);
  let text = '';
  const printed = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => pattern.test(text) && resolve(text);
      child.stdout?.on('data', look);
      child.once('close', () => reject(new Error(`the run ended without printing ${pattern}, but:\n${text}`)));
      look();
    });
  child.stdout?.on('data', (chunk: string) => {
    text += chunk;
  });
  return { child, ended, printed };
}

/** Runs the program to its end, which must come in time. */
export function complete(args: string[], options: SpawnOptions = {}): Promise<CliResult> {
  return start(args, options).ended;
}

/** Waits until something is so, looking again and again; fails when it takes too long. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + RUN_LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${what}`);
    await setTimeout(1);
  }
}

/** The paths of all files below a folder, also of one that changes meanwhile. */
export function listFiles(dir: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .flatMap((entry) => (entry.isDirectory() ? listFiles(path.join(dir, entry.name)) : [path.join(dir, entry.name)]))
    .sort();
}

/** The unfinished outputs below a folder. */
export function listStaged(dir: string): string[] {
  return listFiles(dir).filter((file) => file.endsWith('.part'));
}

/** Asserts that the same outputs are there with the same bytes; a failure names the file, and does not print megabytes. */
export function assertSameOutputs(actual: Map<string, string>, expected: Map<string, string>): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, text] of actual) assert.ok(text === expected.get(name), `${name} is whole and right`);
}

/**
 * The lines of an output folder's records, each parsed; `undefined` for one that is not JSON. An empty one, which may come
 * between the lines of two workers who write at the same moment, says nothing and is left out.
 */
export function readRecords(outputDir: string): (Record<string, unknown> | undefined)[] {
  const text = fs.readFileSync(path.join(outputDir, 'conversions.jsonl'), 'utf8');
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last record has no line end');
  return lines.filter(Boolean).map((line) => {
    try {
      return JSON.parse(line) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  });
}

export interface MadeArchive {
  pair: string;
  date?: string;
  /** Levels a side. */
  depth?: number;
  ending?: string;
  /** The member is not packed, so that the file is large. */
  isStored?: boolean;
  /** What is different from a market of few levels and one message a second, two minutes and a bit long. */
  market?: Partial<MarketOptions>;
}

/** Rows that an archive of {@link makeArchive} gives at one minute, unless its `market` says otherwise. */
export const MADE_ROWS = 3;

/** Puts an archive where a source folder has it, and returns its path. */
export async function makeArchive(sourceDir: string, archive: MadeArchive): Promise<string> {
  const { pair, date = DAY, depth = 500, ending = '.data.zip', isStored = false, market } = archive;
  const member = `${date}_${pair}_ob${depth}.data`;
  const file = path.join(sourceDir, String(depth).padStart(4, '0'), pair, `${date}_${pair}_ob${depth}${ending}`);
  const text = marketText({
    symbol: pair,
    date,
    depth: 8,
    style: 'contract',
    seed: pair.length,
    messageIntervalMs: 1000,
    durationMs: 125_000,
    ...market,
  });
  await writeArchive(file, member, retold(text, market?.depth ?? 8, depth), { level: 1, compress: !isStored });
  return file;
}

/** The same text with another depth in its topics: that of the archive's name, of which fewer levels are made. */
function* retold(text: Iterable<Uint8Array>, made: number, told: number): Generator<Uint8Array> {
  for (const chunk of text) {
    if (made === told) yield chunk;
    else
      yield Buffer.from(Buffer.from(chunk).toString('latin1').replaceAll(`orderbook.${made}.`, `orderbook.${told}.`));
  }
}

/**
 * A source folder that takes long enough to convert that a run can be disturbed in the middle: archives of more
 * than 1 MB of text, of several kinds.
 */
export async function makeLargeSource(sourceDir: string, count: number): Promise<void> {
  const endings = ['.data.zip', '.data.gz', '.data'];
  for (let seed = 0; seed < count; seed++) {
    const depth = seed % 4 === 3 ? 200 : 500;
    await makeArchive(sourceDir, {
      pair: `PAIR${String(seed).padStart(2, '0')}USDT`,
      depth,
      ending: endings[seed % endings.length] ?? '',
      market: { seed, depth, durationMs: 100_000, messageIntervalMs: 100 },
    });
  }
}

/**
 * An archive whose conversion lasts far longer than any test, in the middle of the rows of one message: a day from two
 * messages. To be converted by {@link ENDLESS_OPTIONS}, and stopped.
 */
export function makeEndless(folder: string): Promise<string> {
  const bids = Array.from({ length: 400 }, (_, index): [string, string] => [`1.${1000 + index}`, '5']);
  return writeLines(folder, [line({ type: 'snapshot', atMs: 10, bids, u: 1 }), line({ atMs: 86_399_000, u: 2 })]);
}

export const ENDLESS_OPTIONS = ['--interval', '100ms', '--workers', '1'];
