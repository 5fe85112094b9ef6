import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Measured {
  wallSeconds: number;
  /** User and system, of all threads. */
  cpuSeconds: number;
  /** The most resident memory that the process ever had. */
  peakBytes: number;
}

const CLI = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const PROBE = new URL('./probe.js', import.meta.url).href;

/** Runs the command line as a process of its own and measures the whole of it. Throws when it fails. */
export async function measureCli(args: string[]): Promise<Measured> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bookgrid-bench-'));
  const probeFile = path.join(dir, 'usage.json');
  const startMs = performance.now();
  try {
    const child = spawn(process.execPath, ['--import', PROBE, CLI, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, BOOKGRID_PROBE: probeFile },
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    if (status !== 0) throw new Error(`bookgrid ${args.join(' ')} ended with status ${status}`);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
      fs.readFileSync(probeFile, 'utf8'),
    ) as NodeJS.ResourceUsage;
    return { wallSeconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
