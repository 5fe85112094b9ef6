/**
 * The benchmark suite: `npm run bench`. Prints a report in Markdown and writes it to docs/benchmarks.md with a picture.
 * Needs python3, unzip, and for some of the programs to compare with, npm and the network once.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { audit } from './audit.js';
import { drawChart } from './chart.js';
import { formats } from './formats.js';
import { grids } from './grids.js';
import { growth } from './growth.js';
import { guard } from './guard.js';
import { inflate } from './inflate.js';
import { peers, somePeers } from './peers.js';
import { queue } from './queue.js';
import { markdown, type Picture, type Section } from './report.js';
import { scaling } from './scaling.js';
import { startup } from './startup.js';
import type { Subject } from './subject.js';

const SUBJECTS: Record<string, Subject> = {
  peers,
  grids,
  scaling,
  growth,
  formats,
  audit,
  startup,
  inflate,
  queue,
};

/** What is promised, as docs/benchmarks.md has it. */
const FULL: Record<string, Subject> = { peers: somePeers, grids, scaling, startup };

interface Options {
  minutes?: number;
  full?: true;
  rounds: number;
  only?: string;
  out: string;
  guard?: string;
}

const command = new Command('bench')
  .description('Measures bookgrid, alone and side by side with other programs. Takes about an hour.')
  .addOption(
    new Option(
      '--minutes <n>',
      'length of archives (default: a whole day, or about 150 MB of text where many are measured)',
    ).argParser(positive),
  )
  .option('--full', 'all that docs/benchmarks.md has, and no more: some 20 minutes')
  .option('--rounds <n>', 'how often each is measured, in turns', positive, 5)
  .addOption(new Option('--only <name>', 'one subject; --out must be given to write it').choices(Object.keys(SUBJECTS)))
  .option('--out <file>', 'where the report goes, its pictures beside it', 'docs/benchmarks.md')
  .addOption(
    new Option(
      '--guard <ref>',
      'nothing of the above: compares this tree with a commit, in turns, and prints how much more or less it needs',
    ).conflicts(['full', 'only', 'out']),
  )
  .parse();
const { minutes, full = false, rounds: runs, only, out, guard: ref } = command.opts<Options>();
const isWritten = only === undefined || command.getOptionValueSource('out') === 'cli';

const [load = 0] = os.loadavg();
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-bench-'));
process.once('exit', () => fs.rmSync(root, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (ref === undefined) await report();
else process.stdout.write(await guard(ref, { folder: root, runs, minutes, log: logOf('guard') }));

async function report(): Promise<void> {
  const sections: Section[] = [];
  const lengths =
    minutes === undefined ? 'whole days, or about 150 MB of text: as the text says' : `only ${minutes} minutes`;
  let text = '';
  for (const [name, subject] of Object.entries(full ? FULL : SUBJECTS)) {
    if (only !== undefined && name !== only) continue;
    const folder = path.join(root, name);
    const findings = await subject({ folder, runs, minutes, log: logOf(name) });
    const pictures = isWritten ? (findings.pictures ?? []).flatMap(draw) : [];
    const [first, ...others] = findings.sections;
    if (first) sections.push({ ...first, notes: [...(first.notes ?? []), ...pictures] }, ...others);
    fs.rmSync(folder, { recursive: true, force: true });
    text = markdown(sections, { runs, lengths, load });
    // What has been measured is not lost when a later subject fails.
    if (isWritten) write(text);
  }
  process.stdout.write(text);
}

function write(text: string): void {
  fs.mkdirSync(path.dirname(out), { recursive: true });
  fs.writeFileSync(out, text);
}

function logOf(name: string): (line: string) => void {
  return (line) => process.stderr.write(`bench: ${name}: ${line}\n`);
}

/** Draws a picture beside the report, and gives the Markdown that shows it; none when it could not be drawn. */
function draw({ name, title, bars }: Picture): string[] {
  const file = out.replace(/(\.md)?$/, `-${name}.svg`);
  try {
    const svg = drawChart(title, bars);
    fs.mkdirSync(path.dirname(out), { recursive: true });
    fs.writeFileSync(file, svg);
    return [`![${title}](${path.basename(file)})`];
  } catch (error) {
    process.stderr.write(`bench: no picture: ${(error as Error).message}\n`);
    return [];
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above zero.');
  return value;
}
