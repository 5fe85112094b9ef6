/** Fuzzes one target in a thread that is watched: it may hang or run out of memory. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { WatchedInput } from './watched-input.js';
import type { WorkerAnswer, WorkerOptions } from './worker.js';

export interface SessionOptions
  extends Pick<WorkerOptions, 'targetName' | 'corpus' | 'seed' | 'durationMs' | 'isInstrumented'> {
  /** The module that has the table of targets. Default: fuzz/targets.ts. */
  targets?: URL;
  /** How long one input may take. Default: 10 s. */
  hangMs?: number;
}

/** Where Linux has files that are in memory: nothing is learnt here from waiting for a disk. */
const MEMORY_DISK = '/dev/shm';
/** Longest input of all targets. */
const MAX_INPUT_BYTES = 1 << 20;
/** Far above what the program needs for small inputs, far below what a forged size can ask for. */
const MAX_MEMORY_BYTES = 1.25 * 2 ** 30;
const MAX_HEAP_MB = 512;
/** To load the program takes seconds on a busy machine. */
const START_MS = 120_000;
const LOOK_MS = 250;

export async function runSession({
  hangMs = 10_000,
  targets = new URL('./targets.js', import.meta.url),
  ...options
}: SessionOptions): Promise<WorkerAnswer> {
  const parent = fs.mkdtempSync(path.join(fs.existsSync(MEMORY_DISK) ? MEMORY_DISK : os.tmpdir(), 'bookgrid-fuzz-'));
  const folder = path.join(parent, 'work');
  fs.mkdirSync(folder);
  try {
    const watched = new WatchedInput({ maxBytes: MAX_INPUT_BYTES });
    const answer = await watch(watched, { ...options, targetsUrl: targets.href, folder, hangMs });
    const others = fs.readdirSync(parent).filter((name) => name !== 'work');
    if (others.length > 0 && !answer.finding) {
      const what = `files outside of the target's folder: ${others.join(', ')}`;
      answer.finding = { input: watched.get(), what, afterInputs: watched.count };
    }
    return answer;
  } finally {
    fs.rmSync(parent, { recursive: true, force: true });
  }
}

async function watch(
  watched: WatchedInput,
  { hangMs, ...options }: Omit<WorkerOptions, 'maxMemoryBytes' | 'memory' | 'inputFile'> & { hangMs: number },
): Promise<WorkerAnswer> {
  const inputs = process.env['BOOKGRID_FUZZ_INPUTS'];
  const inputFile = inputs === undefined ? undefined : path.join(inputs, options.targetName);
  const workerData: WorkerOptions = { ...options, maxMemoryBytes: MAX_MEMORY_BYTES, memory: watched.memory, inputFile };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const broken = (what: string): WorkerAnswer => ({
    unit: 'executions',
    inputs: watched.count,
    places: 0,
    finding: { input: watched.get(), what, afterInputs: watched.count },
    corpus: [],
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => resolve(broken(`the thread ended: ${(error as Error).stack ?? error}`)));
      worker.once('exit', (code) => resolve(broken(`the thread ended with ${code}`)));
      let [count, sinceMs] = [0, performance.now()];
      timer = setInterval(() => {
        if (watched.count !== count) [count, sinceMs] = [watched.count, performance.now()];
        const limitMs = count === 0 ? START_MS : hangMs;
        if (performance.now() - sinceMs > limitMs) resolve(broken(`hangs: one input took more than ${limitMs} ms`));
      }, LOOK_MS);
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
    if (inputFile !== undefined) fs.rmSync(inputFile, { force: true });
  }
}
