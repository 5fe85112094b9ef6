import fs from 'node:fs';
import path from 'node:path';
import { type CliResult, runCli } from './cli.js';

/** Only Linux tells a process its peak (VmHWM in proc(5)); elsewhere the tests that need it skip, and say so. */
export const NO_PEAK_MEMORY =
  process.platform === 'linux' ? false : `the peak of a process’s memory is not known on ${process.platform}`;

/** Runs the program and measures the most memory that all its threads together had. */
export async function runCliMeasured(args: string[], dir: string): Promise<CliResult & { peakBytes: number }> {
  const report = path.join(dir, 'peak');
  const probe = `
    import fs from 'node:fs';
    import { isMainThread } from 'node:worker_threads';
    const report = () => fs.writeFileSync(${JSON.stringify(report)}, fs.readFileSync('/proc/self/status'));
    if (isMainThread) process.on('exit', report);`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(probe)}`;
  const result = await runCli(args, { env: { ...process.env, NODE_OPTIONS } });
  const peakKib = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(report, 'utf8'))?.[1];
  return { ...result, peakBytes: Number(peakKib) * 1024 };
}
