/** What the benchmarks found, as Markdown. */
import os from 'node:os';
import { type Contestant, median, type Result, spread } from './measure.js';

export interface Table {
  head: string[];
  rows: string[][];
}

/** A figure that the project has promised. */
export interface Target {
  what: string;
  measured: number;
  limit: number;
  /** Default `at most`. */
  bound?: 'at most' | 'at least';
  unit?: string;
}

export interface Section {
  title: string;
  /** What was done and checked, in a few sentences. */
  text: string;
  table: Table;
  /** What could not be measured, and why; pictures. */
  notes?: string[];
  targets?: Target[];
}

export interface Bar {
  group: string;
  name: string;
  value: number;
}

const METHOD = `Archives are made by a seeded market that reads like Bybit's (\`src/samples/market.ts\`). Before anything is timed, whole
outputs are compared with those of an independent program. Each run is a process of its own, measured from its start to its end, without
NODE_EXTRA_CA_CERTS (sections say where it is otherwise). Programs that are compared run in turns (A B C A B C …).

CPU seconds are user and system time of all threads. Figures are medians, with the smallest and the largest in brackets. MB are
1,000,000 bytes. MB/s are of inflated text, by wall time. Peak memory is resident memory of the whole process. The smallest that can be
seen is that of the measuring wrapper, about 15 MB.`;

const TARGETS = 'Figures that the project works towards. They are for its developers: what is not met is work to do.';

const LEAD = `How long it takes to turn a day's archive into snapshots, and how much memory. Beside bookgrid stand programs that do the same job, and
programs that merely unpack the archive. [How it was measured](#how-it-was-measured) is below.`;

/** Bars on a logarithmic scale of CPU seconds. */
export interface Picture {
  /** What its file is called beside the report. */
  name: string;
  title: string;
  bars: Bar[];
}

/** How the suite was run. */
export interface Setting {
  runs: number;
  /** As told: `200 minutes`, `whole days`. */
  lengths: string;
  /** Processes running when it began. */
  load: number;
}

/**
 * What users want to know comes first: a day beside other programs. How it was measured, and limits, come last.
 */
export function markdown(sections: Section[], setting: Setting): string {
  const targets = sections.flatMap((section) => section.targets ?? []);
  const parts = [
    '# Benchmarks',
    LEAD,
    ...sections.flatMap(renderSection),
    '## How it was measured',
    METHOD,
    machine(setting),
    ...(targets.length > 0 ? ['## Targets', TARGETS, renderTable(targetTable(targets))] : []),
    'This page is written by `npm run bench -- --full`. Do not edit it.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function renderSection({ title, text, table, notes = [] }: Section): string[] {
  return [`## ${title}`, text, renderTable(table), ...notes];
}

function machine({ runs, lengths, load }: Setting): string {
  const [cpu] = os.cpus();
  const rows = [
    ['CPU', `${cpu?.model.trim() ?? 'unknown'}, ${os.availableParallelism()} cores available`],
    ['memory', `${(os.totalmem() / 1e9).toFixed(0)} GB`],
    ['system', `${os.type()} ${os.release()}, ${os.arch()}`],
    ['Node.js', `${process.versions.node} (zlib ${process.versions.zlib})`],
    ['date', new Date().toISOString().slice(0, 10)],
    ['archives', lengths],
    ['runs of each', String(runs)],
    ['load before', `${load.toFixed(1)} processes (a figure above 0.3 means that other work was going on)`],
  ];
  return renderTable({ head: ['machine', ''], rows });
}

function targetTable(targets: Target[]): Table {
  const rows = targets.map(({ what, measured, limit, bound = 'at most', unit = '' }) => {
    const isMet = bound === 'at most' ? measured <= limit : measured >= limit;
    return [what, `${bound} ${limit}${unit}`, `${significant(measured)}${unit}`, isMet ? 'yes' : '**no**'];
  });
  return { head: ['what', 'target', 'measured', 'met'], rows };
}

function renderTable({ head, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What was done in each of a contestant's runs. */
export interface Work {
  textBytes: number;
  updates: number;
}

export const USAGE_HEAD = ['CPU s', 'wall s', 'MB/s', 'million updates/s', 'peak MB'];

/** The cells under {@link USAGE_HEAD}. */
export function usageCells(result: Result<Contestant & { work: Work }>): string[] {
  const { textBytes, updates } = result.work;
  const wallSeconds = median(result, 'wallSeconds');
  return [
    spreadCell(result.runs.map((run) => run.cpuSeconds)),
    spreadCell(result.runs.map((run) => run.wallSeconds)),
    (textBytes / 1e6 / wallSeconds).toFixed(0),
    significant(updates / 1e6 / wallSeconds),
    mb(median(result, 'peakBytes')),
  ];
}

export function spreadCell(values: number[], decimals = 3): string {
  const { median, min, max } = spread(values);
  return `${median.toFixed(decimals)} (${min.toFixed(decimals)}–${max.toFixed(decimals)})`;
}

export function mb(bytes: number): string {
  const megabytes = bytes / 1e6;
  return megabytes < 10 ? megabytes.toFixed(1) : megabytes.toFixed(0);
}

export function significant(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
