/** What a download tells people and programs, on standard output. */
import { styleText } from 'node:util';
import { monotonicMs } from '../base/clock.js';
import { RECORDS_FILE } from '../catalog/records.js';
import type { DownloadEnding, DownloadPlan, FileOutcome, PlannedFile, Room } from '../download/download.js';
import { sizeOf } from '../download/download.js';
import { clean } from './clean-text.js';
import { formatBytes } from './format-bytes.js';

/** Numbers of archives. Each that is wanted is in exactly one of these, and not in any when the run was stopped. */
export interface DownloadCounts {
  fetched: number;
  there: number;
  /** Not there, and not fetched: its outputs are up to date. */
  converted: number;
  /** Not published. */
  absent: number;
  failed: number;
}

export interface DownloadSummary extends DownloadCounts {
  total: number;
  /** Not begun or not finished, because the run was stopped. */
  left: number;
  /** Of the archives that were fetched. */
  bytes: number;
  seconds: number;
}

/** Adds outcomes up. */
export class DownloadTally {
  readonly #startMs = monotonicMs();
  readonly #total: number;
  readonly #counts: DownloadCounts = { fetched: 0, there: 0, converted: 0, absent: 0, failed: 0 };
  #bytes = 0;

  constructor(total: number) {
    this.#total = total;
  }

  add(outcome: FileOutcome): void {
    this.#counts[outcome.status]++;
    if (outcome.status === 'fetched') this.#bytes += outcome.bytes;
  }

  get settled(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }

  get failed(): number {
    return this.#counts.failed;
  }

  summary(): DownloadSummary {
    const seconds = Math.round(monotonicMs() - this.#startMs) / 1000;
    return { total: this.#total, ...this.#counts, left: this.#total - this.settled, bytes: this.#bytes, seconds };
  }
}

/** What an archive is called before it is known which depth it has. */
function nameOf({ market, date, pair, candidates }: PlannedFile, outcome: FileOutcome): string {
  const found = candidates.find(
    ({ path, url }) =>
      ('path' in outcome && outcome.path === path) || (outcome.status === 'failed' && outcome.url === url),
  );
  if (found) return `${market}/${found.fileName}`;
  return candidates.length === 1 ? `${market}/${candidates[0].fileName}` : `${market}/${date}_${pair}`;
}

const FAILED_SHOWN = 20;

/** Tells the user what happens. */
export interface DownloadReporter {
  start(plan: DownloadPlan, room: Room): void;
  file(file: PlannedFile, outcome: FileOutcome): void;
  deleted(path: string): void;
  /** Nothing is left but to wait for archives that other runs are fetching. */
  waiting(archives: number): void;
  summary(summary: DownloadSummary, ending: DownloadEnding): void;
}

/** Lines for people. */
export class DownloadText implements DownloadReporter {
  readonly #write: (line: string) => void;
  readonly #options: { color: boolean; converts: boolean };
  readonly #failed: string[] = [];
  #total = 0;

  /** @param options `converts`: of archives that are there, the lines of their conversion tell. */
  constructor(write: (line: string) => void, options: { color: boolean; converts: boolean }) {
    this.#write = write;
    this.#options = options;
  }

  start({ files }: DownloadPlan, room: Room): void {
    this.#total = files.length;
    for (const line of describePlan(files, room)) this.#write(line);
    this.#write('');
  }

  file(file: PlannedFile, outcome: FileOutcome): void {
    if (outcome.status === 'there' && this.#options.converts) return;
    const name = clean(nameOf(file, outcome));
    if (outcome.status === 'failed') this.#failed.push(`${name}: ${clean(outcome.error)}`);
    const { style, word } = STATUSES[outcome.status];
    const status = this.#options.color ? styleText(style, word, { validateStream: false }) : word;
    const names = `${file.pair.padEnd(10)} ${name.padEnd(40)}`;
    this.#write(`[${file.number}/${this.#total}] ${status} ${names} ${describeOutcome(file, outcome)}`.trimEnd());
  }

  deleted(): void {}

  waiting(archives: number): void {
    this.#write(`Waiting for ${archives} archive${archives === 1 ? '' : 's'} that another run is fetching`);
  }

  summary(summary: DownloadSummary, ending: DownloadEnding): void {
    const { total, fetched, there, converted, absent, failed, left, bytes, seconds } = summary;
    const rule = '='.repeat(80);
    const more = this.#failed.length - FAILED_SHOWN;
    const lines = [
      '',
      rule,
      describeEnding(ending),
      `Archives wanted: ${total}`,
      `Fetched: ${fetched} (${formatBytes(bytes)})`,
      `Already there: ${there}`,
      ...(converted > 0 ? [`Converted before, and removed: ${converted}`] : []),
      `Not published: ${absent}`,
      `Errors: ${failed}`,
      ...(left > 0 ? [`Left: ${left}. ${WHAT_THEN}`] : []),
      `Time elapsed: ${seconds.toFixed(1)} seconds (${(seconds / 60).toFixed(1)} minutes)`,
      ...(failed > 0 ? ['Failed:', ...this.#failed.slice(0, FAILED_SHOWN).map((text) => `  ${text}`)] : []),
      ...(more > 0 ? [`  and ${more} more`] : []),
      rule,
    ];
    for (const line of lines) this.#write(line);
  }
}

const STATUSES = {
  fetched: { style: 'green', word: 'FETCHED ' },
  there: { style: 'dim', word: 'THERE   ' },
  converted: { style: 'dim', word: 'SKIPPED ' },
  absent: { style: 'dim', word: 'ABSENT  ' },
  failed: { style: 'red', word: 'ERROR   ' },
} as const satisfies Record<FileOutcome['status'], { style: string; word: string }>;

function describeOutcome({ problem }: PlannedFile, outcome: FileOutcome): string {
  switch (outcome.status) {
    case 'fetched': {
      const again = problem === undefined ? '' : ` (what was there was not whole: ${clean(problem)})`;
      return `${formatBytes(outcome.bytes)} in ${outcome.seconds.toFixed(1)} s${again}`;
    }
    case 'there':
      return formatBytes(outcome.bytes);
    case 'converted':
      return '(not there; its outputs are up to date)';
    case 'absent':
      return 'not published';
    case 'failed':
      return `→ ${clean(outcome.error)}`;
  }
}

const WHAT_THEN = 'What has come of them is kept: run the same command again to go on from here.';

function describeEnding(ending: DownloadEnding): string {
  switch (ending.kind) {
    case 'complete':
      return 'Download complete!';
    case 'interrupted':
      return `Download stopped by ${ending.reason}.`;
    case 'disk-full':
      return 'Download stopped: the disk is full. Free some space first.';
    case 'unreachable':
      return `Download stopped: nobody answers (${clean(ending.problem)}). Is there a network, or a proxy to be named in HTTPS_PROXY?`;
  }
}

/** What is to be fetched, in words. */
function describePlan(files: readonly PlannedFile[], { neededBytes, unknown, freeBytes }: Room): string[] {
  const { fetch, there, converted } = countActions(files);
  const sizes =
    fetch === 0 || unknown === fetch
      ? ''
      : `, ${unknown > 0 ? 'at least ' : ''}${formatBytes(neededBytes)}${unknown > 0 ? ` (the size of ${unknown} is not known)` : ''}`;
  const free = freeBytes === undefined ? '' : `; ${formatBytes(freeBytes)} are free`;
  return [
    `Wanted: ${files.length} archive${files.length === 1 ? '' : 's'}, ${there} there, ${fetch} to fetch${sizes}${free}`,
    ...(converted > 0
      ? [`${converted} are not there, and need not be fetched: ${RECORDS_FILE} knows their outputs`]
      : []),
  ];
}

function countActions(files: readonly PlannedFile[]): Record<PlannedFile['action'], number> {
  const count = (action: PlannedFile['action']) => files.filter((file) => file.action === action).length;
  return { fetch: count('fetch'), there: count('there'), converted: count('converted') };
}

/** One JSON object a line, for programs. */
export class DownloadJson implements DownloadReporter {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  start({ files }: DownloadPlan, room: Room): void {
    this.#emit({ event: 'download-start', total: files.length, ...countActions(files), ...room });
  }

  file({ number, market, pair, date, problem }: PlannedFile, outcome: FileOutcome): void {
    this.#emit({ event: 'download', number, market, pair, date, ...outcome, replaced: problem });
  }

  deleted(path: string): void {
    this.#emit({ event: 'deleted', path });
  }

  waiting(archives: number): void {
    this.#emit({ event: 'download-waiting', archives });
  }

  summary(summary: DownloadSummary, ending: DownloadEnding): void {
    const problem = ending.kind === 'unreachable' ? ending.problem : undefined;
    this.#emit({ event: 'download-summary', ending: ending.kind, problem, ...summary });
  }

  #emit(value: Record<string, unknown>): void {
    this.#write(JSON.stringify(value));
  }
}

/** Prints a plan without carrying it out. */
export function printDownloadPlan(
  { files }: DownloadPlan,
  room: Room,
  write: (line: string) => void,
  { json }: { json: boolean },
): void {
  for (const file of files) {
    const { number, market, pair, date, action, problem, candidates, there } = file;
    const bytes = action === 'fetch' ? sizeOf(file) : there?.sizeBytes;
    const path = there?.path ?? candidates[0].path;
    if (json) {
      const urls = action === 'fetch' ? candidates.map(({ url }) => url) : undefined;
      write(JSON.stringify({ event: 'download-plan', number, market, pair, date, action, path, bytes, urls, problem }));
      continue;
    }
    const size = bytes === undefined ? '' : `, ${formatBytes(bytes)}`;
    const again = problem === undefined ? '' : ` (what is there is not whole: ${clean(problem)})`;
    const text = { fetch: candidates[0].url, there: path, converted: 'its outputs are up to date' }[action];
    write(`[${number}] ${WORDS[action]} ${clean(text)}${size}${again}`);
  }
  if (json) {
    write(JSON.stringify({ event: 'download-plan-summary', total: files.length, ...countActions(files), ...room }));
    return;
  }
  const [first = '', ...rest] = describePlan(files, room);
  for (const line of [`Dry run: ${first[0]?.toLowerCase()}${first.slice(1)}`, ...rest]) write(line);
}

const WORDS = { fetch: 'FETCH   ', there: 'THERE   ', converted: 'SKIP    ' } as const;
