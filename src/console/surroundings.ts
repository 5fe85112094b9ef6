import type { Writable } from 'node:stream';
import { endProcess } from '../base/process-end.js';

/** Where a command writes, and how it is told to stop. */
export interface Surroundings {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Aborted with the name of a signal (`SIGINT`) or `EPIPE` as its reason. */
  signal: AbortSignal;
}

/** 128 plus the signal's number, as shells have it. */
const STOP_STATUS: Record<string, number> = { SIGHUP: 129, SIGINT: 130, EPIPE: 141, SIGTERM: 143 };

/** Aborts at the first signal, or when nobody reads the output any more; the second signal ends the process at once. */
export function listenForStop(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      if (controller.signal.aborted) endProcess(STOP_STATUS[name] ?? 1);
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

/** The exit status of a process that was told to stop. */
export function stopStatus({ reason }: AbortSignal): number {
  return STOP_STATUS[String(reason)] ?? 1;
}

/** Waits until all that was written to a stream has gone, or cannot go any more. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** Waits until a stream has room: what nobody reads yet would be held in memory. Also until nobody will ever read it. */
export async function hasRoom(stream: Writable): Promise<void> {
  if (!stream.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      stream.off('drain', end).off('close', end);
      resolve();
    };
    stream.on('drain', end).on('close', end);
  });
}

/** Writes as many lines as there are, no faster than they are read, until nobody reads them any more. */
export async function writeLines(stream: Writable, lines: Iterable<string>): Promise<void> {
  for (const line of lines) {
    if (!stream.writable) return;
    stream.write(`${line}\n`);
    await hasRoom(stream);
  }
}

/** A function that writes lines to a stream, where there are not so many that they may not wait in memory. */
export function lineWriter(stream: Writable): (line: string) => void {
  return (line) => void stream.write(`${line}\n`);
}
