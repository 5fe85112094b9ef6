/** Processes that are killed, or made to stand still, at random moments. */

import { setTimeout } from 'node:timers/promises';
import type { CliResult } from './cli.js';
import { start } from './runs.js';

/** Numbers in [0, 1) that a seed gives again. */
export function* randomNumbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** How a program is started, and when it is disturbed. */
export interface Moment {
  args: string[];
  env?: NodeJS.ProcessEnv | undefined;
  /** After its start. */
  afterMs: number;
}

/** Kills a program; `false` when it had ended before. */
export async function killAt({ args, env, afterMs }: Moment): Promise<boolean> {
  const { child, ended } = start(args, { ...(env && { env }) });
  await Promise.race([setTimeout(afterMs), ended]);
  child.kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

/** Makes a program stand still for a moment, and lets it go on to its end. */
export async function pauseAt({ args, env, afterMs }: Moment): Promise<CliResult> {
  const { child, ended } = start(args, { ...(env && { env }) });
  await Promise.race([setTimeout(afterMs), ended]);
  child.kill('SIGSTOP');
  await setTimeout(100);
  child.kill('SIGCONT');
  return ended;
}
