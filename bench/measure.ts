import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Measured {
  wallSeconds: number;
  /** User and system, of all threads. */
  cpuSeconds: number;
  /** The most resident memory that the process ever had. What is under the wrapper's own 15 MB or so is not seen. */
  peakBytes: number;
}

export interface Contestant {
  name: string;
  command: string[];
  /** For one that takes too long to be measured as often as the others. */
  maxRuns?: number;
}

export type Result<C extends Contestant = Contestant, M extends Measured = Measured> = C & { runs: M[] };

const CLI = fileURLToPath(new URL('../src/cli.cjs', import.meta.url));
const WRAPPER = fileURLToPath(new URL('../../bench/measure.py', import.meta.url));

/** The interpreter itself: `python3` may be a script that looks for it, at a cost that is not Python's. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** Without certificates to load, which costs every Node program some 30 ms at its start: none of these uses the network. */
export const ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };

/** The command that runs this program with the arguments. */
export function bookgrid(...args: string[]): string[] {
  return [process.execPath, CLI, ...args];
}

export function measureCli(args: string[]): Promise<Measured> {
  return measure(bookgrid(...args));
}

/** Runs a program as a process of its own, its output thrown away, and measures the whole of it. Throws when it fails. */
export async function measure(command: string[]): Promise<Measured> {
  const child = spawn(PYTHON, [WRAPPER, ...command], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const stop = () => child.kill();
  process.once('exit', stop);
  const [usage, [status]] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'close')]);
  process.off('exit', stop);
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
  return JSON.parse(usage) as Measured;
}

/** Measures contestants in turns, A B C A B C …, so that whatever else the machine does meets them alike. */
export async function race<C extends Contestant>(contestants: C[], runs: number): Promise<Result<C>[]> {
  const results = contestants.map((contestant): Result<C> => ({ ...contestant, runs: [] }));
  for (let run = 0; run < runs; run++) {
    for (const result of results) {
      if (run < (result.maxRuns ?? runs)) result.runs.push(await measure(result.command));
    }
  }
  return results;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const last = sorted.length - 1;
  return { median: (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2, min: at(0), max: at(last) };
}

export function median({ runs }: Result, what: keyof Measured): number {
  return spread(runs.map((run) => run[what])).median;
}
