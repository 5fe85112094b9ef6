import { ArchiveError } from '../archive/archive-error.js';
import { UsageError } from '../base/usage-error.js';
import { type ArchiveFile, findArchives } from '../catalog/find-archives.js';
import { lookUpOutputs } from '../catalog/inventory.js';
import { clean } from '../console/clean-text.js';
import { noDownloadProgress, showDownload } from '../console/download-progress.js';
import {
  DownloadJson,
  type DownloadReporter,
  DownloadTally,
  DownloadText,
  printDownloadPlan,
} from '../console/download-report.js';
import { formatBytes } from '../console/format-bytes.js';
import { LiveLine } from '../console/live-line.js';
import { type Ending, JsonReporter, type Reporter, Tally, TextReporter } from '../console/report.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import { canRedraw, fittedWriter, hasColors, hasEscapes, isPipe } from '../console/terminal.js';
import { ConflictError } from '../convert/conflicts.js';
import { checkArchive } from '../download/check-archive.js';
import type { Conversion } from '../download/convert-arrivals.js';
import {
  type DownloadEnding,
  type DownloadPlan,
  download as fetchAll,
  measureRoom,
  type PlannedFile,
  prepare,
  type Room,
  sizeOf,
} from '../download/download.js';
import { defaultWorkers } from '../executors/default-workers.js';
import { workerThreadsExecutor } from '../executors/worker-threads.js';
import { CONFLICT_WORDING, type ConvertOptions } from './convert-options.js';
import type { DownloadLine } from './download-options.js';
import { requireWritable } from './require-writable.js';

type Fetching = Extract<DownloadLine, { action: 'download' }>;
type Checking = Extract<DownloadLine, { action: 'check' }>;

/**
 * Fetches archives, and converts them on request; or checks those that are there.
 *
 * @returns whether all is well.
 * @throws {@link UsageError} when nothing is published of what is wanted, or there is no room for it.
 */
export async function download(line: DownloadLine, surroundings: Surroundings): Promise<boolean> {
  try {
    return await (line.action === 'check' ? check(line, surroundings) : fetchWanted(line, surroundings));
  } catch (error) {
    if (!surroundings.signal.aborted) throw error;
    return false; // stopped before there was anything to tell of
  }
}

async function fetchWanted(line: Fetching, surroundings: Surroundings): Promise<boolean> {
  const { stdout, stderr, signal } = surroundings;
  const write = lineWriter(stdout);
  const warn = lineWriter(stderr);
  const conversion = line.convert && (await openConversion(line.convert, line));
  const plan = await prepareOrRefuse(line, { signal, conversion });
  for (const note of describeOddities(plan, line)) warn(clean(note));
  if (plan.files.length === 0) throw new UsageError(describeNothing(line));
  const room = await measureRoom(plan.files, line.sourceDir, line.deletesAfter ? atATime(line) : undefined);
  if (line.dryRun) {
    printDownloadPlan(plan, room, write, line);
    return true;
  }
  requireRoom(room, line);
  const color = hasColors(stdout);
  const tell = fittedWriter(stdout);
  const reporter: DownloadReporter = line.json
    ? new DownloadJson(write)
    : new DownloadText(tell, { color, converts: conversion !== undefined });
  reporter.start(plan, room);
  await requireWritable('source', line.sourceDir);
  if (line.convert) {
    const { tempDir, outputDir } = line.convert.what;
    if (tempDir !== undefined) await requireWritable('temp', tempDir);
    await requireWritable('output', outputDir);
  }

  const tally = new DownloadTally(plan.files.length);
  const total = plan.files.length;
  const converted = new Tally(total);
  const conversions: Reporter = line.json ? new JsonReporter(write) : new TextReporter(tell, { color, total });
  const isLive = !line.json && canRedraw(stderr);
  const state = () => progressOf(plan.files, tally);
  const progress = isLive
    ? showDownload(new LiveLine(stderr, { hasEscapes: hasEscapes() }), state, { isPiped: isPipe(stdout) })
    : noDownloadProgress;
  let arrived = 0;
  let ending: DownloadEnding;
  try {
    ending = await fetchAll(plan, line, {
      signal,
      onBytes: (bytes) => progress.received(bytes),
      onFile: (file, outcome) => {
        tally.add(outcome);
        if ('path' in outcome) arrived++;
        progress.above(() => reporter.file(file, outcome));
      },
      onWait: (archives) => progress.above(() => reporter.waiting(archives)),
      ...(conversion && {
        conversion: {
          ...conversion,
          onOutcome: (outcome) => {
            converted.add(outcome);
            progress.above(() => conversions.outcome(outcome));
          },
          onOtherRun: (other) => progress.above(() => conversions.otherRun(other)),
          onDeleted: (path, problem) =>
            progress.above(() => {
              if (problem === undefined) reporter.deleted(path);
              else warn(clean(`Note: ${path} could not be removed: ${problem}`));
            }),
        },
      }),
    });
  } finally {
    progress.stop();
  }
  const summary = tally.summary();
  reporter.summary(summary, ending);
  if (conversion) {
    const left = arrived - converted.settled;
    conversions.summary({ ...converted.summary(), total: arrived, left }, endingOf(ending));
  }
  if (ending.kind === 'complete' && summary.absent === summary.total) throw new UsageError(describeNothing(line));
  return ending.kind === 'complete' && summary.failed === 0 && converted.failed === 0;
}

/** How many archives are there at a time, at most, where each is removed when it has been converted. */
function atATime({ connections, convert }: Fetching): number {
  return connections + 3 * (convert?.workers ?? defaultWorkers().workers);
}

async function openConversion(options: ConvertOptions, { deletesAfter, symbols }: Fetching): Promise<Conversion> {
  const { what, workers = defaultWorkers().workers, stallTimeoutMs } = options;
  const outputs = await lookUpOutputs(what.outputDir, { symbols, readContents: true });
  // Also a single one is a thread of its own: this thread has to take in what comes.
  return { what, outputs, executor: workerThreadsExecutor({ slots: workers, stallTimeoutMs }), deletesAfter };
}

/** The plan, or a refusal in the words of the command line. */
async function prepareOrRefuse(line: Fetching, hooks: Parameters<typeof prepare>[1]): Promise<DownloadPlan> {
  try {
    return await prepare(line, hooks);
  } catch (error) {
    throw error instanceof ConflictError ? new ConflictError(error.conflicts, CONFLICT_WORDING) : error;
  }
}

function progressOf(files: readonly PlannedFile[], tally: DownloadTally) {
  const sizes = files.filter(({ action }) => action === 'fetch').map(sizeOf);
  const isKnown = sizes.every((size) => size !== undefined);
  const totalBytes = isKnown ? sizes.reduce((sum: number, size) => sum + (size ?? 0), 0) : undefined;
  return { total: files.length, settled: tally.settled, failed: tally.failed, totalBytes };
}

function endingOf(ending: DownloadEnding): Ending {
  if (ending.kind === 'interrupted') return { kind: 'interrupted', signal: String(ending.reason) };
  return { kind: ending.kind === 'disk-full' ? 'disk-full' : 'complete' };
}

/** What the user may not have meant, or should know, a line each. */
function describeOddities(
  { days, listProblem, homeless }: DownloadPlan,
  { market, listUrl, from }: Fetching,
): string[] {
  const notes: string[] = [];
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const { tooEarly, tooLate, days: available } = days;
  if (tooEarly > 0) {
    notes.push(
      `Note: of ${market}, nothing is published before ${available[0] ?? 'that'}: ${count(tooEarly, 'day')} left out, from ${from} on.`,
    );
  }
  if (tooLate > 0)
    notes.push(
      `Note: ${count(tooLate, 'day')} left out that ${tooLate === 1 ? 'has' : 'have'} not ended: an archive is published some hours after its day.`,
    );
  if (listProblem !== undefined) {
    notes.push(
      `Note: the list service at ${listUrl} did not help (${listProblem}). Sizes are not known beforehand, and depths are those that the days are known to have.`,
    );
  }
  const [first] = homeless;
  if (first) {
    notes.push(
      `Note: ${count(homeless.length, 'archive')} with the same name ${homeless.length === 1 ? 'lies' : 'lie'} in no folder of a market, such as ${first.path}: not taken for ${market}. If they are, move them below a folder ${market}.`,
    );
  }
  return notes;
}

function describeNothing({ symbols, market, from, to }: Fetching): string {
  return (
    `Nothing is published of ${symbols.join(', ')} in ${market} from ${from} to ${to}, as far as can be seen. Symbols are written as ` +
    'Bybit does, BTCUSDT; --market linear, inverse or spot says which market they are of. A day appears some hours after it has ended.'
  );
}

function requireRoom({ neededBytes, freeBytes }: Room, { sourceDir, convert, deletesAfter }: Fetching): void {
  if (freeBytes === undefined || neededBytes <= freeBytes) return;
  const smaller =
    convert && deletesAfter
      ? ''
      : ', or let each archive be removed when it has been converted: --convert --delete-after';
  throw new UsageError(
    `There is not enough room for the archives below ${sourceDir}: ${formatBytes(neededBytes)} are to be fetched, ` +
      `${formatBytes(freeBytes)} are free. Free some, choose fewer days or symbols${smaller}.`,
  );
}

/** Reads every archive that is there, and names those that are not whole. */
async function check(line: Checking, { stdout, signal }: Surroundings): Promise<boolean> {
  const { sourceDir, json } = line;
  const write = lineWriter(stdout);
  const { archives, unusable } = await findArchives(sourceDir);
  const counts = { whole: 0, damaged: 0, unread: 0 };
  const tell = (
    { path, market, pair, date }: Pick<ArchiveFile, 'path' | 'market' | 'pair'> & { date?: string },
    { state, problem }: Checked,
  ) => {
    counts[state]++;
    if (json) write(JSON.stringify({ event: 'check', path, market, pair, date, state, problem }));
    else if (state !== 'whole') write(clean(`${state.toUpperCase().padEnd(7)} ${path}: ${problem}`));
  };
  for (const file of unusable.filter((file) => isWanted(file, line))) {
    tell(file, { state: 'damaged', problem: file.problem });
  }
  for (const archive of archives.filter((file) => isWanted(file, line))) {
    tell(archive, await checked(archive, signal));
  }
  const total = counts.whole + counts.damaged + counts.unread;
  if (total === 0) throw new UsageError(`No archive found below ${sourceDir} of those asked for.`);
  if (json) write(JSON.stringify({ event: 'check-summary', total, ...counts }));
  else {
    write(`Archives that are whole: ${counts.whole}`);
    write(`Damaged: ${counts.damaged}${counts.damaged > 0 ? ' (remove them, and run the download again)' : ''}`);
    if (counts.unread > 0) write(`Not to be read now, so nothing is known of them: ${counts.unread}`);
  }
  return counts.damaged + counts.unread === 0;
}

/** What was found of an archive. `unread`: the disk or the network is at fault, which says nothing of what is in it. */
interface Checked {
  state: 'whole' | 'damaged' | 'unread';
  problem?: string;
}

async function checked(archive: ArchiveFile, signal: AbortSignal): Promise<Checked> {
  try {
    await checkArchive(archive.path, archive, signal);
    return { state: 'whole' };
  } catch (error) {
    signal.throwIfAborted();
    const problem = (error as Error).message.replace(`${archive.path}: `, '');
    return { state: error instanceof ArchiveError ? 'damaged' : 'unread', problem };
  }
}

function isWanted(
  { market, pair, date = '' }: { market?: string; pair: string; date?: string },
  { market: wanted, symbols, from = '', to = '9999-12-31' }: Checking,
): boolean {
  const isDay = date === '' || (date >= from && date <= to);
  return isDay && (wanted === undefined || market === wanted) && (symbols?.includes(pair) ?? true);
}
