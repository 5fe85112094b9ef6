/** A process that converts all of a folder as often as it is told to, and says what memory it has then. */
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findArchives } from '../../src/catalog/find-archives.js';
import { takeInventory } from '../../src/catalog/inventory.js';
import { plan } from '../../src/convert/plan.js';
import { run } from '../../src/convert/run.js';
import { workerThreadsExecutor } from '../../src/executors/worker-threads.js';

interface Task {
  source: string;
  outputDir: string;
}

/** What became of all archives. */
export interface Round {
  outcomes: { pair: string; status: string; error: string | undefined }[];
  ending: unknown;
  /** Memory of the process when no thread runs any more and garbage has been collected. */
  residentBytes: number;
}

/** Threads that have not ended: on a busy machine a run does not wait for them to the last. */
const threads = new Set<Promise<void>>();

async function convertAll({ source, outputDir }: Task): Promise<Round> {
  const inventory = await takeInventory(await findArchives(source), outputDir);
  const entries = plan(inventory, { outputDir, formats: ['csv', 'parquet'], metrics: true });
  const outcomes: Round['outcomes'] = [];
  const ending = await run(entries, workerThreadsExecutor({ slots: 2, stallTimeoutMs: 60_000 }), {
    onOutcome: ({ entry, result }) =>
      outcomes.push({
        pair: entry.pair,
        status: result.status,
        error: result.status === 'failed' ? result.error : undefined,
      }),
  });
  await Promise.all(threads);
  global.gc?.();
  return { outcomes, ending, residentBytes: process.memoryUsage.rss() };
}

/**
 * Of glibc: threads take and give back memory in two arenas, not in as many as eight a core, and what is larger than 128 KiB
 * goes back to the system at once. Otherwise an arena keeps what has been given back, so that the memory of a process in
 * which threads come and go wavers between 75 and 190 MB, and a leak would not be seen.
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

/** The process, as a test has it. */
export class SoakedProcess {
  readonly #child: ChildProcess;
  #hear: (round: Round) => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor() {
    this.#child = fork(fileURLToPath(import.meta.url), {
      execArgv: ['--expose-gc'],
      env: { ...process.env, ...MALLOC },
    });
    this.#child.on('message', (round) => this.#hear(round as Round));
    this.#child.once('exit', (code, signal) => this.#fail(new Error(`the process has ended: ${code ?? signal}`)));
  }

  convertAll(task: Task): Promise<Round> {
    return new Promise((resolve, reject) => {
      this.#hear = resolve;
      this.#fail = reject;
      this.#child.send(task);
    });
  }

  end(): void {
    this.#child.kill();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('worker', (thread) => {
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve())).then(() => {
      threads.delete(ended);
    });
    threads.add(ended);
  });
  process.on('message', async (task: Task) => process.send?.(await convertAll(task)));
}
