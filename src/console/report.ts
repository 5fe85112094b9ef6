import { styleText } from 'node:util';
import { monotonicMs } from '../base/clock.js';
import { contradicts } from '../catalog/market.js';
import { contentsOf, type Output } from '../catalog/output-name.js';
import { RECORDS_FILE } from '../catalog/records.js';
import type { SizeEstimate } from '../convert/estimate.js';
import { outputsOf, type PlanEntry, type PlannedOutput } from '../convert/plan.js';
import { type JobResult, toRecord } from '../convert/recorded-job.js';
import type { Outcome } from '../convert/run.js';
import type { Shard } from '../convert/shard.js';
import type { Writer } from '../storage/storage.js';
import { clean } from './clean-text.js';
import { formatBytes } from './format-bytes.js';

/** How a run came to its end. */
export type Ending = { kind: 'complete' } | { kind: 'interrupted'; signal: string } | { kind: 'disk-full' };

/** Totals of a run. Every archive found is in exactly one of done, skipped, failed and left. */
export interface Summary {
  total: number;
  done: number;
  skipped: number;
  failed: number;
  /** Not begun or not finished, because the run was stopped. */
  left: number;
  seconds: number;
  /** What somebody should look at: how many archives show it. */
  notes: { note: string; archives: number }[];
}

/** Tells the user what happens, on standard output. */
export interface Reporter {
  scanning(workers: number): void;
  /** @param shard the part that this is of all archives found; absent: all of them. */
  found(total: number, shard?: Shard): void;
  outcome(outcome: Outcome): void;
  /** Another run makes archives of this one's. */
  otherRun(run: OtherRun): void;
  /** Nothing is left to do but to wait for archives that other runs are making. */
  waiting(archives: number): void;
  summary(summary: Summary, ending: Ending): void;
}

type OtherRun = Pick<Writer, 'host' | 'pid'>;

/** Why an archive of the plan was not converted after all. */
const MADE_ELSEWHERE = 'made by another run';

/** Things worth a look in a conversion, in the words of the summary. */
const NOTES: [note: string, count: (result: Extract<JobResult, { status: 'done' }>) => number][] = [
  ['with gaps in u', ({ counts }) => counts.updateIdBreaks],
  ['with filled intervals', ({ counts }) => counts.filledRows],
  ['with intervals left out', ({ counts }) => counts.skippedBoundaries],
  ['with messages out of order', ({ counts }) => counts.outOfOrderMessages],
  ['with deltas before the first snapshot', ({ counts }) => counts.earlyDeltas],
  ['with lines passed over', ({ counts }) => counts.badLines],
  ['with crossed rows', ({ counts }) => counts.crossedRows],
  ['inflated again by zlib', ({ isReinflated }) => Number(isReinflated)],
];
const CONTRADICTED = 'written as in another market than their folder says';
const UNRECORDED = 'taken as done without a record of it (--overwrite makes it again)';

/** Adds outcomes up to a {@link Summary}. */
export class Tally {
  readonly #startMs = monotonicMs();
  readonly #total: number;
  readonly #statuses = { done: 0, skipped: 0, failed: 0 };
  readonly #notes = new Map([...NOTES.map(([note]) => note), CONTRADICTED, UNRECORDED].map((note) => [note, 0]));

  constructor(total: number) {
    this.#total = total;
  }

  add({ entry, result }: Outcome): void {
    this.#statuses[result.status]++;
    if (entry.action === 'skip' && entry.unrecorded !== undefined) this.#note(UNRECORDED);
    if (result.status !== 'done') return;
    for (const [note, count] of NOTES) if (count(result) > 0) this.#note(note);
    if (contradicts(entry.market, result.counts.market)) this.#note(CONTRADICTED);
  }

  get failed(): number {
    return this.#statuses.failed;
  }

  get settled(): number {
    return this.#statuses.done + this.#statuses.skipped + this.#statuses.failed;
  }

  #note(note: string): void {
    this.#notes.set(note, (this.#notes.get(note) ?? 0) + 1);
  }

  summary(): Summary {
    return {
      total: this.#total,
      ...this.#statuses,
      left: this.#total - this.settled,
      seconds: (monotonicMs() - this.#startMs) / 1000,
      notes: [...this.#notes].filter(([, archives]) => archives > 0).map(([note, archives]) => ({ note, archives })),
    };
  }
}

/** Failed archives that the summary lists again. */
const FAILED_SHOWN = 20;

const WHAT_THEN = {
  interrupted: 'Run the same command again to go on from here.',
  'disk-full': 'Free some space, and run the same command again to go on from here.',
} as const;

function describeEnding(ending: Ending): string {
  if (ending.kind === 'complete') return 'Processing complete!';
  return ending.kind === 'disk-full'
    ? 'Processing stopped: the disk is full.'
    : `Processing stopped by ${ending.signal}.`;
}

/** Lines for people. */
export class TextReporter implements Reporter {
  readonly #write: (line: string) => void;
  readonly #hasColor: boolean;
  readonly #failed: string[] = [];
  /** `/40`; nothing where nobody knows how many archives there are. */
  #of: string;

  /**
   * @param write takes one line without its end.
   * @param options `total`: how many archives there are, where {@link found} is not called.
   */
  constructor(write: (line: string) => void, { color, total }: { color: boolean; total?: number }) {
    this.#write = write;
    this.#hasColor = color;
    this.#of = total === undefined ? '' : `/${total}`;
  }

  scanning(workers: number): void {
    this.#write(`Processing with ${workers} parallel worker${workers === 1 ? '' : 's'}`);
    this.#write('Scanning source directories...');
  }

  found(total: number, shard?: Shard): void {
    this.#of = `/${total}`;
    const part = shard ? `, shard ${shard.number} of ${shard.of}` : '';
    this.#write(`Found ${total} archive files to process${part}`);
    this.#write('');
  }

  outcome({ entry, result }: Outcome): void {
    const line = (status: string, text: string) => {
      const names = `${clean(entry.pair).padEnd(10)} ${clean(nameInMarket(entry)).padEnd(40)}`;
      this.#write(`[${entry.number}${this.#of}] ${status} ${names} ${text}`.trimEnd());
    };
    switch (result.status) {
      case 'done': {
        const contents = contentsOf(result.outputs);
        const remarks = describeRemarks(describeStale(result.outputs), remarkOf(entry), describeForm(entry, result));
        line(this.#paint('green', 'DONE    '), `[${contents}] → ${result.counts.rows} snapshots ✓${remarks}`);
        break;
      }
      case 'skipped':
        line(
          this.#paint('dim', 'SKIPPED '),
          `[${contentsOf(outputsOf(entry))}]${describeRemarks(remarkOf(entry), skippedBecause(entry))}`,
        );
        break;
      case 'failed':
        line(this.#paint('red', 'ERROR   '), `→ ${clean(result.error)}${describeRemarks(remarkOf(entry))}`);
        this.#failed.push(`${clean(nameInMarket(entry))}: ${clean(result.error)}`);
        break;
    }
  }

  otherRun({ host, pid }: OtherRun): void {
    this.#write(
      `Another run works on this folder (process ${pid} on ${clean(host)}). What it is making is left to it.`,
    );
  }

  waiting(archives: number): void {
    const what = archives === 1 ? '1 archive' : `${archives} archives`;
    this.#write(`Waiting for ${what} that another run is making. Ctrl+C does not wait.`);
  }

  summary({ total, done, skipped, failed, left, seconds, notes }: Summary, ending: Ending): void {
    const rule = '='.repeat(80);
    const lines = [
      '',
      rule,
      describeEnding(ending),
      `Total files: ${total}`,
      `Successfully processed: ${done}`,
      `Skipped (already exist): ${skipped}`,
      `Errors: ${failed}`,
      ...(ending.kind === 'complete' ? [] : [`Left: ${left}. ${WHAT_THEN[ending.kind]}`]),
      `Time elapsed: ${seconds.toFixed(1)} seconds (${(seconds / 60).toFixed(1)} minutes)`,
      `Average time per file: ${(done === 0 ? 0 : seconds / done).toFixed(2)} seconds`,
      ...describeNotes(notes),
      ...this.#failures(),
      rule,
    ];
    for (const line of lines) this.#write(line);
  }

  /** What failed, again: in a long run its lines have scrolled away. */
  #failures(): string[] {
    if (this.#failed.length === 0) return [];
    const more = this.#failed.length - FAILED_SHOWN;
    return [
      'Failed:',
      ...this.#failed.slice(0, FAILED_SHOWN).map((text) => `  ${text}`),
      ...(more > 0 ? [`  and ${more} more (bookgrid status lists them)`] : []),
    ];
  }

  #paint(style: 'green' | 'dim' | 'red', text: string): string {
    // Whether the stream has colours was decided already; newer versions of Node would look at stdout again.
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Archives of all markets are named alike. */
function nameInMarket({ market, fileName }: PlanEntry): string {
  return market === undefined ? fileName : `${market}/${fileName}`;
}

/** `its messages are written as in spot archives, its folder says linear`. */
function describeForm({ market }: PlanEntry, { counts }: Extract<JobResult, { status: 'done' }>): string | undefined {
  if (!contradicts(market, counts.market)) return undefined;
  return `its messages are written as in ${counts.market} archives, its folder says ${market}`;
}

function remarkOf(entry: PlanEntry): string | undefined {
  if (entry.action === 'fail') return undefined;
  const kept = entry.kept && `${contentsOf(entry.kept)}: kept, made with ${entry.kept[0]?.differs}`;
  return [entry.remark, kept].filter(Boolean).join('; ') || undefined;
}

/** The plan had it converted, and it was found made. */
function skippedBecause({ action }: PlanEntry): string | undefined {
  return action === 'convert' ? MADE_ELSEWHERE : undefined;
}

/** `was stale: onGap fill → skip`; where that is not so of all outputs, `was stale: 200: onGap fill → skip`. */
function describeStale(outputs: (Output & Pick<PlannedOutput, 'stale'>)[]): string | undefined {
  const byReason = new Map<string | undefined, Output[]>();
  for (const output of outputs) byReason.set(output.stale, [...(byReason.get(output.stale) ?? []), output]);
  const texts = [...byReason].flatMap(([reason, those]) => {
    if (reason === undefined) return [];
    return byReason.size === 1 ? reason : `${contentsOf(those)}: ${reason}`;
  });
  return texts.length > 0 ? `was stale: ${texts.join('; ')}` : undefined;
}

/** `200: no record of it, taken as done`. */
function describeUnrecorded(entry: PlanEntry): string | undefined {
  const unrecorded = entry.action === 'fail' ? undefined : entry.unrecorded;
  if (!unrecorded) return undefined;
  return `${contentsOf(unrecorded)}: no record of ${unrecorded.length === 1 ? 'it' : 'them'}, taken as done`;
}

/** What is to be added to a line, in brackets. */
function describeRemarks(...remarks: (string | undefined)[]): string {
  const given = remarks.filter((remark) => remark !== undefined);
  return given.length > 0 ? ` (${clean(given.join('; '))})` : '';
}

function describeNotes(notes: Summary['notes']): string[] {
  if (notes.length === 0) return [];
  const [first, ...rest] = notes.map(({ note, archives }) => ({ archives, note }));
  const start = first ? `${first.archives} archive${first.archives === 1 ? '' : 's'} ${first.note}` : '';
  const list = [start, ...rest.map(({ archives, note }) => `${archives} ${note}`)].join(', ');
  return [`Notes: ${list}; see ${RECORDS_FILE}`];
}

function depthsOf(entry: PlanEntry): number[] {
  return [...new Set(outputsOf(entry).flatMap((output) => (output.kind === 'book' ? [output.depth] : [])))];
}

/** One JSON object a line, for programs: `start`, an `archive` each, `summary`. */
export class JsonReporter implements Reporter {
  readonly #write: (line: string) => void;
  #workers = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  scanning(workers: number): void {
    this.#workers = workers;
  }

  found(total: number, shard?: Shard): void {
    this.#emit({ event: 'start', workers: this.#workers, total, shard });
  }

  outcome({ entry, result }: Outcome): void {
    const { number, path: archive, pair, market } = entry;
    if (entry.action === 'convert' && result.status !== 'skipped') {
      this.#emit({ event: 'archive', number, ...toRecord(entry.job, result, ({ path }) => path) });
      return;
    }
    const detail =
      result.status === 'failed' ? { failureKind: result.kind, error: result.error } : { depths: depthsOf(entry) };
    const reason =
      result.status === 'skipped' ? { reason: entry.action === 'skip' ? entry.reason : MADE_ELSEWHERE } : {};
    const remark = 'remark' in entry ? { remark: entry.remark } : {};
    this.#emit({
      event: 'archive',
      number,
      archive,
      pair,
      market,
      status: result.status,
      ...detail,
      ...reason,
      ...remark,
    });
  }

  otherRun({ host, pid }: OtherRun): void {
    this.#emit({ event: 'other-run', host, pid });
  }

  waiting(archives: number): void {
    this.#emit({ event: 'waiting', archives });
  }

  summary(summary: Summary, ending: Ending): void {
    this.#emit({ event: 'summary', ending: ending.kind, ...summary });
  }

  #emit(value: Record<string, unknown>): void {
    this.#write(JSON.stringify(value));
  }
}

/** What a plan would write, and the room there is for it. */
export interface Room extends SizeEstimate {
  outputDir: string;
  /** `undefined`: nobody can tell. */
  freeBytes: number | undefined;
}

/** What is printed of a plan that is not carried out. */
export function* planLines(
  entries: Iterable<PlanEntry>,
  room: Room,
  { json }: { json: boolean },
): Generator<string, void> {
  const totals = { total: 0, convert: 0, skip: 0, fail: 0 };
  for (const entry of entries) {
    totals.total++;
    totals[entry.action]++;
    const estimatedBytes = room.bytesOf(entry);
    yield json ? JSON.stringify({ event: 'plan', ...entry, estimatedBytes }) : describeEntry(entry);
  }
  if (json) {
    const { outputs, totalBytes: estimatedBytes, replacedBytes, freeBytes } = room;
    const fits = freeBytes === undefined ? undefined : missingBytes(room) === 0;
    yield JSON.stringify({ event: 'plan-summary', ...totals, outputs, estimatedBytes, replacedBytes, freeBytes, fits });
    return;
  }
  yield `Dry run: ${totals.total} archives, ${totals.convert} to convert, ${totals.skip} to skip, ${totals.fail} unusable`;
  if (room.outputs > 0) yield* describeRoom(room);
}

function describeRoom(room: Room): string[] {
  const { outputs, byRecords, totalBytes, replacedBytes, outputDir, freeBytes } = room;
  const how =
    byRecords === outputs
      ? 'by outputs of the same kind that are here'
      : byRecords === 0
        ? 'by typical sizes'
        : `${byRecords} by outputs of the same kind that are here, ${outputs - byRecords} by typical sizes`;
  const replaced = replacedBytes > 0 ? `, in place of ${formatBytes(replacedBytes)}` : '';
  const missing = missingBytes(room);
  return [
    `Estimate: ${outputs} output${outputs === 1 ? '' : 's'} of together ${formatBytes(totalBytes)}${replaced} (${how})`,
    ...(freeBytes === undefined ? [] : [`Free at ${clean(outputDir)}: ${formatBytes(freeBytes)}`]),
    ...(missing > 0 ? [`It will not fit, by this estimate: some ${formatBytes(missing)} are missing.`] : []),
  ];
}

/** By how much the outputs are too large for what is free; 0 where they fit, or nobody can tell. */
function missingBytes({ totalBytes, replacedBytes, freeBytes = Number.POSITIVE_INFINITY }: Room): number {
  return Math.max(0, totalBytes - replacedBytes - freeBytes);
}

function describeEntry(entry: PlanEntry): string {
  const remarks = describeRemarks(describeUnrecorded(entry), remarkOf(entry));
  switch (entry.action) {
    case 'convert': {
      const outputs = entry.job.outputs
        .map(({ path: output, stale, removes }) => {
          const remark = describeRemarks(stale && `stale: ${stale}`, removes && `removes ${removes.path}`);
          return `\n             ${clean(output)}${remark}`;
        })
        .join('');
      return `[${entry.number}] CONVERT  ${clean(entry.path)} →${outputs}${remarks}`;
    }
    case 'skip':
      return `[${entry.number}] SKIP     ${clean(entry.path)} [${contentsOf(outputsOf(entry))}]: ${entry.reason}${remarks}`;
    case 'fail':
      return `[${entry.number}] ERROR    ${clean(entry.path)}: ${clean(entry.problem)}`;
  }
}
