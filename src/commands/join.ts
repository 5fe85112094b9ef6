import { formatInterval } from '../base/time.js';
import { UsageError } from '../base/usage-error.js';
import type { FoundOutput } from '../catalog/find-outputs.js';
import { askForNotes } from '../catalog/inventory.js';
import { type Records, readRecords } from '../catalog/records.js';
import { type JoinOutcome, jsonJoinReporter, textJoinReporter } from '../console/join-report.js';
import { lineWriter, type Surroundings } from '../console/surroundings.js';
import type { DayFile } from '../join/day-file.js';
import { type Days, findDays } from '../join/day-files.js';
import { joinDays } from '../join/join-days.js';
import { JoinError } from '../join/join-error.js';
import { openStorage } from '../storage/open-storage.js';
import { StorageError } from '../storage/storage.js';
import type { JoinOptions } from './join-options.js';

/** A file that was asked for. */
type Wanted = Pick<JoinOutcome, 'symbol' | 'market' | 'depth' | 'interval'>;
/** … and what it will be made of. */
type Prepared = Wanted & Required<Pick<JoinOutcome, 'days' | 'outputPath'>>;
/** … or why it cannot be. */
type Refused = Wanted & Required<Pick<JoinOutcome, 'problem'>>;

/**
 * Joins days, a file for each symbol, market and depth, and tells what became of each. One that cannot be made does not keep
 * the others from being made.
 *
 * @returns whether all were written.
 * @throws {@link UsageError} when none can be: there is nothing to join, or the files exist.
 */
export async function join(options: JoinOptions, { stdout, stderr, signal }: Surroundings): Promise<boolean> {
  const all = await Promise.all(listWanted(options).map((wanted) => prepare(wanted, options)));
  const refused = all.filter((file) => 'problem' in file);
  if (refused.length === all.length) {
    throw new UsageError([...new Set(refused.map(({ problem }) => problem))].join('\n'));
  }
  const records = await readRecords(options.outputDir);
  const [write, warn] = [lineWriter(stdout), lineWriter(stderr)];
  const report = options.json ? jsonJoinReporter(write) : textJoinReporter(write, warn, { hasSeveral: all.length > 1 });
  let written = 0;
  for (const file of all) {
    const outcome = 'problem' in file ? file : await make(file, records, options, signal);
    if (!outcome) break;
    report(outcome);
    if ('result' in outcome && outcome.result?.isWritten) written++;
  }
  if (signal.aborted) {
    const what = written === 0 ? 'Nothing was written' : `${written} of ${all.length} files were written`;
    warn(`Stopped by ${signal.reason}. ${what}.`);
  }
  return written === all.length;
}

function listWanted({ symbols, markets, depths, intervalMs }: JoinOptions): Wanted[] {
  const interval = formatInterval(intervalMs);
  const ofMarkets = symbols.flatMap((symbol): Wanted[] =>
    markets.length === 0 ? [{ symbol, interval }] : markets.map((market) => ({ symbol, market, interval })),
  );
  return ofMarkets.flatMap((wanted) => (depths.length === 0 ? wanted : depths.map((depth) => ({ ...wanted, depth }))));
}

async function prepare(wanted: Wanted, options: JoinOptions): Promise<Prepared | Refused> {
  try {
    const days = await findDays({ ...options, ...wanted });
    const outputPath = options.output ?? defaultName(wanted, days);
    await checkOutput(outputPath, days, options);
    return { ...wanted, days, outputPath };
  } catch (error) {
    if (error instanceof UsageError) return { ...wanted, problem: error.message };
    throw error;
  }
}

/** Answers with nothing when it was stopped. */
async function make(
  file: Prepared,
  records: Records,
  { intervalMs, strict }: JoinOptions,
  signal: AbortSignal,
): Promise<JoinOutcome | undefined> {
  const { days, outputPath } = file;
  const byPath = new Map(days.files.map((day) => [day.path, day]));
  const isAsWritten = (path: string, sha256: string) => records.isAsWritten(byPath.get(path) as FoundOutput, sha256);
  try {
    await askForNotes(days.files, records);
    const result = await joinDays(days.files, { ...days, intervalMs, outputPath, strict, isAsWritten }, signal);
    return { ...file, result, ...(result.isWritten ? {} : { problem: 'rows are missing, and --strict was given' }) };
  } catch (error) {
    if (signal.aborted) return undefined;
    const isOfSystem = error instanceof StorageError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!(error instanceof JoinError) && !isOfSystem) throw error;
    return { ...file, problem: `${(error as Error).message}. Nothing was written for ${outputPath}.` };
  }
}

/**
 * `BTCUSDT_2025-01-01_2025-01-31_ob200_1m.csv`; of metrics without `ob200`, as the days’ own names; of a market with it in
 * front, since the days of all markets are named alike.
 */
function defaultName({ symbol, interval }: Wanted, { market, from, to, depth, format }: Days): string {
  const parts = [
    ...(market === undefined ? [] : [market]),
    symbol,
    from,
    to,
    ...(depth === undefined ? [] : [`ob${depth}`]),
    interval,
  ];
  return `${parts.join('_')}.${format}`;
}

async function checkOutput(outputPath: string, { files, format }: Days, { overwrite }: JoinOptions): Promise<void> {
  if (!outputPath.endsWith(`.${format}`)) {
    throw new UsageError(
      `--output ${outputPath} must end in .${format}, which is what the days are; join does not convert`,
    );
  }
  const there = await openStorage(outputPath).look(outputPath);
  if (!there) return;
  if (there.kind === 'folder') throw new UsageError(`--output ${outputPath} is a folder, a file was expected`);
  if (there.kind === 'unusable') throw new UsageError(`--output ${outputPath}: ${there.problem}`);
  if (await isOneOf(files, there.id)) throw new UsageError(`--output ${outputPath} is one of the days to join`);
  if (!overwrite)
    throw new UsageError(`${outputPath} exists. Write it again with --overwrite, or another one with --output`);
}

async function isOneOf(files: DayFile[], id: string): Promise<boolean> {
  for (const { path } of files) {
    const day = await openStorage(path).look(path);
    if (day?.kind === 'file' && day.id === id) return true;
  }
  return false;
}
