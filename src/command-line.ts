/** The command line: argv to a command, errors and signals to an exit status. */
import fs from 'node:fs';
import { endProcess } from './base/process-end.js';
import { UsageError } from './base/usage-error.js';
import { VERSION } from './base/version.js';
import { clean } from './console/clean-text.js';
import { listCommands, type NamedCommand, suggestCommand } from './console/command-list.js';
import { CommanderError } from './console/shared-options.js';
import { drained, lineWriter, listenForStop, type Surroundings, stopStatus } from './console/surroundings.js';
import { schemeOf } from './storage/paths.js';
import { StorageError } from './storage/storage.js';

interface Command extends NamedCommand {
  /**
   * Loads what it needs only when it runs, and that only when its options have been read: help and a wrong option are
   * answered at once.
   *
   * @param argv what stands after the command's name.
   * @returns the exit status.
   */
  run(argv: string[], surroundings: Surroundings): Promise<number>;
}

/** What the first word can say, in the order of the help. Without any of these it is `convert`. */
const COMMANDS: readonly Command[] = [
  { name: 'convert', summary: 'Turns archives into snapshots. The word can be left out.', run: runConvert },
  {
    name: 'download',
    summary: 'Fetches archives from Bybit, and checks them; converts them on request.',
    async run(argv, surroundings) {
      const { parseDownloadLine } = await import('./commands/download-options.js');
      const line = parseDownloadLine(argv);
      const { download } = await import('./commands/download.js');
      return (await download(line, surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'status',
    summary: 'Shows what is there, by symbol and month: days done, missing, stale, failed.',
    async run(argv, surroundings) {
      const { parseStatusLine, status } = await import('./commands/status.js');
      await status(parseStatusLine(argv), surroundings);
      return 0;
    },
  },
  {
    name: 'join',
    summary: 'Joins the days of a symbol into one file, and says which are missing.',
    async run(argv, surroundings) {
      const { parseJoinLine } = await import('./commands/join-options.js');
      const options = parseJoinLine(argv);
      const { join } = await import('./commands/join.js');
      return (await join(options, surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'peek',
    summary: 'Shows the book of one row, or of an archive at any instant, as a ladder.',
    async run(argv, surroundings) {
      const { parsePeekLine, peek } = await import('./commands/peek.js');
      return (await peek(parsePeekLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'plot',
    summary: 'Draws a day, or several, as a heatmap with its spread: an SVG or a PNG.',
    async run(argv, surroundings) {
      const { parsePlotLine, plot } = await import('./commands/plot.js');
      return (await plot(parsePlotLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'view',
    summary: 'Shows outputs in a page on this machine: heatmap, ladder, quality.',
    async run(argv, surroundings) {
      const { parseViewLine, view } = await import('./commands/view.js');
      await view(parseViewLine(argv), surroundings);
      return 0;
    },
  },
  {
    name: 'verify',
    summary: 'Reads all outputs and compares them with what was written.',
    async run(argv, surroundings) {
      const { parseVerifyLine, verify } = await import('./commands/verify.js');
      return (await verify(parseVerifyLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'audit',
    summary: 'Reads archives, and tells what is wrong or odd in them, by day.',
    async run(argv, surroundings) {
      const { parseAuditLine, runAudit } = await import('./commands/audit.js');
      return (await runAudit(parseAuditLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'submit',
    summary: 'Puts a job for each archive into a queue, for workers on many machines.',
    async run(argv, surroundings) {
      const { parseSubmitLine, submit } = await import('./commands/submit.js');
      await submit(parseSubmitLine(argv), surroundings);
      return 0;
    },
  },
  {
    name: 'worker',
    summary: 'Takes jobs from a queue and converts them.',
    async run(argv, surroundings) {
      const { parseWorkerLine, worker } = await import('./commands/worker.js');
      return (await worker(parseWorkerLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'watch',
    summary: 'Shows how far a queue is, and who works on it.',
    async run(argv, surroundings) {
      const { parseWatchLine, watch } = await import('./commands/watch.js');
      return (await watch(parseWatchLine(argv), surroundings)) ? 0 : 1;
    },
  },
  {
    name: 'retry',
    summary: 'Lets the failed jobs of a queue be tried again.',
    async run(argv, surroundings) {
      const { parseRetryLine, retry } = await import('./commands/retry.js');
      await retry(parseRetryLine(argv), surroundings);
      return 0;
    },
  },
  { name: 'help', summary: 'Explains a command: bookgrid help status.', run: runHelp },
  {
    name: 'version',
    summary: 'Prints the version.',
    async run(_, { stdout }) {
      lineWriter(stdout)(VERSION);
      return 0;
    },
  },
];

const findCommand = (word: string | undefined) => COMMANDS.find(({ name }) => name === word);

async function main(argv: string[]): Promise<number> {
  const surroundings = { stdout: process.stdout, stderr: process.stderr, signal: listenForStop() };
  try {
    const status = await runFirstWord(argv, surroundings);
    return surroundings.signal.aborted ? stopStatus(surroundings.signal) : status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (surroundings.signal.aborted && error === surroundings.signal.reason) return stopStatus(surroundings.signal);
    const message = error instanceof UsageError ? error.message : describeFailure(error);
    process.stderr.write(`bookgrid: ${message.split('\n').map(clean).join('\n')}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function runFirstWord(argv: string[], surroundings: Surroundings): Promise<number> {
  const [word, ...rest] = argv;
  const command = findCommand(word);
  if (command) return command.run(rest, surroundings);
  if (word === undefined || word.startsWith('-') || (await isMeantAsArchive(word)))
    return runConvert(argv, surroundings);
  throw new UsageError(
    describeUnknown(word, 'is neither a command nor a file') +
      '\nTo convert archives, give the paths of .zip, .gz or .data files, or their folder with --source-dir DIR.',
  );
}

/** Whether convert can say more of it than that it is no command. */
async function isMeantAsArchive(word: string): Promise<boolean> {
  const { ARCHIVE_ENDINGS } = await import('./archive/open-archive.js');
  return schemeOf(word) !== undefined || fs.existsSync(word) || ARCHIVE_ENDINGS.some((ending) => word.endsWith(ending));
}

async function runConvert(argv: string[], surroundings: Surroundings): Promise<number> {
  const { parseConvertLine } = await import('./commands/convert-options.js');
  const options = parseConvertLine(argv, listCommands(COMMANDS));
  const late = options.archives.find((word) => findCommand(word) && !fs.existsSync(word));
  if (late !== undefined) {
    throw new UsageError(`${late} is a command, and a command comes first: bookgrid ${late} … (bookgrid help ${late})`);
  }
  if (options.test) {
    const { selfTest } = await import('./commands/self-test.js');
    return (await selfTest(options, surroundings)) ? 0 : 1;
  }
  const { convert } = await import('./commands/convert.js');
  const summary = await convert(options, surroundings);
  return summary && summary.failed > 0 ? 1 : 0;
}

/** The help of a command is its own; that of `convert`, `help` and `version` is the program's. */
async function runHelp([word]: string[], surroundings: Surroundings): Promise<number> {
  const command = findCommand(word);
  if (word !== undefined && !word.startsWith('-') && !command) {
    throw new UsageError(`${describeUnknown(word, 'is no command')}\nTry bookgrid help COMMAND, or bookgrid --help.`);
  }
  const hasOwnHelp = command && !['help', 'version'].includes(command.name);
  return hasOwnHelp ? command.run(['--help'], surroundings) : runConvert(['--help'], surroundings);
}

function describeUnknown(word: string, problem: string): string {
  const suggestion = suggestCommand(word, COMMANDS);
  return [`${word} ${problem}.${suggestion && ` ${suggestion}`}`, 'Commands:', ...listCommands(COMMANDS)].join('\n');
}

function describeFailure(error: unknown): string {
  const { code, cause, message, stack } = error as NodeJS.ErrnoException;
  const isOfSystem =
    error instanceof StorageError ||
    code !== undefined ||
    (cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
  return isOfSystem ? message : (stack ?? String(error));
}

async function exit(status: number): Promise<void> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  // Not left to Node to notice that nothing is left to do: once in a thousand runs it has waited for a thread of V8 for ever.
  endProcess(status);
}

void main(process.argv.slice(2)).then(exit);
