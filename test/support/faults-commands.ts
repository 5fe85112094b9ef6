/** The commands in this process, where their calls can be disturbed: told by the same words as the program. */
import { Writable } from 'node:stream';
import { UsageError } from '../../src/base/usage-error.js';
import { parseAuditLine, runAudit } from '../../src/commands/audit.js';
import { convert } from '../../src/commands/convert.js';
import { parseConvertLine } from '../../src/commands/convert-options.js';
import { download } from '../../src/commands/download.js';
import { parseDownloadLine } from '../../src/commands/download-options.js';
import { join } from '../../src/commands/join.js';
import { parseJoinLine } from '../../src/commands/join-options.js';
import { parsePeekLine, peek } from '../../src/commands/peek.js';
import { parsePlotLine, plot } from '../../src/commands/plot.js';
import { parseRetryLine, retry } from '../../src/commands/retry.js';
import { parseStatusLine, status } from '../../src/commands/status.js';
import { parseSubmitLine, submit } from '../../src/commands/submit.js';
import { parseVerifyLine, verify } from '../../src/commands/verify.js';
import { parseViewLine, view } from '../../src/commands/view.js';
import { parseWatchLine, watch } from '../../src/commands/watch.js';
import { parseWorkerLine } from '../../src/commands/worker.js';
import type { Surroundings } from '../../src/console/surroundings.js';
import { mainThreadExecutor } from '../../src/executors/main-thread.js';
import { workOnQueue } from '../../src/executors/queue/work.js';
import { StorageError } from '../../src/storage/storage.js';
import type { Listing } from '../../src/view/listing.js';
import type { CliResult } from './cli.js';
import { disturbCalls } from './faults-calls.js';

const COMMANDS: Record<string, (argv: string[], surroundings: Surroundings) => Promise<boolean>> = {
  convert: async (argv, surroundings) => !(await convert(parseConvertLine(argv, []), surroundings))?.failed,
  download: (argv, surroundings) => download(parseDownloadLine(argv), surroundings),
  status: (argv, surroundings) => status(parseStatusLine(argv), surroundings).then(() => true),
  join: (argv, surroundings) => join(parseJoinLine(argv), surroundings),
  peek: (argv, surroundings) => peek(parsePeekLine(argv), surroundings),
  plot: (argv, surroundings) => plot(parsePlotLine(argv), surroundings),
  verify: (argv, surroundings) => verify(parseVerifyLine(argv), surroundings),
  audit: (argv, surroundings) => runAudit(parseAuditLine(argv), surroundings),
  submit: (argv, surroundings) => submit(parseSubmitLine(argv), surroundings).then(() => true),
  retry: (argv, surroundings) => retry(parseRetryLine(argv), surroundings).then(() => true),
  watch: (argv, surroundings) => watch(parseWatchLine(argv), surroundings),
  worker: (argv, surroundings) => workHere(argv, surroundings),
  view: (argv, surroundings) => viewOnce(argv, surroundings),
};

/** As the command does, but in this thread, where calls can be disturbed; what fails is left to the next worker. */
async function workHere(argv: string[], { stdout, stderr }: Surroundings): Promise<boolean> {
  const { queue, untilDone } = parseWorkerLine(argv);
  const stop = new AbortController();
  let isWell = true;
  await workOnQueue(queue.address, queue.name, {
    executor: mainThreadExecutor(),
    untilDone,
    signal: stop.signal,
    onOutcome({ job, result }) {
      stdout.write(`${job.archive.fileName}: ${result.status === 'failed' ? result.error : result.status}\n`);
      if (result.status !== 'failed') return;
      isWell = false;
      stop.abort();
    },
    onNote: (note) => stderr.write(`${note}\n`),
  });
  return isWell;
}

/** Serves the page, asks for all that the page may ask of, prints the answers, and stops the server. */
async function viewOnce(argv: string[], { stdout, stderr }: Surroundings): Promise<boolean> {
  const stop = new AbortController();
  let hearAddress = (_address: string) => {};
  const printed = new Promise<string>((resolve) => {
    hearAddress = resolve;
  });
  const address = new Writable({
    write(chunk, _, done) {
      hearAddress(String(chunk).trim());
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  const ended = view(parseViewLine(argv), { stdout: address, stderr, signal: stop.signal });
  const server = await Promise.race([printed, ended.then(() => '')]);
  let isWell = true;
  const ask = async (what: string, parameters: Record<string, string> = {}) => {
    const answer = await fetch(new URL(`${what}?${new URLSearchParams(parameters)}`, server));
    const bytes = Buffer.from(await answer.arrayBuffer());
    isWell &&= answer.ok;
    return { status: answer.status, bytes };
  };
  try {
    const { status, bytes } = await ask('listing');
    const text = bytes.toString();
    // Its version holds the times of folders, which are not those of the folder that was copied.
    stdout.write(`${status} ${text.replace(/"version":"\w+",/, '')}\n`);
    const { series } = (status === 200 ? JSON.parse(text) : { series: [] }) as Listing;
    for (const { id, kind, days } of series) {
      for (const [day] of days) {
        for (const what of kind === 'book' ? ['book', 'rows'] : ['metric-names', 'metrics']) {
          const columns = what === 'metrics' ? { columns: 'mid' } : {};
          const rows = await ask(what, { series: id, day, ...columns });
          stdout.write(`${what} ${id} ${day}: ${rows.status} ${rows.bytes.toString('latin1')}\n`);
        }
      }
    }
  } finally {
    stop.abort();
    await ended;
  }
  return isWell;
}

/**
 * Runs a command to its end.
 *
 * @param argv its name and what follows.
 * @returns what the program would answer.
 * @throws what the program would call a bug of its own.
 */
export async function runHere([name = '', ...argv]: string[]): Promise<CliResult> {
  const command = COMMANDS[name];
  if (!command) throw new Error(`${name} is not a command that can be run here`);
  const printed = { stdout: '', stderr: '' };
  const stream = (which: keyof typeof printed) =>
    new Writable({
      write(chunk, _, done) {
        printed[which] += chunk;
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const signal = new AbortController().signal;
  const surroundings = { stdout: stream('stdout'), stderr: stream('stderr'), signal };
  let exitStatus: number;
  try {
    exitStatus = (await command(argv, surroundings)) ? 0 : 1;
  } catch (error) {
    if (!isExpected(error)) throw error;
    printed.stderr += `bookgrid: ${(error as Error).message}\n`;
    exitStatus = error instanceof UsageError ? 2 : 1;
  }
  return { status: exitStatus, signal: null, ...printed };
}

/** Whether the program tells of an error in words, without a stack. */
function isExpected(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  const codes = [code, (cause as NodeJS.ErrnoException | undefined)?.code];
  return error instanceof UsageError || error instanceof StorageError || codes.some((told) => told !== undefined);
}

/** The same without waiting for a disk to sync what is below a folder. */
export async function runUndisturbed(argv: string[], folder: string): Promise<CliResult> {
  const restore = disturbCalls(folder, () => undefined);
  try {
    return await runHere(argv);
  } finally {
    restore();
  }
}
