/** Commands at work on tiny data, each in a folder of its own: what faults and crashes are tried on. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { ArchiveServer } from './archive-server.js';
import { runHere, runUndisturbed } from './faults-commands.js';
import { filesBelow } from './faults-ledger.js';
import { archivePath, fixture } from './fixtures.js';
import { makeArchive } from './runs.js';

export interface Scenario {
  /** The command, and what is special about this use of it. */
  name: string;
  /** Puts what is there before into a folder. */
  begin: (folder: string) => Promise<void>;
  /** What is run in it. */
  argv: (folder: string) => string[];
  /** What is run after a failure. Default: the same. */
  again?: (folder: string) => string[];
  /** What is done already is refused, not passed over. */
  refusesTwice?: true;
  /** Only some of its calls are disturbed where not all are: it takes its time. */
  isCostly?: true;
  /** The folder `temp` is as if on another disk. */
  isTempElsewhere?: true;
  /** Files that may be there in between, and are not in the end. */
  between?: () => Map<string, Buffer>;
  /** Whether it only prints, and that depends on nothing but what is there. */
  isAnswer?: true;
  /** The file that tells what was found, of errors too: what could not be read is told of in it, or missing. */
  report?: string;
}

/** A scenario whose beginning has been made, to be copied, with what an undisturbed run makes of it. */
export interface Prepared extends Scenario {
  before: Map<string, Buffer>;
  after: Map<string, Buffer>;
  stdout: string;
  /** A new folder at the beginning. */
  copyTo: (folder: string) => string;
}

const source = (folder: string) => path.join(folder, 'source');
/** Where outputs and records lie. */
export const outOf = (folder: string) => path.join(folder, 'out');

/** One of each kind, of two levels a side, whose rows are known (fixtures.ts). */
const KINDS = ['PLAIN', 'DEFLATED', 'GZIP'];

async function putFixtures(folder: string): Promise<void> {
  for (const kind of KINDS) {
    const { path: from, fileName } = fixture('archives', kind);
    const to = archivePath(source(folder), fileName);
    fs.copyFileSync(from, to);
    fs.utimesSync(to, 1_736_900_000, 1_736_900_000);
  }
}

/** Days of one symbol, of a few rows. */
async function putDays(folder: string): Promise<void> {
  for (const date of ['2025-01-15', '2025-01-16']) {
    await makeArchive(source(folder), { pair: 'DAYSUSDT', date, market: { durationMs: 125_000 } });
  }
}

async function run(argv: string[]): Promise<void> {
  const { status, stdout, stderr } = await runHere(argv);
  assert.equal(status, 0, stdout + stderr);
}

const convertTo =
  (...more: string[]) =>
  (folder: string) => [
    'convert',
    '--source-dir',
    source(folder),
    '--output-dir',
    outOf(folder),
    '--workers',
    '1',
    ...more,
  ];

function afterConverting(put: (folder: string) => Promise<void>, ...more: string[]) {
  return async (folder: string) => {
    await put(folder);
    await run(convertTo(...more)(folder));
  };
}

const at =
  (...steps: string[]) =>
  (folder: string) =>
    path.join(folder, ...steps);
const joined = at('joined', 'all.csv');
const join = (folder: string) => ['join', '--output-dir', outOf(folder), '--symbols', 'DAYSUSDT'];
const plotted = (folder: string) => [
  ...['plot', path.join(outOf(folder), '0002', 'PLAIN', '2025-01-15_PLAIN_ob2_1m.csv')],
  ...['--output', path.join(folder, 'pictures', 'day.svg')],
];

/** Commands that write. */
export const WRITING: readonly Scenario[] = [
  { name: 'convert', begin: putFixtures, argv: convertTo() },
  {
    name: 'convert (formats, metrics, temp folder on another disk)',
    isCostly: true,
    isTempElsewhere: true,
    begin: putFixtures,
    argv: (folder) => [
      ...convertTo('--format', 'csv.gz,parquet', '--metrics', '--symbols', 'DEFLATED')(folder),
      ...['--temp-dir', path.join(folder, 'temp')],
    ],
  },
  {
    name: 'convert (made anew)',
    isCostly: true,
    begin: afterConverting(putFixtures),
    argv: convertTo('--quality', '--on-stale', 'remake'),
  },
  {
    name: 'convert (moved to another partition)',
    isCostly: true,
    begin: afterConverting(putFixtures),
    argv: convertTo('--partition', 'hive', '--overwrite'),
  },
  {
    name: 'join',
    refusesTwice: true,
    begin: afterConverting(putDays),
    argv: (folder) => [...join(folder), '--depths', '200', '--output', joined(folder)],
    again: (folder) => [...join(folder), '--depths', '200', '--output', joined(folder), '--overwrite'],
  },
  {
    name: 'join (parquet, replacing)',
    begin: async (folder) => {
      await afterConverting(putDays, '--format', 'parquet', '--depths', '8')(folder);
      const before = path.join(folder, 'joined', 'all.parquet');
      fs.mkdirSync(path.dirname(before));
      fs.writeFileSync(before, 'what was there before');
    },
    argv: (folder) => [...join(folder), '--output', path.join(folder, 'joined', 'all.parquet'), '--overwrite'],
  },
  {
    name: 'verify (checksums)',
    begin: afterConverting(putFixtures),
    report: 'sums/SHA256SUMS',
    argv: (folder) => ['verify', '--output-dir', outOf(folder), '--checksums', path.join(folder, 'sums', 'SHA256SUMS')],
  },
  {
    name: 'audit (to a file)',
    begin: putDays,
    report: 'found/audit.csv',
    argv: (folder) => [
      ...['audit', '--source-dir', source(folder), '--workers', '1'],
      ...['--format', 'csv', '--output', path.join(folder, 'found', 'audit.csv')],
    ],
  },
  { name: 'plot', isCostly: true, begin: afterConverting(putFixtures), argv: plotted },
];

/** What is published, and asked for by {@link downloading}. */
export async function publishDays(server: ArchiveServer, folder: string): Promise<void> {
  for (const date of ['2025-08-16', '2025-08-17']) {
    await server.publishMade(folder, 'linear', { pair: 'DAYSUSDT', date, market: { durationMs: 65_000 } });
  }
}

/**
 * Commands that fetch what is published. Each request is made once; after a failure several times, since what a crash has
 * left of a file may turn out to be of no use.
 *
 * @param url of the publisher, or of who stands before it.
 */
export function downloading(publisher: ArchiveServer, url: string): Scenario[] {
  const begin = async (folder: string) => {
    fs.mkdirSync(source(folder), { recursive: true });
  };
  const argv = (folder: string) => [
    ...['download', '--source-dir', source(folder), '--base-url', url, '--list-url', 'none'],
    ...['--symbols', 'DAYSUSDT', '--from', '2025-08-16', '--to', '2025-08-17', '--connections', '1'],
  ];
  const once = ['--tries', '1'];
  const converted = (folder: string) => [
    ...['--convert', '--delete-after', '--output-dir', outOf(folder), '--workers', '1', '--depths', '1'],
  ];
  return [
    { name: 'download', begin, argv: (folder) => [...argv(folder), ...once], again: argv },
    {
      name: 'download (converted and removed)',
      isCostly: true,
      begin,
      argv: (folder) => [...argv(folder), ...converted(folder), ...once],
      again: (folder) => [...argv(folder), ...converted(folder)],
      between: () => archivesOf(publisher),
    },
  ];
}

/** What is published, where it is downloaded to. */
function archivesOf(publisher: ArchiveServer): Map<string, Buffer> {
  const files = [...publisher.files].map(([address, { bytes }]): [string, Buffer] => {
    const [, , market, pair, name] = address.split('/');
    return [`source/${market}/0500/${pair}/${name}`, bytes];
  });
  return new Map(files);
}

/** Commands that only tell. */
export const TELLING: readonly Scenario[] = [
  {
    name: 'verify',
    isAnswer: true,
    begin: afterConverting(putFixtures),
    argv: (folder) => ['verify', '--output-dir', outOf(folder)],
  },
  {
    name: 'status',
    isAnswer: true,
    begin: afterConverting(putFixtures),
    argv: (folder) => ['status', '--output-dir', outOf(folder), '--source-dir', source(folder)],
  },
  {
    name: 'audit',
    isAnswer: true,
    begin: putDays,
    argv: (folder) => ['audit', source(folder), '--workers', '1', '--format', 'csv'],
  },
  {
    name: 'audit (records)',
    isAnswer: true,
    begin: afterConverting(putDays),
    argv: (folder) => ['audit', '--quick', outOf(folder), '--format', 'csv'],
  },
  {
    name: 'convert (plan)',
    isAnswer: true,
    begin: afterConverting(putFixtures),
    argv: convertTo('--dry-run'),
  },
  {
    name: 'peek',
    isAnswer: true,
    begin: afterConverting(putFixtures),
    argv: (folder) => [
      ...['peek', path.join(outOf(folder), '0002', 'PLAIN', '2025-01-15_PLAIN_ob2_1m.csv')],
      ...['--at', '00:01'],
    ],
  },
  {
    name: 'view',
    isAnswer: true,
    isCostly: true,
    begin: afterConverting(putFixtures, '--metrics', '--symbols', 'PLAIN'),
    argv: (folder) => ['view', outOf(folder)],
  },
  {
    name: 'view (one file)',
    isAnswer: true,
    isCostly: true,
    begin: afterConverting(putFixtures, '--format', 'parquet', '--symbols', 'PLAIN'),
    argv: (folder) => ['view', path.join(outOf(folder), '0002', 'PLAIN', '2025-01-15_PLAIN_ob2_1m.parquet')],
  },
];

/** Where a scenario runs: always the same, since some print it. */
export const placeIn = (root: string) => path.join(root, 'run');

/** Makes a scenario's beginning, and runs it once undisturbed. */
export async function prepare(scenario: Scenario, root: string): Promise<Prepared> {
  const model = path.join(root, `${scenario.name.replace(/\W+/g, '-')}-model`);
  fs.mkdirSync(model, { recursive: true });
  await scenario.begin(model);
  const copyTo = (folder: string) => {
    fs.cpSync(model, folder, { recursive: true, preserveTimestamps: true });
    return folder;
  };
  const undisturbed = copyTo(placeIn(root));
  const { status, stdout, stderr } = await runUndisturbed(scenario.argv(undisturbed), undisturbed);
  assert.equal(status, 0, `${scenario.name}: ${stdout}${stderr}`);
  const after = filesBelow(undisturbed);
  fs.rmSync(undisturbed, { recursive: true });
  return { ...scenario, before: filesBelow(model), after, stdout, copyTo };
}
