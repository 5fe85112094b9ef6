// Not `import … from`: that searches the text of a CommonJS package for its exports first, for 10 to 30 ms.
import commander = require('commander');

import { type AuditEvent, audit, inOrder, tellDays, tellMissing } from '../audit/audit.js';
import type { ArchiveFindings } from '../audit/findings.js';
import { readRecordedFindings } from '../audit/read-records.js';
import { Tally } from '../audit/totals.js';
import { UsageError } from '../base/usage-error.js';
import {
  type ArchiveFile,
  type FoundArchives,
  findArchives,
  identifyArchives,
  noArchives,
  searchArchives,
} from '../catalog/find-archives.js';
import { isOfMarket, type MarketChoice, type MarketName } from '../catalog/market.js';
import { RECORDS_FILE, recordsPath } from '../catalog/records.js';
import { AUDIT_FORMATS, type AuditFormat, createAuditWriter } from '../console/audit-formats.js';
import { clean } from '../console/clean-text.js';
import { LiveLine } from '../console/live-line.js';
import { parseFolder, parseWhole } from '../console/option-values.js';
import { noProgress, showProgress, type Work } from '../console/progress.js';
import { addS3Options, checkDays, MORE, newCommand, sharedOptions, takeS3Options } from '../console/shared-options.js';
import { hasRoom, lineWriter, type Surroundings } from '../console/surroundings.js';
import { canRedraw, hasEscapes, isPipe } from '../console/terminal.js';
import { defaultWorkers } from '../executors/default-workers.js';
import { openStorage, stageAlone } from '../storage/open-storage.js';

/** The command line of `bookgrid audit`, read and checked. */
export interface AuditOptions {
  /** Folders and archives, as given; empty: what the options say. */
  paths: string[];
  sourceDir: string;
  outputDir: string;
  quick?: true;
  market?: MarketChoice[];
  symbols?: string[];
  from?: string;
  to?: string;
  format: AuditFormat;
  output?: string;
  /** Absent: as many as the machine has room for. */
  workers?: number;
}

const MAX_WORKERS = 1024;

const EXPLANATION = `
PATH is a folder of archives, an archive, or an output folder: one in which ${RECORDS_FILE} lies.
Without one, the archives below --source-dir are read; with --quick, the records of --output-dir.

Each line of the table is a day. Its verdict is ok, or in capitals what is broken, and then what is
worth knowing; the lines beneath say it in numbers. SUSPECT is how long the book may be wrong, from a
break in u to the next snapshot; MED/P99 is ts - cts; NEXT DAY says whether the next file goes on.
The page docs/audit.md defines all of it, and tells what it means for a backtest.

Examples:
  bookgrid audit --source-dir archives --symbols BTCUSDT
  bookgrid audit archives --format html -o audit.html
  bookgrid audit --quick snapshots --format csv -o audit.csv

Exit status: 0 nothing is broken, 1 something is, 2 wrong usage or nothing to audit, 130 after Ctrl+C.`;

/** The command line of `bookgrid audit` as commander knows it. */
export function buildAuditCommand(): commander.Command {
  const command = newCommand('bookgrid audit')
    .usage('[PATH…] [options]')
    .argument('[PATH...]')
    .description('Reads archives whole, and tells of each day what a backtest must know of its data. Changes nothing.')
    .addOption(sharedOptions.sourceDir('Folder of archives, when no PATH is given.'))
    .addOption(sharedOptions.outputDir('Folder that convert writes to, for --quick without a PATH.'))
    .option('--quick', `Read no archive, only the counts that ${RECORDS_FILE} has of each. Takes seconds.`)
    .addOption(sharedOptions.market())
    .addOption(sharedOptions.symbols())
    .addOption(sharedOptions.from())
    .addOption(sharedOptions.to())
    .addOption(
      new commander.Option('--format <name>', 'What to write. html is one page with charts, without a script.')
        .choices(AUDIT_FORMATS)
        .default('table'),
    )
    .option('-o, --output <file>', 'File to write to. parquet needs one. (default: standard output)', parseFolder)
    .addOption(
      new commander.Option(
        '--workers <n>',
        'Archives read at a time; 1 runs in the main thread. (default: as convert has it)',
      )
        .argParser((text) => parseWhole(text, MAX_WORKERS, 'a number of workers'))
        .helpGroup(MORE),
    )
    .addHelpText('after', EXPLANATION);
  return addS3Options(command);
}

/**
 * Reads the command line of `bookgrid audit`.
 *
 * @param argv what the user wrote after the command's name.
 * @throws CommanderError when commander has already printed (help, a wrong option).
 * @throws {@link UsageError} for combinations that cannot be.
 */
export function parseAuditLine(argv: string[]): AuditOptions {
  const command = buildAuditCommand().parse(argv, { from: 'user' });
  takeS3Options(command);
  const options = { ...command.opts<Omit<AuditOptions, 'paths'>>(), paths: command.args };
  checkDays(options);
  if (options.format === 'parquet' && options.output === undefined) {
    throw new UsageError('--format parquet writes no text: say where to, with -o FILE');
  }
  return options;
}

/**
 * Audits archives, or records, and writes what was found.
 *
 * @returns whether nothing is broken.
 * @throws {@link UsageError} when there is nothing to audit.
 */
export async function runAudit(options: AuditOptions, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const warn = lineWriter(stderr);
  const { archives, recorded } = await look(options);
  const isWanted = wantedBy(options);
  const [wanted, unusable] = [archives.archives.filter(isWanted), archives.unusable.filter(isWanted)];
  const records = recorded.filter(isWanted).sort(inOrder);
  if (wanted.length + unusable.length + records.length === 0) throw new UsageError(describeNothing(options));
  const ignored = archives.ignored.length;
  if (ignored > 0) {
    warn(
      clean(`Note: passed over ${ignored} files that are no archives by their name, such as ${archives.ignored[0]}`),
    );
  }
  const { workers = defaultWorkers().workers } = options;
  const tally = new Tally();
  const writer = await createAuditWriter(options.format);
  const target = await openTarget(options.output, stdout);
  const progress = canRedraw(stderr)
    ? showProgress(new LiveLine(stderr, { hasEscapes: hasEscapes() }), workOf(wanted), tally, {
        isPiped: isPipe(stdout),
      })
    : noProgress;
  async function* events(): AsyncGenerator<AuditEvent> {
    yield* tellDays(records);
    yield* tellMissing(records);
    yield* audit(wanted, unusable, { workers, onRead: (bytes) => progress.read(bytes), signal });
  }
  try {
    progress.above(() => target.write(writer.begin()));
    for await (const event of events()) {
      tally.add(event);
      progress.above(() => target.write(writer.add(event)));
      await target.hasRoom();
    }
    progress.stop();
    if (signal.aborted) {
      warn(`Stopped by ${signal.reason}. ${tally.totals.archives} of ${wanted.length} archives were told of.`);
      return false;
    }
    target.write(await writer.end(tally.totals));
    await target.finish();
  } finally {
    progress.stop();
    target.discard();
  }
  return tally.isSound;
}

function workOf(archives: readonly ArchiveFile[]): Work {
  return { archives: archives.length, bytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

/** What there is to audit: archives, and what records tell. */
interface Subjects {
  archives: FoundArchives;
  recorded: ArchiveFindings[];
}

async function look(options: AuditOptions): Promise<Subjects> {
  const { paths, sourceDir, outputDir, quick, market } = options;
  if (paths.length === 0) {
    if (quick) return { archives: noArchives(), recorded: await readFolderRecords(outputDir) };
    return { archives: await findArchives(sourceDir), recorded: [] };
  }
  const archives = noArchives();
  const recorded: ArchiveFindings[] = [];
  for (const path of new Set(paths)) {
    const entry = await openStorage(path).look(path);
    const isFolder = entry?.kind === 'folder';
    if (quick && entry && !isFolder) {
      throw new UsageError(`--quick reads the records of an output folder, and ${path} is none`);
    }
    if (isFolder && (quick || (await hasRecords(path)))) {
      for (const found of await readFolderRecords(path)) recorded.push(found);
      continue;
    }
    if (isFolder) {
      await searchArchives(path, archives);
      continue;
    }
    const found = await identifyArchives([path], market);
    archives.archives.push(...found.archives);
    archives.unusable.push(...found.unusable);
    archives.ignored.push(...found.ignored);
  }
  return { archives, recorded };
}

async function hasRecords(folder: string): Promise<boolean> {
  const file = recordsPath(folder);
  return (await openStorage(file).look(file)) !== undefined;
}

async function readFolderRecords(folder: string): Promise<ArchiveFindings[]> {
  if (!(await hasRecords(folder))) {
    throw new UsageError(
      `No ${RECORDS_FILE} in ${folder}, which convert leaves where it writes to. Say where that is, or leave --quick out to read archives.`,
    );
  }
  return readRecordedFindings(folder);
}

interface Named {
  market?: MarketName;
  pair: string;
  date?: string;
}

/** By --market, --symbols, --from and --to. What is not known of something that cannot be looked at may be wanted. */
function wantedBy({ market: markets, symbols, from, to }: AuditOptions): (named: Named) => boolean {
  return ({ market, pair, date }) =>
    isOfMarket(market, markets) &&
    (symbols?.includes(pair) ?? true) &&
    (from === undefined || date === undefined || date >= from) &&
    (to === undefined || date === undefined || date <= to);
}

function describeNothing({ paths, sourceDir, outputDir, quick }: AuditOptions): string {
  const where = paths.length > 0 ? paths.join(', ') : quick ? outputDir : sourceDir;
  return (
    `Nothing to audit in ${where}: no archive named DATE_SYMBOL_obN.data.zip (or .gz, .data) and no record of one, ` +
    'or none that --market, --symbols, --from and --to ask for. bookgrid audit --help explains.'
  );
}

/** Where findings go. A file appears when it is whole. */
interface Target {
  write(piece: string | Uint8Array): void;
  /** Waits until more can be written that does not stay in memory. */
  hasRoom(): Promise<void>;
  finish(): Promise<void>;
  discard(): void;
}

async function openTarget(output: string | undefined, stdout: NodeJS.WriteStream): Promise<Target> {
  if (output === undefined) {
    return {
      write: (piece) => void (piece.length > 0 && stdout.write(piece)),
      hasRoom: () => hasRoom(stdout),
      async finish() {},
      discard() {},
    };
  }
  if ((await openStorage(output).look(output))?.kind === 'folder') {
    throw new UsageError(`-o ${output} is a folder, a file was expected`);
  }
  const file = await stageAlone(output);
  return {
    write: (piece) => file.write(typeof piece === 'string' ? Buffer.from(piece) : piece),
    async hasRoom() {},
    async finish() {
      file.flush();
      await file.publish();
    },
    discard: () => file.discard(),
  };
}
