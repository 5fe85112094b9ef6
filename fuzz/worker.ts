/** The thread in which one target is fuzzed. */
import fs from 'node:fs';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { codeCoverage, kernelCoverage } from './coverage.js';
import { watchKernels } from './kernel-probe.js';
import { fuzz } from './loop.js';
import type { Target, TargetContext } from './target.js';
import { WatchedInput } from './watched-input.js';

export interface WorkerOptions {
  /** Of the module that has the table of targets. */
  targetsUrl: string;
  targetName: string;
  folder: string;
  corpus: Uint8Array[];
  seed: number;
  durationMs: number;
  /** Of the process at its peak: more is a finding. */
  maxMemoryBytes: number;
  /** The kernels are instrumented. Otherwise nothing guides the fuzzer. */
  isInstrumented: boolean;
  /** See {@link WatchedInput}. */
  memory: SharedArrayBuffer;
  /** Each input is written here before it is tried, for when the whole process comes down with it. */
  inputFile: string | undefined;
}

/** What the thread tells when it is done. */
export interface WorkerAnswer {
  unit: 'archives' | 'executions';
  inputs: number;
  places: number;
  finding: { input: Uint8Array; what: string; afterInputs: number } | undefined;
  corpus: Uint8Array[];
}

const options = workerData as WorkerOptions;
// Before the target loads the program, and the program its kernels.
if (options.isInstrumented) watchKernels();
const { TARGETS } = (await import(options.targetsUrl)) as {
  TARGETS: Record<string, (context: TargetContext) => Promise<Target>>;
};
const create = TARGETS[options.targetName];
if (!create) throw new Error(`no target ${options.targetName}`);
const target = await create({ folder: options.folder });
const watched = new WatchedInput({ memory: options.memory });
const coverage = target.coverage === 'kernels' ? kernelCoverage() : codeCoverage(target.coverage);
const { inputs, places, finding, corpus } = await fuzz({
  target,
  coverage,
  corpus: options.corpus.map((input) => Buffer.from(input)),
  seed: options.seed,
  durationMs: options.durationMs,
  onInput(input) {
    watched.set(input);
    if (options.inputFile !== undefined) fs.writeFileSync(options.inputFile, input);
  },
  check() {
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    if (peakBytes > options.maxMemoryBytes) {
      throw new Error(`the process had ${peakBytes} bytes of memory, at most ${options.maxMemoryBytes} were expected`);
    }
  },
});
coverage.stop();
await target.close?.();
const answer: WorkerAnswer = {
  unit: target.unit,
  inputs,
  places,
  finding: finding && {
    input: finding.input,
    what: finding.error.stack ?? String(finding.error),
    afterInputs: finding.afterInputs,
  },
  corpus,
};
parentPort?.postMessage(answer);
