/** How long it takes until something happens. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DENSE, makeArchive } from './archives.js';
import { bookgrid, ENVIRONMENT, measure, median, race, spread } from './measure.js';
import { checkOutputs } from './reference.js';
import { spreadCell } from './report.js';
import type { Subject } from './subject.js';

const PROBE = fileURLToPath(new URL('../../bench/first-read.cjs', import.meta.url));

export const startup: Subject = async ({ folder, runs, log }) => {
  const archive = await makeArchive(path.join(folder, 'archive'), DENSE, 1 / 60);
  const output = path.join(folder, 'output');
  const convert = bookgrid(archive.path, '--output-dir', output, '--overwrite', '--workers', '1');
  log('checking');
  // The first runs keep what V8 has compiled (src/cli.cts).
  for (let run = 0; run < 5; run++) await measure(convert);
  await checkOutputs(output, archive, { depths: [200, 500] });

  log('measuring');
  const contestants = [
    { name: 'Node.js alone (`node -e 0`)', command: [process.execPath, '-e', '0'] },
    { name: '`bookgrid --help`', command: bookgrid('--help') },
    { name: `an archive of ${archive.messages} messages converted`, command: convert },
  ];
  const results = await race(contestants, runs);
  const firstReads: number[] = [];
  for (let run = 0; run < runs; run++) firstReads.push(timeFirstRead(convert, path.join(folder, 'first-read')));

  const ms = (seconds: number[]) =>
    spreadCell(
      seconds.map((value) => value * 1000),
      0,
    );
  const [node, help, conversion] = results;
  const aboveNode = conversion?.runs.map(
    (run, round) => run.wallSeconds - (node?.runs[round]?.wallSeconds ?? Number.NaN),
  );
  return {
    sections: [
      {
        title: 'Start-up',
        text: 'Wall time from before the process starts, in milliseconds.',
        table: {
          head: ['what', 'wall ms', 'CPU ms'],
          rows: [
            ...results.map(({ name, runs }) => [
              name,
              ms(runs.map((run) => run.wallSeconds)),
              ms(runs.map((run) => run.cpuSeconds)),
            ]),
            ...(aboveNode ? [['… above Node.js alone', ms(aboveNode), '']] : []),
            ['… up to the first byte read of it', ms(firstReads), ''],
          ],
        },
        targets: [
          ...(aboveNode
            ? [
                {
                  what: `an archive of ${archive.messages} messages, wall time above Node.js alone`,
                  measured: spread(aboveNode).median * 1000,
                  limit: 40,
                  unit: ' ms',
                },
              ]
            : []),
          ...(help
            ? [{ what: '`bookgrid --help`', measured: median(help, 'wallSeconds') * 1000, limit: 100, unit: ' ms' }]
            : []),
          {
            what: 'start-up to the first byte read',
            measured: spread(firstReads).median * 1000,
            limit: 150,
            unit: ' ms',
          },
        ],
      },
    ],
  };
};

/** In seconds. Not by the measuring wrapper, whose own start would count. */
function timeFirstRead([node = '', ...command]: string[], file: string): number {
  const env = { ...ENVIRONMENT, BOOKGRID_FIRST_READ: file };
  const startMs = Date.now();
  const { status } = spawnSync(node, ['--require', PROBE, ...command], { env, stdio: 'ignore' });
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
  return (Number(fs.readFileSync(file, 'utf8')) - startMs) / 1000;
}
