/** Loaded into a measured process by `--import`: writes what the process has used as its last act. */
import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['BOOKGRID_PROBE'];
if (isMainThread && file !== undefined) {
  process.on('exit', () => fs.writeFileSync(file, JSON.stringify(process.resourceUsage())));
}
