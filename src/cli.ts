#!/usr/bin/env node
import { UsageError } from './base/usage-error.js';
/** The command line: argv to a command, errors and signals to an exit status. */
import type { Surroundings } from './commands/convert.js';
import { clean } from './console/clean-text.js';
import { CommanderError, parseCommandLine } from './options.js';

/** 128 plus the signal's number, as shells have it. */
const STOP_STATUS: Record<string, number> = { SIGHUP: 129, SIGINT: 130, EPIPE: 141, SIGTERM: 143 };

/** What the first argument can say; without any of these it is `convert`. Each answers with the exit status. */
const COMMANDS = new Map<string, (argv: string[], surroundings: Surroundings) => Promise<number>>([
  ['convert', runConvert],
  ['status', runStatus],
  ['join', runJoin],
]);

async function main(argv: string[]): Promise<number> {
  const surroundings = { stdout: process.stdout, stderr: process.stderr, signal: listenForStop() };
  const command = COMMANDS.get(argv[0] ?? '');
  try {
    const status = command ? await command(argv.slice(1), surroundings) : await runConvert(argv, surroundings);
    return surroundings.signal.aborted ? (STOP_STATUS[String(surroundings.signal.reason)] ?? 1) : status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof UsageError ? error.message : describeFailure(error);
    process.stderr.write(`bookgrid: ${message.split('\n').map(clean).join('\n')}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

// Commands are loaded only when their options have been read, so that --help and a wrong option are answered at once.

async function runConvert(argv: string[], surroundings: Surroundings): Promise<number> {
  const options = parseCommandLine(argv);
  if (options.test) {
    const { selfTest } = await import('./commands/self-test.js');
    return (await selfTest(options, surroundings)) ? 0 : 1;
  }
  const { convert } = await import('./commands/convert.js');
  const summary = await convert(options, surroundings);
  return summary && summary.failed > 0 ? 1 : 0;
}

async function runStatus(argv: string[], surroundings: Surroundings): Promise<number> {
  const { parseStatusLine, status } = await import('./commands/status.js');
  await status(parseStatusLine(argv), surroundings);
  return 0;
}

async function runJoin(argv: string[], surroundings: Surroundings): Promise<number> {
  const { parseJoinLine, join } = await import('./commands/join.js');
  return (await join(parseJoinLine(argv), surroundings)) ? 0 : 1;
}

/** Aborts at the first signal, or when nobody reads the output any more; the second signal ends the process at once. */
function listenForStop(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(STOP_STATUS[name]);
      controller.abort(name);
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (controller.signal.aborted) return;
      if (error.code !== 'EPIPE') process.stderr.write(`bookgrid: the output cannot be written: ${error.message}\n`);
      controller.abort(error.code);
    });
  }
  return controller.signal;
}

function describeFailure(error: unknown): string {
  const { code, cause, message, stack } = error as NodeJS.ErrnoException;
  const isOfSystem = code !== undefined || (cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
  return isOfSystem ? message : (stack ?? String(error));
}

process.exitCode = await main(process.argv.slice(2));
