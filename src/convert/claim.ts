/**
 * Which of several runs on one output folder makes an output. A run claims outputs by staging them: that is seen by all
 * others. Whoever has staged an output and then sees that nobody else has may make it. Two that do so at the same
 * instant see each other, and the later run gives way.
 */
import { setTimeout } from 'node:timers/promises';
import { stagingFolderOf } from '../catalog/output-name.js';
import { openStorage } from '../storage/open-storage.js';
import type { StagedFile, StagingOptions, Writer } from '../storage/storage.js';
import type { PlannedOutput } from './plan.js';

/** An output that is to be made here, begun and still empty. */
export interface ClaimedOutput {
  output: PlannedOutput;
  file: StagedFile;
}

export interface ClaimOptions extends StagingOptions {
  /** Whether outputs are left to another run that is making them. */
  givesWay: (writer: Writer) => boolean;
}

/** A later run gives way as soon as it has looked. One that does not was here before. */
const LOOKS = 5;
const MS_BETWEEN_LOOKS = 20;

/**
 * Stages outputs, all or none.
 *
 * @returns what was staged, or the run that is making one of them.
 * @throws a system error when one cannot be staged.
 */
export async function claimOutputs(
  outputs: PlannedOutput[],
  { givesWay, ...options }: ClaimOptions,
): Promise<{ claimed: ClaimedOutput[] } | { takenBy: Writer }> {
  const before = (await findWriters(outputs, options)).find(givesWay);
  if (before) return { takenBy: before };
  const claimed: ClaimedOutput[] = [];
  try {
    for (const output of outputs) {
      claimed.push({ output, file: openStorage(output.path).stage(output.path, stagingOf(output, options)) });
    }
    for (let look = 1; ; look++) {
      const others = (await findWriters(outputs, options)).filter(givesWay);
      if (others.length === 0) return { claimed };
      const winner = others.find((other) => other.runId < options.runId) ?? (look === LOOKS ? others[0] : undefined);
      if (winner) {
        discardAll(claimed);
        return { takenBy: winner };
      }
      await setTimeout(MS_BETWEEN_LOOKS);
    }
  } catch (error) {
    discardAll(claimed, error);
    throw error;
  }
}

async function findWriters(outputs: PlannedOutput[], options: StagingOptions): Promise<Writer[]> {
  const writers: Writer[] = [];
  for (const output of outputs) {
    writers.push(...(await openStorage(output.path).writersOf(output.path, stagingOf(output, options))));
  }
  return writers;
}

function stagingOf(output: PlannedOutput, options: StagingOptions): StagingOptions {
  return { ...options, stagingDir: stagingFolderOf(output) };
}

/** Removes what was begun. When that fails too, the error says so, after what was wrong in the first place. */
export function discardAll(outputs: ClaimedOutput[], cause?: unknown): void {
  for (const { file } of outputs) {
    try {
      file.discard();
    } catch (error) {
      if (cause instanceof Error)
        cause.message += `; an unfinished output could not be removed (${(error as Error).message})`;
    }
  }
}
