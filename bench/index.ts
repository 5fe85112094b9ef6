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
import { growth } from './growth.js';
import { inflate } from './inflate.js';
import { peers } from './peers.js';
import { queue } from './queue.js';
import { type Bar, markdown, type Section } from './report.js';
import { scaling } from './scaling.js';
import { startup } from './startup.js';
import type { Subject } from './subject.js';

const SUBJECTS: Record<string, Subject> = { peers, scaling, growth, formats, audit, startup, inflate, queue };

interface Options {
  minutes?: number;
  full?: true;
  runs: number;
  only?: string;
  out: string;
}

const command = new Command('bench')
  .description('Measures bookgrid, alone and side by side with other programs. Takes about an hour.')
  .addOption(
    new Option(
      '--minutes <n>',
      'length of archives (default: a whole day, or about 150 MB of text where many are measured)',
    ).argParser(positive),
  )
  .addOption(new Option('--full', 'archives of whole days throughout, about 1 GB of text each').conflicts('minutes'))
  .option('--runs <n>', 'how often each is measured', positive, 5)
  .addOption(new Option('--only <name>', 'one subject; --out must be given to write it').choices(Object.keys(SUBJECTS)))
  .option('--out <file>', 'where the report goes, its picture beside it', 'docs/benchmarks.md')
  .parse();
const { minutes, full = false, runs, only, out } = command.opts<Options>();
const isWritten = only === undefined || command.getOptionValueSource('out') === 'cli';

const [load = 0] = os.loadavg();
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-bench-'));
process.once('exit', () => fs.rmSync(root, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const sections: Section[] = [];
const bars: Bar[] = [];
for (const [name, subject] of Object.entries(SUBJECTS)) {
  if (only !== undefined && name !== only) continue;
  const folder = path.join(root, name);
  const log = (line: string) => process.stderr.write(`bench: ${name}: ${line}\n`);
  const findings = await subject({ folder, runs, minutes, full, log });
  sections.push(...findings.sections);
  bars.push(...(findings.bars ?? []));
  fs.rmSync(folder, { recursive: true, force: true });
}

const picture = isWritten && bars.length > 0 ? writePicture() : undefined;
const lengths = full
  ? 'whole days'
  : minutes === undefined
    ? 'whole days; about 150 MB of text where the text says so'
    : `only ${minutes} minutes`;
const report = markdown(sections, { runs, lengths, load }, picture);
process.stdout.write(report);
if (isWritten) {
  fs.mkdirSync(path.dirname(out), { recursive: true });
  fs.writeFileSync(out, report);
}

/** The name of the picture's file, `undefined` when it could not be drawn. */
function writePicture(): string | undefined {
  const file = out.replace(/(\.md)?$/, '.svg');
  try {
    const svg = drawChart('CPU seconds to turn an archive into snapshots, or merely to inflate it', bars);
    fs.mkdirSync(path.dirname(out), { recursive: true });
    fs.writeFileSync(file, svg);
    return path.basename(file);
  } catch (error) {
    process.stderr.write(`bench: no picture: ${(error as Error).message}\n`);
    return undefined;
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above zero.');
  return value;
}
