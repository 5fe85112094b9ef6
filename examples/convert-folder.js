// Converts the archives of a folder on all cores, and says how far it is; Ctrl+C stops it, and the same command goes on:
//
//     node examples/convert-folder.js SOURCE_DIR OUTPUT_DIR
import os from 'node:os';
import process from 'node:process';
import { findArchives, plan, run, takeInventory, workerThreadsExecutor } from 'bookgrid';

const [sourceDir = '.', outputDir = 'snapshots'] = process.argv.slice(2);
const inventory = await takeInventory(await findArchives(sourceDir), outputDir);
const entries = plan(inventory, { outputDir });
const jobs = entries.flatMap((entry) => (entry.action === 'convert' ? [entry.job] : []));
const totalBytes = jobs.reduce((sum, { archive }) => sum + archive.sizeBytes, 0);
console.log(`${jobs.length} of ${entries.length} archives are to be converted`);

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
let readBytes = 0;
const ending = await run(entries, workerThreadsExecutor({ slots: os.availableParallelism() }), {
  signal: stop.signal,
  onRead: (bytes) => {
    readBytes += bytes;
  },
  onOutcome: ({ entry, result }) => {
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * readBytes) / totalBytes);
    const what =
      result.status === 'done' ? `${result.counts.rows} rows` : result.status === 'failed' ? result.error : '';
    console.log(`${percent} % ${entry.fileName}: ${result.status} ${what}`);
    if (result.status === 'failed') process.exitCode = 1;
  },
});
if (ending.kind === 'stopped') console.log(`${ending.left} archives are left`);
