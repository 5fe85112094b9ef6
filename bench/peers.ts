/** This program side by side with others, on archives of each kind. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Archive, DENSE, type Market, makeArchive, outputPath, SPARSE, SPOT } from './archives.js';
import { bookgrid, type Contestant, median, PYTHON, type Result, race } from './measure.js';
import { installPeers, script, versions } from './peer-programs.js';
import { checkOutputs, referenceRows } from './reference.js';
import { type Bar, mb, type Section, significant, type Target, USAGE_HEAD, usageCells } from './report.js';
import type { Findings, Settings, Subject } from './subject.js';

const INTERVAL_MS = 60_000;

interface Kind {
  title: string;
  market: Market;
  depths: number[];
}

const KINDS: Kind[] = [
  { title: 'contract dense 500', market: DENSE, depths: [200, 500] },
  { title: 'contract sparse 500', market: SPARSE, depths: [200, 500] },
  { title: 'spot 200', market: SPOT, depths: [200] },
];

/** Programs that need a minute or more for a day are measured so often at most. */
const RUNS_OF_SLOW = 3;

interface Program extends Contestant {
  /** Runs the program and throws unless its whole output is right. */
  check: () => Promise<void>;
  /** What is promised of our CPU seconds divided by this program's, or of the inverse. */
  target?: Pick<Target, 'limit'> & { of: 'share' | 'multiple' };
}

/** Each kind of archive. */
export const peers: Subject = (settings) => compareKinds(KINDS, settings);

/** The usual kind alone, and a part of a day: the slow ones need minutes for each whole day. */
export const somePeers: Subject = (settings) =>
  compareKinds(KINDS.slice(0, 1), { ...settings, minutes: settings.minutes ?? 200 });

async function compareKinds(kinds: Kind[], settings: Settings): Promise<Findings> {
  const missing = installPeers(settings.log);
  const sections: Section[] = [];
  const bars: Bar[] = [];
  for (const { title, market, depths } of kinds) {
    settings.log(`${title}: making an archive`);
    const archive = await makeArchive(path.join(settings.folder, title), market, settings.minutes);
    const programs = listPrograms(archive, depths, missing === undefined, settings);
    for (const { name, check } of programs) {
      settings.log(`${title}: checking ${name}`);
      await check();
    }
    settings.log(`${title}: measuring`);
    const work = { textBytes: archive.textBytes, updates: archive.updates };
    const results = await race(
      programs.map((program) => ({ ...program, work })),
      settings.runs,
    );
    const factors = compare(results);
    sections.push({
      title: settings.minutes === undefined ? `A whole day: ${title}` : `${settings.minutes} minutes: ${title}`,
      text:
        `${mb(archive.textBytes)} MB of text, ${mb(archive.zipBytes)} MB zipped, ${archive.messages} messages, ` +
        `${archive.updates} updates. One row a minute, depth ${depths.join(' and ')}. ${versions()}. ` +
        `Plain Python and tardis-dev were run at most ${RUNS_OF_SLOW} times.`,
      table: {
        head: ['program', ...USAGE_HEAD, 'CPU, bookgrid = 1'],
        rows: results.map((result, index) => [
          result.name,
          ...usageCells(result),
          significant(factors[index] ?? Number.NaN),
        ]),
      },
      notes: missing === undefined ? [] : [`tardis-dev is left out: ${missing}`],
      targets: market.style === 'contract' ? targets(title, results, factors) : [],
    });
    bars.push(...results.map((result) => ({ group: title, name: result.name, value: median(result, 'cpuSeconds') })));
  }
  const title = 'CPU seconds to turn an archive into snapshots, or merely to inflate it';
  return { sections, pictures: [{ name: 'peers', title, bars }] };
}

/** Medians of CPU seconds, divided by the first program's. */
function compare(results: Result[]): number[] {
  const seconds = results.map((result) => median(result, 'cpuSeconds'));
  return seconds.map((value) => value / (seconds[0] ?? Number.NaN));
}

function targets(title: string, results: Result<Program>[], factors: number[]): Target[] {
  return results.flatMap(({ name, target }, index): Target[] => {
    const factor = factors[index] ?? Number.NaN;
    if (!target) return [];
    const { limit, of } = target;
    return of === 'share'
      ? [{ what: `${title}: CPU seconds, as a share of ${name}`, measured: 1 / factor, limit }]
      : [{ what: `${title}: CPU seconds of ${name}, as a multiple`, measured: factor, limit, bound: 'at least' }];
  });
}

function listPrograms(archive: Archive, depths: number[], hasTardis: boolean, { folder }: Settings): Program[] {
  const deepest = Math.max(...depths);
  const output = (depth: number) => outputPath(path.join(folder, 'plain'), archive, depth);
  for (const depth of depths) fs.mkdirSync(path.dirname(output(depth)), { recursive: true });
  const pythonArgs = [archive.path, archive.date, String(INTERVAL_MS), ...depths.map((d) => `${d}=${output(d)}`)];
  const ours = bookgrid(archive.path, '--output-dir', path.join(folder, 'ours'), '--overwrite', '--workers', '1');
  const inflate = [process.execPath, script('inflate.mjs'), archive.path];
  const unzip = ['unzip', '-p', archive.path];
  const plain = [PYTHON, script('plain.py'), ...pythonArgs];
  const tardisCsv = path.join(folder, 'tardis.csv');
  const tardis = [process.execPath, script('tardis.mjs'), archive.path, `${deepest}`, `${INTERVAL_MS}`, tardisCsv];
  return [
    {
      name: 'bookgrid, one worker',
      command: ours,
      check: async () => {
        run(ours);
        await checkOutputs(path.join(folder, 'ours'), archive, { depths });
      },
    },
    {
      name: 'Node’s zlib (inflates only)',
      command: inflate,
      check: async () => requireSize('inflate.mjs', Number(run(inflate)), archive),
      target: { limit: 0.75, of: 'share' },
    },
    {
      name: 'unzip -p (inflates only)',
      command: unzip,
      check: async () => requireSize('unzip', run(unzip).length, archive),
      target: { limit: 0.35, of: 'share' },
    },
    {
      name: 'plain Python',
      command: plain,
      maxRuns: RUNS_OF_SLOW,
      check: async () => {
        run(plain);
        await checkOutputs(path.join(folder, 'plain'), archive, { depths });
      },
      target: { limit: 22, of: 'multiple' },
    },
    ...(hasTardis
      ? [
          {
            name: `tardis-dev, depth ${deepest} only`,
            command: tardis,
            maxRuns: RUNS_OF_SLOW,
            check: async () => {
              run(tardis);
              requireSameNumbers(tardisCsv, await referenceRows(archive, deepest, INTERVAL_MS));
            },
            target: { limit: 40, of: 'multiple' as const },
          },
        ]
      : []),
  ];
}

function run([program = '', ...args]: string[]): Buffer {
  const { status, stdout } = spawnSync(program, args, { maxBuffer: 4e9, stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${stdout.subarray(0, 2000)}`);
  return stdout;
}

function requireSize(name: string, bytes: number, { textBytes }: Archive): void {
  if (bytes !== textBytes) throw new Error(`${name} gave ${bytes} bytes of text instead of ${textBytes}`);
}

/**
 * tardis-dev has numbers where the archive has text, a row of the first book, and none for the boundary after the last
 * message; and a message at a boundary itself is not in its row, so the archive must have none. All other rows must be there.
 */
function requireSameNumbers(file: string, reference: Buffer): void {
  const rowsOf = (csv: string) => csv.trimEnd().split('\r\n').slice(1);
  const theirs = rowsOf(fs.readFileSync(file, 'utf8'));
  const expected = rowsOf(reference.toString());
  const hasLast = theirs.length === expected.length;
  if (!hasLast && theirs.length !== expected.length - 1) {
    throw new Error(`${file} has ${theirs.length} rows after the first, not ${expected.length - 1}`);
  }
  theirs.forEach((row, index) => {
    const numbers = (text = '') => text.split(',').map((cell) => (cell === '' ? '' : String(Number(cell))));
    if (numbers(row).join() !== numbers(expected[index]).join()) throw new Error(`${file}: row ${index + 2} differs`);
  });
}
