import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The compiled command line. */
export const CLI = fileURLToPath(new URL('../../src/cli.cjs', import.meta.url));

export interface CliResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Starts the program as a user would, without a terminal. CI is set because some programs then write colours all the same. */
export function startCli(args: string[], options: SpawnOptions = {}): ChildProcess {
  const env = { ...process.env, CI: 'true' };
  return spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env, ...options });
}

/** Runs the program to its end. */
export async function runCli(args: string[], options: SpawnOptions = {}): Promise<CliResult> {
  return finished(startCli(args, options));
}

/** Gathers what a started program prints until it ends. */
export async function finished(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr };
}
