/** What `bookgrid audit` costs beside converting the same archive, on whole days. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { DENSE, type Market, makeArchive, SPARSE, SPOT } from './archives.js';
import { bookgrid, measure, median, race } from './measure.js';
import { significant, USAGE_HEAD, usageCells } from './report.js';
import type { Subject } from './subject.js';

const MARKETS: [name: string, market: Market][] = [
  ['contract dense 500', DENSE],
  ['contract sparse 500', SPARSE],
  ['spot 200', SPOT],
];

const LIMIT = 1.5;

export const audit: Subject = async ({ folder, runs, minutes, log }) => {
  const rows: string[][] = [];
  const targets = [];
  for (const [name, market] of MARKETS) {
    log(`making ${name}`);
    const archive = await makeArchive(path.join(folder, name), market, minutes);
    const work = { textBytes: archive.textBytes, updates: archive.updates };
    const output = path.join(folder, `${name} output`);
    const auditing = bookgrid('audit', archive.path, '--workers', '1', '--format', 'json');
    const converting = bookgrid(archive.path, '--output-dir', output, '--overwrite', '--workers', '1');
    checkFindings(auditing, archive);
    await measure(converting);
    log(`measuring ${name}`);
    const [converted, audited] = await race(
      [
        { name: `${name}: convert`, command: converting, work },
        { name: `${name}: audit`, command: auditing, work },
      ],
      runs,
    );
    if (!converted || !audited) throw new Error('nothing was measured');
    const factor = median(audited, 'cpuSeconds') / median(converted, 'cpuSeconds');
    rows.push(
      [converted.name, ...usageCells(converted), '1'],
      [audited.name, ...usageCells(audited), significant(factor)],
    );
    targets.push({ what: `CPU of an audit, ${name}, convert = 1`, measured: factor, limit: LIMIT });
  }
  return {
    sections: [
      {
        title: 'Audit beside convert',
        text: 'One archive of a whole day, one worker. Converting writes one row a minute as CSV, in every depth that the archive reaches.',
        table: { head: ['command', ...USAGE_HEAD, 'CPU, convert = 1'], rows },
        targets,
      },
    ],
  };
};

/** Throws unless all messages and levels were seen, and nothing is broken in what was made whole. */
function checkFindings([program = '', ...args]: string[], archive: { messages: number; updates: number }): void {
  const [line = ''] = execFileSync(program, args, { encoding: 'utf8' }).split('\n');
  const { messages, updates, faults } = JSON.parse(line) as { messages: number; updates: number; faults: string[] };
  if (messages !== archive.messages || updates !== archive.updates || faults.length > 0) {
    throw new Error(`found ${line}, not ${archive.messages} messages and ${archive.updates} updates`);
  }
}
