/** Converts archives as they arrive, in the same way as a run that finds them all there: plan, job, record. */
import { type ArchiveFile, noArchives } from '../catalog/find-archives.js';
import { Outputs } from '../catalog/inventory.js';
import { stagingFolderOf } from '../catalog/output-name.js';
import type { Executor } from '../convert/executor.js';
import type { PlanOptions } from '../convert/options.js';
import { outputsOf, type PlanEntry, plan } from '../convert/plan.js';
import { type Outcome, type RunHooks, run } from '../convert/run.js';
import { openStorage, sweepFolders } from '../storage/open-storage.js';
import { newRunId } from '../storage/staging.js';
import type { Candidate, WantedFile } from './plan-downloads.js';

/** How archives are converted. */
export interface Conversion {
  what: PlanOptions;
  /** What is there, looked up before the first archive came. */
  outputs: Outputs;
  executor: Executor;
  /** Removes archives whose outputs are whole. */
  deletesAfter: boolean;
}

export interface ArrivalHooks {
  signal: AbortSignal;
  onOutcome: (outcome: Outcome) => void;
  /** Hears once of each other run that is converting one of the archives. */
  onOtherRun: (run: OtherRun) => void;
  /** An archive was removed, or why it could not be. */
  onDeleted: (path: string, problem?: string) => void;
}

/** An archive that is there. */
export interface Arrival {
  /** Its place in the plan of downloads. */
  number: number;
  archive: ArchiveFile;
  /** It lies where downloads put it: what others have put elsewhere is never removed. */
  isOwn: boolean;
}

type OtherRun = Parameters<NonNullable<RunHooks['onOtherRun']>>[0];

/** How many archives may wait, for each that is converted: no more are fetched then, for those whose disk is small. */
const WAITING_PER_SLOT = 2;

/** Converts archives that are added, several at a time. */
export class Arrivals {
  readonly #conversion: Conversion;
  readonly #sourceDir: string;
  readonly #hooks: ArrivalHooks;
  readonly #queue: Arrival[] = [];
  readonly #working = new Set<Promise<void>>();
  /** Where unfinished outputs may lie. */
  readonly #folders = new Set<string>();
  readonly #otherRuns = new Set<string>();
  #waiting: (() => void)[] = [];
  #failure: { error: unknown } | undefined;
  #isDiskFull = false;

  /** @param sourceDir folder that archives go to. */
  constructor(conversion: Conversion, sourceDir: string, hooks: ArrivalHooks) {
    this.#sourceDir = sourceDir;
    this.#conversion = conversion;
    this.#hooks = hooks;
    hooks.signal.addEventListener('abort', () => this.#wake());
  }

  /** An output found no room: nothing more is begun. */
  get isDiskFull(): boolean {
    return this.#isDiskFull;
  }

  add(arrival: Arrival): void {
    this.#queue.push(arrival);
    this.#start();
  }

  /** Waits until few enough archives wait that another one may come. */
  async room(): Promise<void> {
    const most = WAITING_PER_SLOT * this.#conversion.executor.slots;
    while (this.#queue.length >= most && !this.#hooks.signal.aborted && !this.#isDiskFull && !this.#failure) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits until all that were added have been converted. @throws what a hook has thrown. */
  async finish(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
    if (this.#failure) throw this.#failure.error;
  }

  /** Ends at once, and removes what is unfinished. */
  async close(): Promise<void> {
    const { executor } = this.#conversion;
    await executor.close();
    await Promise.all(this.#working);
    await sweepFolders(this.#folders, executor.runId);
  }

  #start(): void {
    const { executor } = this.#conversion;
    while (this.#working.size < executor.slots && this.#queue.length > 0 && !this.#isStopped()) {
      const next = this.#queue.shift() as Arrival;
      const work = this.#convert(next)
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => {
          this.#working.delete(work);
          this.#wake();
          this.#start();
        });
      this.#working.add(work);
    }
  }

  #isStopped(): boolean {
    return this.#hooks.signal.aborted || this.#isDiskFull || this.#failure !== undefined;
  }

  async #convert({ number, archive, isOwn }: Arrival): Promise<void> {
    const { what, outputs, executor } = this.#conversion;
    const { signal, onOutcome, onOtherRun } = this.#hooks;
    const entry = planOne(archive, outputs, what);
    if (!entry) throw new Error(`${archive.path} is not among what is wanted`);
    for (const output of outputsOf(entry)) this.#folders.add(what.tempDir ?? stagingFolderOf(output));
    const outcomes: Outcome[] = [];
    const ending = await run([{ ...entry, number }], shared(executor, signal), {
      signal,
      tempDir: what.tempDir,
      onOutcome: (outcome) => outcomes.push(outcome),
      onOtherRun: (other) => {
        if (!this.#otherRuns.has(other.runId)) onOtherRun(other);
        this.#otherRuns.add(other.runId);
      },
    });
    if (ending.kind === 'disk-full') this.#isDiskFull = true;
    for (const outcome of outcomes) {
      onOutcome(outcome);
      if (this.#conversion.deletesAfter && isOwn && (await isConverted(outcome))) await this.#delete(archive.path);
    }
  }

  async #delete(path: string): Promise<void> {
    try {
      await openStorage(path).remove(path, this.#sourceDir);
      this.#hooks.onDeleted(path);
    } catch (error) {
      this.#hooks.onDeleted(path, (error as Error).message);
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** The executor for one archive of many: it is closed only when all is stopped, and what others have staged is let be. */
function shared(executor: Executor, signal: AbortSignal): Executor {
  return {
    slots: 1,
    runId: newRunId(),
    run: (job, how) => executor.run(job, how),
    close: async () => {
      if (signal.aborted) await executor.close();
    },
  };
}

/** Whether records say that all outputs of an archive are whole, and the outputs are there as they say. */
async function isConverted({ entry, result }: Outcome): Promise<boolean> {
  // Of outputs without a record, or with other options, nobody knows what they were made of.
  if (entry.action === 'fail' || entry.unrecorded || entry.kept) return false;
  if (entry.action === 'skip') return entry.reason === 'exists' && entry.remark === undefined;
  if (result.status !== 'done' || entry.remark !== undefined) return false;
  for (const { path, sizeBytes, mtimeMs } of result.outputs) {
    const now = await openStorage(path).look(path);
    if (now?.kind !== 'file' || now.sizeBytes !== sizeBytes || now.mtimeMs !== mtimeMs) return false;
  }
  return true;
}

/**
 * Whether all outputs that a file would give are there and up to date, by the records: then it need not be fetched, though
 * it is not there any more.
 */
export function isConvertedBefore(file: WantedFile, { what, outputs }: Pick<Conversion, 'what' | 'outputs'>): boolean {
  return file.candidates.some((candidate) => {
    const archive = recall(file, candidate, { what, outputs });
    if (!archive) return false;
    const entry = planOne(archive, outputs, { ...what, onStale: 'keep' });
    if (entry?.action !== 'skip' || entry.reason !== 'exists') return false;
    // With other options than those it is made again, or refused, unless it is to be left as it is.
    return !entry.unrecorded && entry.remark === undefined && (!entry.kept || what.onStale !== 'remake');
  });
}

/** The archive that the outputs were made of, as their records know it; `undefined`: they do not, or it is another one now. */
function recall(
  file: WantedFile,
  candidate: Candidate,
  { what, outputs }: Pick<Conversion, 'what' | 'outputs'>,
): ArchiveFile | undefined {
  const entry = planOne(imagine(file, candidate), outputs, { ...what, onStale: 'keep' });
  const [first] = entry ? outputsOf(entry) : [];
  const found = first && outputs.at(first);
  if (found?.knowledge.kind !== 'recorded') return undefined;
  const { fileName, sizeBytes, mtimeMs = 0 } = found.knowledge.record.archive;
  const isSame = fileName === candidate.fileName && (candidate.sizeBytes ?? sizeBytes) === sizeBytes;
  return isSame ? { ...imagine(file, candidate), sizeBytes, mtimeMs } : undefined;
}

/** Of one archive among many: only what is there of its symbol is looked at. */
function planOne(archive: ArchiveFile, outputs: Outputs, what: PlanOptions): PlanEntry | undefined {
  const ofSymbol = outputsOfSymbol(outputs, archive.pair);
  return plan({ archives: { ...noArchives(), archives: [archive] }, outputs: ofSymbol }, what)[0];
}

const bySymbol = new WeakMap<Outputs, Map<string, Outputs>>();

function outputsOfSymbol(outputs: Outputs, pair: string): Outputs {
  const known = bySymbol.get(outputs) ?? new Map<string, Outputs>();
  bySymbol.set(outputs, known);
  const all = () => outputs.all.filter((output) => output.pair === pair);
  const ofSymbol = known.get(pair) ?? new Outputs(all(), outputs.records, outputs.unseen);
  known.set(pair, ofSymbol);
  return ofSymbol;
}

/** An archive that is not there. */
function imagine({ market, pair, date }: WantedFile, { sourceDepth, path, fileName }: Candidate): ArchiveFile {
  return { market, pair, date, sourceDepth, path, fileName, sizeBytes: 0, mtimeMs: 0, isDayFile: true };
}

/**
 * Plans the conversion of all files that are wanted, as if they were there.
 *
 * @throws {@link ConflictError} when outputs are there whose rows mean something else: better said before the first file
 * is fetched than after it.
 */
export function requireNoConflict(
  files: readonly WantedFile[],
  { what, outputs }: Pick<Conversion, 'what' | 'outputs'>,
): void {
  const archives = files.map((file) => {
    const [candidate] = file.candidates;
    return file.there ?? recall(file, candidate, { what, outputs }) ?? imagine(file, candidate);
  });
  plan({ archives: { ...noArchives(), archives }, outputs }, what);
}
